// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batches} from "./Batches.sol";
import {Header, Headers} from "./Headers.sol";
import {calldataWord, free, setWord, u16At, u32At, wordAt} from "./Memory.sol";
import {Merkle} from "./Merkle.sol";
import {newNode, Node, NODE_BONDED, NODE_HAS_DELEGATE, NODE_HAS_FINAL_CHILD, NODE_IS_GENESIS, NODE_PENDING} from "./Nodes.sol";
import {KIND_ADVICE, KIND_COMPUTED, KIND_FIELD, KIND_ROW, Object, objectAt, OBJECT_BYTES} from "./Objects.sol";
import {SeedNotShown} from "./OwnReasons.sol";
import {KEEPER_BYTES, PostCall, PostCalls} from "./PostCalls.sol";
import {Program, Programs} from "./Programs.sol";
import {Reader, Readers} from "./Reader.sol";
import {
    BatchExists,
    KeeperCount,
    KeeperOrder,
    KeeperSignature,
    NotAProposer,
    NoSuchBatch,
    NoSuchTask,
    NotYourTurn,
    ParentDead,
    ParentState,
    RecordCount,
    SeedNotSealed,
    TableRoots,
    TooDeep,
    TooManyLeaves
} from "./Reasons.sol";
import {
    MAX_UNFINALISED,
    SettlementState,
    STATUS_FINAL,
    STATUS_PENDING
} from "./SettlementState.sol";
import {Signatures} from "./Signatures.sol";
import {Task, Tasks} from "./Tasks.sol";

