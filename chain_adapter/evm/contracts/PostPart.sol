// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch, Batches} from "./Batches.sol";
import {Header, Headers} from "./Headers.sol";
import {calldataWord, u16At, u32At} from "./Memory.sol";
import {Merkle} from "./Merkle.sol";
import {newNode, Node, NODE_BONDED, NODE_HAS_DELEGATE, NODE_HAS_FINAL_CHILD, NODE_PENDING} from "./Nodes.sol";
import {
    KIND_ADVICE, KIND_FIELD, KIND_ROW, KIND_STATE, OBJECT_BYTES, Program, Programs
} from "./Programs.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {
    BatchExists,
    KeeperCount,
    KeeperOrder,
    KeeperSignature,
    Malformed,
    NotAProposer,
    NoSuchBatch,
    NotYourTurn,
    ParentDead,
    ParentState,
    RecordCount,
    SeedNotSealed,
    SeedSealed,
    SeedTooEarly,
    TableRoots,
    TooDeep,
    TooManyLeaves
} from "./Reasons.sol";
import {
    Found,
    MAX_UNFINALISED,
    SettlementState,
    STATUS_FINAL,
    STATUS_PENDING
} from "./SettlementState.sol";
import {Signatures} from "./Signatures.sol";
import {Task, Tasks} from "./Tasks.sol";

