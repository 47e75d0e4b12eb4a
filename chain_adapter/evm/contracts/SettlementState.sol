// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {CodeStore} from "./CodeStore.sol";
import {Header, Headers} from "./Headers.sol";
import {
    Node,
    NODE_BONDED,
    NODE_FINAL,
    NODE_HAS_DELEGATE,
    NODE_HAS_FINAL_CHILD,
    NODE_IS_GENESIS,
    NODE_LOST
} from "./Nodes.sol";
import {NotTheSettlement} from "./OwnReasons.sol";
import {Reader} from "./Reader.sol";
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

/// Its bond is what the task says, until it is settled.
struct Request {
    address requester; // 0: none
    uint64 requestedAt;
    uint8 state;
}

/// A batch whose header was shown.
struct Found {
    Header header;
    Node node;
    Task task;
}

uint64 constant NEVER = type(uint64).max;

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

    mapping(bytes32 task => TaskStatus) internal statuses;
    mapping(bytes32 task => mapping(uint256 member => Member)) internal members;
    mapping(bytes32 task => mapping(address => Binding)) internal bindings;
    mapping(bytes32 name => Node) internal nodes;
    mapping(bytes32 batch => address) internal delegates;
    mapping(bytes32 name => bytes32) internal seeds;
    mapping(bytes32 game => uint256) internal games; // GameState
    mapping(bytes32 batch => mapping(uint256 key => Request)) internal requests;
    mapping(address sender => mapping(bytes32 commitment => uint256 block)) internal commitments;
    mapping(bytes32 task => mapping(uint256 object => mapping(uint256 member => uint256))) internal paid;
    mapping(bytes32 batch => uint256) internal paidInBatch;
    /// 0, or 1 more than the credit: what was once written costs less to write again.
    mapping(address => uint256) internal credits;

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
        uint256 kept = credits[owner];
        credits[owner] = sum(kept == 0 ? 0 : kept - 1, amount) + 1;
    }

    function sum(uint256 a, uint256 b) internal pure returns (uint256 total) {
        total = a + b;
        if (total >> 128 != 0) revert MoneyOverflow();
    }

    /// What is burned of a lost bond; the rest is the winner's. It stays here, and nobody's account has it.
    function burnedShare(uint256 bond, uint256 burnBps) internal pure returns (uint256) {
        return bond * burnBps / 10000;
    }

    function requireValue(uint256 due) internal view {
        if (msg.value != due) revert WrongValue();
    }

    // Tasks.

    function findTask(bytes32 id) internal view returns (Task memory task) {
        loadTask(task, id);
    }

    /// Into one that is there already: memory is zeroed each time that a structure is made.
    function loadTask(Task memory task, bytes32 id) internal view {
        (address store, uint256 size) = CodeStore.find(id);
        if (size == 0) revert NoSuchTask();
        Tasks.load(task, store, size);
    }

    // The tree of batches.

    /// What names a node: the batch, or the task for its genesis.
    function nodeName(bytes32 task, bytes32 batch) internal pure returns (bytes32) {
        return batch == 0 ? task : batch;
    }

    /// A node by its name: genesis has one name, 0. NoSuchBatch, also for a batch of another task; HeaderNotShown.
    function findNode(bytes32 task, bytes32 batch, Reader memory shown) internal view returns (Node node) {
        node = nodes[nodeName(task, batch)];
        if (batch == 0) {
            if (!node.has(NODE_IS_GENESIS)) revert NoSuchTask();
            return node;
        }
        if (!node.exists() || node.has(NODE_IS_GENESIS)) revert NoSuchBatch();
        (bytes32 taskOfBatch,) = Headers.find(shown, batch);
        if (taskOfBatch != task) revert NoSuchBatch();
    }

    /// The hash of a posted header binds all that it says. Malformed, NoSuchBatch.
    function findBatch(uint256 header) internal view returns (Found memory found) {
        loadBatch(found, header);
    }

    /// The same, into a new one.
    function loadBatch(Found memory found, uint256 place) internal view {
        Header memory header = found.header;
        Headers.load(header, place);
        found.node = nodes[header.id];
        if (!found.node.exists()) {
            Headers.requireForm(header);
            revert NoSuchBatch();
        }
        loadTask(found.task, header.task());
    }

    /// What openings of a posted batch of this task are checked against.
    function committedBatch(Header memory header, Task memory task) internal view returns (Batch memory batch) {
        Tasks.locateProgram(task, batch.program);
        batch.recordsRoot = header.recordsRoot();
        batch.previousStateRoot = header.previousStateRoot();
        batch.tablesRoot = header.tablesRoot();
        batch.leafBytes = Tasks.leafBytes(task);
        batch.records = header.records();
        batch.dimsAt = task.dimsAt;
        batch.number = header.number();
        if (!task.readsSeed) return batch;
        uint256 seed = uint256(seeds[nodeName(header.task(), header.parent())]);
        batch.seedHigh = int256(seed) >> 128;
        batch.seedLow = int256(seed << 128) >> 128;
    }

    /// What a batch with this header is, and how many from it up are pending; HeaderNotShown where a pending ancestor was
    /// not shown.
    function statusOf(Header memory header, Node node, Reader memory shown)
        internal
        view
        returns (uint256 status, uint256 line)
    {
        unchecked {
            if (node.state() == NODE_LOST) return (STATUS_INVALID, 0);
            if (node.state() == NODE_FINAL) return (STATUS_FINAL, 0);
            bytes32 parent = header.parent();
            while (true) {
                ++line;
                node = nodes[nodeName(header.task(), parent)];
                if (node.state() == NODE_LOST) return (STATUS_ORPHANED, line);
                if (node.state() == NODE_FINAL) {
                    return (node.has(NODE_HAS_FINAL_CHILD) ? STATUS_SUPERSEDED : STATUS_PENDING, line);
                }
                (, parent) = Headers.find(shown, parent);
            }
        }
    }

    function requirePending(Found memory found, Reader memory shown) internal view {
        (uint256 status,) = statusOf(found.header, found.node, shown);
        if (status == STATUS_INVALID) revert BatchLost();
        if (status == STATUS_FINAL) revert BatchFinal();
        if (status != STATUS_PENDING) revert BatchDead();
    }

    function requireChallengeable(Found memory found, uint256 period, Reader memory shown) internal view {
        requirePending(found, shown);
        if (block.timestamp - found.node.postedAt() >= period) revert PeriodOver();
    }

    function delegateOf(bytes32 batch, Node node) internal view returns (address) {
        return node.has(NODE_HAS_DELEGATE) ? delegates[batch] : address(0);
    }

    /// Splits the bond of a pending batch, and gives its node as it is to be kept.
    function loseBatch(Found memory found, uint8 cause, address winner) internal returns (Node) {
        Header memory header = found.header;
        return loseBatch(found.task, header.task(), header.id, found.node, cause, winner);
    }

    function loseBatch(Task memory task, bytes32 taskId, bytes32 batch, Node node, uint8 cause, address winner)
        internal
        returns (Node)
    {
        uint256 bond = Tasks.sequencerBond(task);
        uint256 share = burnedShare(bond, Tasks.burnBps(task));
        credit(winner, bond - share);
        emit Happened(11, abi.encodePacked(taskId, batch, cause, winner, bond - share, share));
        return node.without(NODE_BONDED).withState(NODE_LOST);
    }
}
