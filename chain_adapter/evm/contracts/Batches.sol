// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {free, setWord, wordAt} from "./Memory.sol";
import {KIND_FIELD, KIND_ROW, Object} from "./Objects.sol";
import {Program} from "./Programs.sol";
import {Sha256} from "./Sha256.sol";

/// All that an opening is checked against and that a section runs on: fraud_proof/step/committed_batch.h.
struct Batch {
    Program program;
    bytes32 recordsRoot;
    bytes32 previousStateRoot;
    bytes32 tablesRoot;
    uint256 leafBytes;
    uint256 records; // K
    uint256 dimsAt; // the other dims, u64be each
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

    function dim(Batch memory batch, uint256 i) internal pure returns (uint256) {
        unchecked {
            return i == 0 ? batch.records : wordAt(batch.dimsAt + 8 * (i - 1)) >> 192;
        }
    }

    /// How an object's leaves are cut: bytes of its data (of one record's row, or of all records), and of a leaf.
    function leafLayout(Batch memory batch, Object object) internal pure returns (uint256 dataBytes, uint256 leafBytes) {
        unchecked {
            if (object.kind() <= KIND_FIELD) {
                leafBytes = recordBytes(batch);
                return (batch.records * leafBytes, leafBytes);
            }
            (uint256 first, uint256 second) = extents(batch, object);
            return (first * second * object.elementBytes(), batch.leafBytes);
        }
    }

    /// Of a state or a table, or of one record's row as a list.
    function extents(Batch memory batch, Object object) internal pure returns (uint256 first, uint256 second) {
        (first, second) = object.extents(batch.records);
        if (object.kind() == KIND_ROW) (first, second) = (second, 1);
    }

    /// What a state, a table or a row with this tree root is committed by (docs/spec.md, 5.2).
    function commitment(Batch memory batch, Object object, bytes32 root) internal view returns (bytes32) {
        (uint256 first, uint256 second) = extents(batch, object);
        uint256 rank = object.kind() == KIND_ROW ? 1 : object.rank();
        return commitment(batch.leafBytes, object.elementBytes(), rank, first, second, root);
    }

    /// Of what is no row.
    function commitment(uint256 leafBytes, Object object, uint256 first, uint256 second, bytes32 root)
        internal
        view
        returns (bytes32)
    {
        return commitment(leafBytes, object.elementBytes(), object.rank(), first, second, root);
    }

    function commitment(
        uint256 leafBytes,
        uint256 elementBytes,
        uint256 rank,
        uint256 first,
        uint256 second,
        bytes32 root
    ) private view returns (bytes32) {
        unchecked {
            uint256 head =
                (2 << 176) | (elementBytes << 168) | (rank << 160) | (first << 96) | (second << 32) | leafBytes;
            uint256 place = free();
            setWord(place, head << 72);
            setWord(place + 23, uint256(root));
            return Sha256.hash(place, 55);
        }
    }
}
