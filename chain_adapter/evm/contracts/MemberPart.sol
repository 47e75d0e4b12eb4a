// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {u8At} from "./Memory.sol";
import {DIM_BYTES, Program} from "./Programs.sol";
import {Reader, Readers} from "./Reader.sol";
import {
    AddressTaken,
    AlreadyExiting,
    AlreadyUnbinding,
    KeySignature,
    NoMemberSlots,
    NoSuchKey,
    NoSuchMember,
    NotExited,
    NotTheWallet,
    StakeTooSmall,
    StakeWithdrawn,
    TooManyKeys
} from "./Reasons.sol";
import {Binding, Member, NEVER, SettlementState, TaskStatus} from "./SettlementState.sol";
import {Signatures} from "./Signatures.sol";
import {Task, Tasks} from "./Tasks.sol";

/// Members of tasks (docs/spec.md, 10.5).
contract MemberPart is SettlementState {
    using Readers for Reader;

    uint256 private constant MAX_DEVICE_KEYS = 5;
    uint256 private constant ROLE_MEMBERS = 1;

    function register(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        Reader memory reader = Readers.over(fields);
        bytes32 id = reader.word();
        reader.finish();
        Task memory task = findTask(id);
        if (msg.value < Tasks.minStake(task)) revert StakeTooSmall();
        if (bindings[id][msg.sender].exists) revert AddressTaken();
        TaskStatus storage status = statuses[id];
        uint64 member = status.members;
        if (member >= memberSlots(task)) revert NoMemberSlots();
        status.members = member + 1;
        members[id][member] = Member({
            wallet: msg.sender,
            registeredAt: uint64(block.timestamp),
            deviceKeys: 0,
            stake: uint128(msg.value),
            exitAt: NEVER
        });
        bindings[id][msg.sender] = Binding(member, uint64(block.timestamp), NEVER, true);
        emit Happened(3, abi.encodePacked(id, member, msg.sender, msg.value));
    }

    function bindKey(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        bytes32 id = reader.word();
        uint64 index = uint64(reader.number(8));
        address key = reader.addr();
        uint256 signature = reader.skip(Signatures.SIZE);
        reader.finish();
        (, Member storage member) = ownMember(id, index);
        if (member.deviceKeys >= MAX_DEVICE_KEYS) revert TooManyKeys();
        if (bindings[id][key].exists) revert AddressTaken();
        bytes32 content = keccak256(
            abi.encode(keccak256("BindKey(bytes32 task,uint64 member,address wallet)"), id, index, msg.sender)
        );
        address signer = Signatures.signer(Signatures.typedDataHash(content), signature);
        if (signer == address(0) || signer != key) revert KeySignature();
        ++member.deviceKeys;
        bindings[id][key] = Binding(index, uint64(block.timestamp), NEVER, true);
        emit Happened(4, abi.encodePacked(id, index, key));
    }

    function unbindKey(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        bytes32 id = reader.word();
        uint64 index = uint64(reader.number(8));
        address key = reader.addr();
        reader.finish();
        (Task memory task,) = ownMember(id, index);
        Binding storage binding = bindings[id][key];
        if (!binding.exists || binding.member != index || key == msg.sender) revert NoSuchKey();
        if (binding.unboundAt != NEVER) revert AlreadyUnbinding();
        binding.unboundAt = uint64(block.timestamp + Tasks.exitDelay(task));
        emit Happened(5, abi.encodePacked(id, index, key, binding.unboundAt));
    }

    function requestExit(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        bytes32 id = reader.word();
        uint64 index = uint64(reader.number(8));
        reader.finish();
        (Task memory task, Member storage member) = ownMember(id, index);
        if (member.exitAt != NEVER) revert AlreadyExiting();
        member.exitAt = uint64(block.timestamp + Tasks.exitDelay(task));
        emit Happened(6, abi.encodePacked(id, index, member.exitAt));
    }

    function withdrawStake(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        bytes32 id = reader.word();
        uint64 index = uint64(reader.number(8));
        reader.finish();
        (, Member storage member) = ownMember(id, index);
        if (member.exitAt == NEVER || block.timestamp < member.exitAt) revert NotExited();
        uint256 stake = member.stake;
        if (stake == 0) revert StakeWithdrawn();
        member.stake = 0;
        credit(member.wallet, stake);
        emit Happened(7, abi.encodePacked(id, index, stake));
    }

    function ownMember(bytes32 id, uint256 index) private view returns (Task memory task, Member storage member) {
        task = findTask(id);
        member = members[id][index];
        if (member.wallet == address(0)) revert NoSuchMember();
        if (member.wallet != msg.sender) revert NotTheWallet();
    }

    /// The dim M; without it, as many as member[k] can name.
    function memberSlots(Task memory task) private pure returns (uint256) {
        Program memory program = Tasks.program(task);
        for (uint256 i = 1; i < program.dims; ++i) {
            if (u8At(program.dimsAt + DIM_BYTES * i) == ROLE_MEMBERS) return Tasks.dim(task, i - 1);
        }
        return 1 << 32;
    }
}
