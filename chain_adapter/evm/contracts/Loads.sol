// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {KIND_ADVICE, KIND_COMPUTED, Object, objectAt} from "./Objects.sol";
import {Openings, OpeningReader} from "./Openings.sol";
import {OUTSIDE_LOOPS, Program, Programs} from "./Programs.sol";

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
        uint256 id,
        int256 first,
        int256 second
    ) internal view returns (int256 loaded) {
        unchecked {
            uint256 place = Programs.placeOfObject(batch.program, id);
            Object object = objectAt(place);
            uint256 rule = ruleFor(batch.program, entry, id, object.kind());
            (bool inside, uint256 index) = flatten(object, batch.records, first, second);
            if (inside && isVisible(rule, entry, index, object.rank() == 0 ? 0 : uint256(first))) {
                loaded = OpeningReader.element(batch, openings, id, index);
            }
            int256 lowest = Programs.lowest(place);
            int256 highest = Programs.highest(place);
            if (rule == EARLIER_ROUND && object.isProved()) {
                // Its own range is not proved at that point.
                highest = int256((1 << (8 * object.elementBytes() - 1)) - 1);
                lowest = -highest - 1;
            }
            if (loaded < lowest) return lowest;
            if (loaded > highest) return highest;
        }
    }

    function ruleFor(Program memory program, Entry memory entry, uint256 id, uint256 kind)
        private
        pure
        returns (uint256)
    {
        unchecked {
            if (kind < KIND_ADVICE) return EVERY;
            uint256 owner = Programs.ownerOf(program, id);
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

    function flatten(Object object, uint256 records, int256 first, int256 second)
        private
        pure
        returns (bool inside, uint256 index)
    {
        unchecked {
            if (object.rank() == 0) return (true, 0);
            (uint256 firstBound, uint256 secondBound) = object.extents(records);
            if (first < 0 || first >= int256(firstBound)) return (false, 0);
            index = uint256(first);
            if (object.rank() == 1) return (true, index);
            if (second < 0 || second >= int256(secondBound)) return (false, 0);
            return (true, index * secondBound + uint256(second));
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
