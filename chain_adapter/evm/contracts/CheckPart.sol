// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch, Batches} from "./Batches.sol";
import {Header, Headers} from "./Headers.sol";
import {calldataWord} from "./Memory.sol";
import {KIND_ADVICE, KIND_MEMBER, Object} from "./Objects.sol";
import {Openings, OpeningKeys, OpeningReader, RECORD_MEMBER_OFFSET, RECORD_NONCE_OFFSET, RECORD_ROWS_OFFSET} from
    "./Openings.sol";
import {Program, Programs} from "./Programs.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {
    AdviceInRange,
    AlreadyCommitted,
    CommittedTooLate,
    Malformed,
    NoSuchEntry,
    NotCommitted,
    RecordsInOrder,
    SignatureIsGood,
    SignerIsMember
} from "./Reasons.sol";
import {Binding, Found, Member, SettlementState} from "./SettlementState.sol";
import {Signatures} from "./Signatures.sol";
import {Tasks} from "./Tasks.sol";

/// commit and show_proof: the local checks (docs/spec.md, 9 and 11.3).
contract CheckPart is SettlementState {
    using Readers for Reader;

    uint256 private constant RECORD_ORDER = 1;
    uint256 private constant RECORD_SIGNER = 2;
    uint256 private constant RECORD_SIGNATURE = 3;
    uint256 private constant ADVICE_RANGE = 4;
    // Causes of a loss come after the two of games.
    uint256 private constant CAUSES_BEFORE = 2;

    bytes32 private constant RECORD_TYPE = keccak256(
        "Record(bytes32 task,uint64 batch,bytes32 state,uint64 nonce,bytes32[] rows,int64[] fields)"
    );

    struct Proof {
        uint256 kind;
        uint256 object;
        uint256 index; // of a record, or of an element
        Slice openings;
    }

    function commit(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        bytes32 commitment = reader.word();
        reader.finish();
        if (commitments[msg.sender][commitment] != 0) revert AlreadyCommitted();
        commitments[msg.sender][commitment] = block.number;
        emit Happened(16, abi.encodePacked(msg.sender, commitment));
    }

    function showProof(bytes calldata fields, bytes calldata headers) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        uint256 header = reader.skip(Headers.SIZE);
        Slice memory encoded = Slice(reader.place, 0);
        Proof memory proof = readProof(reader);
        encoded.size = reader.place - encoded.place;
        bytes32 salt = reader.word();
        reader.finish();
        Found memory found = findBatch(header);
        requireChallengeable(found, Tasks.challengePeriod(found.task), Readers.over(headers));
        requireCommitted(found.header.id, encoded, salt);
        check(found, proof);
        nodes[found.header.id] = loseBatch(found, uint8(CAUSES_BEFORE + proof.kind), msg.sender);
    }

    function readProof(Reader memory reader) private pure returns (Proof memory proof) {
        proof.kind = reader.number(1);
        if (proof.kind == 0 || proof.kind > ADVICE_RANGE) revert Malformed();
        if (proof.kind == ADVICE_RANGE) proof.object = reader.number(2);
        proof.index = reader.number(8);
        proof.openings = reader.slice();
    }

    function requireCommitted(bytes32 batch, Slice memory encoded, bytes32 salt) private view {
        bytes32 commitment = sha256(abi.encodePacked(hex"09", msg.sender, batch, Readers.copy(encoded), salt));
        uint256 made = commitments[msg.sender][commitment];
        if (made == 0) revert NotCommitted();
        if (made >= block.number) revert CommittedTooLate();
    }

    /// Returns where the batch is shown to be invalid.
    function check(Found memory found, Proof memory proof) private view {
        Batch memory batch = committedBatch(found.header, found.task);
        if (proof.kind == ADVICE_RANGE) return checkAdvice(batch, proof);
        uint256 count = proof.kind == RECORD_ORDER ? 2 : 1;
        uint256 all = found.header.records();
        if (proof.index >= all || count > all - proof.index) revert NoSuchEntry();
        Openings memory openings = OpeningReader.start(batch, proof.openings.place, proof.openings.size, count);
        uint256 record = OpeningReader.open(batch, openings, recordKey(proof.index));
        uint256 next = count == 2 ? OpeningReader.open(batch, openings, recordKey(proof.index + 1)) : 0;
        OpeningReader.finish(openings);
        if (proof.kind == RECORD_ORDER) {
            if (comesBefore(batch.program, record, next)) revert RecordsInOrder();
        } else if (proof.kind == RECORD_SIGNER) {
            if (isSignerMember(found.header.task(), record, found.node.postedAt())) revert SignerIsMember();
        } else if (isSigned(batch, found.header, record)) {
            revert SignatureIsGood();
        }
    }

    function recordKey(uint256 index) private pure returns (uint256) {
        return OpeningKeys.pack(KIND_MEMBER, index & 0xffffffff, 0);
    }

    function addressOf(uint256 record) private pure returns (address) {
        return address(uint160(calldataWord(record) >> 96));
    }

    function memberOf(uint256 record) private pure returns (uint256) {
        return calldataWord(record + RECORD_MEMBER_OFFSET) >> 192;
    }

    function nonceOf(uint256 record) private pure returns (uint256) {
        return calldataWord(record + RECORD_NONCE_OFFSET) >> 192;
    }

    function comesBefore(Program memory program, uint256 record, uint256 next) private pure returns (bool) {
        if (Programs.isOneRecordPerMember(program)) return memberOf(record) < memberOf(next);
        if (addressOf(record) != addressOf(next)) return addressOf(record) < addressOf(next);
        return nonceOf(record) < nonceOf(next);
    }

    function isSignerMember(bytes32 task, uint256 record, uint256 postedAt) private view returns (bool) {
        Binding storage binding = bindings[task][addressOf(record)];
        if (!binding.exists || binding.member != memberOf(record) || binding.boundAt > postedAt) return false;
        Member storage member = members[task][binding.member];
        return postedAt < binding.unboundAt && postedAt < member.exitAt;
    }

    function isSigned(Batch memory batch, Header memory header, uint256 record) private view returns (bool) {
        Program memory program = batch.program;
        uint256 fieldsAt = record + RECORD_ROWS_OFFSET + 32 * program.rows;
        bytes memory rows = Readers.copy(Slice(record + RECORD_ROWS_OFFSET, 32 * program.rows));
        int256[] memory values = new int256[](program.fields);
        for (uint256 i = 0; i < values.length; ++i) values[i] = int256(calldataWord(fieldsAt + 8 * i)) >> 192;
        bytes32 content = keccak256(
            abi.encode(
                RECORD_TYPE,
                header.task(),
                header.number(),
                header.previousStateRoot(),
                nonceOf(record),
                keccak256(rows),
                keccak256(abi.encodePacked(values))
            )
        );
        address signer = Signatures.signer(Signatures.typedDataHash(content), fieldsAt + 8 * values.length);
        return signer != address(0) && signer == addressOf(record);
    }

    function checkAdvice(Batch memory batch, Proof memory proof) private view {
        if (proof.object >= batch.program.objects) revert NoSuchEntry();
        Object advice = Programs.object(batch.program, proof.object);
        if (advice.kind() != KIND_ADVICE) revert NoSuchEntry();
        (uint256 first, uint256 second) = Batches.extents(batch, advice);
        if (proof.index >= first * second) revert NoSuchEntry();
        Openings memory openings = OpeningReader.start(batch, proof.openings.place, proof.openings.size, 1);
        int256 value = OpeningReader.element(batch, openings, proof.object, proof.index);
        OpeningReader.finish(openings);
        uint256 place = Programs.placeOfObject(batch.program, proof.object);
        if (value >= Programs.lowest(place) && value <= Programs.highest(place)) revert AdviceInRange();
    }
}
