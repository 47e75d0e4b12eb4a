// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Game, Games} from "./Games.sol";
import {GameState} from "./GameState.sol";
import {calldataWord} from "./Memory.sol";
import {Node, NODE_LOST} from "./Nodes.sol";
import {Slice} from "./Reader.sol";
import {BatchLost, ClockExpired, HeaderMismatch, NotYourMove, WrongPhase} from "./Reasons.sol";

/// What all moves begin with (docs/spec.md, 8.3 and 11.3). make_move is header ‖ u32be size ‖ state ‖ move; a move that
/// shows nothing of the batch comes also without the header.
abstract contract Moves is GameState {
    uint256 internal constant MOVE_REVEAL = 0;
    uint256 internal constant MOVE_DESCEND = 1;
    uint256 internal constant MOVE_CHOOSE = 2;
    uint256 internal constant MOVE_RESPOND = 3;
    uint256 internal constant MOVE_NARROW = 4;
    uint256 internal constant MOVE_PROVE = 5;
    uint256 internal constant MOVE_NARROW_AND_PROVE = 6;

    /// Where state and move are behind a header of so many bytes, and the move's kind; false where there is no room for
    /// them.
    function split(bytes calldata fields, uint256 headerBytes)
        internal
        pure
        returns (bool isThere, Slice memory gameState, Slice memory move, uint256 kind)
    {
        unchecked {
            if (fields.length < headerBytes + 4) return (false, gameState, move, 0);
            uint256 place;
            assembly ("memory-safe") {
                place := add(fields.offset, add(headerBytes, 4))
            }
            uint256 size = calldataWord(place - 4) >> 224;
            uint256 left = fields.length - headerBytes - 4;
            if (left <= size) return (false, gameState, move, 0);
            gameState = Slice(place, size);
            move = Slice(place + size, left - size);
            return (true, gameState, move, calldataWord(move.place) >> 248);
        }
    }

    /// NoSuchGame, GameEnded, StaleMove, HeaderMismatch, BatchLost, NotYourMove, WrongPhase, ClockExpired. Takes off what the
    /// mover used. `game` is a new one; `shown` is the batch whose header came with the move, 0 where none did.
    function beginMove(Game memory game, Slice memory gameState, bytes32 shown, uint256 phase)
        internal
        view
        returns (uint256 pace, Node node)
    {
        pace = findOpen(gameState, game);
        if (shown != 0 && shown != game.batch) revert HeaderMismatch();
        node = nodes[game.batch];
        if (node.state() == NODE_LOST) revert BatchLost();
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
