// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Descents} from "./Descents.sol";
import {Game, Games, NO_ENTRY} from "./Games.sol";
import {GameOpenings} from "./GameOpenings.sol";
import {Header, Headers} from "./Headers.sol";
import {Node, NODE_LOST} from "./Nodes.sol";
import {Paces} from "./Paces.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {BatchLost, BatchNotLost, ClockRunning} from "./Reasons.sol";
import {Found} from "./SettlementState.sol";
import {Task, Tasks} from "./Tasks.sol";

/// How games begin with a descent, and how they end without a move (docs/spec.md, 8.2, 8.4 and 11.3).
contract GamePart is GameOpenings {
    using Readers for Reader;

    function openDescent(bytes calldata fields, bytes calldata headers) external payable onlyInSettlement {
        Reader memory reader = Readers.over(fields);
        Header memory header = Headers.read(reader);
        uint256 item = reader.number(2);
        Slice memory tables = reader.take(2 * reader.count(1024));
        bytes32 salt = reader.word();
        Slice memory roots = reader.slice();
        reader.finish();
        Game memory game;
        Found memory found = start(game, header, item, NO_ENTRY, salt, Readers.over(headers));
        game.entry = NO_ENTRY;
        Descents.begin(committedBatch(found.header, found.task), game, item, tables, roots);
        keepNew(found, game, Paces.ofDescent(Tasks.arity(found.task)));
    }

    function claimTimeout(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        (Game memory game, Node node) = readOpen(fields);
        if (node.state() == NODE_LOST) revert BatchLost();
        bool isPosters = Games.isPosters(game.phase);
        uint256 clock = isPosters ? game.posterClock : game.challengerClock;
        if (block.timestamp - game.movedAt <= clock) revert ClockRunning();
        Task memory task = findTask(game.task);
        emitEnd(game, isPosters ? POSTER_TIMEOUT : CHALLENGER_TIMEOUT);
        if (isPosters) {
            endForChallenger(task, node, game, CAUSE_TIMEOUT);
            return;
        }
        markEnded(game.id);
        nodes[game.batch] = node.withoutGame();
        uint256 share = burnedShare(game.bond, Tasks.burnBps(task));
        credit(game.poster, game.bond - share);
    }

    function refundGame(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        (Game memory game, Node node) = readOpen(fields);
        if (node.state() != NODE_LOST) revert BatchNotLost();
        markEnded(game.id);
        nodes[game.batch] = node.withoutGame();
        emitEnd(game, REFUNDED);
        credit(game.challenger, game.bond);
    }

    function readOpen(bytes calldata fields) private view returns (Game memory game, Node node) {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        Slice memory state = reader.slice();
        reader.finish();
        findOpen(state, game);
        node = nodes[game.batch];
    }

    function emitEnd(Game memory game, uint8 outcome) private {
        emit Happened(15, abi.encodePacked(game.id, game.batch, outcome, uint8(0)));
    }
}