/// seal_seed and post: how the tree of batches grows (docs/spec.md, 11.1).
contract PostPart is SettlementState {
    using Readers for Reader;

    uint256 private constant BLOCK_HASHES = 256;
    uint256 private constant LAST_BATCH = 1 << 40;
    uint256 private constant KEEPER_BYTES = 2 + 65;

    struct Post {
        bytes32 task;
        Header parent; // id and number 0, and the genesis root as its next state: genesis
        bytes32[] states; // commitments
        uint256 records;
        bytes32 recordsRoot;
        bytes32[] tables; // tree roots
        address delegate;
        uint256 keepers;
        uint256 keepersAt;
    }

    function sealSeed(bytes calldata fields, bytes calldata headers) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        bytes32 task = reader.word();
        bytes32 parent = reader.word();
        reader.finish();
        findTask(task);
        Node node = findNode(task, parent, Readers.over(headers));
        bytes32 name = nodeName(task, parent);
        if (seeds[name] != 0) revert SeedSealed();
        uint256 first = node.postedBlock() + 1;
        if (block.number <= first) revert SeedTooEarly();
        uint256 sealing = first + BLOCK_HASHES * ((block.number - 1 - first) / BLOCK_HASHES);
        bytes32 seed = sha256(abi.encodePacked(hex"07", blockhash(sealing), parent));
        seeds[name] = seed;
        emit Happened(8, abi.encodePacked(task, parent, seed));
    }

    function post(bytes calldata fields, bytes calldata headers) external payable onlyInSettlement {
        Reader memory reader = Readers.over(fields);
        Post memory posting;
        posting.task = reader.word();
        bool isFirst = readParent(reader, posting);
        posting.states = words(reader, 64);
        posting.records = reader.number(8);
        posting.recordsRoot = reader.word();
        posting.tables = words(reader, 1024);
        posting.delegate = reader.addr();
        posting.keepers = reader.count(32);
        posting.keepersAt = reader.skip(KEEPER_BYTES * posting.keepers);
        reader.finish();

        Task memory task = findTask(posting.task);
        if (isFirst) posting.parent.nextStateRoot = Tasks.genesisRoot(task);
        else if (posting.parent.task != posting.task) revert NoSuchBatch();
        bytes32 parentName = nodeName(posting.task, posting.parent.id);
        Node parent = nodes[parentName];
        if (!parent.exists()) revert NoSuchBatch();
        requireExtendable(posting.parent, parent, Readers.over(headers));
        requireProposer(task);
        requireValue(Tasks.sequencerBond(task));

        Batch memory batch;
        batch.program = Tasks.program(task);
        batch.leafBytes = Tasks.leafBytes(task);
        batch.dims = batchDims(task, posting.records);
        bytes memory header = makeHeader(batch, posting, task);
        bytes32 id = Headers.idOf(header);
        if (nodes[id].exists()) revert BatchExists();
        bytes32 seed = 0;
        if (task.readsSeed) {
            seed = seeds[parentName];
            if (seed == 0) revert SeedNotSealed();
        }
        requireKeepers(task, id, posting);
        if (task.keepers == 0 && inputLeaves(batch) > Tasks.maxRequests(task)) revert TooManyLeaves();
        nodes[parentName] = parent.withChild();
        addNode(id, parent.children(), posting.delegate);
        emit Happened(
            9,
            abi.encodePacked(
                id,
                header,
                uint16(posting.states.length),
                posting.states,
                uint16(posting.tables.length),
                posting.tables,
                seed
            )
        );
    }

    function readParent(Reader memory reader, Post memory posting) private view returns (bool isFirst) {
        uint256 presence = reader.number(1);
        if (presence > 1) revert Malformed();
        if (presence == 0) return true;
        posting.parent = Headers.read(reader);
    }

    function words(Reader memory reader, uint256 most) private pure returns (bytes32[] memory list) {
        uint256 size = 32 * reader.count(most);
        uint256 place = reader.skip(size);
        list = new bytes32[](size / 32);
        assembly ("memory-safe") {
            calldatacopy(add(list, 32), place, size)
        }
    }

    function requireExtendable(Header memory parent, Node node, Reader memory shown) private view {
        (uint256 status, uint256 line) = statusOf(parent, node, shown);
        if (status != STATUS_PENDING && status != STATUS_FINAL) revert ParentDead();
        if (node.has(NODE_HAS_FINAL_CHILD)) revert ParentDead();
        if (parent.number >= LAST_BATCH || line >= MAX_UNFINALISED) revert TooDeep();
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

    function makeHeader(Batch memory batch, Post memory posting, Task memory task)
        private
        view
        returns (bytes memory)
    {
        Program memory program = batch.program;
        uint256 least = u32At(program.dimsAt + 1);
        if (Tasks.minRecords(task) > least) least = Tasks.minRecords(task);
        if (posting.records < least || posting.records > u32At(program.dimsAt + 5)) revert RecordCount();
        if (posting.records == 0 && posting.recordsRoot != Merkle.EMPTY_ROOT) revert RecordCount();
        if (posting.states.length != program.states) revert ParentState();
        if (Merkle.rootOf(copyOf(posting.states)) != posting.parent.nextStateRoot) revert ParentState();
        bytes32[] memory tables = tableCommitments(batch, posting.tables);
        bytes32[] memory next = copyOf(posting.states);
        (uint256 link, uint256 links) = Programs.links(program);
        for (uint256 i = 0; i < links; ++i) {
            next[Programs.placeOf(program, u16At(link))] = tables[Programs.placeOf(program, u16At(link + 2))];
            link += 4;
        }
        return abi.encode(
            uint256(1),
            posting.task,
            posting.parent.number + 1,
            posting.parent.id,
            posting.records,
            posting.recordsRoot,
            posting.parent.nextStateRoot,
            Merkle.rootOf(next),
            Merkle.rootOf(tables),
            msg.sender
        );
    }

    function copyOf(bytes32[] memory list) private pure returns (bytes32[] memory copy) {
        copy = new bytes32[](list.length);
        assembly ("memory-safe") {
            mcopy(add(copy, 32), add(list, 32), shl(5, mload(list)))
        }
    }

    function tableCommitments(Batch memory batch, bytes32[] memory roots)
        private
        view
        returns (bytes32[] memory commitments)
    {
        Program memory program = batch.program;
        if (roots.length != program.tables) revert TableRoots();
        commitments = new bytes32[](roots.length);
        uint256 place = 0;
        for (uint256 object = program.objectsAt; object < program.constantsAt; object += OBJECT_BYTES) {
            if (Programs.objectKind(object) < KIND_ADVICE) continue;
            (uint256 dataBytes,) = Batches.leafLayout(batch, object);
            if (dataBytes == 0 && roots[place] != Merkle.EMPTY_ROOT) revert TableRoots();
            commitments[place] = Batches.commitment(batch, object, roots[place]);
            ++place;
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
        Program memory program = batch.program;
        leaves = batch.dims[0];
        for (uint256 object = program.objectsAt; object < program.constantsAt; object += OBJECT_BYTES) {
            uint256 kind = Programs.objectKind(object);
            if (kind <= KIND_FIELD || kind > KIND_ADVICE) continue;
            (uint256 dataBytes, uint256 leafBytes) = Batches.leafLayout(batch, object);
            uint256 count = (dataBytes + leafBytes - 1) / leafBytes;
            leaves += kind == KIND_ROW ? batch.dims[0] * count : count;
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
