// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch, Batches} from "./Batches.sol";
import {Object} from "./Objects.sol";
import {ITEM_TABLE, OUTSIDE_LOOPS, Program, Programs} from "./Programs.sol";

/// What a game over any item of a program may take: fraud_proof/game/most_moves.cpp.
library TaskLimits {
    uint256 private constant REVEAL_LEVELS = 4;
    uint256 private constant CHILDREN_BYTES = 16 * 32;

    /// Items that a descent may begin with or lead to, as one: an item outside loops, or all of a loop.
    struct Group {
        bool hasBody;
        uint256 transitions; // of its longest fold
        uint256 leaves; // of its largest result table
        uint256 revealBytes; // most that its result tables take at once
    }

    /// The most moves of a side, and the most bytes of one reveal. `batch` has program, dims and leaf size.
    function most(Batch memory batch, uint256 arity) internal pure returns (uint256 moves, uint256 revealBytes) {
        unchecked {
            Program memory program = batch.program;
            Group memory group;
            uint256 loop = OUTSIDE_LOOPS;
            for (uint256 i = 0; i <= program.items; ++i) {
                uint256 item = i < program.items ? Programs.itemAt(program, i) : 0;
                if (item == 0 || Programs.loopOf(item) == OUTSIDE_LOOPS || Programs.loopOf(item) != loop) {
                    uint256 needed = movesOf(group, arity);
                    if (needed > moves) moves = needed;
                    if (group.revealBytes > revealBytes) revealBytes = group.revealBytes;
                    group = Group(false, 0, 0, 0);
                }
                if (item == 0) break;
                loop = Programs.loopOf(item);
                add(batch, group, item);
            }
        }
    }

    function add(Batch memory batch, Group memory group, uint256 item) private pure {
        unchecked {
            if (Programs.hasBody(item)) {
                uint256 body = Programs.bodyAt(item);
                uint256 length =
                    Programs.isFold(body) ? Programs.extent(Programs.lengthAt(body), batch.records) : 0;
                group.hasBody = true;
                if (length + 1 > group.transitions) group.transitions = length + 1;
            }
            if (Programs.itemKind(item) != ITEM_TABLE) return;
            uint256 count = Programs.resultCount(item);
            for (uint256 column = 0; column < count; ++column) {
                Object table = Programs.object(batch.program, Programs.resultOf(item, column));
                (uint256 dataBytes, uint256 leafBytes) = Batches.leafLayout(batch, table);
                uint256 leaves = (dataBytes + leafBytes - 1) / leafBytes;
                if (leaves > group.leaves) group.leaves = leaves;
                uint256 leaf = dataBytes < leafBytes ? dataBytes : leafBytes;
                group.revealBytes += leaf > CHILDREN_BYTES ? leaf : CHILDREN_BYTES;
            }
        }
    }

    function movesOf(Group memory group, uint256 arity) private pure returns (uint256 moves) {
        unchecked {
            if (!group.hasBody) return 0;
            moves = 1;
            if (group.leaves > 0) {
                ++moves;
                for (uint256 leaves = group.leaves; leaves > 1; leaves = revealBlock(leaves)) ++moves;
            }
            for (uint256 left = group.transitions; left > 1;) {
                uint256 segments = left < arity ? left : arity;
                left = (left + segments - 1) / segments;
                ++moves;
            }
        }
    }

    /// Leaves in each block but perhaps the last that a node over `leaves` leaves is revealed as.
    function revealBlock(uint256 leaves) internal pure returns (uint256) {
        unchecked {
            uint256 height = 0;
            while (leaves - 1 >> height != 0) ++height;
            return height > REVEAL_LEVELS ? 1 << (height - REVEAL_LEVELS) : 1;
        }
    }
}
