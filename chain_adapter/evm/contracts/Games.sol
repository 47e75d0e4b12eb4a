// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {setWord} from "./Memory.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {Malformed} from "./Reasons.sol";

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
    bytes claims;
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
    uint256 private constant DESCENT_BYTES = 52; // and those of its children

    /// Whether it is the poster that moves.
    function isPosters(uint256 phase) internal pure returns (bool) {
        return phase == PHASE_REVEAL || phase == PHASE_RESPOND;
    }

    function hash(bytes memory encoded) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"08", encoded));
    }

    /// Reads what encode() wrote: the caller has compared its hash with one that the chain keeps.
    function decode(Slice memory encoded) internal pure returns (Game memory game) {
        Reader memory reader = Readers.overSlice(encoded);
        game.id = reader.word();
        game.task = reader.word();
        game.batch = reader.word();
        game.poster = reader.addr();
        game.delegate = reader.addr();
        game.challenger = reader.addr();
        game.bond = reader.money();
        game.phase = reader.number(1);
        game.posterClock = reader.number(8);
        game.challengerClock = reader.number(8);
        game.movedAt = reader.number(8);
        game.item = reader.number(2);
        game.entry = reader.number(8);
        game.low = reader.number(8);
        game.high = reader.number(8);
        uint256 count = reader.number(1);
        for (uint256 i = 0; i < count; ++i) game.atLow[i] = int128(uint128(reader.number(16)));
        count = reader.number(1);
        for (uint256 i = 0; i < count; ++i) game.atHigh[i] = int128(uint128(reader.number(16)));
        count = reader.number(1);
        for (uint256 i = 0; i < count; ++i) game.results[i] = int128(uint128(reader.number(16)));
        game.claims = Readers.copy(reader.take(reader.number(2)));
        game.descents = new Descent[](reader.number(1));
        for (uint256 i = 0; i < game.descents.length; ++i) readDescent(reader, game.descents[i]);
        reader.finish();
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

    /// Each byte is written once or a few times, however many descents there are.
    function encode(Game memory game) internal pure returns (bytes memory encoded) {
        bytes memory head = encodeHead(game);
        uint256 size = head.length;
        for (uint256 i = 0; i < game.descents.length; ++i) {
            size += DESCENT_BYTES + 32 * game.descents[i].children.length;
        }
        // A word more, since each field is written as the start of one.
        encoded = new bytes(size + 32);
        uint256 place;
        assembly ("memory-safe") {
            mstore(encoded, size)
            place := add(encoded, 32)
            mcopy(place, add(head, 32), mload(head))
        }
        place += head.length;
        for (uint256 i = 0; i < game.descents.length; ++i) place = writeDescent(place, game.descents[i]);
    }

    function encodeHead(Game memory game) private pure returns (bytes memory encoded) {
        encoded = abi.encodePacked(
            game.id, game.task, game.batch, game.poster, game.delegate, game.challenger, game.bond, uint8(game.phase)
        );
        encoded = abi.encodePacked(
            encoded,
            uint64(game.posterClock),
            uint64(game.challengerClock),
            uint64(game.movedAt),
            uint16(game.item),
            uint64(game.entry),
            uint64(game.low),
            uint64(game.high)
        );
        int256[16] memory padded;
        for (uint256 i = 0; i < 8; ++i) padded[i] = game.atLow[i];
        encoded = bytes.concat(encoded, encodeValues(padded));
        for (uint256 i = 0; i < 8; ++i) padded[i] = game.atHigh[i];
        encoded = bytes.concat(encoded, encodeValues(padded), encodeValues(game.results));
        encoded = abi.encodePacked(encoded, uint16(game.claims.length), game.claims, uint8(game.descents.length));
    }

    /// Gives the place behind it.
    function writeDescent(uint256 place, Descent memory descent) private pure returns (uint256) {
        place = write(place, descent.object, 2);
        place = write(place, descent.firstLeaf, 8);
        place = write(place, descent.leaves, 8);
        place = write(place, uint256(descent.node), 32);
        place = write(place, descent.located ? 1 : 0, 1);
        place = write(place, descent.children.length, 1);
        for (uint256 i = 0; i < descent.children.length; ++i) place = write(place, uint256(descent.children[i]), 32);
        return place;
    }

    /// The lowest `size` bytes of a number; what stands behind them becomes 0.
    function write(uint256 place, uint256 value, uint256 size) private pure returns (uint256) {
        unchecked {
            setWord(place, value << (256 - 8 * size));
            return place + size;
        }
    }

    /// Their number up to the last that is not 0, and those.
    function encodeValues(int256[16] memory values) private pure returns (bytes memory encoded) {
        unchecked {
            uint256 count = 16;
            while (count > 0 && values[count - 1] == 0) --count;
            encoded = new bytes(1 + 16 * count);
            encoded[0] = bytes1(uint8(count));
            for (uint256 i = count; i-- > 0;) {
                int256 value = values[i];
                assembly ("memory-safe") {
                    // Sixteen bytes, before what the next value covered.
                    let place := add(add(encoded, 33), shl(4, i))
                    let after_ := and(mload(place), 0xffffffffffffffffffffffffffffffff)
                    mstore(place, or(shl(128, value), after_))
                }
            }
        }
    }
}
