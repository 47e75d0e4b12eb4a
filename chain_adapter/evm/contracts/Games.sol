// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {calldataWord, free, setWord} from "./Memory.sol";
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

    /// Of a state in memory that stands behind a byte for it.
    function hashAt(uint256 place, uint256 end) internal view returns (bytes32) {
        unchecked {
            assembly ("memory-safe") {
                mstore8(sub(place, 1), 8)
            }
            return Sha256.hash(place - 1, end - place + 1);
        }
    }

    function hash(Game memory game) internal view returns (bytes32) {
        unchecked {
            uint256 place = free() + 1;
            return hashAt(place, write(game, place));
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

    // The parts of a state in memory, each at its place. Each writes up to 32 bytes behind it, and those with a list give
    // the place behind it.

    /// Writes the state. Each byte is written once or a few times, however many descents there are.
    function write(Game memory game, uint256 place) internal pure returns (uint256) {
        unchecked {
            writeParties(
                place, game.id, game.task, game.batch, game.poster, game.delegate, game.challenger, game.bond
            );
            writeTimes(place, game.phase, game.posterClock, game.challengerClock, game.movedAt);
            writeRange(place, game.item, game.entry, game.low, game.high);
            place = writeValues(game.atLow, 8, place + VALUES_AT);
            place = writeValues(game.atHigh, 8, place);
            place = writeResults(game.results, 16, place);
            place = writeClaims(game.claims, place);
            return writeDescents(game.descents, place);
        }
    }

    function writeParties(
        uint256 place,
        bytes32 id,
        bytes32 task,
        bytes32 batch,
        address poster,
        address delegate,
        address challenger,
        uint256 bond
    ) internal pure {
        unchecked {
            setWord(place, uint256(id));
            setWord(place + 32, uint256(task));
            setWord(place + 64, uint256(batch));
            setWord(place + 96, uint256(uint160(poster)) << 96);
            setWord(place + 116, uint256(uint160(delegate)) << 96);
            setWord(place + 136, uint256(uint160(challenger)) << 96);
            setWord(place + 156, bond);
        }
    }

    function writeTimes(uint256 place, uint256 phase, uint256 posterClock, uint256 challengerClock, uint256 movedAt)
        internal
        pure
    {
        unchecked {
            setWord(
                place + 188, (phase << 248) | (posterClock << 184) | (challengerClock << 120) | (movedAt << 56)
            );
        }
    }

    function writeRange(uint256 place, uint256 item, uint256 entry, uint256 low, uint256 high) internal pure {
        unchecked {
            setWord(place + 213, (item << 240) | (entry << 176) | (low << 112) | (high << 48));
        }
    }

    /// The values of a game over a whole entry, and no claims or descents: of its accumulators and results so many may be
    /// other than 0.
    function writeStart(
        uint256 place,
        int256[8] memory accumulators,
        uint256 accumulatorCount,
        int256[16] memory results,
        uint256 resultCount
    ) internal pure returns (uint256) {
        unchecked {
            place = writeValues(accumulators, accumulatorCount, place + VALUES_AT);
            place = writeNumber(place, 0, 1);
            place = writeResults(results, resultCount, place);
            return writeNumber(place, 0, 3);
        }
    }

    /// A game without entry: no values, no claims, and descents.
    function writeDescentStart(uint256 place, Descent[] memory descents) internal pure returns (uint256) {
        unchecked {
            return writeDescents(descents, writeNumber(place + VALUES_AT, 0, 5));
        }
    }

    function writeValues(int256[8] memory values, uint256 most, uint256 place) private pure returns (uint256) {
        uint256 list;
        assembly ("memory-safe") {
            list := values
        }
        return writeList(list, most, place);
    }

    function writeResults(int256[16] memory values, uint256 most, uint256 place) private pure returns (uint256) {
        uint256 list;
        assembly ("memory-safe") {
            list := values
        }
        return writeList(list, most, place);
    }

    /// The number of values up to the last that is not 0, and those; none behind the first `most` is looked at.
    function writeList(uint256 list, uint256 most, uint256 place) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            let last := add(list, shl(5, most))
            // Four at once, which most lists have none of.
            for { let three := add(list, 96) } gt(last, three) { last := sub(last, 128) } {
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

    function writeDescents(Descent[] memory descents, uint256 place) private pure returns (uint256) {
        unchecked {
            place = writeNumber(place, descents.length, 1);
            for (uint256 i = 0; i < descents.length; ++i) place = writeDescent(place, descents[i]);
            return place;
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
