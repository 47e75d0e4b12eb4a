// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Descents} from "./Descents.sol";
import {Descent, Game, Games, NO_ENTRY, PHASE_REVEAL} from "./Games.sol";
import {GameOpenings} from "./GameOpenings.sol";
import {Headers} from "./Headers.sol";
import {free} from "./Memory.sol";
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
        uint256 header = reader.skip(Headers.SIZE);
        uint256 item = reader.number(2);
        Slice memory tables = reader.take(2 * reader.count(1024));
        bytes32 salt = reader.word();
        Slice memory roots = reader.slice();
        reader.finish();
        Found memory found;
        bytes32 id = start(found, header, item, NO_ENTRY, salt, headers);
        Descent[] memory descents =
            Descents.begin(committedBatch(found.header, found.task), item, tables, roots);
        uint256 state = free() + 1;
        write(state, found, id, PHASE_REVEAL);
        Games.writeRange(state, item, NO_ENTRY, 0, 0);
        uint256 end = Games.writeDescentStart(state, descents);
        keepNew(found, id, Games.hashAt(state, end), Paces.ofDescent(Tasks.arity(found.task)));
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
