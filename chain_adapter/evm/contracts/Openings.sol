// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch, Batches} from "./Batches.sol";
import {calldataWord, setWord, wordAt, zeroedWords} from "./Memory.sol";
import {Merkle} from "./Merkle.sol";
import {KIND_FIELD, KIND_MEMBER, KIND_NONCE, KIND_ROW, KIND_STATE, Object} from "./Objects.sol";
import {Programs} from "./Programs.sol";
import {
    NoSuchEntry,
    OpeningMissing,
    OpeningRecord,
    OpeningRow,
    OpeningSize,
    OpeningState,
    OpeningTable,
    OpeningTrailing,
    OpeningUnexpected
} from "./Reasons.sol";
import {Sha256} from "./Sha256.sol";

/// Openings that are read one after the other from calldata, and the leaves shown so far: fraud_proof/step/opening.h.
struct Openings {
    uint256 place; // place of the next opening in calldata
    uint256 end;
    uint256 slotsAt; // a hash table of leaves: key << 64 | 1 + place in calldata; 0: empty
    uint256 mask; // slots - 1, a power of two minus one; 0: no leaf is asked for twice, and nothing is kept
    uint256 salt; // of the hash table
    uint256 rootsAt; // for each object, 1 if its root is known, and the root
}

uint256 constant OPENING_HEAD_BYTES = 16;
uint256 constant RECORD_MEMBER_OFFSET = 20;
uint256 constant RECORD_NONCE_OFFSET = 28;
uint256 constant RECORD_ROWS_OFFSET = 36;

/// A leaf's key is its head without the size: u16 object ‖ u32 record ‖ u64 leaf.
library OpeningKeys {
    function pack(uint256 object, uint256 record, uint256 leaf) internal pure returns (uint256) {
        unchecked {
            return (object << 96) | (record << 64) | leaf;
        }
    }

    function objectOf(uint256 key) internal pure returns (uint256) {
        return key >> 96;
    }

    function recordOf(uint256 key) internal pure returns (uint256) {
        return (key >> 64) & 0xffffffff;
    }

    function leafOf(uint256 key) internal pure returns (uint256) {
        return key & 0xffffffffffffffff;
    }

    /// The leaf that holds an element: `element` is k for member, nonce and fields, k * length + d for rows.
    function ofElement(Batch memory batch, uint256 id, uint256 element) internal pure returns (uint256) {
        unchecked {
            Object object = Programs.object(batch.program, id);
            if (object.kind() <= KIND_FIELD) return pack(KIND_MEMBER, element & 0xffffffff, 0);
            uint256 leafElements = batch.leafBytes / object.elementBytes();
            if (object.kind() != KIND_ROW) return pack(id, 0, element / leafElements);
            (, uint256 length) = object.extents(batch.records);
            return pack(id, (element / length) & 0xffffffff, (element % length) / leafElements);
        }
    }

    /// Whether the batch has such a leaf.
    function exists(Batch memory batch, uint256 key) internal pure returns (bool) {
        (, uint256 index, uint256 count,) = locate(batch, key);
        return index < count;
    }

    /// Its object, and where the leaf is in its tree: the index, of so many, and the leaf's bytes. Of none the index is
    /// not smaller than the count.
    function locate(Batch memory batch, uint256 key)
        internal
        pure
        returns (Object object, uint256 index, uint256 count, uint256 size)
    {
        unchecked {
            if (objectOf(key) >= batch.program.objects) return (object, 0, 0, 0);
            object = Programs.object(batch.program, objectOf(key));
            index = leafOf(key);
            uint256 record = recordOf(key);
            uint256 kind = object.kind();
            if (kind <= KIND_FIELD) {
                if (kind != KIND_MEMBER || index != 0) return (object, 0, 0, 0);
                return (object, record, batch.records, Batches.recordBytes(batch));
            }
            if (kind == KIND_ROW ? record >= batch.records : record != 0) return (object, 0, 0, 0);
            uint256 dataBytes;
            (dataBytes, size) = Batches.leafLayout(batch, object);
            count = (dataBytes + size - 1) / size;
            if (index + 1 == count) size = dataBytes - index * size;
        }
    }
}

