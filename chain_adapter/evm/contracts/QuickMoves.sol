// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Bisection} from "./Bisection.sol";
import {Games, PHASE_NARROW, PHASE_RESPOND} from "./Games.sol";
import {Headers} from "./Headers.sol";
import {calldataWord, free, setWord} from "./Memory.sol";
import {Moves} from "./Moves.sol";
import {NODE_LOST} from "./Nodes.sol";
import {Paces} from "./Paces.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {BatchLost, ClaimSize, ClockExpired, HeaderMismatch, NoSuchSegment, NotYourMove, WrongPhase} from "./Reasons.sol";

/// All responses, and the choices of a segment where the body has one accumulator: most moves of most games. They are made
/// on the bytes of the game's state, in the settlement's own code. MovePart makes the others.
abstract contract QuickMoves is Moves {
    using Readers for Reader;

    uint256 private constant MAX_CLAIM_BYTES = 63 * 8 * 16;

    // Of a game's state (docs/spec.md, 8.1).
    uint256 private constant BATCH_AT = 64;
    uint256 private constant POSTER_AT = 96;
    uint256 private constant DELEGATE_AT = 116;
    uint256 private constant CHALLENGER_AT = 136;
    uint256 private constant PHASE_AT = 188; // and both clocks, and the time of the last move
    uint256 private constant LOW_AT = 223; // and high
    uint256 private constant VALUES_AT = 239;

    /// Where everything is: in calldata, but for the state after the move.
    struct Quick {
        Slice state;
        Slice move;
        uint256 pace;
        uint256 low;
        uint256 high;
        uint256 next; // the state after the move
    }

    /// Whether it was such a move, and is made; else nothing has happened.
    function makeQuickMove(bytes calldata fields, bool hasHeader) internal returns (bool) {
        unchecked {
            Quick memory quick;
            if (!find(quick, fields, hasHeader ? Headers.SIZE : 0)) return false;
            bytes32 shown = hasHeader ? Headers.read(Readers.over(fields)).id : bytes32(0);
            uint256 state = quick.state.place;
            quick.pace = requireOpen(quick.state);
            bool isResponse = calldataWord(quick.move.place) >> 248 == MOVE_RESPOND;
            if (!isResponse && !Paces.isSingle(quick.pace)) return false;
            bytes32 batch = bytes32(calldataWord(state + BATCH_AT));
            if (hasHeader && shown != batch) revert HeaderMismatch();
            if (nodes[batch].state() == NODE_LOST) revert BatchLost();
            uint256 clocks = clocksAfter(state, isResponse ? PHASE_RESPOND : PHASE_NARROW);
            start(quick);
            setWord(quick.next + PHASE_AT, clocks);
            uint256 end = isResponse ? respond(quick) : narrow(quick);
            keep(GAME_MOVED, bytes32(calldataWord(state)), Games.hashAt(quick.next, end), quick.pace);
            return true;
        }
    }

    function find(Quick memory quick, bytes calldata fields, uint256 headerBytes) private pure returns (bool) {
        unchecked {
            (bool isThere, Slice memory gameState, Slice memory move, uint256 kind) = split(fields, headerBytes);
            if (!isThere) return false;
            quick.state = gameState;
            quick.move = move;
            if (kind == MOVE_NARROW) return move.size == 2;
            uint256 claims = uint16(calldataWord(move.place) >> 232);
            return kind == MOVE_RESPOND && move.size == 3 + claims && claims <= MAX_CLAIM_BYTES;
        }
    }

    /// NotYourMove, WrongPhase, ClockExpired. The word of clocks after the move, without a phase.
    function clocksAfter(uint256 state, uint256 phase) private view returns (uint256) {
        unchecked {
            uint256 word = calldataWord(state + PHASE_AT);
            bool isPosters = Games.isPosters(word >> 248);
            if (!isMover(state, isPosters)) revert NotYourMove();
            if (word >> 248 != phase) revert WrongPhase();
            uint256 used = block.timestamp - uint64(word >> 56);
            uint256 clockAt = isPosters ? 184 : 120;
            if (used > uint64(word >> clockAt)) revert ClockExpired();
            return (uint256(uint248(word)) - (used << clockAt) & ~(uint256(type(uint64).max) << 56))
                | (block.timestamp << 56);
        }
    }

    function isMover(uint256 state, bool isPosters) private view returns (bool) {
        unchecked {
            uint256 sender = uint256(uint160(msg.sender));
            if (!isPosters) return calldataWord(state + CHALLENGER_AT) >> 96 == sender;
            // Nobody sends from address 0, which stands for no delegate.
            return calldataWord(state + POSTER_AT) >> 96 == sender || calldataWord(state + DELEGATE_AT) >> 96 == sender;
        }
    }

    /// The state up to its values, behind a byte for its hash.
    function start(Quick memory quick) private pure {
        unchecked {
            uint256 state = quick.state.place;
            uint256 word = calldataWord(state + LOW_AT);
            quick.low = word >> 192;
            quick.high = uint64(word >> 128);
            quick.next = free() + 1;
            copy(quick.next, state, VALUES_AT);
        }
    }

    /// The state as it was, with claims at its end.
    function respond(Quick memory quick) private pure returns (uint256 place) {
        unchecked {
            uint256 claims = quick.move.size - 3;
            uint256 boundaries = Bisection.segments(quick.high - quick.low, quick.pace) - 1;
            if (claims != boundaries * Paces.claimBytes(quick.pace)) revert ClaimSize();
            // Behind the values stand the size of no claims, and no descents.
            place = copy(quick.next + VALUES_AT, quick.state.place + VALUES_AT, quick.state.size - VALUES_AT - 3);
            place = copy(place, quick.move.place + 1, 2 + claims);
            setWord(place++, 0);
            setPhase(quick.next, PHASE_NARROW);
        }
    }

    function narrow(Quick memory quick) private pure returns (uint256 place) {
        unchecked {
            uint256 segment = uint8(calldataWord(quick.move.place) >> 240);
            uint256 length = quick.high - quick.low;
            uint256 segments = Bisection.segments(length, quick.pace);
            if (segment >= segments) revert NoSuchSegment();
            uint256 lowAt = quick.state.place + VALUES_AT;
            uint256 highAt = behindValues(lowAt);
            uint256 claims = behindValues(behindValues(highAt)) + 2;
            uint256 low = quick.low;
            if (segment > 0) quick.low = Bisection.boundary(low, length, segments, segment);
            if (segment + 1 < segments) quick.high = Bisection.boundary(low, length, segments, segment + 1);
            setWord(quick.next + LOW_AT, (quick.low << 192) | (quick.high << 128));
            place = quick.next + VALUES_AT;
            if (segment > 0) place = writeClaim(place, claims, segment - 1, quick.pace);
            else place = copy(place, lowAt, highAt - lowAt);
            if (segment + 1 < segments) {
                place = writeClaim(place, claims, segment, quick.pace);
                setWord(place++, 0); // no results
            } else {
                place = copy(place, highAt, claims - 2 - highAt);
            }
            setWord(place, 0); // no claims, no descents
            place += 3;
            setPhase(quick.next, Bisection.phaseOver(quick.low, quick.high));
        }
    }

    function behindValues(uint256 place) private pure returns (uint256) {
        unchecked {
            return place + 1 + 16 * (calldataWord(place) >> 248);
        }
    }

    /// The claim at a boundary as the only value of a list, which has none where that is 0.
    function writeClaim(uint256 place, uint256 claims, uint256 boundary, uint256 pace) private pure returns (uint256 end) {
        uint256 size = Paces.claimBytes(pace);
        assembly ("memory-safe") {
            let value := sar(sub(256, shl(3, size)), calldataload(add(claims, mul(boundary, size))))
            mstore8(place, iszero(iszero(value)))
            mstore(add(place, 1), shl(128, value))
            end := add(add(place, 1), shl(4, iszero(iszero(value))))
        }
    }

    function setPhase(uint256 next, uint256 phase) private pure {
        assembly ("memory-safe") {
            mstore8(add(next, PHASE_AT), phase)
        }
    }

    function copy(uint256 place, uint256 from, uint256 size) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            calldatacopy(place, from, size)
            end := add(place, size)
        }
    }
}
