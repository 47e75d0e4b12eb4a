// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch, Batches} from "./Batches.sol";
import {Header, Headers} from "./Headers.sol";
import {calldataWord, u16At, u32At} from "./Memory.sol";
import {Merkle} from "./Merkle.sol";
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
    MAX_UNFINALISED,
    Node,
    NODE_FINAL,
    SettlementState,
    STATUS_FINAL,
    STATUS_PENDING
} from "./SettlementState.sol";
import {Signatures} from "./Signatures.sol";
import {Task} from "./Tasks.sol";

/// seal_seed and post: how the tree of batches grows (docs/spec.md, 11.1).
contract PostPart is SettlementState {
    using Readers for Reader;

    uint256 private constant BLOCK_HASHES = 256;
    uint256 private constant LAST_BATCH = 1 << 40;
    uint256 private constant KEEPER_BYTES = 2 + 65;

    struct Post {
        bytes32 task;
        bytes32 parent;
        uint256 parentNumber;
        bytes32 parentState;
        bytes32[] states; // commitments
        uint256 records;
        bytes32 recordsRoot;
        bytes32[] tables; // tree roots
        address delegate;
        uint256 keepers;
        uint256 keepersAt;
    }

    function sealSeed(bytes calldata fields) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        bytes32 task = reader.word();
        bytes32 parent = reader.word();
        reader.finish();
        findTask(task);
        Node storage node = findNode(task, parent);
        bytes32 name = nodeName(task, parent);
        if (seeds[name] != 0) revert SeedSealed();
        uint256 first = uint256(node.postedBlock) + 1;
        if (block.number <= first) revert SeedTooEarly();
        uint256 sealing = first + BLOCK_HASHES * ((block.number - 1 - first) / BLOCK_HASHES);
        bytes32 seed = sha256(abi.encodePacked(hex"07", blockhash(sealing), parent));
        seeds[name] = seed;
        emit Happened(8, abi.encodePacked(task, parent, seed));
    }

    function post(bytes calldata fields) external payable onlyInSettlement {
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
        if (isFirst) posting.parentState = task.genesisRoot;
        Node storage parent = findNode(posting.task, posting.parent);
        requireExtendable(posting.task, parent);
        requireProposer(task);
        requireValue(task.sequencerBond);

        Batch memory batch;
        batch.program = Programs.load(task.program);
        batch.leafBytes = task.leafBytes;
        batch.dims = batchDims(task, posting.records);
        Header memory header = makeHeader(batch, posting, task);
        bytes32 id = Headers.id(header);
        if (nodes[id].task != 0) revert BatchExists();
        bytes32 seed = 0;
        if (task.readsSeed) {
            seed = seeds[nodeName(posting.task, posting.parent)];
            if (seed == 0) revert SeedNotSealed();
        }
        requireKeepers(task, id, posting);
        if (task.keepers.length == 0 && inputLeaves(batch) > task.maxRequests) revert TooManyLeaves();
        addNode(id, header, posting, parent);
        emit Happened(
            9,
            abi.encodePacked(
                id,
                Headers.encode(header),
                uint16(posting.states.length),
                posting.states,
                uint16(posting.tables.length),
                posting.tables,
                seed
            )
        );
    }

    function readParent(Reader memory reader, Post memory posting) private pure returns (bool isFirst) {
        uint256 presence = reader.number(1);
        if (presence > 1) revert Malformed();
        if (presence == 0) return true;
        Header memory header = Headers.read(reader);
        posting.parent = Headers.id(header);
        posting.parentNumber = header.number;
        posting.parentState = header.nextStateRoot;
    }

    function words(Reader memory reader, uint256 most) private pure returns (bytes32[] memory list) {
        list = new bytes32[](reader.count(most));
        for (uint256 i = 0; i < list.length; ++i) list[i] = reader.word();
    }

    function requireExtendable(bytes32 task, Node storage node) private view {
        uint256 status = statusOf(task, node);
        if (status != STATUS_PENDING && status != STATUS_FINAL) revert ParentDead();
        if (node.finalChild != 0) revert ParentDead();
        if (node.number >= LAST_BATCH) revert TooDeep();
        uint256 line = 0;
        for (; node.state != NODE_FINAL; node = nodes[nodeName(task, node.parent)]) ++line;
        if (line >= MAX_UNFINALISED) revert TooDeep();
    }

    function requireProposer(Task memory task) private view {
        uint256 count = task.proposers.length;
        if (count == 0) return;
        uint256 turn = block.timestamp / task.slot % count;
        bool isOne = false;
        for (uint256 i = 0; i < count; ++i) isOne = isOne || task.proposers[i] == msg.sender;
        if (!isOne) revert NotAProposer();
        if (block.timestamp % task.slot < task.grace && task.proposers[turn] != msg.sender) revert NotYourTurn();
    }

    function makeHeader(Batch memory batch, Post memory posting, Task memory task)
        private
        view
        returns (Header memory header)
    {
        Program memory program = batch.program;
        uint256 least = u32At(program.dimsAt + 1);
        if (task.minRecords > least) least = task.minRecords;
        if (posting.records < least || posting.records > u32At(program.dimsAt + 5)) revert RecordCount();
        if (posting.records == 0 && posting.recordsRoot != Merkle.EMPTY_ROOT) revert RecordCount();
        if (posting.states.length != program.states) revert ParentState();
        if (Merkle.rootOf(copyOf(posting.states)) != posting.parentState) revert ParentState();
        bytes32[] memory tables = tableCommitments(batch, posting.tables);
        bytes32[] memory next = copyOf(posting.states);
        (uint256 link, uint256 links) = Programs.links(program);
        for (uint256 i = 0; i < links; ++i) {
            next[Programs.placeOf(program, u16At(link))] = tables[Programs.placeOf(program, u16At(link + 2))];
            link += 4;
        }
        header.task = posting.task;
        header.number = posting.parentNumber + 1;
        header.parent = posting.parent;
        header.records = posting.records;
        header.recordsRoot = posting.recordsRoot;
        header.previousStateRoot = posting.parentState;
        header.nextStateRoot = Merkle.rootOf(next);
        header.tablesRoot = Merkle.rootOf(tables);
        header.poster = msg.sender;
    }

    function copyOf(bytes32[] memory list) private pure returns (bytes32[] memory copy) {
        copy = new bytes32[](list.length);
        for (uint256 i = 0; i < list.length; ++i) copy[i] = list[i];
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
        if (posting.keepers != (task.keepers.length == 0 ? 0 : task.threshold)) revert KeeperCount();
        bytes32 message = posting.keepers == 0 ? bytes32(0) : sha256(abi.encodePacked(hex"04", id));
        uint256 next = 0;
        for (uint256 i = 0; i < posting.keepers; ++i) {
            uint256 place = posting.keepersAt + KEEPER_BYTES * i;
            uint256 position = calldataWord(place) >> 240;
            if (position >= task.keepers.length || position < next) revert KeeperOrder();
            next = position + 1;
            if (Signatures.signer(message, place + 2) != task.keepers[position]) revert KeeperSignature();
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

    function addNode(bytes32 id, Header memory header, Post memory posting, Node storage parent) private {
        uint48 position = parent.children;
        Node storage node = nodes[id];
        node.task = header.task;
        node.parent = header.parent;
        node.number = uint48(header.number);
        node.postedAt = uint64(block.timestamp);
        node.postedBlock = uint64(block.number);
        node.position = position;
        node.poster = header.poster;
        if (posting.delegate != address(0)) node.delegate = posting.delegate;
        node.bond = uint128(msg.value);
        childrenOf[nodeName(header.task, header.parent)][position] = id;
        parent.children = position + 1;
    }
}
