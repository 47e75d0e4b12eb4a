// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Bisection} from "./Bisection.sol";
import {Game} from "./Games.sol";
import {GameState} from "./GameState.sol";
import {Header, Headers} from "./Headers.sol";
import {Paces} from "./Paces.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {GameExists} from "./Reasons.sol";
import {Found} from "./SettlementState.sol";
import {Tasks} from "./Tasks.sol";

/// How games begin (docs/spec.md, 8.2 and 11.3).
abstract contract GameOpenings is GameState {
    using Readers for Reader;

    function openGame(bytes calldata fields, bytes calldata headers) internal {
        Reader memory reader = Readers.over(fields);
        Header memory header = Headers.read(reader);
        uint256 item = reader.number(2);
        uint256 entry = reader.number(8);
        bytes32 salt = reader.word();
        Slice memory openings = reader.slice();
        reader.finish();
        Game memory game;
        Found memory found = start(game, header, item, entry, salt, Readers.over(headers));
        Batch memory batch = committedBatch(found.header, found.task);
        Bisection.begin(batch, game, item, entry, openings);
        keepNew(found, game, Paces.ofEntry(Tasks.arity(found.task), batch.program, item));
    }

    function start(
        Game memory game,
        Header memory header,
        uint256 item,
        uint256 entry,
        bytes32 salt,
        Reader memory shown
    ) internal view returns (Found memory found) {
        found = findBatch(header);
        requireChallengeable(found, Tasks.challengePeriod(found.task), shown);
        requireValue(Tasks.challengerBond(found.task));
        game.id = sha256(abi.encodePacked(hex"06", header.id, msg.sender, uint16(item), uint64(entry), salt));
        if (games[game.id] != 0) revert GameExists();
        game.task = header.task();
        game.batch = header.id;
        game.poster = header.poster();
        game.delegate = delegateOf(header.id, found.node);
        game.challenger = msg.sender;
        game.bond = msg.value;
        game.posterClock = Tasks.gameClock(found.task);
        game.challengerClock = game.posterClock;
        game.movedAt = block.timestamp;
    }

    function keepNew(Found memory found, Game memory game, uint256 pace) internal {
        (bytes memory fields, bytes32 hash) = tell(Slice(0, 0), address(0), game);
        keep(game.id, hash, pace);
        nodes[game.batch] = found.node.withGame();
        emit Happened(13, fields);
    }
}
