// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Game, Games} from "./Games.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {GameEnded, Malformed, NoSuchGame, StaleMove} from "./Reasons.sol";
import {GameRecord, Node, SettlementState} from "./SettlementState.sol";
import {Task} from "./Tasks.sol";

/// What the parts that open, play and end games share (docs/spec.md, 11.3).
abstract contract GameState is SettlementState {
    using Readers for Reader;

    uint8 internal constant CAUSE_ENTRY = 1;
    uint8 internal constant CAUSE_TIMEOUT = 2;
    uint8 internal constant POSTER_DISPROVED = 1;
    uint8 internal constant POSTER_TIMEOUT = 2;
    uint8 internal constant CHALLENGER_TIMEOUT = 3;
    uint8 internal constant REFUNDED = 4;

    /// NoSuchGame, GameEnded, StaleMove. Once the hash agrees, all that the state says is true.
    function findOpen(Slice memory state)
        internal
        view
        returns (Game memory game, GameRecord storage record, Node storage node)
    {
        if (state.size < 32) revert Malformed();
        bytes32 id = Readers.overSlice(state).word();
        record = games[id];
        if (record.hash == 0) revert NoSuchGame();
        if (record.ended) revert GameEnded();
        if (Games.hash(Readers.copy(state)) != record.hash) revert StaleMove();
        game = Games.decode(state);
        node = nodes[game.batch];
    }

    function end(GameRecord storage record, Node storage node) internal returns (uint256 bond) {
        bond = record.bond;
        record.bond = 0;
        record.ended = true;
        --node.openGames;
    }

    function endForChallenger(
        Game memory game,
        GameRecord storage record,
        Node storage node,
        Task memory task,
        uint8 cause
    ) internal {
        credit(game.challenger, end(record, node));
        loseBatch(game.task, game.batch, task.burnBps, cause, game.challenger);
    }
}
