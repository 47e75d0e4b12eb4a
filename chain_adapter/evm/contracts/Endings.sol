// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Headers} from "./Headers.sol";
import {Node, NODE_BONDED, NODE_FINAL, NODE_HAS_FINAL_CHILD, NODE_LOST} from "./Nodes.sol";
import {Reader, Readers} from "./Reader.sol";
import {EarlierSibling, GamesOpen, ParentNotFinal, PeriodRunning, RequestsOpen} from "./Reasons.sol";
import {Found, MAX_SKIPPED, SettlementState} from "./SettlementState.sol";
import {Tasks} from "./Tasks.sol";

/// finalize, and what it shares with other ends of batches that nobody disproved (docs/spec.md, 11.2).
abstract contract Endings is SettlementState {
    using Readers for Reader;

    function finalize(bytes calldata fields, bytes calldata headers) internal {
        requireValue(0);
        Found memory found = readBatch(fields);
        Reader memory shown = Readers.over(headers);
        requirePending(found, shown);
        requireQuiet(found);
        bytes32 task = found.header.task();
        bytes32 parentName = nodeName(task, found.header.parent());
        Node parent = nodes[parentName];
        if (parent.state() != NODE_FINAL) revert ParentNotFinal();
        uint256 position = found.node.position();
        uint256 first = skip(task, found.header.parent(), parent, position, shown);
        if (first != position) revert EarlierSibling();
        returnBond(found);
        nodes[found.header.id] = found.node.without(NODE_BONDED).withState(NODE_FINAL);
        nodes[parentName] = parent.withFirstLive(first).with(NODE_HAS_FINAL_CHILD);
        emit Happened(10, abi.encodePacked(task, found.header.id));
    }

    function readBatch(bytes calldata fields) internal view returns (Found memory) {
        Reader memory reader = Readers.over(fields);
        uint256 header = reader.skip(Headers.SIZE);
        reader.finish();
        return findBatch(header);
    }

    function requireQuiet(Found memory found) internal view {
        if (block.timestamp - found.node.postedAt() < Tasks.challengePeriod(found.task)) revert PeriodRunning();
        if (found.node.openGames() > 0) revert GamesOpen();
        if (found.node.openRequests() > 0) revert RequestsOpen();
    }

    function returnBond(Found memory found) internal returns (uint256 bond) {
        bond = Tasks.sequencerBond(found.task);
        credit(found.header.poster(), bond);
    }

    /// The first child behind at most MAX_SKIPPED lost ones, or that at `end`. Each on the way is shown, in order.
    function skip(bytes32 task, bytes32 parent, Node node, uint256 end, Reader memory shown)
        internal
        view
        returns (uint256 first)
    {
        unchecked {
            first = node.firstLive();
            uint256 last = first + MAX_SKIPPED;
            if (last > end) last = end;
            for (; first < last; ++first) {
                Node child = nodes[Headers.findChild(shown, task, parent)];
                while (!child.exists() || child.position() != first) {
                    child = nodes[Headers.findChild(shown, task, parent)];
                }
                if (child.state() != NODE_LOST) break;
            }
        }
    }
}
