// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {calldataWord, setWord} from "./Memory.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {Malformed} from "./Reasons.sol";
import {Sha256} from "./Sha256.sol";

/// The state of a game (docs/spec.md, 8.1). It comes with each move, and the chain keeps its hash.
struct Game {
    bytes32 id;
    bytes32 task;
    bytes32 batch;
    address poster;
    address delegate;
    address challenger;
    uint256 bond;
    uint256 phase;
    uint256 posterClock;
    uint256 challengerClock;
    uint256 movedAt;
    uint256 item;
    uint256 entry;
    uint256 low;
    uint256 high;
    int256[8] atLow;
    int256[8] atHigh;
    int256[16] results;
    Slice claims;
    Descent[] descents;
}

struct Descent {
    uint256 object;
    uint256 firstLeaf;
    uint256 leaves;
    bytes32 node;
    bool located;
    bytes32[] children;
}

uint256 constant PHASE_REVEAL = 0;
uint256 constant PHASE_DESCEND = 1;
uint256 constant PHASE_CHOOSE = 2;
uint256 constant PHASE_RESPOND = 3;
uint256 constant PHASE_NARROW = 4;
uint256 constant PHASE_PROVE = 5;

uint256 constant NO_ENTRY = type(uint64).max;

library Games {
    using Readers for Reader;

    uint256 private constant MAX_CHILDREN = 16;
    uint256 private constant VALUES_AT = 239;

    /// Whether it is the poster that moves.
    function isPosters(uint256 phase) internal pure returns (bool) {
        return phase == PHASE_REVEAL || phase == PHASE_RESPOND;
    }

    /// Of a state in calldata.
    function hash(Slice memory encoded) internal view returns (bytes32) {
        uint256 from = encoded.place;
        uint256 size = encoded.size;
        uint256 place;
        assembly ("memory-safe") {
            place := mload(0x40)
            mstore8(place, 8)
            calldatacopy(add(place, 1), from, size)
        }
        return Sha256.hash(place, size + 1);
    }

    /// Of a state in memory, behind a byte of the same owner.
    function hashAt(uint256 place, uint256 size) internal view returns (bytes32 digest) {
        unchecked {
            uint256 before = place - 32;
            uint256 word;
            assembly ("memory-safe") {
                word := mload(before)
                mstore8(sub(place, 1), 8)
            }
            digest = Sha256.hash(place - 1, size + 1);
            setWord(before, word);
        }
    }

    /// Reads what write() wrote into a new game: the caller has compared its hash with one that the chain keeps.
    function decode(Slice memory encoded, Game memory game) internal pure {
        unchecked {
            uint256 place = encoded.place;
            game.id = bytes32(calldataWord(place));
            game.task = bytes32(calldataWord(place + 32));
            game.batch = bytes32(calldataWord(place + 64));
            game.poster = address(uint160(calldataWord(place + 96) >> 96));
            game.delegate = address(uint160(calldataWord(place + 116) >> 96));
            game.challenger = address(uint160(calldataWord(place + 136) >> 96));
            game.bond = calldataWord(place + 156);
            uint256 word = calldataWord(place + 188);
            game.phase = word >> 248;
            game.posterClock = uint64(word >> 184);
            game.challengerClock = uint64(word >> 120);
            game.movedAt = uint64(word >> 56);
            word = calldataWord(place + 213);
            game.item = word >> 240;
            game.entry = uint64(word >> 176);
            game.low = uint64(word >> 112);
            game.high = uint64(word >> 48);
            place = readValues(game.atLow, place + VALUES_AT);
            place = readValues(game.atHigh, place);
            place = readResults(game.results, place);
            game.claims.size = calldataWord(place) >> 240;
            game.claims.place = place + 2;
            place += 2 + game.claims.size;
            game.descents = new Descent[](calldataWord(place) >> 248);
            Reader memory reader = Reader(place + 1, encoded.place + encoded.size);
            for (uint256 i = 0; i < game.descents.length; ++i) readDescent(reader, game.descents[i]);
        }
    }

    function readValues(int256[8] memory values, uint256 place) private pure returns (uint256) {
        uint256 list;
        assembly ("memory-safe") {
            list := values
        }
        return readList(list, place);
    }

    function readResults(int256[16] memory values, uint256 place) private pure returns (uint256) {
        uint256 list;
        assembly ("memory-safe") {
            list := values
        }
        return readList(list, place);
    }

    /// Gives the place behind it.
    function readList(uint256 list, uint256 place) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            let count := byte(0, calldataload(place))
            place := add(place, 1)
            end := add(place, shl(4, count))
            for {} lt(place, end) { place := add(place, 16) } {
                mstore(list, sar(128, calldataload(place)))
                list := add(list, 32)
            }
        }
    }

    function readDescent(Reader memory reader, Descent memory descent) private pure {
        descent.object = reader.number(2);
        descent.firstLeaf = reader.number(8);
        descent.leaves = reader.number(8);
        descent.node = reader.word();
        descent.located = reader.number(1) == 1;
        uint256 count = reader.number(1);
        if (count > MAX_CHILDREN) revert Malformed();
        descent.children = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) descent.children[i] = reader.word();
    }

    /// Writes the state, and up to 32 bytes behind it; gives the place behind it. Each byte is written once or a few times,
    /// however many descents there are.
    function write(Game memory game, uint256 place) internal pure returns (uint256) {
        unchecked {
            setWord(place, uint256(game.id));
            setWord(place + 32, uint256(game.task));
            setWord(place + 64, uint256(game.batch));
            setWord(place + 96, uint256(uint160(game.poster)) << 96);
            setWord(place + 116, uint256(uint160(game.delegate)) << 96);
            setWord(place + 136, uint256(uint160(game.challenger)) << 96);
            setWord(place + 156, game.bond);
            setWord(
                place + 188,
                (game.phase << 248) | (game.posterClock << 184) | (game.challengerClock << 120) | (game.movedAt << 56)
            );
            setWord(place + 213, (game.item << 240) | (game.entry << 176) | (game.low << 112) | (game.high << 48));
            place = writeValues(game.atLow, place + VALUES_AT);
            place = writeValues(game.atHigh, place);
            place = writeResults(game.results, place);
            place = writeClaims(game.claims, place);
            place = writeNumber(place, game.descents.length, 1);
            for (uint256 i = 0; i < game.descents.length; ++i) place = writeDescent(place, game.descents[i]);
            return place;
        }
    }

    function writeValues(int256[8] memory values, uint256 place) private pure returns (uint256) {
        uint256 list;
        assembly ("memory-safe") {
            list := values
        }
        return writeList(list, 8, place);
    }

    function writeResults(int256[16] memory values, uint256 place) private pure returns (uint256) {
        uint256 list;
        assembly ("memory-safe") {
            list := values
        }
        return writeList(list, 16, place);
    }

    /// The number of values up to the last that is not 0, and those.
    function writeList(uint256 list, uint256 most, uint256 place) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            let last := add(list, shl(5, most))
            // Four at once, which most lists have none of.
            for {} gt(last, list) { last := sub(last, 128) } {
                if or(
                    or(mload(sub(last, 32)), mload(sub(last, 64))), or(mload(sub(last, 96)), mload(sub(last, 128)))
                ) { break }
            }
            for {} gt(last, list) { last := sub(last, 32) } { if mload(sub(last, 32)) { break } }
            mstore8(place, shr(5, sub(last, list)))
            end := add(place, 1)
            for {} lt(list, last) { list := add(list, 32) } {
                mstore(end, shl(128, mload(list)))
                end := add(end, 16)
            }
        }
    }

    function writeClaims(Slice memory claims, uint256 place) private pure returns (uint256) {
        unchecked {
            uint256 from = claims.place;
            uint256 size = claims.size;
            place = writeNumber(place, size, 2);
            assembly ("memory-safe") {
                calldatacopy(place, from, size)
            }
            return place + size;
        }
    }

    function writeDescent(uint256 place, Descent memory descent) private pure returns (uint256) {
        place = writeNumber(place, descent.object, 2);
        place = writeNumber(place, descent.firstLeaf, 8);
        place = writeNumber(place, descent.leaves, 8);
        place = writeNumber(place, uint256(descent.node), 32);
        place = writeNumber(place, descent.located ? 1 : 0, 1);
        place = writeNumber(place, descent.children.length, 1);
        for (uint256 i = 0; i < descent.children.length; ++i) {
            place = writeNumber(place, uint256(descent.children[i]), 32);
        }
        return place;
    }

    /// The lowest `size` bytes of a number; what stands behind them becomes 0.
    function writeNumber(uint256 place, uint256 value, uint256 size) private pure returns (uint256) {
        unchecked {
            setWord(place, value << (256 - 8 * size));
            return place + size;
        }
    }
}
