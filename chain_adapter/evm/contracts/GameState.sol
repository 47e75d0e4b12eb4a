// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Game, Games} from "./Games.sol";
import {Node} from "./Nodes.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {GameEnded, Malformed, NoSuchGame, StaleMove} from "./Reasons.sol";
import {SettlementState} from "./SettlementState.sol";
import {Task} from "./Tasks.sol";

/// What the parts that open, play and end games share (docs/spec.md, 11.3).
///
/// Of a game one word is kept: 0 where there is none, ENDED, or the first 30 bytes of its state's hash and its Pace. Who
/// finds two states with one hash of 240 bits has found as much as there is to find in an address twice.
abstract contract GameState is SettlementState {
    using Readers for Reader;

    uint8 internal constant GAME_OPENED = 13;
    uint8 internal constant GAME_MOVED = 14;
    uint8 internal constant CAUSE_ENTRY = 1;
    uint8 internal constant CAUSE_TIMEOUT = 2;
    uint8 internal constant POSTER_DISPROVED = 1;
    uint8 internal constant POSTER_TIMEOUT = 2;
    uint8 internal constant CHALLENGER_TIMEOUT = 3;
    uint8 internal constant REFUNDED = 4;

    uint256 private constant ENDED = 1;
    uint256 private constant PACE_MASK = 0xffff;

    /// NoSuchGame, GameEnded, StaleMove; gives the pace. Once the hash agrees, all that the state says is true.
    function requireOpen(Slice memory state) internal view returns (uint256 pace) {
        if (state.size < 32) revert Malformed();
        uint256 kept = games[bytes32(Readers.firstWord(state))];
        if (kept == 0) revert NoSuchGame();
        if (kept == ENDED) revert GameEnded();
        if ((uint256(Games.hash(state)) ^ kept) & ~PACE_MASK != 0) revert StaleMove();
        pace = kept & PACE_MASK;
    }

    /// The same, and the game in `game`, which is a new one.
    function findOpen(Slice memory state, Game memory game) internal view returns (uint256 pace) {
        pace = requireOpen(state);
        Games.decode(state, game);
    }

    /// The state after GameOpened or GameMoved, which tell its hash.
    function keep(uint8 kind, bytes32 id, bytes32 hash, uint256 pace) internal {
        games[id] = (uint256(hash) & ~PACE_MASK) | pace;
        emit Happened(kind, abi.encodePacked(id, hash));
    }

    function markEnded(bytes32 id) internal {
        games[id] = ENDED;
    }

    /// Ends a game that the poster has lost, and with it the batch.
    function endForChallenger(Task memory task, Node node, Game memory game, uint8 cause) internal {
        markEnded(game.id);
        credit(game.challenger, game.bond);
        nodes[game.batch] = loseBatch(task, game.task, game.batch, node.withoutGame(), cause, game.challenger);
    }
}
