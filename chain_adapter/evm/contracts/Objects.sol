// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// What the bytecode of a task says of an object (docs/spec.md, 4.1): the first word of it. Of extents, only K is not a
/// number there.
///
/// kind u8 ‖ log2 of an element's bytes u8 ‖ rank u8 ‖ extents 2 × (u8 1: K ‖ u32) ‖ whether its range is proved u8
/// ‖ lowest i128 ‖ two bytes more
type Object is uint256;

using {kind, elementBytes, rank, extents, isProved} for Object global;

uint256 constant KIND_MEMBER = 0;
uint256 constant KIND_NONCE = 1;
uint256 constant KIND_FIELD = 2;
uint256 constant KIND_ROW = 3;
uint256 constant KIND_STATE = 4;
uint256 constant KIND_ADVICE = 5;
uint256 constant KIND_COMPUTED = 6;

uint256 constant OBJECT_BYTES = 46;

/// The object at this place of memory.
function objectAt(uint256 place) pure returns (Object object) {
    assembly ("memory-safe") {
        object := mload(place)
    }
}

function kind(Object object) pure returns (uint256) {
    return Object.unwrap(object) >> 248;
}

/// 1, 2, 4, 8 or 16.
function elementBytes(Object object) pure returns (uint256) {
    return 1 << uint8(Object.unwrap(object) >> 240);
}

function rank(Object object) pure returns (uint256) {
    return uint8(Object.unwrap(object) >> 232);
}

/// Where there are so many records.
function extents(Object object, uint256 records) pure returns (uint256 first, uint256 second) {
    first = extent(uint40(Object.unwrap(object) >> 192), records);
    second = extent(uint40(Object.unwrap(object) >> 152), records);
}

/// u8 1: K ‖ u32.
function extent(uint256 coded, uint256 records) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := xor(coded, mul(xor(coded, records), gt(coded, 0xffffffff)))
    }
}

function isProved(Object object) pure returns (bool) {
    return uint8(Object.unwrap(object) >> 144) == 1;
}
