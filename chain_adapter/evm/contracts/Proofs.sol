// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Bisection} from "./Bisection.sol";
import {Game, PHASE_NARROW, PHASE_PROVE} from "./Games.sol";
import {Header, Headers} from "./Headers.sol";
import {Moves} from "./Moves.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {Malformed} from "./Reasons.sol";
import {Found} from "./SettlementState.sol";

/// Prove, and narrow and prove: the moves that end a game.
abstract contract Proofs is Moves {
    using Readers for Reader;

    uint256 private constant MAX_WITNESS_BYTES = 131072;

    /// Whether it was such a move, and is made; else nothing has happened.
    function makeProof(bytes calldata fields) internal returns (bool) {
        (bool isThere, Slice memory state, Slice memory move, uint256 kind) = split(fields);
        if (!isThere || (kind != MOVE_PROVE && kind != MOVE_NARROW_AND_PROVE)) return false;
        Header memory header = Headers.read(Readers.over(fields));
        Reader memory reader = Reader(move.place + 1, move.place + move.size);
        uint256 segment = kind == MOVE_PROVE ? 0 : reader.number(1);
        Slice memory witness = reader.slice();
        reader.finish();
        if (witness.size > MAX_WITNESS_BYTES) revert Malformed();
        Found memory found;
        Game memory game;
        uint256 pace = beginMove(found, game, header, state, kind == MOVE_PROVE ? PHASE_PROVE : PHASE_NARROW);
        found.task = findTask(game.task);
        Batch memory batch = committedBatch(found);
        if (kind == MOVE_PROVE) Bisection.prove(batch, game, witness);
        else Bisection.narrowAndProve(batch, game, pace, segment, witness);
        emit Happened(15, tellEnd(game, move));
        endForChallenger(found, game, CAUSE_ENTRY);
        return true;
    }

    /// The bytes of the event: game, batch, outcome, and the move behind a byte that says there is one.
    function tellEnd(Game memory game, Slice memory move) private pure returns (bytes memory told) {
        bytes32 id = game.id;
        bytes32 batch = game.batch;
        uint256 place = move.place;
        uint256 size = move.size;
        uint256 outcome = POSTER_DISPROVED;
        assembly ("memory-safe") {
            told := mload(0x40)
            mstore(told, add(66, size))
            mstore(add(told, 32), id)
            mstore(add(told, 64), batch)
            mstore8(add(told, 96), outcome)
            mstore8(add(told, 97), 1)
            calldatacopy(add(told, 98), place, size)
            mstore(0x40, and(add(add(told, size), 129), not(31)))
        }
    }
}
