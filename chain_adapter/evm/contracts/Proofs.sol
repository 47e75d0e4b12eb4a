// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Bisection} from "./Bisection.sol";
import {Game, PHASE_NARROW, PHASE_PROVE} from "./Games.sol";
import {Header, Headers} from "./Headers.sol";
import {Moves} from "./Moves.sol";
import {Node} from "./Nodes.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {Malformed} from "./Reasons.sol";
import {Task} from "./Tasks.sol";

/// Prove, and narrow and prove: the moves that end a game.
abstract contract Proofs is Moves {
    using Readers for Reader;

    uint256 private constant MAX_WITNESS_BYTES = 131072;

    /// Whether it was such a move, and is made; else nothing has happened.
    function makeProof(bytes calldata fields) internal returns (bool) {
        (bool isThere, Slice memory state, Slice memory move, uint256 kind) = split(fields, Headers.SIZE);
        if (!isThere || (kind != MOVE_PROVE && kind != MOVE_NARROW_AND_PROVE)) return false;
        Header memory header = Headers.read(Readers.over(fields));
        Reader memory reader = Reader(move.place + 1, move.place + move.size);
        uint256 segment = kind == MOVE_PROVE ? 0 : reader.number(1);
        Slice memory witness = reader.slice();
        reader.finish();
        if (witness.size > MAX_WITNESS_BYTES) revert Malformed();
        Game memory game;
        (uint256 pace, Node node) =
            beginMove(game, state, header.id, kind == MOVE_PROVE ? PHASE_PROVE : PHASE_NARROW);
        Task memory task = findTask(game.task);
        Batch memory batch = committedBatch(header, task);
        if (kind == MOVE_PROVE) Bisection.prove(batch, game, witness);
        else Bisection.narrowAndProve(batch, game, pace, segment, witness);
        // What stands in the call's bytes is not told again: of the move its kind.
        emit Happened(15, abi.encodePacked(game.id, game.batch, POSTER_DISPROVED, uint8(1), uint8(kind)));
        endForChallenger(task, node, game, CAUSE_ENTRY);
        return true;
    }
}
