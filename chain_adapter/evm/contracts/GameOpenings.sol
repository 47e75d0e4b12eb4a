// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Bisection} from "./Bisection.sol";
import {Games} from "./Games.sol";
import {GameState} from "./GameState.sol";
import {Header, Headers} from "./Headers.sol";
import {calldataWord, free} from "./Memory.sol";
import {OneStep} from "./OneStep.sol";
import {Paces} from "./Paces.sol";
import {Reader, Readers} from "./Reader.sol";
import {GameExists, Malformed} from "./Reasons.sol";
import {Found} from "./SettlementState.sol";
import {Tasks} from "./Tasks.sol";

/// How games begin (docs/spec.md, 8.2 and 11.3).
abstract contract GameOpenings is GameState {
    using Readers for Reader;

    // open_game is header ‖ item u16be ‖ entry u64be ‖ salt[32] ‖ u32be size ‖ openings.
    uint256 private constant SALT_AT = Headers.SIZE + 10;
    uint256 private constant OPENINGS_AT = SALT_AT + 36;

    function openGame(bytes calldata fields, bytes calldata headers) internal {
        unchecked {
            uint256 place;
            assembly ("memory-safe") {
                place := fields.offset
            }
            if (fields.length < OPENINGS_AT) revert Malformed();
            uint256 size = uint32(calldataWord(place + OPENINGS_AT - 32));
            if (fields.length != OPENINGS_AT + size) revert Malformed();
            uint256 item = calldataWord(place + Headers.SIZE) >> 240;
            uint256 entry = uint64(calldataWord(place + Headers.SIZE) >> 176);
            Found memory found;
            bytes32 id = start(found, place, item, entry, bytes32(calldataWord(place + SALT_AT)), headers);
            Batch memory batch = committedBatch(found.header, found.task);
            int256[8] memory accumulators;
            int256[16] memory results;
            (uint256 transitions, uint256 accumulatorCount, uint256 resultCount) =
                OneStep.begin(batch, item, entry, place + OPENINGS_AT, size, accumulators, results);
            uint256 state = free() + 1;
            write(state, found, id, Bisection.phaseOver(0, transitions));
            Games.writeRange(state, item, entry, 0, transitions);
            uint256 end = Games.writeStart(state, accumulators, accumulatorCount, results, resultCount);
            uint256 pace = Paces.ofEntry(Tasks.arity(found.task), batch.program, item);
            keepNew(found, id, Games.hashAt(state, end), pace);
        }
    }

    /// Finds the batch whose header is at this place of calldata; gives the game's id.
    function start(
        Found memory found,
        uint256 header,
        uint256 item,
        uint256 entry,
        bytes32 salt,
        bytes calldata headers
    ) internal view returns (bytes32 id) {
        loadBatch(found, header);
        requireChallengeable(found, Tasks.challengePeriod(found.task), Readers.over(headers));
        requireValue(Tasks.challengerBond(found.task));
        id = sha256(abi.encodePacked(hex"06", found.header.id, msg.sender, uint16(item), uint64(entry), salt));
        if (games[id] != 0) revert GameExists();
    }

    /// The state of a new game up to its range.
    function write(uint256 state, Found memory found, bytes32 id, uint256 phase) internal view {
        Header memory header = found.header;
        address delegate = delegateOf(header.id, found.node);
        Games.writeParties(state, id, header.task(), header.id, header.poster(), delegate, msg.sender, msg.value);
        uint256 clock = Tasks.gameClock(found.task);
        Games.writeTimes(state, phase, clock, clock, block.timestamp);
    }

    function keepNew(Found memory found, bytes32 id, bytes32 hash, uint256 pace) internal {
        nodes[found.header.id] = found.node.withGame();
        keep(GAME_OPENED, id, hash, pace);
    }
}
