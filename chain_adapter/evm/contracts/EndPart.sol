// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Headers} from "./Headers.sol";
import {Reader, Readers} from "./Reader.sol";
import {
    BatchFinal,
    BatchLost,
    BondReleased,
    EarlierSibling,
    GamesOpen,
    NotReleasable,
    NothingToSkip,
    ParentNotFinal,
    PeriodRunning,
    RequestsOpen
} from "./Reasons.sol";
import {
    Found,
    MAX_SKIPPED,
    Node,
    NODE_FINAL,
    NODE_LOST,
    SettlementState,
    STATUS_FINAL,
    STATUS_INVALID,
    STATUS_PENDING,
    TaskStatus
} from "./SettlementState.sol";
import {Task} from "./Tasks.sol";

/// finalize, skip_invalid and release_bond: how a batch ends that nobody disproved (docs/spec.md, 11.2).
contract EndPart is SettlementState {
    using Readers for Reader;

    function finalize(bytes calldata fields) external payable onlyInSettlement {
        requireValue(0);
        (Found memory found, Node storage node) = read(fields);
        bytes32 task = found.header.task;
        requirePending(task, node);
        requireQuiet(found.task, node);
        Node storage parent = findNode(task, node.parent);
        if (parent.state != NODE_FINAL) revert ParentNotFinal();
        skip(nodeName(task, node.parent), parent);
        if (parent.firstLive != node.position) revert EarlierSibling();
        returnBond(node);
        node.state = NODE_FINAL;
        parent.finalChild = found.id;
        TaskStatus storage status = statuses[task];
        status.finalBatch = found.id;
        status.finalNumber = uint64(found.header.number);
        status.finalState = found.header.nextStateRoot;
        emit Happened(10, abi.encodePacked(task, found.id));
    }

    function skipInvalid(bytes calldata fields) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        bytes32 task = reader.word();
        bytes32 parent = reader.word();
        reader.finish();
        findTask(task);
        Node storage node = findNode(task, parent);
        if (skip(nodeName(task, parent), node) == 0) revert NothingToSkip();
        emit Happened(22, abi.encodePacked(task, parent, uint64(node.firstLive)));
    }

    function releaseBond(bytes calldata fields) external payable onlyInSettlement {
        requireValue(0);
        (Found memory found, Node storage node) = read(fields);
        uint256 status = statusOf(found.header.task, node);
        if (status == STATUS_PENDING) revert NotReleasable();
        if (status == STATUS_INVALID) revert BatchLost();
        if (status == STATUS_FINAL) revert BatchFinal();
        uint256 bond = node.bond;
        if (bond == 0) revert BondReleased();
        requireQuiet(found.task, node);
        returnBond(node);
        emit Happened(12, abi.encodePacked(found.id, node.poster, bond));
    }

    function read(bytes calldata fields) private view returns (Found memory, Node storage) {
        Reader memory reader = Readers.over(fields);
        Found memory found;
        found.header = Headers.read(reader);
        reader.finish();
        return findBatch(found.header);
    }

    function requireQuiet(Task memory task, Node storage node) private view {
        if (block.timestamp - node.postedAt < task.challengePeriod) revert PeriodRunning();
        if (node.openGames > 0) revert GamesOpen();
        if (node.openRequests > 0) revert RequestsOpen();
    }

    function returnBond(Node storage node) private {
        credit(node.poster, node.bond);
        node.bond = 0;
    }

    /// Moves on over at most MAX_SKIPPED lost children.
    function skip(bytes32 name, Node storage node) private returns (uint256 skipped) {
        uint48 first = node.firstLive;
        while (skipped < MAX_SKIPPED && first < node.children && nodes[childrenOf[name][first]].state == NODE_LOST) {
            ++first;
            ++skipped;
        }
        if (skipped > 0) node.firstLive = first;
    }
}
