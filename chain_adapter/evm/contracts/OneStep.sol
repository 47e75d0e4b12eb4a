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
    /// Of an entry: how many transitions it has, L + 1; into `accumulators`, which are 0, the initial ones; into
    /// `results`, as openResults(); and how many there are of both.
    function begin(
        Batch memory batch,
        uint256 item,
        uint256 index,
        uint256 shown,
        uint256 shownBytes,
        int256[8] memory accumulators,
        int256[16] memory results
    ) internal view returns (uint256 transitions, uint256 accumulatorCount, uint256 resultCount) {
        unchecked {
            Entry memory entry = find(batch, item, index);
            uint256 body = Programs.bodyAt(entry.itemAt);
            accumulatorCount = Programs.accumulatorCount(body);
            for (uint256 j = 0; j < accumulatorCount; ++j) accumulators[j] = i128At(Programs.accumulatorAt(body, j));
            resultCount = openResults(batch, entry, shown, shownBytes, results);
            transitions = foldLength(batch, entry) + 1;
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
    function openResults(
        Batch memory batch,
        Entry memory entry,
        uint256 shown,
        uint256 shownBytes,
        int256[16] memory results
    ) private view returns (uint256 columns) {
        unchecked {
            columns = Programs.itemKind(entry.itemAt) == ITEM_TABLE ? Programs.resultCount(entry.itemAt) : 0;
            Openings memory openings = OpeningReader.start(batch, shown, shownBytes, columns);
            for (uint256 column = 0; column < columns; ++column) {
                results[column] =
                    OpeningReader.element(batch, openings, Programs.resultOf(entry.itemAt, column), entry.index);
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
            uint256 second = Programs.extent(Programs.itemExtentAt(place, 1), batch.records);
            if (index >= Programs.extent(Programs.itemExtentAt(place, 0), batch.records) * second) revert NoSuchEntry();
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
        return Programs.isFold(body) ? Programs.extent(Programs.lengthAt(body), batch.records) : 0;
    }
}
