// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {HashFailed} from "./OwnReasons.sol";
import {OpeningMissing} from "./Reasons.sol";

/// Inclusion proofs of RFC 9162, section 2.1.3, as fraud_proof/merkle/inclusion.h has them: index and count, which the
/// caller knows from shapes, fix the number of siblings and their sides.
library Merkle {
    /// SHA-256 of nothing.
    bytes32 internal constant EMPTY_ROOT = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;

    /// The root to which the siblings at calldata place `at` lead from the digest of leaf `index` of `count`, and the
    /// place behind them. The index is smaller than the count. OpeningMissing where they do not end before `end`.
    function climb(bytes32 node, uint256 index, uint256 count, uint256 place, uint256 end)
        internal
        view
        returns (bytes32, uint256)
    {
        bool done = true;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 1)
            // Two nodes stand side by side, and each hash is put where it belongs among them: the bit 32 of `path` says
            // whether that is to the right.
            let left := add(buffer, 1)
            let right := add(buffer, 33)
            let path := shl(5, index)
            let side := and(path, 32)
            mstore(add(left, side), node)
            // Whoever is not the last of its level has a sibling.
            for { let apart := xor(index, sub(count, 1)) } apart { apart := shr(1, apart) } {
                mstore(sub(right, side), calldataload(place))
                place := add(place, 32)
                path := shr(1, path)
                side := and(path, 32)
                done := and(done, staticcall(gas(), 2, buffer, 65, add(left, side), 32))
            }
            node := mload(add(left, side))
            // The last one has a left sibling, or rises as it is.
            for { let last := shr(5, path) } last { last := shr(1, last) } {
                if and(last, 1) {
                    mstore(left, calldataload(place))
                    mstore(right, node)
                    place := add(place, 32)
                    done := and(done, staticcall(gas(), 2, buffer, 65, 0, 32))
                    node := mload(0)
                }
            }
            // Of the last hash, as of all: whether there is such a precompile does not change.
            if gt(count, 1) { done := and(done, eq(returndatasize(), 32)) }
        }
        if (place > end) revert OpeningMissing();
        if (!done) revert HashFailed();
        return (node, place);
    }

    /// The root of the tree whose leaves are these 32 bytes each; the list is used up.
    function rootOf(bytes32[] memory leaves) internal view returns (bytes32) {
        (uint256 place, uint256 count) = over(leaves);
        return rootOf(place, count);
    }

    /// The root over nodes of one height, of which the last may be lower; the list is used up.
    function rootOfNodes(bytes32[] memory nodes) internal view returns (bytes32) {
        (uint256 place, uint256 count) = over(nodes);
        return rootOfNodes(place, count);
    }

    /// Of so many leaves at a place of memory.
    function rootOf(uint256 place, uint256 count) internal view returns (bytes32) {
        bool done = true;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 0)
            let end := add(place, shl(5, count))
            for { let leaf := place } lt(leaf, end) { leaf := add(leaf, 32) } {
                mstore(add(buffer, 1), mload(leaf))
                done := and(done, staticcall(gas(), 2, buffer, 33, leaf, 32))
            }
            if count { done := and(done, eq(returndatasize(), 32)) }
        }
        if (!done) revert HashFailed();
        return rootOfNodes(place, count);
    }

    function rootOfNodes(uint256 place, uint256 count) private view returns (bytes32 root) {
        if (count == 0) return EMPTY_ROOT;
        bool done = true;
        assembly ("memory-safe") {
            // Two nodes stand side by side. The byte before them, which makes an inner node of them, is of a node that was
            // used already, or of what stands before the list.
            let word := sub(place, 32)
            let before := mload(word)
            let hashes := gt(count, 1)
            for {} gt(count, 1) {} {
                let pairs := shr(1, count)
                let to := place
                let from := sub(place, 1)
                for { let end := add(place, shl(5, pairs)) } lt(to, end) { to := add(to, 32) } {
                    mstore8(from, 1)
                    done := and(done, staticcall(gas(), 2, from, 65, to, 32))
                    from := add(from, 64)
                }
                if and(count, 1) { mstore(to, mload(add(from, 1))) }
                count := add(pairs, and(count, 1))
            }
            if hashes { done := and(done, eq(returndatasize(), 32)) }
            mstore(word, before)
            root := mload(place)
        }
        if (!done) revert HashFailed();
    }

    function over(bytes32[] memory list) private pure returns (uint256 place, uint256 count) {
        assembly ("memory-safe") {
            place := add(list, 32)
            count := mload(list)
        }
    }
}
