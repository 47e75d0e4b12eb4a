// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Bisection} from "./Bisection.sol";
import {Descents} from "./Descents.sol";
import {Game, Games, NO_ENTRY} from "./Games.sol";
import {GameState} from "./GameState.sol";
import {Header, Headers} from "./Headers.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {BatchLost, BatchNotLost, ClockRunning, GameExists} from "./Reasons.sol";
import {Found, GameRecord, Node, NODE_LOST} from "./SettlementState.sol";
import {Task} from "./Tasks.sol";

/// How games begin, and how they end without a move (docs/spec.md, 8.2, 8.4 and 11.3).
contract GamePart is GameState {
    using Readers for Reader;

    function openGame(bytes calldata fields) external payable onlyInSettlement {
        Reader memory reader = Readers.over(fields);
        Found memory found;
        found.header = Headers.read(reader);
        uint256 item = reader.number(2);
        uint256 entry = reader.number(8);
        bytes32 salt = reader.word();
        Slice memory openings = reader.slice();
        reader.finish();
        Node storage node;
        Game memory game;
        (found, node) = findChallenged(found.header);
        start(found, node, game, item, entry, salt);
        Bisection.begin(committedBatch(found), game, item, entry, openings);
        keepNew(node, game);
    }

    function openDescent(bytes calldata fields) external payable onlyInSettlement {
        Reader memory reader = Readers.over(fields);
        Found memory found;
        found.header = Headers.read(reader);
        uint256 item = reader.number(2);
        Slice memory tables = reader.take(2 * reader.count(1024));
        bytes32 salt = reader.word();
        Slice memory roots = reader.slice();
        reader.finish();
        Node storage node;
        Game memory game;
        (found, node) = findChallenged(found.header);
        start(found, node, game, item, NO_ENTRY, salt);
        game.entry = NO_ENTRY;
        Descents.begin(committedBatch(found), game, item, tables, roots);
        keepNew(node, game);
    }

    function claimTimeout(bytes calldata fields) external payable onlyInSettlement {
        (Game memory game, GameRecord storage record, Node storage node) = readOpen(fields);
        if (node.state == NODE_LOST) revert BatchLost();
        bool isPosters = Games.isPosters(game.phase);
        uint256 clock = isPosters ? game.posterClock : game.challengerClock;
        if (block.timestamp - game.movedAt <= clock) revert ClockRunning();
        Task memory task = findTask(game.task);
        emitEnd(game, isPosters ? POSTER_TIMEOUT : CHALLENGER_TIMEOUT);
        if (isPosters) {
            endForChallenger(game, record, node, task, CAUSE_TIMEOUT);
            return;
        }
        uint256 bond = end(record, node);
        uint256 share = burnedShare(bond, task.burnBps);
        burn(share);
        credit(game.poster, bond - share);
    }

    function refundGame(bytes calldata fields) external payable onlyInSettlement {
        (Game memory game, GameRecord storage record, Node storage node) = readOpen(fields);
        if (node.state != NODE_LOST) revert BatchNotLost();
        uint256 bond = end(record, node);
        emitEnd(game, REFUNDED);
        credit(game.challenger, bond);
    }

    function findChallenged(Header memory header) private view returns (Found memory found, Node storage node) {
        (found, node) = findBatch(header);
        requireChallengeable(header.task, node, found.task.challengePeriod);
        requireValue(found.task.challengerBond);
    }

    function start(
        Found memory found,
        Node storage node,
        Game memory game,
        uint256 item,
        uint256 entry,
        bytes32 salt
    ) private view {
        game.id = sha256(abi.encodePacked(hex"06", found.id, msg.sender, uint16(item), uint64(entry), salt));
        if (games[game.id].hash != 0) revert GameExists();
        game.task = found.header.task;
        game.batch = found.id;
        game.poster = node.poster;
        game.delegate = node.delegate;
        game.challenger = msg.sender;
        game.bond = msg.value;
        game.posterClock = found.task.gameClock;
        game.challengerClock = found.task.gameClock;
        game.movedAt = block.timestamp;
    }

    function keepNew(Node storage node, Game memory game) private {
        bytes memory encoded = Games.encode(game);
        ++node.openGames;
        games[game.id] = GameRecord(Games.hash(encoded), game.batch, uint128(game.bond), false);
        emit Happened(13, abi.encodePacked(uint32(encoded.length), encoded));
    }

    function readOpen(bytes calldata fields)
        private
        view
        returns (Game memory game, GameRecord storage record, Node storage node)
    {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        Slice memory state = reader.slice();
        reader.finish();
        return findOpen(state);
    }

    function emitEnd(Game memory game, uint8 outcome) private {
        emit Happened(15, abi.encodePacked(game.id, game.batch, outcome, uint8(0)));
    }
}