/// post: how the tree of batches grows (docs/spec.md, 11.1).
abstract contract Posts is SettlementState {
    using Readers for Reader;

    uint256 private constant LAST_BATCH = 1 << 40;

    function post(bytes calldata fields, bytes calldata headers) internal {
        PostCall memory call;
        PostCalls.read(fields, call);
        bytes32 parentName = nodeName(call.task, call.parent.id);
        Node parent = nodes[parentName];
        if (!parent.exists()) refuseParent(call);
        Task memory task = findTask(call.task);
        bytes32 parentState;
        if (call.parent.id == 0) {
            // Batches stand among the same names: none of them is a task, whatever code may be where one's would be.
            if (!parent.has(NODE_IS_GENESIS)) revert NoSuchTask();
            parentState = Tasks.genesisRoot(task);
        } else {
            if (call.parent.task() != call.task) revert NoSuchBatch();
            parentState = call.parent.nextStateRoot();
        }
        requireExtendable(call.parent, parent, Readers.over(headers));
        requireProposer(task);
        requireValue(Tasks.sequencerBond(task));

        (bytes32 id, uint256 leaves) = makeBatch(call, task, parentState);
        if (nodes[id].exists()) revert BatchExists();
        if (task.readsSeed) {
            bytes32 seed = seeds[parentName];
            if (seed == 0) revert SeedNotSealed();
            // Else a post that meant the seed of another fork would be a false one here.
            if (lastWord(headers) != seed) revert SeedNotShown();
        }
        requireKeepers(task, id, call);
        if (task.keepers == 0 && leaves > Tasks.maxRequests(task)) revert TooManyLeaves();
        nodes[parentName] = parent.withChild();
        addNode(id, parent.children(), call.delegate);
        emit Happened(9, abi.encodePacked(id));
    }

    /// Malformed, NoSuchTask, NoSuchBatch.
    function refuseParent(PostCall memory call) private view {
        if (call.parent.id != 0) Headers.requireForm(call.parent);
        findTask(call.task);
        revert NoSuchBatch();
    }

    function requireExtendable(Header memory parent, Node node, Reader memory shown) private view {
        (uint256 status, uint256 line) = statusOf(parent, node, shown);
        if (status != STATUS_PENDING && status != STATUS_FINAL) revert ParentDead();
        if (node.has(NODE_HAS_FINAL_CHILD)) revert ParentDead();
        if (parent.number() >= LAST_BATCH || line >= MAX_UNFINALISED) revert TooDeep();
    }

    function requireProposer(Task memory task) private view {
        uint256 count = task.proposers;
        if (count == 0) return;
        uint256 slot = Tasks.slot(task);
        bool isOne = false;
        for (uint256 i = 0; i < count; ++i) isOne = isOne || Tasks.proposer(task, i) == msg.sender;
        if (!isOne) revert NotAProposer();
        if (block.timestamp % slot >= Tasks.grace(task)) return;
        if (Tasks.proposer(task, block.timestamp / slot % count) != msg.sender) revert NotYourTurn();
    }

    /// Gives its id, and how many leaves its inputs have where there are no keepers.
    function makeBatch(PostCall memory call, Task memory task, bytes32 parentState)
        private
        view
        returns (bytes32 id, uint256 leaves)
    {
        unchecked {
            Program memory program = Tasks.program(task);
            requireForm(program, call, task);
            uint256 states = copyOf(call.states, call.stateCount);
            if (Merkle.rootOf(states, call.stateCount) != parentState) revert ParentState();
            uint256 tables;
            (tables, leaves) = tableCommitments(program, call, task);
            uint256 next = nextStates(program, call, tables);
            uint256 nextRoot = uint256(Merkle.rootOf(next, call.stateCount));
            uint256 tablesRoot = uint256(Merkle.rootOf(tables, call.tableCount));
            uint256 header = free() + 1;
            setWord(header, 1);
            setWord(header + 32, uint256(call.task));
            setWord(header + 64, call.parent.number() + 1);
            setWord(header + 96, uint256(call.parent.id));
            setWord(header + 128, call.records);
            setWord(header + 160, uint256(call.recordsRoot));
            setWord(header + 192, uint256(parentState));
            setWord(header + 224, nextRoot);
            setWord(header + 256, tablesRoot);
            setWord(header + 288, uint256(uint160(msg.sender)));
            id = Headers.idOf(header);
        }
    }

    function requireForm(Program memory program, PostCall memory call, Task memory task) private pure {
        uint256 least = u32At(program.dimsAt + 1);
        if (Tasks.minRecords(task) > least) least = Tasks.minRecords(task);
        if (call.records < least || call.records > u32At(program.dimsAt + 5)) revert RecordCount();
        if (call.records == 0 && call.recordsRoot != Merkle.EMPTY_ROOT) revert RecordCount();
        if (call.stateCount != program.states) revert ParentState();
    }

    /// 0 where there is none.
    function lastWord(bytes calldata data) private pure returns (bytes32) {
        return data.length < 32 ? bytes32(0) : bytes32(data[data.length - 32:]);
    }

    /// Words of calldata in memory.
    function copyOf(uint256 from, uint256 count) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
            calldatacopy(place, from, shl(5, count))
            mstore(0x40, add(place, shl(5, count)))
        }
    }

    /// The states' commitments after the batch.
    function nextStates(Program memory program, PostCall memory call, uint256 tables)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            next = copyOf(call.states, call.stateCount);
            (uint256 link, uint256 links) = Programs.links(program);
            for (uint256 end = link + 4 * links; link < end; link += 4) {
                setWord(
                    next + 32 * Programs.placeOf(program, u16At(link)),
                    wordAt(tables + 32 * Programs.placeOf(program, u16At(link + 2)))
                );
            }
        }
    }

    /// Their place in memory; and, where there are no keepers, the leaves of records, rows, states and advice.
    function tableCommitments(Program memory program, PostCall memory call, Task memory task)
        private
        view
        returns (uint256 commitments, uint256 leaves)
    {
        unchecked {
            if (call.tableCount != program.tables) revert TableRoots();
            commitments = copyOf(call.tables, call.tableCount);
            uint256 next = commitments;
            uint256 records = call.records;
            uint256 leafBytes = Tasks.leafBytes(task);
            bool isCounted = task.keepers == 0;
            leaves = records;
            uint256 end = program.constantsAt;
            for (uint256 place = program.objectsAt; place < end; place += OBJECT_BYTES) {
                Object object = objectAt(place);
                uint256 kind = object.kind();
                if (kind <= KIND_FIELD) continue;
                (uint256 first, uint256 second) = object.extents(records);
                if (kind != KIND_COMPUTED && isCounted) {
                    // A row's first extent is K: so many leaves has each record.
                    uint256 bytes_ = (kind == KIND_ROW ? 1 : first) * second * object.elementBytes();
                    uint256 count = (bytes_ + leafBytes - 1) / leafBytes;
                    leaves += kind == KIND_ROW ? records * count : count;
                }
                if (kind < KIND_ADVICE) continue;
                bytes32 root = bytes32(wordAt(next));
                if (first * second == 0 && root != Merkle.EMPTY_ROOT) revert TableRoots();
                setWord(next, uint256(Batches.commitment(leafBytes, object, first, second, root)));
                next += 32;
            }
        }
    }

    function requireKeepers(Task memory task, bytes32 id, PostCall memory call) private pure {
        if (call.keeperCount != (task.keepers == 0 ? 0 : Tasks.threshold(task))) revert KeeperCount();
        bytes32 message = call.keeperCount == 0 ? bytes32(0) : sha256(abi.encodePacked(hex"04", id));
        uint256 next = 0;
        for (uint256 i = 0; i < call.keeperCount; ++i) {
            uint256 place = call.keepers + KEEPER_BYTES * i;
            uint256 position = calldataWord(place) >> 240;
            if (position >= task.keepers || position < next) revert KeeperOrder();
            next = position + 1;
            if (Signatures.signer(message, place + 2) != Tasks.keeper(task, position)) revert KeeperSignature();
        }
    }

    function addNode(bytes32 id, uint256 position, address delegate) private {
        uint256 flags = NODE_BONDED;
        if (delegate != address(0)) {
            flags |= NODE_HAS_DELEGATE;
            delegates[id] = delegate;
        }
        nodes[id] = newNode(position, NODE_PENDING, flags);
    }
}
