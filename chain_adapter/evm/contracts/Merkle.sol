// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Sha256} from "./Sha256.sol";
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
        bool isMissing;
        bool done = true;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 1)
            let left := add(buffer, 1)
            for { let last := sub(count, 1) } last { last := shr(1, last) } {
                let isRight := and(index, 1)
                // The last of a level that has no sibling rises as it is.
                if or(isRight, lt(index, last)) {
                    if lt(sub(end, place), 32) {
                        isMissing := 1
                        break
                    }
                    mstore(add(left, shl(5, isRight)), node)
                    mstore(add(left, shl(5, iszero(isRight))), calldataload(place))
                    done := and(done, and(eq(returndatasize(), 32), staticcall(gas(), 2, buffer, 65, 0, 32)))
                    node := mload(0)
                    place := add(place, 32)
                }
                index := shr(1, index)
            }
        }
        if (isMissing) revert OpeningMissing();
        if (!done) revert HashFailed();
        return (node, place);
    }

    /// The root of the tree whose leaves are these 32 bytes each; the list is used up.
    function rootOf(bytes32[] memory leaves) internal view returns (bytes32) {
        for (uint256 i = 0; i < leaves.length; ++i) leaves[i] = Sha256.leafOfDigest(leaves[i]);
        return rootOfNodes(leaves);
    }

    /// The root over nodes of one height, of which the last may be lower; the list is used up.
    function rootOfNodes(bytes32[] memory nodes) internal view returns (bytes32) {
        unchecked {
            uint256 count = nodes.length;
            if (count == 0) return EMPTY_ROOT;
            while (count > 1) {
                for (uint256 i = 0; i + 1 < count; i += 2) nodes[i / 2] = Sha256.node(nodes[i], nodes[i + 1]);
                if (count & 1 == 1) nodes[count / 2] = nodes[count - 1];
                count = (count + 1) / 2;
            }
            return nodes[0];
        }
    }
}
