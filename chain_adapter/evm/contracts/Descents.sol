// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch, Batches} from "./Batches.sol";
import {Bisection} from "./Bisection.sol";
import {Descent, Game, PHASE_CHOOSE, PHASE_DESCEND, PHASE_REVEAL} from "./Games.sol";
import {calldataWord} from "./Memory.sol";
import {Merkle} from "./Merkle.sol";
import {KIND_COMPUTED, Object} from "./Objects.sol";
import {OUTSIDE_LOOPS, Program, Programs} from "./Programs.sol";
import {Slice} from "./Reader.sol";
import {
    DescentTables,
    NoBody,
    NoSuchChild,
    NoSuchEntry,
    OpeningMissing,
    OpeningTable,
    OpeningTrailing,
    RevealCount,
    RevealMismatch,
    RevealSize
} from "./Reasons.sol";
import {Sha256} from "./Sha256.sol";
import {TaskLimits} from "./TaskLimits.sol";

/// What a poster reveals of one table: nodes, or a leaf.
struct RevealAnswer {
    bytes32[] nodes;
    Slice leaf;
}

/// The descent into withheld tables: fraud_proof/game/descent.cpp.
library Descents {
    uint256 private constant MAX_DESCENTS = 128;

    /// `tables` are u16be each; `roots` holds for each its tree root and the path of its commitment.
    function begin(Batch memory batch, uint256 item, Slice memory tables, Slice memory roots)
        internal
        view
        returns (Descent[] memory descents)
    {
        Program memory program = batch.program;
        if (item >= program.items) revert NoSuchEntry();
        if (!Programs.hasBody(Programs.itemAt(program, item))) revert NoBody();
        uint256 count = tables.size / 2;
        if (count == 0 || count > MAX_DESCENTS) revert DescentTables();
        for (uint256 i = 0; i < count; ++i) {
            uint256 table = tableAt(tables, i);
            if (i > 0 && table <= tableAt(tables, i - 1)) revert DescentTables();
            if (!mayDescend(batch, item, table)) revert DescentTables();
        }
        descents = new Descent[](count);
        uint256 place = roots.place;
        uint256 end = roots.place + roots.size;
        for (uint256 i = 0; i < count; ++i) {
            place = readRoot(batch, descents[i], tableAt(tables, i), place, end);
        }
        if (place != end) revert OpeningTrailing();
    }

    function tableAt(Slice memory tables, uint256 i) private pure returns (uint256) {
        return calldataWord(tables.place + 2 * i) >> 240;
    }

    function readRoot(Batch memory batch, Descent memory descent, uint256 table, uint256 place, uint256 end)
        private
        view
        returns (uint256)
    {
        if (end - place < 32) revert OpeningMissing();
        descent.object = table;
        descent.node = bytes32(calldataWord(place));
        Object object = Programs.object(batch.program, table);
        bytes32 top;
        (top, place) = Merkle.climb(
            Sha256.leafOfDigest(Batches.commitment(batch, object, descent.node)),
            Programs.placeOf(batch.program, table),
            batch.program.tables,
            place + 32,
            end
        );
        if (top != batch.tablesRoot) revert OpeningTable();
        (uint256 dataBytes, uint256 leafBytes) = Batches.leafLayout(batch, object);
        descent.leaves = (dataBytes + leafBytes - 1) / leafBytes;
        return place;
    }

    /// Whether two items are one, or of one loop.
    function belongTogether(Program memory program, uint256 a, uint256 b) private pure returns (bool) {
        if (a == b) return true;
        uint256 loop = Programs.loopOf(Programs.itemAt(program, a));
        return loop != OUTSIDE_LOOPS && Programs.loopOf(Programs.itemAt(program, b)) == loop;
    }

    /// A computed table of the item, or of its loop, that has leaves.
    function mayDescend(Batch memory batch, uint256 item, uint256 table) private pure returns (bool) {
        if (table >= batch.program.objects) return false;
        Object object = Programs.object(batch.program, table);
        if (object.kind() != KIND_COMPUTED) return false;
        uint256 owner = Programs.ownerOf(batch.program, table);
        if (owner == 0 || !belongTogether(batch.program, item, owner - 1)) return false;
        (uint256 dataBytes,) = Batches.leafLayout(batch, object);
        return dataBytes > 0;
    }

    function openCount(Game memory game) private pure returns (uint256 count) {
        for (uint256 i = 0; i < game.descents.length; ++i) {
            if (!game.descents[i].located) ++count;
        }
    }

    function reveal(Batch memory batch, Game memory game, RevealAnswer[] memory answers) internal view {
        if (answers.length != openCount(game)) revert RevealCount();
        uint256 next = 0;
        bool allLocated = true;
        for (uint256 i = 0; i < game.descents.length; ++i) {
            Descent memory descent = game.descents[i];
            if (descent.located) continue;
            if (descent.leaves == 1) revealLeaf(batch, descent, answers[next]);
            else revealChildren(descent, answers[next]);
            allLocated = allLocated && descent.located;
            ++next;
        }
        game.phase = allLocated ? PHASE_CHOOSE : PHASE_DESCEND;
    }

    function revealLeaf(Batch memory batch, Descent memory descent, RevealAnswer memory answer) private view {
        if (answer.nodes.length != 0) revert RevealCount();
        (uint256 dataBytes, uint256 leafBytes) =
            Batches.leafLayout(batch, Programs.object(batch.program, descent.object));
        uint256 size = dataBytes - descent.firstLeaf * leafBytes;
        if (size > leafBytes) size = leafBytes;
        if (answer.leaf.size != size) revert RevealSize();
        if (Sha256.leaf(answer.leaf.place, size) != descent.node) revert RevealMismatch();
        descent.located = true;
    }

    function revealChildren(Descent memory descent, RevealAnswer memory answer) private view {
        uint256 blockLeaves = TaskLimits.revealBlock(descent.leaves);
        uint256 count = (descent.leaves + blockLeaves - 1) / blockLeaves;
        if (answer.nodes.length != count || answer.leaf.size != 0) revert RevealCount();
        bytes32[] memory copy = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) copy[i] = answer.nodes[i];
        if (Merkle.rootOfNodes(copy) != descent.node) revert RevealMismatch();
        descent.children = answer.nodes;
    }

    /// `children` holds one byte for each table that is not located.
    function descend(Game memory game, bytes memory children) internal pure {
        if (children.length != openCount(game)) revert NoSuchChild();
        uint256 next = 0;
        for (uint256 i = 0; i < game.descents.length; ++i) {
            Descent memory descent = game.descents[i];
            if (descent.located) continue;
            uint256 child = uint8(children[next++]);
            if (child >= descent.children.length) revert NoSuchChild();
            uint256 blockLeaves = TaskLimits.revealBlock(descent.leaves);
            uint256 left = descent.leaves - child * blockLeaves;
            descent.node = descent.children[child];
            descent.firstLeaf += child * blockLeaves;
            descent.leaves = left < blockLeaves ? left : blockLeaves;
            descent.children = new bytes32[](0);
        }
        game.phase = PHASE_REVEAL;
    }

    function choose(Batch memory batch, Game memory game, uint256 item, uint256 entry, Slice memory openings)
        internal
        view
    {
        if (item >= batch.program.items || !belongTogether(batch.program, game.item, item)) revert NoSuchEntry();
        Bisection.begin(batch, game, item, entry, openings);
        game.descents = new Descent[](0);
    }
}
