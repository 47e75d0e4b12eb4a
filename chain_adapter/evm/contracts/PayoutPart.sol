// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch, Batches} from "./Batches.sol";
import {Header, Headers} from "./Headers.sol";
import {u16At} from "./Memory.sol";
import {Merkle} from "./Merkle.sol";
import {NODE_FINAL, NODE_HAS_FINAL_CHILD} from "./Nodes.sol";
import {KIND_STATE, Object} from "./Objects.sol";
import {Openings, OpeningKeys, OpeningReader} from "./Openings.sol";
import {Program, Programs} from "./Programs.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {NoSuchEntry, NoSuchMember, NotLatestFinal, NotPayable, NothingToPay, OpeningState} from "./Reasons.sol";
import {Found, Member, SettlementState, TaskStatus} from "./SettlementState.sol";
import {Tasks} from "./Tasks.sol";

/// claim_payout (docs/spec.md, 10.6).
contract PayoutPart is SettlementState {
    using Readers for Reader;

    struct Claim {
        uint256 object;
        uint256 member;
        Slice openings;
    }

    function claimPayout(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        Found memory found;
        found.header = Headers.read(reader);
        bytes32[] memory commitments_ = new bytes32[](reader.count(64));
        for (uint256 i = 0; i < commitments_.length; ++i) commitments_[i] = reader.word();
        Claim memory claim;
        claim.object = reader.number(2);
        claim.member = reader.number(8);
        claim.openings = reader.slice();
        reader.finish();

        bytes32 task = found.header.task();
        found.task = findTask(task);
        found.node = nodes[found.header.id];
        // A batch becomes final beside no other, and beneath one that is.
        if (found.node.state() != NODE_FINAL || found.node.has(NODE_HAS_FINAL_CHILD)) revert NotLatestFinal();
        Batch memory batch = committedBatch(found.header, found.task);
        requirePayable(batch.program, claim.object);
        Member storage member = members[task][claim.member];
        if (member.wallet == address(0)) revert NoSuchMember();
        int256 entry = openedEntry(batch, found.header, commitments_, claim);
        uint256 amount = amountFor(found, claim, worth(batch, claim.object, entry, Tasks.payoutUnit(found.task)));
        if (amount == 0) revert NothingToPay();

        TaskStatus storage status = statuses[task];
        status.pool = uint128(status.pool - amount);
        paid[task][claim.object][claim.member] += amount;
        paidInBatch[found.header.id] += amount;
        credit(member.wallet, amount);
        emit Happened(
            19, abi.encodePacked(task, uint16(claim.object), uint64(claim.member), member.wallet, amount)
        );
    }

    /// NotPayable also for what is no state: bytes that decode may call anything payable.
    function requirePayable(Program memory program, uint256 object) private pure {
        (uint256 place, uint256 count) = Programs.payableStates(program);
        for (uint256 i = 0; i < count; ++i) {
            if (u16At(place + 2 * i) == object && isState(program, object)) return;
        }
        revert NotPayable();
    }

    function isState(Program memory program, uint256 object) private pure returns (bool) {
        return Programs.object(program, object).kind() == KIND_STATE;
    }

    /// What the validator sees to: but no contract has asked it.
    function requireEntry(Batch memory batch, Object object, uint256 member) private pure {
        (uint256 first, uint256 second) = Batches.extents(batch, object);
        if (member >= first * second) revert NoSuchEntry();
    }

    function openedEntry(Batch memory batch, Header memory header, bytes32[] memory states, Claim memory claim)
        private
        view
        returns (int256)
    {
        if (states.length != batch.program.states) revert OpeningState();
        bytes32 committed = states[Programs.placeOf(batch.program, claim.object)];
        if (Merkle.rootOf(states) != header.nextStateRoot()) revert OpeningState();
        uint256 key = OpeningKeys.ofElement(batch, claim.object, claim.member);
        Object object = Programs.object(batch.program, claim.object);
        requireEntry(batch, object, claim.member);
        Openings memory openings = OpeningReader.start(batch, claim.openings.place, claim.openings.size, 1);
        (, uint256 index, uint256 count, uint256 size) = OpeningKeys.locate(batch, key);
        (uint256 leaf, bytes32 root) = OpeningReader.read(openings, key, index, count, size);
        OpeningReader.finish(openings);
        if (Batches.commitment(batch, object, root) != committed) revert OpeningState();
        return OpeningReader.valueInLeaf(batch, claim.object, claim.member, leaf);
    }

    /// The entry within its range, in wei; 2^128 - 1 where that is less: no pool ever holds as much.
    function worth(Batch memory batch, uint256 object, int256 entry, uint256 unit) private pure returns (uint256 due) {
        uint256 place = Programs.placeOfObject(batch.program, object);
        if (entry < Programs.lowest(place)) entry = Programs.lowest(place);
        if (entry > Programs.highest(place)) entry = Programs.highest(place);
        if (entry <= 0) return 0;
        due = uint256(entry) * unit;
        if (due > type(uint128).max) due = type(uint128).max;
    }

    /// What is due beyond what was paid, as far as pool and batch allow.
    function amountFor(Found memory found, Claim memory claim, uint256 due) private view returns (uint256 amount) {
        bytes32 task = found.header.task();
        uint256 before = paid[task][claim.object][claim.member];
        if (due <= before) return 0;
        amount = due - before;
        uint256 pool = statuses[task].pool;
        if (amount > pool) amount = pool;
        uint256 left = Tasks.maxPayoutPerBatch(found.task) - paidInBatch[found.header.id];
        if (amount > left) amount = left;
    }
}
