// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Entry} from "./Loads.sol";
import {i128At} from "./Memory.sol";
import {Openings, OpeningReader} from "./Openings.sol";
import {ITEM_TABLE, Programs} from "./Programs.sol";
import {NoBody, NoSuchEntry} from "./Reasons.sol";
import {Section, Sections} from "./Sections.sol";

/// What a transition leads to.
struct End {
    uint256 kind;
    int256[8] accumulators; // of END_ACCUMULATORS: those of the body, then 0
    int256[16] results; // of END_RESULTS: one for each column, then 0
}

uint256 constant END_ACCUMULATORS = 0;
uint256 constant END_RESULTS = 1;
uint256 constant END_FAIL = 2;

/// The single-step fraud proof: fraud_proof/step/one_step.h.
library OneStep {
    /// The number of transitions of an entry, L + 1.
    function transitions(Batch memory batch, uint256 item, uint256 index) internal pure returns (uint256) {
        unchecked {
            return foldLength(batch, find(batch, item, index)) + 1;
        }
    }

    /// The initial accumulators of an item.
    function initial(Batch memory batch, uint256 item) internal pure returns (int256[8] memory accumulators) {
        unchecked {
            uint256 body = Programs.bodyAt(Programs.itemAt(batch.program, item));
            uint256 count = Programs.accumulatorCount(body);
            for (uint256 j = 0; j < count; ++j) accumulators[j] = i128At(Programs.accumulatorAt(body, j));
        }
    }

    /// Runs transition `number` of an entry on `before`, which it changes, with the witness at this calldata place.
    function run(
        Batch memory batch,
        uint256 item,
        uint256 index,
        uint256 number,
        int256[8] memory before,
        uint256 witnessAt,
        uint256 witnessSize
    ) internal view returns (End memory end) {
        unchecked {
            Entry memory entry = find(batch, item, index);
            uint256 length = foldLength(batch, entry);
            if (number > length) revert NoSuchEntry();
            uint256 body = Programs.bodyAt(entry.itemAt);
            uint256 count = Programs.accumulatorCount(body);
            Section memory section;
            section.isStep = number < length;
            section.fold = number;
            section.codeAt = section.isStep ? Programs.stepAt(body) : Programs.finishAt(body);
            section.instructions = section.isStep ? Programs.stepCount(body) : Programs.finishCount(body);
            // A load opens at most a row's leaf and its record.
            Openings memory openings = OpeningReader.start(batch, witnessAt, witnessSize, 2 * section.instructions);
            bool failed;
            (failed, end.results) = Sections.run(batch, openings, entry, section, before, count);
            OpeningReader.finish(openings);
            if (failed) {
                end.kind = END_FAIL;
                delete end.results;
            } else if (section.isStep) {
                end.kind = END_ACCUMULATORS;
                for (uint256 j = 0; j < count; ++j) end.accumulators[j] = before[j];
            } else {
                end.kind = END_RESULTS;
            }
        }
    }

    /// The committed results of an entry, from the openings of its columns in order; other bodies than a table's have
    /// none.
    function openResults(Batch memory batch, uint256 item, uint256 index, uint256 place, uint256 size)
        internal
        view
        returns (int256[16] memory results)
    {
        unchecked {
            Entry memory entry = find(batch, item, index);
            uint256 columns = Programs.itemKind(entry.itemAt) == ITEM_TABLE ? Programs.resultCount(entry.itemAt) : 0;
            Openings memory openings = OpeningReader.start(batch, place, size, columns);
            for (uint256 column = 0; column < columns; ++column) {
                results[column] =
                    OpeningReader.element(batch, openings, Programs.resultOf(entry.itemAt, column), index);
            }
            OpeningReader.finish(openings);
        }
    }

    /// NoSuchEntry, NoBody.
    function find(Batch memory batch, uint256 item, uint256 index) private pure returns (Entry memory entry) {
        unchecked {
            if (item >= batch.program.items) revert NoSuchEntry();
            uint256 place = Programs.itemAt(batch.program, item);
            if (!Programs.hasBody(place)) revert NoBody();
            uint256 second = Programs.extent(Programs.itemExtentAt(place, 1), batch.dims);
            if (index >= Programs.extent(Programs.itemExtentAt(place, 0), batch.dims) * second) revert NoSuchEntry();
            entry.item = item;
            entry.itemAt = place;
            entry.index = index;
            uint256 rank = Programs.itemRank(place);
            if (rank == 2) {
                entry.first = index / second;
                entry.second = index % second;
            } else if (rank == 1) {
                entry.first = index;
            }
        }
    }

    function foldLength(Batch memory batch, Entry memory entry) private pure returns (uint256) {
        uint256 body = Programs.bodyAt(entry.itemAt);
        return Programs.isFold(body) ? Programs.extent(Programs.lengthAt(body), batch.dims) : 0;
    }
}