library OpeningReader {
    /// Over `size` bytes at calldata place `at`, of which at most `leaves` leaves will be asked for.
    function start(Batch memory batch, uint256 place, uint256 size, uint256 leaves)
        internal
        pure
        returns (Openings memory openings)
    {
        unchecked {
            openings.place = place;
            openings.end = place + size;
            // One leaf is not asked for again.
            if (leaves < 2) return openings;
            uint256 slots = 8;
            while (slots < 2 * leaves) slots <<= 1;
            openings.slotsAt = zeroedWords(slots);
            openings.mask = slots - 1;
            openings.salt = saltOf(batch);
            openings.rootsAt = zeroedWords(2 * batch.program.objects);
        }
    }

    /// OpeningTrailing unless every byte was used.
    function finish(Openings memory openings) internal pure {
        if (openings.place != openings.end) revert OpeningTrailing();
    }

    /// The place in calldata of a leaf, which must be the next opening unless it was shown before. A row's leaf takes
    /// its record's opening first.
    function open(Batch memory batch, Openings memory openings, uint256 key) internal view returns (uint256 leaf) {
        unchecked {
            (Object object, uint256 index, uint256 count, uint256 size) = OpeningKeys.locate(batch, key);
            if (index >= count) revert NoSuchEntry();
            bool isSingle = openings.mask == 0;
            if (!isSingle) {
                (, leaf) = find(openings, key);
                if (leaf != 0) return leaf;
            }
            uint256 record = 0;
            if (object.kind() == KIND_ROW) {
                record = open(batch, openings, OpeningKeys.pack(KIND_MEMBER, OpeningKeys.recordOf(key), 0));
            }
            bytes32 root;
            (leaf, root) = read(openings, key, index, count, size);
            check(batch, openings, key, object, root, record);
            if (isSingle) return leaf;
            (uint256 slot,) = find(openings, key);
            setWord(slot, ((key + 1) << 64) | leaf);
        }
    }

    /// Of all that says which leaves are asked for: whoever makes a batch whose leaves are to fall on the same slots
    /// changes the salt with it.
    function saltOf(Batch memory batch) private pure returns (uint256 salt) {
        bytes32[3] memory roots = [batch.recordsRoot, batch.previousStateRoot, batch.tablesRoot];
        assembly ("memory-safe") {
            salt := keccak256(roots, 96)
        }
    }

    /// The slot where a key stands, or would stand; and the place of its leaf, 0 where it was not shown.
    function find(Openings memory openings, uint256 key) private pure returns (uint256 slot, uint256 leaf) {
        unchecked {
            uint256 mask = openings.mask;
            uint256 index = openings.salt;
            assembly ("memory-safe") {
                mstore(0, key)
                mstore(32, index)
                index := keccak256(0, 64)
            }
            while (true) {
                slot = openings.slotsAt + 32 * (index & mask);
                uint256 found = wordAt(slot);
                if (found == 0) return (slot, 0);
                if (found >> 64 == key + 1) return (slot, found & 0xffffffffffffffff);
                ++index;
            }
        }
    }

    /// One opening without its upper path: where its leaf is, and the root that it leads to. The leaf is this one of so
    /// many, and has so many bytes.
    function read(Openings memory openings, uint256 key, uint256 index, uint256 count, uint256 size)
        internal
        view
        returns (uint256 leaf, bytes32 root)
    {
        unchecked {
            uint256 place = openings.place;
            uint256 end = openings.end;
            if (end - place < OPENING_HEAD_BYTES) revert OpeningMissing();
            uint256 head = calldataWord(place) >> 128;
            if (head >> 16 != key) revert OpeningUnexpected();
            if (head & 0xffff != size) revert OpeningSize();
            leaf = place + OPENING_HEAD_BYTES;
            if (end - leaf < size) revert OpeningMissing();
            (root, openings.place) = Merkle.climb(Sha256.leaf(leaf, size), index, count, leaf + size, end);
        }
    }

    /// Whether the root is what the batch commits to; `record` is where a row's record was opened.
    function check(
        Batch memory batch,
        Openings memory openings,
        uint256 key,
        Object object,
        bytes32 root,
        uint256 record
    ) private view {
        unchecked {
            uint256 kind = object.kind();
            if (kind <= KIND_FIELD) {
                if (root != batch.recordsRoot) revert OpeningRecord();
            } else if (kind == KIND_ROW) {
                uint256 place = Programs.placeOf(batch.program, OpeningKeys.objectOf(key));
                bytes32 committed = bytes32(calldataWord(record + RECORD_ROWS_OFFSET + 32 * place));
                if (Batches.commitment(batch, object, root) != committed) revert OpeningRow();
            } else {
                checkTable(batch, openings, OpeningKeys.objectOf(key), object, root);
            }
        }
    }

    function checkTable(Batch memory batch, Openings memory openings, uint256 id, Object object, bytes32 root)
        private
        view
    {
        unchecked {
            bool isState = object.kind() == KIND_STATE;
            uint256 known = openings.rootsAt + 64 * id;
            if (openings.mask != 0 && wordAt(known) != 0) {
                if (bytes32(wordAt(known + 32)) == root) return;
                if (isState) revert OpeningState();
                revert OpeningTable();
            }
            bytes32 top;
            (top, openings.place) = Merkle.climb(
                Sha256.leafOfDigest(Batches.commitment(batch, object, root)),
                Programs.placeOf(batch.program, id),
                isState ? batch.program.states : batch.program.tables,
                openings.place,
                openings.end
            );
            if (isState) {
                if (top != batch.previousStateRoot) revert OpeningState();
            } else if (top != batch.tablesRoot) {
                revert OpeningTable();
            }
            if (openings.mask == 0) return;
            setWord(known, 1);
            setWord(known + 32, uint256(root));
        }
    }

    /// The raw value of an element that the batch has.
    function element(Batch memory batch, Openings memory openings, uint256 id, uint256 index)
        internal
        view
        returns (int256)
    {
        uint256 leaf = open(batch, openings, OpeningKeys.ofElement(batch, id, index));
        return valueInLeaf(batch, id, index, leaf);
    }

    /// Of an element in its leaf, which is at this place in calldata.
    function valueInLeaf(Batch memory batch, uint256 id, uint256 index, uint256 leaf) internal pure returns (int256) {
        unchecked {
            Object object = Programs.object(batch.program, id);
            uint256 kind = object.kind();
            if (kind == KIND_MEMBER) return int256(calldataWord(leaf + RECORD_MEMBER_OFFSET) >> 192);
            if (kind == KIND_NONCE) return int256(calldataWord(leaf + RECORD_NONCE_OFFSET) >> 192);
            if (kind == KIND_FIELD) {
                uint256 offset = RECORD_ROWS_OFFSET + 32 * batch.program.rows + 8 * Programs.placeOf(batch.program, id);
                return int256(calldataWord(leaf + offset)) >> 192;
            }
            if (kind == KIND_ROW) {
                (, uint256 length) = object.extents(batch.records);
                index %= length;
            }
            uint256 width = object.elementBytes();
            return littleEndian(calldataWord(leaf + (index % (batch.leafBytes / width)) * width), width);
        }
    }

    /// The first `width` bytes of a word, at most 16, as a little-endian number in two's complement.
    function littleEndian(uint256 word, uint256 width) private pure returns (int256 value) {
        assembly ("memory-safe") {
            let x := shr(128, word)
            x :=
                or(
                    shr(8, and(x, 0xff00ff00ff00ff00ff00ff00ff00ff00)),
                    shl(8, and(x, 0x00ff00ff00ff00ff00ff00ff00ff00ff))
                )
            x :=
                or(
                    shr(16, and(x, 0xffff0000ffff0000ffff0000ffff0000)),
                    shl(16, and(x, 0x0000ffff0000ffff0000ffff0000ffff))
                )
            x :=
                or(
                    shr(32, and(x, 0xffffffff00000000ffffffff00000000)),
                    shl(32, and(x, 0x00000000ffffffff00000000ffffffff))
                )
            x := or(shr(64, x), shl(64, and(x, 0xffffffffffffffff)))
            value := signextend(sub(width, 1), x)
        }
    }
}
