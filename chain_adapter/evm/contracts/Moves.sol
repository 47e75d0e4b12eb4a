// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Game, Games} from "./Games.sol";
import {GameState} from "./GameState.sol";
import {Header, Headers} from "./Headers.sol";
import {calldataWord} from "./Memory.sol";
import {NODE_LOST} from "./Nodes.sol";
import {Slice} from "./Reader.sol";
import {BatchLost, ClockExpired, HeaderMismatch, NotYourMove, WrongPhase} from "./Reasons.sol";
import {Found} from "./SettlementState.sol";

/// What all moves begin with (docs/spec.md, 8.3 and 11.3). make_move is header ‖ u32be size ‖ state ‖ move.
abstract contract Moves is GameState {
    uint256 internal constant MOVE_REVEAL = 0;
    uint256 internal constant MOVE_DESCEND = 1;
    uint256 internal constant MOVE_CHOOSE = 2;
    uint256 internal constant MOVE_RESPOND = 3;
    uint256 internal constant MOVE_NARROW = 4;
    uint256 internal constant MOVE_PROVE = 5;
    uint256 internal constant MOVE_NARROW_AND_PROVE = 6;

    /// Where state and move are, and the move's kind; false where there is no room for them.
    function split(bytes calldata fields)
        internal
        pure
        returns (bool isThere, Slice memory gameState, Slice memory move, uint256 kind)
    {
        unchecked {
            if (fields.length < Headers.SIZE + 4) return (false, gameState, move, 0);
            uint256 place;
            assembly ("memory-safe") {
                place := add(fields.offset, add(320, 4))
            }
            uint256 size = calldataWord(place - 4) >> 224;
            uint256 left = fields.length - Headers.SIZE - 4;
            if (left <= size) return (false, gameState, move, 0);
            gameState = Slice(place, size);
            move = Slice(place + size, left - size);
            return (true, gameState, move, calldataWord(move.place) >> 248);
        }
    }

    /// NoSuchGame, GameEnded, StaleMove, HeaderMismatch, BatchLost, NotYourMove, WrongPhase, ClockExpired. Takes off what the
    /// mover used. Found and game are new ones.
    function beginMove(
        Found memory found,
        Game memory game,
        Header memory header,
        Slice memory gameState,
        uint256 phase
    ) internal view returns (uint256 pace) {
        pace = findOpen(gameState, game);
        if (header.id != game.batch) revert HeaderMismatch();
        found.header = header;
        found.node = nodes[game.batch];
        if (found.node.state() == NODE_LOST) revert BatchLost();
        stopClock(game, phase);
    }

    function stopClock(Game memory game, uint256 phase) private view {
        unchecked {
            bool isPosters = Games.isPosters(game.phase);
            bool isMover = isPosters
                ? msg.sender == game.poster || (msg.sender == game.delegate && game.delegate != address(0))
                : msg.sender == game.challenger;
            if (!isMover) revert NotYourMove();
            if (game.phase != phase) revert WrongPhase();
            uint256 used = block.timestamp - game.movedAt;
            if (used > (isPosters ? game.posterClock : game.challengerClock)) revert ClockExpired();
            if (isPosters) game.posterClock -= used;
            else game.challengerClock -= used;
            game.movedAt = block.timestamp;
        }
    }
}
