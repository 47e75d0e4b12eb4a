// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Header, Headers} from "./Headers.sol";
import {NotTheSettlement} from "./OwnReasons.sol";
import {Programs} from "./Programs.sol";
import {
    BatchDead,
    BatchFinal,
    BatchLost,
    MoneyOverflow,
    NoSuchBatch,
    NoSuchTask,
    PeriodOver,
    WrongValue
} from "./Reasons.sol";
import {Task, Tasks} from "./Tasks.sol";

struct TaskStatus {
    uint64 members;
    uint128 pool;
    uint64 finalNumber;
    bytes32 finalBatch;
    bytes32 finalState;
}

struct Member {
    address wallet;
    uint64 registeredAt;
    uint8 deviceKeys;
    uint128 stake;
    uint64 exitAt; // NEVER: no exit was asked for
}

struct Binding {
    uint64 member;
    uint64 boundAt;
    uint64 unboundAt;
    bool exists;
}

struct Node {
    bytes32 task; // 0: no node
    bytes32 parent;
    uint48 number;
    uint64 postedAt;
    uint64 postedBlock;
    uint64 position;
    uint8 state;
    address poster;
    uint48 openGames;
    uint48 openRequests;
    address delegate;
    uint48 children;
    uint48 firstLive;
    uint128 bond;
    bytes32 finalChild;
}

struct GameRecord {
    bytes32 hash; // 0: no game
    bytes32 batch;
    uint128 bond;
    bool ended;
}

struct Request {
    address requester; // 0: none
    uint64 requestedAt;
    uint8 state;
    uint128 bond;
}

/// A batch whose header was shown.
struct Found {
    bytes32 id;
    Header header;
    Task task;
}

uint64 constant NEVER = type(uint64).max;

uint8 constant NODE_PENDING = 0;
uint8 constant NODE_LOST = 1;
uint8 constant NODE_FINAL = 2;

uint256 constant STATUS_PENDING = 0;
uint256 constant STATUS_INVALID = 1;
uint256 constant STATUS_ORPHANED = 2;
uint256 constant STATUS_SUPERSEDED = 3;
uint256 constant STATUS_FINAL = 4;

uint256 constant MAX_UNFINALISED = 64;
uint256 constant MAX_SKIPPED = 16;

