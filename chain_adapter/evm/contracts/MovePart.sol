// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Bisection} from "./Bisection.sol";
import {Descents, RevealAnswer} from "./Descents.sol";
import {Game, Games} from "./Games.sol";
import {Header, Headers} from "./Headers.sol";
import {Paces} from "./Paces.sol";
import {Proofs} from "./Proofs.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {Malformed} from "./Reasons.sol";
import {Task, Tasks} from "./Tasks.sol";

/// make_move (docs/spec.md, 8.3), but for what QuickMoves make. What comes here of their kinds is no move: Malformed.
contract MovePart is Proofs {
    using Readers for Reader;

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
    }

    function makeMove(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        if (msg.value == 0 && makeProof(fields)) return;
        Reader memory reader = Readers.over(fields);
        make(reader, Headers.read(reader));
    }

    /// Of those kinds that show nothing of the batch.
    function makeMoveWithoutHeader(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        Header memory none;
        make(Readers.over(fields), none);
    }

    function make(Reader memory reader, Header memory header) private {
        requireValue(0);
        Slice memory state = reader.slice();
        Move memory move = readMove(reader);
        reader.finish();
        if (header.id == 0 && showsData(move.kind)) revert Malformed();
        // Kinds of these moves are the phases in which they are made.
        Game memory game;
        (uint256 pace,) = beginMove(game, state, header.id, move.kind);
        pace = play(header, game, pace, move);
        keep(GAME_MOVED, game.id, Games.hash(game), pace);
    }

    function showsData(uint256 kind) private pure returns (bool) {
        return kind == MOVE_REVEAL || kind == MOVE_CHOOSE;
    }

    /// The pace of the game after the move.
    function play(Header memory header, Game memory game, uint256 pace, Move memory move)
        private
        view
        returns (uint256)
    {
        if (move.kind == MOVE_DESCEND) {
            Descents.descend(game, Readers.copy(move.shown));
            return pace;
        }
        Task memory task = findTask(game.task);
        if (move.kind == MOVE_NARROW) {
            Bisection.narrow(game, pace, Paces.widthsOf(Tasks.program(task), game.item), move.segment);
            return pace;
        }
        Batch memory batch = committedBatch(header, task);
        if (move.kind == MOVE_REVEAL) {
            Descents.reveal(batch, game, move.answers);
            return pace;
        }
        Descents.choose(batch, game, move.item, move.entry, move.shown);
        return Paces.ofEntry(Paces.arity(pace), batch.program, move.item);
    }

    /// Malformed for any other bytes than 8.3 says.
    function readMove(Reader memory reader) private pure returns (Move memory move) {
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
        } else {
            revert Malformed();
        }
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
