// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Headers} from "./Headers.sol";
import {KIND_ADVICE, KIND_MEMBER, KIND_ROW} from "./Objects.sol";
import {Openings, OpeningKeys, OpeningReader} from "./Openings.sol";
import {NODE_LOST} from "./Nodes.sol";
import {Programs} from "./Programs.sol";
import {Reader, Readers, Slice} from "./Reader.sol";
import {
    AnswerTooLate,
    BatchLost,
    NoSuchEntry,
    NoSuchRequest,
    RequestAnswered,
    RequestExists,
    RequestSettled,
    RequestsNotAllowed,
    WindowRunning
} from "./Reasons.sol";
import {Found, Request, SettlementState} from "./SettlementState.sol";
import {Tasks} from "./Tasks.sol";

/// Demands for input leaves (docs/spec.md, 11.4).
contract RequestPart is SettlementState {
    using Readers for Reader;

    uint8 private constant OPEN = 0;
    uint8 private constant ANSWERED = 1;
    uint8 private constant WITHHELD = 2;

    uint8 private constant CAUSE_WITHHELD = 7;

    uint256 private constant KEY_BYTES = 14;
    uint256 private constant GAS_ANSWER = 150000;
    uint256 private constant GAS_ANSWER_BYTE = 70;

    function requestLeaf(bytes calldata fields, bytes calldata headers) external payable onlyInSettlement {
        Reader memory reader = Readers.over(fields);
        uint256 header = reader.skip(Headers.SIZE);
        uint256 key = reader.number(KEY_BYTES);
        reader.finish();
        Found memory found = findBatch(header);
        bytes32 batch = found.header.id;
        if (found.task.keepers != 0) revert RequestsNotAllowed();
        requireChallengeable(found, Tasks.requestPeriod(found.task), Readers.over(headers));
        requireValue(Tasks.requestBond(found.task));
        if (!isInputLeaf(committedBatch(found.header, found.task), key)) revert NoSuchEntry();
        if (requests[batch][key].requester != address(0)) revert RequestExists();
        requests[batch][key] = Request(msg.sender, uint64(block.timestamp), OPEN);
        nodes[batch] = found.node.withRequest();
        emit Happened(17, abi.encodePacked(batch, bytes14(uint112(key)), msg.sender));
    }

    function answerRequest(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        uint256 header = reader.skip(Headers.SIZE);
        uint256 key = reader.number(KEY_BYTES);
        Slice memory openings = reader.slice();
        reader.finish();
        (Found memory found, Request storage request) = findOpen(header, key);
        bytes32 batch = found.header.id;
        if (found.node.state() == NODE_LOST) revert BatchLost();
        if (block.timestamp - request.requestedAt > Tasks.window(found.task)) revert AnswerTooLate();
        checkOpenings(committedBatch(found.header, found.task), key, openings);
        request.state = ANSWERED;
        nodes[batch] = found.node.withoutRequest();
        uint256 bond = Tasks.requestBond(found.task);
        uint256 share = burnedShare(bond, Tasks.burnBps(found.task));
        uint256 fee = answerFee(openings.size, bond - share);
        credit(msg.sender, fee);
        credit(request.requester, bond - share - fee);
        emit Happened(
            18,
            abi.encodePacked(
                batch, bytes14(uint112(key)), msg.sender, uint32(openings.size), Readers.copy(openings)
            )
        );
    }

    function claimWithheld(bytes calldata fields, bytes calldata) external payable onlyInSettlement {
        requireValue(0);
        Reader memory reader = Readers.over(fields);
        uint256 header = reader.skip(Headers.SIZE);
        uint256 key = reader.number(KEY_BYTES);
        reader.finish();
        (Found memory found, Request storage request) = findOpen(header, key);
        bytes32 batch = found.header.id;
        bool isLost = found.node.state() == NODE_LOST;
        if (!isLost && block.timestamp - request.requestedAt <= Tasks.window(found.task)) revert WindowRunning();
        address requester = request.requester;
        request.state = WITHHELD;
        credit(requester, Tasks.requestBond(found.task));
        emit Happened(21, abi.encodePacked(batch, bytes14(uint112(key)), requester));
        found.node = found.node.withoutRequest();
        nodes[batch] = isLost ? found.node : loseBatch(found, CAUSE_WITHHELD, requester);
    }

    function findOpen(uint256 header, uint256 key)
        private
        view
        returns (Found memory found, Request storage request)
    {
        found = findBatch(header);
        request = requests[found.header.id][key];
        if (request.requester == address(0)) revert NoSuchRequest();
        if (request.state == ANSWERED) revert RequestAnswered();
        if (request.state == WITHHELD) revert RequestSettled();
    }

    function isInputLeaf(Batch memory batch, uint256 key) private pure returns (bool) {
        uint256 object = OpeningKeys.objectOf(key);
        if (object >= batch.program.objects) return false;
        uint256 kind = Programs.object(batch.program, object).kind();
        bool isInput = kind == KIND_MEMBER || (kind >= KIND_ROW && kind <= KIND_ADVICE);
        return isInput && OpeningKeys.exists(batch, key);
    }

    function checkOpenings(Batch memory batch, uint256 key, Slice memory shown) private view {
        Openings memory openings = OpeningReader.start(batch, shown.place, shown.size, 2);
        OpeningReader.open(batch, openings, key);
        OpeningReader.finish(openings);
    }

    /// 1.1 times what the gas costs, but at most what there is.
    function answerFee(uint256 openingBytes, uint256 most) private view returns (uint256 fee) {
        uint256 tenths = (GAS_ANSWER + GAS_ANSWER_BYTE * openingBytes) * 11;
        if (block.basefee > type(uint128).max / tenths) return most;
        fee = block.basefee * tenths / 10;
        if (fee > most) fee = most;
    }
}
