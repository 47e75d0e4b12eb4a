// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch, Batches} from "./Batches.sol";
import {Header, Headers} from "./Headers.sol";
import {calldataWord, setWord, u16At, u32At, wordAt} from "./Memory.sol";
import {Merkle} from "./Merkle.sol";
import {newNode, Node, NODE_BONDED, NODE_HAS_DELEGATE, NODE_HAS_FINAL_CHILD, NODE_IS_GENESIS, NODE_PENDING} from "./Nodes.sol";
import {SeedNotShown} from "./OwnReasons.sol";
import {KIND_ADVICE, KIND_FIELD, KIND_ROW, OBJECT_BYTES, Program, Programs} from "./Programs.sol";
import {Reader, Readers} from "./Reader.sol";
import {
    BatchExists,
    KeeperCount,
    KeeperOrder,
    KeeperSignature,
    Malformed,
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
    uint256 private constant KEEPER_BYTES = 2 + 65;

    struct Post {
        bytes32 task;
        Header parent; // id, number and parent 0: genesis
        bytes32 parentState;
        List states; // commitments
        uint256 records;
        bytes32 recordsRoot;
        List tables; // tree roots
        address delegate;
        uint256 keepers;
        uint256 keepersAt;
    }

    /// Words in calldata, behind their u16be count.
    struct List {
        uint256 place;
        uint256 count;
    }

    function post(bytes calldata fields, bytes calldata headers) internal {
        Post memory posting;
        readPost(Readers.over(fields), posting);
        Task memory task = findTask(posting.task);
        if (posting.parent.id == 0) posting.parentState = Tasks.genesisRoot(task);
        else if (posting.parent.task() != posting.task) revert NoSuchBatch();
        bytes32 parentName = nodeName(posting.task, posting.parent.id);
        Node parent = nodes[parentName];
        if (!parent.exists()) revert NoSuchBatch();
        // Batches stand among the same names: none of them is a task, whatever code may be where one's would be.
        if (posting.parent.id == 0 && !parent.has(NODE_IS_GENESIS)) revert NoSuchTask();
        requireExtendable(posting.parent, parent, Readers.over(headers));
        requireProposer(task);
        requireValue(Tasks.sequencerBond(task));

        Batch memory batch;
        Tasks.locateProgram(task, batch.program);
        batch.leafBytes = Tasks.leafBytes(task);
        batch.dims = batchDims(task, posting.records);
        (bytes memory told, bytes32 id) = makeBatch(batch, posting, task);
        if (nodes[id].exists()) revert BatchExists();
        if (task.readsSeed) {
            bytes32 seed = seeds[parentName];
            if (seed == 0) revert SeedNotSealed();
            // Else a post that meant the seed of another fork would be a false one here.
            if (lastWord(headers) != seed) revert SeedNotShown();
            setLastWord(told, seed);
        }
        requireKeepers(task, id, posting);
        if (task.keepers == 0 && inputLeaves(batch) > Tasks.maxRequests(task)) revert TooManyLeaves();
        nodes[parentName] = parent.withChild();
        addNode(id, parent.children(), posting.delegate);
        emit Happened(9, told);
    }

    function readPost(Reader memory reader, Post memory posting) private view {
        posting.task = reader.word();
        uint256 presence = reader.number(1);
        if (presence > 1) revert Malformed();
        if (presence == 1) {
            posting.parent = Headers.read(reader);
            posting.parentState = posting.parent.nextStateRoot();
        } else {
            // Calldata behind its end reads as zeros.
            posting.parent.place = msg.data.length;
        }
        readList(reader, 64, posting.states);
        posting.records = reader.number(8);
        posting.recordsRoot = reader.word();
        readList(reader, 1024, posting.tables);
        posting.delegate = reader.addr();
        posting.keepers = reader.count(32);
        posting.keepersAt = reader.skip(KEEPER_BYTES * posting.keepers);
        reader.finish();
    }

    function readList(Reader memory reader, uint256 most, List memory list) private pure {
        list.count = reader.count(most);
        list.place = reader.skip(32 * list.count);
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

    /// The bytes of the event, of which the call has the rest: id ‖ header ‖ seed, which is still 0; and the id.
    function makeBatch(Batch memory batch, Post memory posting, Task memory task)
        private
        view
        returns (bytes memory told, bytes32 id)
    {
        unchecked {
            requireForm(batch.program, posting, task);
            uint256 states = copyOf(posting.states);
            if (Merkle.rootOf(states, posting.states.count) != posting.parentState) revert ParentState();
            uint256 tables = tableCommitments(batch, posting.tables);
            uint256 next = nextStates(batch.program, posting.states, tables);
            uint256 nextRoot = uint256(Merkle.rootOf(next, posting.states.count));
            uint256 tablesRoot = uint256(Merkle.rootOf(tables, posting.tables.count));
            told = new bytes(32 + Headers.SIZE + 32);
            uint256 header;
            assembly ("memory-safe") {
                header := add(told, 64)
            }
            setWord(header, 1);
            setWord(header + 32, uint256(posting.task));
            setWord(header + 64, posting.parent.number() + 1);
            setWord(header + 96, uint256(posting.parent.id));
            setWord(header + 128, posting.records);
            setWord(header + 160, uint256(posting.recordsRoot));
            setWord(header + 192, uint256(posting.parentState));
            setWord(header + 224, nextRoot);
            setWord(header + 256, tablesRoot);
            setWord(header + 288, uint256(uint160(msg.sender)));
            id = Headers.idOf(header);
            setWord(header - 32, uint256(id));
        }
    }

    function requireForm(Program memory program, Post memory posting, Task memory task) private pure {
        uint256 least = u32At(program.dimsAt + 1);
        if (Tasks.minRecords(task) > least) least = Tasks.minRecords(task);
        if (posting.records < least || posting.records > u32At(program.dimsAt + 5)) revert RecordCount();
        if (posting.records == 0 && posting.recordsRoot != Merkle.EMPTY_ROOT) revert RecordCount();
        if (posting.states.count != program.states) revert ParentState();
    }

    /// 0 where there is none.
    function lastWord(bytes calldata data) private pure returns (bytes32) {
        return data.length < 32 ? bytes32(0) : bytes32(data[data.length - 32:]);
    }

    function setLastWord(bytes memory data, bytes32 word) private pure {
        assembly ("memory-safe") {
            mstore(add(data, mload(data)), word)
        }
    }

    /// In memory.
    function copyOf(List memory list) private pure returns (uint256 place) {
        unchecked {
            uint256 from = list.place;
            uint256 size = 32 * list.count;
            assembly ("memory-safe") {
                place := mload(0x40)
                calldatacopy(place, from, size)
                mstore(0x40, add(place, size))
            }
        }
    }

    /// The states' commitments after the batch.
    function nextStates(Program memory program, List memory states, uint256 tables) private pure returns (uint256 next) {
        unchecked {
            next = copyOf(states);
            (uint256 link, uint256 links) = Programs.links(program);
            for (uint256 end = link + 4 * links; link < end; link += 4) {
                setWord(
                    next + 32 * Programs.placeOf(program, u16At(link)),
                    wordAt(tables + 32 * Programs.placeOf(program, u16At(link + 2)))
                );
            }
        }
    }

    /// Their place in memory.
    function tableCommitments(Batch memory batch, List memory roots) private view returns (uint256 commitments) {
        unchecked {
            Program memory program = batch.program;
            if (roots.count != program.tables) revert TableRoots();
            commitments = copyOf(roots);
            uint256 place = commitments;
            uint256 end = program.constantsAt;
            for (uint256 object = program.objectsAt; object < end; object += OBJECT_BYTES) {
                if (Programs.objectKind(object) < KIND_ADVICE) continue;
                bytes32 root = bytes32(wordAt(place));
                (uint256 first, uint256 second) = Batches.extents(batch, object);
                if (first * second == 0 && root != Merkle.EMPTY_ROOT) revert TableRoots();
                setWord(place, uint256(Batches.commitment(batch, object, first, second, root)));
                place += 32;
            }
        }
    }

    function requireKeepers(Task memory task, bytes32 id, Post memory posting) private pure {
        if (posting.keepers != (task.keepers == 0 ? 0 : Tasks.threshold(task))) revert KeeperCount();
        bytes32 message = posting.keepers == 0 ? bytes32(0) : sha256(abi.encodePacked(hex"04", id));
        uint256 next = 0;
        for (uint256 i = 0; i < posting.keepers; ++i) {
            uint256 place = posting.keepersAt + KEEPER_BYTES * i;
            uint256 position = calldataWord(place) >> 240;
            if (position >= task.keepers || position < next) revert KeeperOrder();
            next = position + 1;
            if (Signatures.signer(message, place + 2) != Tasks.keeper(task, position)) revert KeeperSignature();
        }
    }

    /// Leaves of records, rows, states and advice.
    function inputLeaves(Batch memory batch) private pure returns (uint256 leaves) {
        unchecked {
            uint256 records = batch.dims[0];
            leaves = records;
            uint256 end = batch.program.constantsAt;
            for (uint256 object = batch.program.objectsAt; object < end; object += OBJECT_BYTES) {
                uint256 kind = Programs.objectKind(object);
                if (kind <= KIND_FIELD || kind > KIND_ADVICE) continue;
                (uint256 dataBytes, uint256 leafBytes) = Batches.leafLayout(batch, object);
                uint256 count = (dataBytes + leafBytes - 1) / leafBytes;
                leaves += kind == KIND_ROW ? records * count : count;
            }
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
