// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Endings} from "./Endings.sol";
import {Node, NODE_BONDED} from "./Nodes.sol";
import {Reader, Readers} from "./Reader.sol";
import {
    BatchFinal,
    BatchLost,
    BondReleased,
    NotReleasable,
    NothingToSkip,
    SeedSealed,
    SeedTooEarly
} from "./Reasons.sol";
import {Found, STATUS_FINAL, STATUS_INVALID, STATUS_PENDING} from "./SettlementState.sol";

/// seal_seed, skip_invalid and release_bond: what else happens in the tree of batches (docs/spec.md, 11.1 and 11.2).
contract TreePart is Endings {
    using Readers for Reader;

    uint256 private constant BLOCK_HASHES = 256;

    /// A node that a transaction names by its task and its batch, 0 for genesis.
    struct Named {
        bytes32 task;
        bytes32 batch;
        Node node;
    }

    function sealSeed(bytes calldata fields, bytes calldata headers) external payable onlyInSettlement {
        Named memory parent = readNode(fields, Readers.over(headers));
        bytes32 name = nodeName(parent.task, parent.batch);
        if (seeds[name] != 0) revert SeedSealed();
        uint256 first = parent.node.postedBlock() + 1;
        if (block.number <= first) revert SeedTooEarly();
        uint256 sealing = first + BLOCK_HASHES * ((block.number - 1 - first) / BLOCK_HASHES);
        bytes32 seed = sha256(abi.encodePacked(hex"07", blockhash(sealing), parent.batch));
        seeds[name] = seed;
        emit Happened(8, abi.encodePacked(parent.task, parent.batch, seed));
    }

    function skipInvalid(bytes calldata fields, bytes calldata headers) external payable onlyInSettlement {
        Reader memory shown = Readers.over(headers);
        Named memory parent = readNode(fields, shown);
        Node node = parent.node;
        uint256 first = skip(parent.task, parent.batch, node, node.children(), shown);
        if (first == node.firstLive()) revert NothingToSkip();
        nodes[nodeName(parent.task, parent.batch)] = node.withFirstLive(first);
        emit Happened(22, abi.encodePacked(parent.task, parent.batch, uint64(first)));
    }

    function releaseBond(bytes calldata fields, bytes calldata headers) external payable onlyInSettlement {
        requireValue(0);
        Found memory found = readBatch(fields);
        (uint256 status,) = statusOf(found.header, found.node, Readers.over(headers));
        if (status == STATUS_PENDING) revert NotReleasable();
        if (status == STATUS_INVALID) revert BatchLost();
        if (status == STATUS_FINAL) revert BatchFinal();
        if (!found.node.has(NODE_BONDED)) revert BondReleased();
        requireQuiet(found);
        uint256 bond = returnBond(found);
        nodes[found.header.id] = found.node.without(NODE_BONDED);
        emit Happened(12, abi.encodePacked(found.header.id, found.header.poster(), bond));
    }

    function readNode(bytes calldata fields, Reader memory shown) private view returns (Named memory named) {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        named.task = reader.word();
        named.batch = reader.word();
        reader.finish();
        findTask(named.task);
        named.node = findNode(named.task, named.batch, shown);
    }
}
