// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {
    KIND_FIELD,
    KIND_ROW,
    Program,
    Programs
} from "./Programs.sol";
import {Sha256} from "./Sha256.sol";

/// All that an opening is checked against and that a section runs on: fraud_proof/step/committed_batch.h.
struct Batch {
    Program program;
    bytes32 recordsRoot;
    bytes32 previousStateRoot;
    bytes32 tablesRoot;
    uint256 leafBytes;
    uint256[] dims; // as many as the program's, K first
    uint256 number;
    int256 seedHigh;
    int256 seedLow;
}

/// The shapes of a batch's data, as its program says them.
library Batches {
    /// address, member, nonce, row commitments, fields, signature.
    function recordBytes(Batch memory batch) internal pure returns (uint256) {
        unchecked {
            return 101 + 32 * batch.program.rows + 8 * batch.program.fields;
        }
    }

    /// How an object's leaves are cut: bytes of its data (of one record's row, or of all records), and of a leaf.
    function leafLayout(Batch memory batch, uint256 object) internal pure returns (uint256 dataBytes, uint256 leafBytes) {
        unchecked {
            if (Programs.objectKind(object) <= KIND_FIELD) {
                leafBytes = recordBytes(batch);
                return (batch.dims[0] * leafBytes, leafBytes);
            }
            (uint256 first, uint256 second) = extents(batch, object);
            return (first * second * Programs.elementBytes(object), batch.leafBytes);
        }
    }

    /// Of a state or a table, or of one record's row as a list.
    function extents(Batch memory batch, uint256 object) internal pure returns (uint256 first, uint256 second) {
        unchecked {
            first = Programs.extent(Programs.objectExtentAt(object, 1), batch.dims);
            if (Programs.objectKind(object) == KIND_ROW) return (first, 1);
            return (Programs.extent(Programs.objectExtentAt(object, 0), batch.dims), first);
        }
    }

    /// What a state, a table or a row with this tree root is committed by (docs/spec.md, 5.2).
    function commitment(Batch memory batch, uint256 object, bytes32 root) internal view returns (bytes32) {
        (uint256 first, uint256 second) = extents(batch, object);
        return commitment(batch, object, first, second, root);
    }

    /// Where its extents are known.
    function commitment(Batch memory batch, uint256 object, uint256 first, uint256 second, bytes32 root)
        internal
        view
        returns (bytes32)
    {
        unchecked {
            uint256 rank = Programs.objectKind(object) == KIND_ROW ? 1 : Programs.objectRank(object);
            uint256 head = (2 << 176) | (Programs.elementBytes(object) << 168) | (rank << 160) | (first << 96)
                | (second << 32) | batch.leafBytes;
            uint256 place;
            assembly ("memory-safe") {
                place := mload(0x40)
                mstore(place, shl(72, head))
                mstore(add(place, 23), root)
            }
            return Sha256.hash(place, 55);
        }
    }
}
