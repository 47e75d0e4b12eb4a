// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Sha256} from "./Sha256.sol";
import {OpeningMissing} from "./Reasons.sol";
import {calldataWord} from "./Memory.sol";

/// Inclusion proofs of RFC 9162, section 2.1.3, as fraud_proof/merkle/inclusion.h has them: index and count, which the
/// caller knows from shapes, fix the number of siblings and their sides.
library Merkle {
    /// The root to which the siblings at calldata place `at` lead from the digest of leaf `index` of `count`, and the
    /// place behind them. The index is smaller than the count. OpeningMissing where they do not end before `end`.
    function climb(bytes32 node, uint256 index, uint256 count, uint256 place, uint256 end)
        internal
        view
        returns (bytes32, uint256)
    {
        unchecked {
            uint256 last = count - 1;
            while (last != 0) {
                bool left = index & 1 == 1;
                if (left || index < last) {
                    if (end - place < 32) revert OpeningMissing();
                    bytes32 sibling = bytes32(calldataWord(place));
                    node = left ? Sha256.node(sibling, node) : Sha256.node(node, sibling);
                    place += 32;
                }
                index >>= 1;
                last >>= 1;
            }
        }
        return (node, place);
    }
}
