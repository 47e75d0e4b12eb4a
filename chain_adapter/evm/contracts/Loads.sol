// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Openings, OpeningReader} from "./Openings.sol";
import {KIND_ADVICE, KIND_COMPUTED, OUTSIDE_LOOPS, Program, Programs} from "./Programs.sol";

/// The entry that a section runs for.
struct Entry {
    uint256 item;
    uint256 itemAt;
    uint256 index; // flattened, row-major
    uint256 first; // its indices; 0 beyond the item's rank
    uint256 second;
}

/// Which element a load reads: deterministic_math/bytecode/visibility.h.
library Loads {
    // Which elements of an object a load of an item sees.
    uint256 private constant EVERY = 0;
    uint256 private constant SMALLER_INDEX = 1;
    uint256 private constant UP_TO_ROUND = 2;
    uint256 private constant EARLIER_ROUND = 3;
    uint256 private constant NONE = 4;

    /// The value that `ld` gives: 0 where the element is out of bounds or not visible, else what the next opening
    /// holds; then moved into the object's range.
    function value(
        Batch memory batch,
        Openings memory openings,
        Entry memory entry,
        uint256 object,
        int256 first,
        int256 second
    ) internal view returns (int256 loaded) {
        unchecked {
            uint256 place = Programs.objectAt(batch.program, object);
            uint256 rule = ruleFor(batch.program, entry, object, place);
            (bool inside, uint256 index) = flatten(batch, place, first, second);
            if (inside && isVisible(rule, entry, index, Programs.objectRank(place) == 0 ? 0 : uint256(first))) {
                loaded = OpeningReader.element(batch, openings, object, index);
            }
            int256 lowest = Programs.lowest(place);
            int256 highest = Programs.highest(place);
            if (rule == EARLIER_ROUND && Programs.isProved(place)) {
                // Its own range is not proved at that point.
                highest = int256((1 << (8 * Programs.elementBytes(place) - 1)) - 1);
                lowest = -highest - 1;
            }
            if (loaded < lowest) return lowest;
            if (loaded > highest) return highest;
        }
    }

    function ruleFor(Program memory program, Entry memory entry, uint256 object, uint256 place)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 kind = Programs.objectKind(place);
            if (kind < KIND_ADVICE) return EVERY;
            uint256 owner = Programs.ownerOf(program, object);
            if (owner == 0) return NONE;
            --owner;
            uint256 loop = Programs.loopOf(entry.itemAt);
            bool sameLoop = loop != OUTSIDE_LOOPS && Programs.loopOf(Programs.itemAt(program, owner)) == loop;
            if (owner < entry.item) return sameLoop ? UP_TO_ROUND : EVERY;
            if (owner > entry.item) return sameLoop ? EARLIER_ROUND : NONE;
            if (kind == KIND_COMPUTED) return SMALLER_INDEX;
            return sameLoop ? UP_TO_ROUND : EVERY;
        }
    }

    function flatten(Batch memory batch, uint256 place, int256 first, int256 second)
        private
        pure
        returns (bool inside, uint256 index)
    {
        unchecked {
            uint256 rank = Programs.objectRank(place);
            if (rank == 0) return (true, 0);
            uint256 bound = Programs.extent(Programs.objectExtentAt(place, 0), batch.dims);
            if (first < 0 || first >= int256(bound)) return (false, 0);
            index = uint256(first);
            if (rank == 1) return (true, index);
            bound = Programs.extent(Programs.objectExtentAt(place, 1), batch.dims);
            if (second < 0 || second >= int256(bound)) return (false, 0);
            return (true, index * bound + uint256(second));
        }
    }

    function isVisible(uint256 rule, Entry memory entry, uint256 index, uint256 round) private pure returns (bool) {
        if (rule == EVERY) return true;
        if (rule == SMALLER_INDEX) return index < entry.index;
        if (rule == UP_TO_ROUND) return round <= entry.first;
        if (rule == EARLIER_ROUND) return round < entry.first;
        return false;
    }
}
