// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

// Big-endian fields at byte positions of memory and calldata, and memory that begins as zeros.
//
// Nothing here checks bounds: whoever reads calldata compares with its end first, and memory that may be read past its
// end is followed by zeros.

function u8At(uint256 place) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := byte(0, mload(place))
    }
}

function u16At(uint256 place) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := shr(240, mload(place))
    }
}

function u32At(uint256 place) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := shr(224, mload(place))
    }
}

function i128At(uint256 place) pure returns (int256 value) {
    assembly ("memory-safe") {
        value := sar(128, mload(place))
    }
}

function wordAt(uint256 place) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := mload(place)
    }
}

function setWord(uint256 place, uint256 value) pure {
    assembly ("memory-safe") {
        mstore(place, value)
    }
}

function calldataWord(uint256 place) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := calldataload(place)
    }
}

/// Memory behind all that is in use.
function free() pure returns (uint256 place) {
    assembly ("memory-safe") {
        place := mload(0x40)
    }
}

/// `words` words of zeros, whatever was in that memory before.
function zeroedWords(uint256 words) pure returns (uint256 place) {
    assembly ("memory-safe") {
        place := mload(0x40)
        let size := shl(5, words)
        mstore(0x40, add(place, size))
        // Calldata behind its end reads as zeros.
        calldatacopy(place, calldatasize(), size)
    }
}
