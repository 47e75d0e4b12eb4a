// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Bisection} from "./Bisection.sol";
import {Descents, RevealAnswer} from "./Descents.sol";
import {Game, Games, PHASE_NARROW} from "./Games.sol";
import {GameState} from "./GameState.sol";
import {Headers} from "./Headers.sol";
import {NODE_LOST} from "./Nodes.sol";
import {Paces} from "./Paces.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {BatchLost, ClockExpired, HeaderMismatch, Malformed, NotYourMove, WrongPhase} from "./Reasons.sol";
import {Found} from "./SettlementState.sol";

/// make_move (docs/spec.md, 8.3), but for what QuickMoves makes. A response that comes here is none: Malformed.
contract MovePart is GameState {
    using Readers for Reader;

    uint256 private constant MOVE_REVEAL = 0;
    uint256 private constant MOVE_DESCEND = 1;
    uint256 private constant MOVE_CHOOSE = 2;
    uint256 private constant MOVE_NARROW = 4;
    uint256 private constant MOVE_PROVE = 5;
    uint256 private constant MOVE_NARROW_AND_PROVE = 6;

    uint256 private constant DISPROVED = 0;

    uint256 private constant MAX_DESCENTS = 128;
    uint256 private constant MAX_NODES = 16;
    uint256 private constant MAX_LEAF_BYTES = 4096;
    uint256 private constant MAX_OPENINGS_BYTES = 131072;

    /// A move's fields; what its kind has none of is empty.
    struct Move {
        uint256 kind;
        RevealAnswer[] answers;
        uint256 item;
        uint256 entry;
        uint256 segment;
        Slice shown; // children, claims, openings, or a witness
        Slice all; // the move as it came
    }

    function makeMove(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        Found memory found;
        found.header = Headers.read(reader);
        Slice memory state = reader.slice();
        Move memory move = readMove(reader);
        reader.finish();
        (Game memory game, uint256 pace) = findOpen(state);
        if (found.header.id != game.batch) revert HeaderMismatch();
        found.node = nodes[game.batch];
        if (found.node.state() == NODE_LOST) revert BatchLost();
        stopClock(game, move.kind);
        pace = play(found, game, pace, move);
        if (pace == DISPROVED) {
            bytes memory shown = Readers.copy(move.all);
            emit Happened(15, abi.encodePacked(game.id, game.batch, POSTER_DISPROVED, uint8(1), shown));
            endForChallenger(found, game, CAUSE_ENTRY);
            return;
        }
        (bytes memory told, bytes32 hash) = tell(move.all, msg.sender, game);
        keep(game.id, hash, pace);
        emit Happened(14, told);
    }

    /// NotYourMove, WrongPhase, ClockExpired; takes off what the mover used.
    function stopClock(Game memory game, uint256 kind) private view {
        unchecked {
            bool isPosters = Games.isPosters(game.phase);
            bool isMover = isPosters
                ? msg.sender == game.poster || (msg.sender == game.delegate && game.delegate != address(0))
                : msg.sender == game.challenger;
            if (!isMover) revert NotYourMove();
            if (game.phase != (kind == MOVE_NARROW_AND_PROVE ? PHASE_NARROW : kind)) revert WrongPhase();
            uint256 used = block.timestamp - game.movedAt;
            if (used > (isPosters ? game.posterClock : game.challengerClock)) revert ClockExpired();
            if (isPosters) game.posterClock -= used;
            else game.challengerClock -= used;
            game.movedAt = block.timestamp;
        }
    }

    /// The pace of the game after the move; DISPROVED where that has disproved the poster.
    function play(Found memory found, Game memory game, uint256 pace, Move memory move) private view returns (uint256) {
        found.task = findTask(game.task);
        Batch memory batch = committedBatch(found);
        if (move.kind == MOVE_REVEAL) {
            Descents.reveal(batch, game, move.answers);
        } else if (move.kind == MOVE_DESCEND) {
            Descents.descend(game, Readers.copy(move.shown));
        } else if (move.kind == MOVE_CHOOSE) {
            Descents.choose(batch, game, move.item, move.entry, move.shown);
            return Paces.ofEntry(Paces.arity(pace), batch.program, move.item);
        } else if (move.kind == MOVE_NARROW) {
            Bisection.narrow(game, pace, Paces.widthsOf(batch.program, game.item), move.segment);
        } else {
            if (move.kind == MOVE_PROVE) Bisection.prove(batch, game, move.shown);
            else Bisection.narrowAndProve(batch, game, pace, move.segment, move.shown);
            return DISPROVED;
        }
        return pace;
    }

    /// Malformed for any other bytes than 8.3 says.
    function readMove(Reader memory reader) private pure returns (Move memory move) {
        move.all.place = reader.place;
        move.kind = reader.number(1);
        if (move.kind == MOVE_REVEAL) {
            readReveal(reader, move);
        } else if (move.kind == MOVE_DESCEND) {
            move.shown = limited(reader, reader.number(1), MAX_DESCENTS);
        } else if (move.kind == MOVE_CHOOSE) {
            move.item = reader.number(2);
            move.entry = reader.number(8);
            move.shown = limited(reader, reader.number(4), MAX_OPENINGS_BYTES);
        } else if (move.kind == MOVE_NARROW) {
            move.segment = reader.number(1);
        } else if (move.kind == MOVE_PROVE) {
            move.shown = limited(reader, reader.number(4), MAX_OPENINGS_BYTES);
        } else if (move.kind == MOVE_NARROW_AND_PROVE) {
            move.segment = reader.number(1);
            move.shown = limited(reader, reader.number(4), MAX_OPENINGS_BYTES);
        } else {
            revert Malformed();
        }
        move.all.size = reader.place - move.all.place;
    }

    function readReveal(Reader memory reader, Move memory move) private pure {
        uint256 count = reader.number(1);
        if (count > MAX_DESCENTS) revert Malformed();
        move.answers = new RevealAnswer[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 nodes_ = reader.number(1);
            if (nodes_ > MAX_NODES) revert Malformed();
            move.answers[i].nodes = new bytes32[](nodes_);
            for (uint256 j = 0; j < nodes_; ++j) move.answers[i].nodes[j] = reader.word();
            move.answers[i].leaf = limited(reader, reader.number(2), MAX_LEAF_BYTES);
        }
    }

    function limited(Reader memory reader, uint256 size, uint256 most) private pure returns (Slice memory) {
        if (size > most) revert Malformed();
        return reader.take(size);
    }
}
