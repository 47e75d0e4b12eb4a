// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {HashFailed} from "./OwnReasons.sol";

/// SHA-256 by the precompile at address 2. A call that fails (which takes too little gas: it cannot fail otherwise)
/// reverts all, so that no half-done hash ever counts as one.
library Sha256 {
    /// Of `size` bytes of memory.
    function hash(uint256 place, uint256 size) internal view returns (bytes32 digest) {
        bool done;
        assembly ("memory-safe") {
            done := and(eq(returndatasize(), 32), staticcall(gas(), 2, place, size, 0, 32))
            digest := mload(0)
        }
        if (!done) revert HashFailed();
    }

    /// Of a leaf of `size` bytes of calldata (RFC 9162, section 2.1.1).
    function leaf(uint256 place, uint256 size) internal view returns (bytes32 digest) {
        bool done;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 0)
            calldatacopy(add(buffer, 1), place, size)
            done := and(eq(returndatasize(), 32), staticcall(gas(), 2, buffer, add(size, 1), 0, 32))
            digest := mload(0)
        }
        if (!done) revert HashFailed();
    }

    /// Of a leaf of 32 bytes.
    function leafOfDigest(bytes32 content) internal view returns (bytes32 digest) {
        bool done;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 0)
            mstore(add(buffer, 1), content)
            done := and(eq(returndatasize(), 32), staticcall(gas(), 2, buffer, 33, 0, 32))
            digest := mload(0)
        }
        if (!done) revert HashFailed();
    }

    /// Of an inner node.
    function node(bytes32 left, bytes32 right) internal view returns (bytes32 digest) {
        bool done;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 1)
            mstore(add(buffer, 1), left)
            mstore(add(buffer, 33), right)
            done := and(eq(returndatasize(), 32), staticcall(gas(), 2, buffer, 65, 0, 32))
            digest := mload(0)
        }
        if (!done) revert HashFailed();
    }
}
