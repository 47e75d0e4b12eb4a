// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch, Batches} from "./Batches.sol";
import {CodeStore} from "./CodeStore.sol";
import {u32At, u8At, zeroedWords} from "./Memory.sol";
import {Merkle} from "./Merkle.sol";
import {newNode, NODE_FINAL, NODE_IS_GENESIS} from "./Nodes.sol";
import {KIND_ROW, KIND_STATE, Object, objectAt, OBJECT_BYTES} from "./Objects.sol";
import "./Opcodes.sol";
import {ProgramForm} from "./ProgramForm.sol";
import {
    DIM_BYTES,
    INSTRUCTION_BYTES,
    MAX_PROGRAM_BYTES,
    Program,
    Programs
} from "./Programs.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {
    BondTooSmall,
    BondsTooClose,
    ClockTooShort,
    ExitTooShort,
    GenesisRoots,
    PeriodTooShort,
    ProgramTooLarge,
    TaskDims,
    TaskExists,
    TaskSettings,
    WindowTooShort,
    WrongValue
} from "./Reasons.sol";
import {SettlementState, TaskStatus} from "./SettlementState.sol";
import {TaskLimits} from "./TaskLimits.sol";
import {Task, Tasks} from "./Tasks.sol";

/// create_task and fund (docs/spec.md, 10.4).
contract TaskPart is SettlementState {
    using Readers for Reader;

    uint256 private constant MAX_FRACTION_BITS = 30;
    uint256 private constant MAX_DELAY = 1 << 40;
    uint256 private constant MAX_REVEAL_BYTES = 65536;

    function createTask(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        bytes32 salt = reader.word();
        Slice memory bytecode = reader.slice();
        uint256 start = reader.place;
        // Dims, params, fraction bits and settings stand in the preimage as they stand here.
        (Task memory task, bytes memory common) = parseTask(start, reader.end);
        reader.skip(common.length);
        bytes32[] memory roots = new bytes32[](reader.count(64));
        for (uint256 i = 0; i < roots.length; ++i) roots[i] = reader.word();
        reader.finish();

        Batch memory batch;
        uint256 description = loadProgram(batch.program, bytecode);
        checkTask(batch, task);
        bytes32[] memory commitments = genesisCommitments(batch, roots);
        bytes memory commitmentBytes = abi.encodePacked(commitments);
        bytes32 programHash = sha256(Readers.copy(bytecode));
        bytes memory preimage = bytes.concat(
            abi.encodePacked(hex"05", block.chainid, address(this), msg.sender, salt, programHash), common, Merkle.rootOf(commitments)
        );
        bytes32 id = sha256(preimage);
        (, uint256 size) = CodeStore.find(id);
        if (size != 0) revert TaskExists();
        bytes1 seed = readsSeed(batch.program) ? bytes1(0x01) : bytes1(0x00);
        bytes memory program = copyOf(batch.program.place, bytecode.size);
        bytes memory rest = copyOf(description, Programs.descriptionBytes(batch.program.objects));
        CodeStore.store(id, bytes.concat(seed, preimage, program, rest));
        nodes[id] = newNode(0, NODE_FINAL, NODE_IS_GENESIS);
        emit Happened(
            1,
            abi.encodePacked(id, uint32(preimage.length), preimage, uint16(roots.length), commitmentBytes)
        );
    }

    function fund(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        Reader memory reader = Readers.over(fields);
        bytes32 id = reader.word();
        reader.finish();
        findTask(id);
        if (msg.value == 0) revert WrongValue();
        TaskStatus storage status = statuses[id];
        status.pool = uint128(sum(status.pool, msg.value));
        emit Happened(2, abi.encodePacked(id, msg.sender, msg.value));
    }

    function parseTask(uint256 start, uint256 end) private pure returns (Task memory task, bytes memory common) {
        uint256 size = end - start;
        common = new bytes(size + 32);
        uint256 place;
        assembly ("memory-safe") {
            place := add(common, 32)
            calldatacopy(place, start, size)
        }
        Tasks.parse(task, place, place + size);
        size = task.endAt - place;
        assembly ("memory-safe") {
            mstore(common, size)
        }
    }

    /// Gives the place of its description.
    function loadProgram(Program memory program, Slice memory bytecode) private pure returns (uint256 description) {
        uint256 size = bytecode.size;
        if (size > MAX_PROGRAM_BYTES) revert ProgramTooLarge();
        uint256 from = bytecode.place;
        uint256 place = zeroedWords(size / 32 + 3);
        assembly ("memory-safe") {
            calldatacopy(place, from, size)
        }
        ProgramForm.check(place, size);
        return Programs.describe(program, place);
    }

    function copyOf(uint256 place, uint256 size) private pure returns (bytes memory data) {
        data = new bytes(size);
        assembly ("memory-safe") {
            mcopy(add(data, 32), place, size)
        }
    }

    function checkTask(Batch memory batch, Task memory task) private pure {
        Program memory program = batch.program;
        if (task.dims + 1 != program.dims) revert TaskDims();
        uint256 mostRecords = u32At(program.dimsAt + 5);
        batch.records = mostRecords;
        batch.leafBytes = Tasks.leafBytes(task);
        for (uint256 i = 1; i < program.dims; ++i) {
            uint256 bounds = program.dimsAt + DIM_BYTES * i;
            uint256 dim = Tasks.dim(task, i - 1);
            if (dim < u32At(bounds + 1) || dim > u32At(bounds + 5)) revert TaskDims();
        }
        Programs.resolve(program, task.dimsAt);
        for (uint256 place = program.objectsAt; place < program.constantsAt; place += OBJECT_BYTES) {
            Object object = objectAt(place);
            (, uint256 length) = object.extents(mostRecords);
            if (object.kind() == KIND_ROW && length == 0) revert TaskDims();
        }
        if (Tasks.fractionBits(task) > MAX_FRACTION_BITS || Tasks.minRecords(task) > mostRecords) revert TaskSettings();
        if (Tasks.exitDelay(task) > MAX_DELAY) revert TaskSettings();
        (uint256 moves, uint256 revealBytes) = TaskLimits.most(batch, Tasks.arity(task));
        if (revealBytes > MAX_REVEAL_BYTES) revert ProgramTooLarge();
        checkTimes(task, moves);
        uint256 bond = Tasks.challengerBond(task);
        if (bond == 0 || (task.keepers == 0 && Tasks.requestBond(task) == 0)) revert BondTooSmall();
        if (bond > Tasks.sequencerBond(task) / 10) revert BondsTooClose();
    }

    function checkTimes(Task memory task, uint256 moves) private pure {
        unchecked {
            uint256 moveTime = Tasks.moveTime(task);
            uint256 budget = Tasks.censorshipBudget(task);
            uint256 oneAnswer = moveTime + budget;
            uint256 clock = Tasks.gameClock(task);
            uint256 period = Tasks.challengePeriod(task);
            uint256 window = Tasks.window(task);
            if (clock == 0 || clock < moves * moveTime + budget) revert ClockTooShort();
            if (task.keepers == 0) {
                if (window == 0 || window < oneAnswer) revert WindowTooShort();
                if (Tasks.requestPeriod(task) <= window + oneAnswer + moveTime) revert PeriodTooShort();
            }
            if (period == 0 || period < 2 * window + oneAnswer) revert PeriodTooShort();
            if (Tasks.exitDelay(task) <= period + 2 * clock + 2 * window) revert ExitTooShort();
        }
    }

    function genesisCommitments(Batch memory batch, bytes32[] memory roots)
        private
        view
        returns (bytes32[] memory commitments)
    {
        Program memory program = batch.program;
        if (roots.length != program.states) revert GenesisRoots();
        commitments = new bytes32[](roots.length);
        uint256 state = 0;
        for (uint256 place = program.objectsAt; place < program.constantsAt; place += OBJECT_BYTES) {
            Object object = objectAt(place);
            if (object.kind() != KIND_STATE) continue;
            (uint256 dataBytes,) = Batches.leafLayout(batch, object);
            if (dataBytes == 0 && roots[state] != Merkle.EMPTY_ROOT) revert GenesisRoots();
            commitments[state] = Batches.commitment(batch, object, roots[state]);
            ++state;
        }
    }

    /// Whether any section reads a half of the seed.
    function readsSeed(Program memory program) private pure returns (bool) {
        for (uint256 i = 0; i < program.items; ++i) {
            uint256 item = Programs.itemAt(program, i);
            if (!Programs.hasBody(item)) continue;
            uint256 body = Programs.bodyAt(item);
            uint256 end = Programs.finishAt(body) + INSTRUCTION_BYTES * Programs.finishCount(body);
            for (uint256 place = Programs.stepAt(body); place < end; place += INSTRUCTION_BYTES) {
                uint256 name = u32At(place + 4);
                if (u8At(place) == OP_VAR && (name == 4 || name == 5)) return true;
            }
        }
        return false;
    }
}