/// The records of the settlement (docs/spec.md, 10.2) and what its parts share. Each part is a contract of its own,
/// which Settlement runs on its own storage; so this layout is that of all of them.
abstract contract SettlementState {
    /// What happened: the kinds and bytes of docs/spec.md, 10.7.
    event Happened(uint8 indexed kind, bytes fields);

    mapping(bytes32 programHash => address) internal programs;
    mapping(bytes32 task => address) internal tasks;
    mapping(bytes32 task => TaskStatus) internal statuses;
    mapping(bytes32 task => mapping(uint256 member => Member)) internal members;
    mapping(bytes32 task => mapping(address => Binding)) internal bindings;
    mapping(bytes32 name => Node) internal nodes;
    mapping(bytes32 name => mapping(uint256 position => bytes32)) internal childrenOf;
    mapping(bytes32 name => bytes32) internal seeds;
    mapping(bytes32 game => GameRecord) internal games;
    mapping(bytes32 batch => mapping(uint256 key => Request)) internal requests;
    mapping(address sender => mapping(bytes32 commitment => uint256 block)) internal commitments;
    mapping(bytes32 task => mapping(uint256 object => mapping(uint256 member => uint256))) internal paid;
    mapping(bytes32 batch => uint256) internal paidInBatch;
    mapping(address => uint256) internal credits;
    uint256 internal burned;

    /// Where this code was deployed: of a part, not where it runs.
    address private immutable deployed = address(this);

    /// NotTheSettlement where a part is called itself: nobody could ever take out what it was paid.
    modifier onlyInSettlement() {
        requireInSettlement();
        _;
    }

    function requireInSettlement() private view {
        if (address(this) == deployed) revert NotTheSettlement();
    }

    // Money.

    function credit(address owner, uint256 amount) internal {
        if (amount == 0) return;
        credits[owner] = sum(credits[owner], amount);
    }

    function burn(uint256 amount) internal {
        if (amount == 0) return;
        burned = sum(burned, amount);
    }

    function sum(uint256 a, uint256 b) internal pure returns (uint256 total) {
        total = a + b;
        if (total >> 128 != 0) revert MoneyOverflow();
    }

    /// What is burned of a lost bond; the rest is the winner's.
    function burnedShare(uint256 bond, uint256 burnBps) internal pure returns (uint256) {
        return bond * burnBps / 10000;
    }

    function requireValue(uint256 due) internal view {
        if (msg.value != due) revert WrongValue();
    }

    // Tasks.

    function findTask(bytes32 id) internal view returns (Task memory) {
        address store = tasks[id];
        if (store == address(0)) revert NoSuchTask();
        return Tasks.load(store);
    }

    // The tree of batches.

    /// What names a node: the batch, or the task for its genesis.
    function nodeName(bytes32 task, bytes32 batch) internal pure returns (bytes32) {
        return batch == 0 ? task : batch;
    }

    /// NoSuchBatch, also for a batch of another task; genesis has one name, 0.
    function findNode(bytes32 task, bytes32 batch) internal view returns (Node storage node) {
        node = nodes[nodeName(task, batch)];
        if (batch == task || node.task != task || task == 0) revert NoSuchBatch();
    }

    function findBatch(Header memory header) internal view returns (Found memory found, Node storage node) {
        found.id = Headers.id(header);
        node = findNode(header.task, found.id);
        found.header = header;
        found.task = findTask(header.task);
    }

    /// What openings of a found batch are checked against.
    function committedBatch(Found memory found) internal view returns (Batch memory batch) {
        Header memory header = found.header;
        batch.program = Programs.load(found.task.program);
        batch.recordsRoot = header.recordsRoot;
        batch.previousStateRoot = header.previousStateRoot;
        batch.tablesRoot = header.tablesRoot;
        batch.leafBytes = found.task.leafBytes;
        batch.dims = batchDims(found.task, header.records);
        batch.number = header.number;
        uint256 seed = uint256(seeds[nodeName(header.task, header.parent)]);
        batch.seedHigh = int256(seed) >> 128;
        batch.seedLow = int256(seed << 128) >> 128;
    }

    /// K, and those that the task fixes.
    function batchDims(Task memory task, uint256 records) internal pure returns (uint256[] memory dims) {
        dims = new uint256[](task.dims.length + 1);
        dims[0] = records;
        for (uint256 i = 0; i < task.dims.length; ++i) dims[i + 1] = task.dims[i];
    }

    function statusOf(bytes32 task, Node storage node) internal view returns (uint256) {
        if (node.state == NODE_LOST) return STATUS_INVALID;
        if (node.state == NODE_FINAL) return STATUS_FINAL;
        while (true) {
            node = nodes[nodeName(task, node.parent)];
            if (node.state == NODE_LOST) return STATUS_ORPHANED;
            if (node.state == NODE_FINAL) return node.finalChild == 0 ? STATUS_PENDING : STATUS_SUPERSEDED;
        }
        return STATUS_PENDING;
    }

    function requirePending(bytes32 task, Node storage node) internal view {
        uint256 status = statusOf(task, node);
        if (status == STATUS_INVALID) revert BatchLost();
        if (status == STATUS_FINAL) revert BatchFinal();
        if (status != STATUS_PENDING) revert BatchDead();
    }

    function requireChallengeable(bytes32 task, Node storage node, uint256 period) internal view {
        requirePending(task, node);
        if (block.timestamp - node.postedAt >= period) revert PeriodOver();
    }

    /// Splits the bond of a batch that was not lost before.
    function loseBatch(bytes32 task, bytes32 batch, uint256 burnBps, uint8 cause, address winner) internal {
        Node storage node = nodes[batch];
        uint256 bond = node.bond;
        uint256 share = burnedShare(bond, burnBps);
        burn(share);
        credit(winner, bond - share);
        node.bond = 0;
        node.state = NODE_LOST;
        emit Happened(11, abi.encodePacked(task, batch, cause, winner, bond - share, share));
    }
}
