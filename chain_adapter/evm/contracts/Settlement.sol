// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {CheckPart} from "./CheckPart.sol";
import {Endings} from "./Endings.sol";
import {GameOpenings} from "./GameOpenings.sol";
import {GamePart} from "./GamePart.sol";
import {MemberPart} from "./MemberPart.sol";
import {MovePart} from "./MovePart.sol";
import {PartWithoutCode} from "./OwnReasons.sol";
import {PayoutPart} from "./PayoutPart.sol";
import {Posts} from "./Posts.sol";
import {QuickMoves} from "./QuickMoves.sol";
import {Malformed} from "./Reasons.sol";
import {RequestPart} from "./RequestPart.sol";
import {TaskPart} from "./TaskPart.sol";
import {TreePart} from "./TreePart.sol";
import {Withdrawals} from "./Withdrawals.sol";

/// The settlement on an EVM chain: one function, whose argument is a transaction of docs/spec.md, 10.3. Its parts are
/// contracts of their own only because one contract cannot hold so much code: they run on this one's storage, were fixed
/// when it was made, and nobody can change them, stop it or take anything out but what is theirs.
contract Settlement is Posts, Endings, Withdrawals, GameOpenings, QuickMoves {
    uint256 private constant MAX_TRANSACTION_BYTES = 131072;
    uint8 private constant POST = 9;
    uint8 private constant FINALIZE = 11;
    uint8 private constant OPEN_GAME = 13;
    uint8 private constant MAKE_MOVE = 15;
    uint8 private constant WITHDRAW = 24;
    // make_move of a move that shows nothing of the batch, whose id the state says: without the header.
    uint8 private constant MOVE_WITHOUT_HEADER = 0;

    address private immutable taskPart;
    address private immutable memberPart;
    address private immutable treePart;
    address private immutable gamePart;
    address private immutable checkPart;
    address private immutable requestPart;
    address private immutable payoutPart;
    address private immutable movePart;

    constructor(address[8] memory parts) {
        for (uint256 i = 0; i < parts.length; ++i) {
            if (parts[i].code.length == 0) revert PartWithoutCode();
        }
        taskPart = parts[0];
        memberPart = parts[1];
        treePart = parts[2];
        gamePart = parts[3];
        checkPart = parts[4];
        requestPart = parts[5];
        payoutPart = parts[6];
        movePart = parts[7];
    }

    /// A call whose bytes may stand in no transaction of the chain: they are told before what happens by them.
    event Relayed(address indexed sender, uint256 value, bytes transaction);

    /// Its kind, and its fields.
    function transact(bytes calldata transaction) external payable {
        run(transaction, transaction[:0]);
    }

    /// The same, where it rests on batches that it does not name: ancestors that are not final, siblings that are lost, a
    /// parent named by its id. Their headers stand one behind the other.
    function transactShowing(bytes calldata transaction, bytes calldata headers) external payable {
        run(transaction, headers);
    }

    function run(bytes calldata transaction, bytes calldata headers) private {
        // An account without code that pays for the transaction itself has called with what everyone can read there.
        if (msg.sender != tx.origin || msg.sender.code.length != 0) emit Relayed(msg.sender, msg.value, transaction);
        if (transaction.length == 0 || transaction.length > MAX_TRANSACTION_BYTES) revert Malformed();
        uint8 kind = uint8(transaction[0]);
        bytes calldata fields = transaction[1:];
        if (msg.value == 0) {
            if (kind == MOVE_WITHOUT_HEADER && makeQuickMove(fields, false)) return;
            if (kind == MAKE_MOVE && makeQuickMove(fields, true)) return;
        }
        if (kind == POST) return post(fields, headers);
        if (kind == FINALIZE) return finalize(fields, headers);
        if (kind == WITHDRAW) return withdraw(fields);
        if (kind == OPEN_GAME) return openGame(fields, headers);
        (address part, bytes4 selector) = partOf(kind);
        (bool done, bytes memory result) = part.delegatecall(abi.encodeWithSelector(selector, fields, headers));
        if (!done) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    function partOf(uint8 kind) private view returns (address, bytes4) {
        if (kind == MAKE_MOVE) return (movePart, MovePart.makeMove.selector);
        if (kind == MOVE_WITHOUT_HEADER) return (movePart, MovePart.makeMoveWithoutHeader.selector);
        if (kind == 1) return (taskPart, TaskPart.createTask.selector);
        if (kind == 2) return (taskPart, TaskPart.fund.selector);
        if (kind == 3) return (memberPart, MemberPart.register.selector);
        if (kind == 4) return (memberPart, MemberPart.bindKey.selector);
        if (kind == 5) return (memberPart, MemberPart.unbindKey.selector);
        if (kind == 6) return (memberPart, MemberPart.requestExit.selector);
        if (kind == 7) return (memberPart, MemberPart.withdrawStake.selector);
        if (kind == 8) return (treePart, TreePart.sealSeed.selector);
        if (kind == 10) return (treePart, TreePart.skipInvalid.selector);
        if (kind == 12) return (treePart, TreePart.releaseBond.selector);
        if (kind == 14) return (gamePart, GamePart.openDescent.selector);
        if (kind == 16) return (gamePart, GamePart.claimTimeout.selector);
        if (kind == 17) return (gamePart, GamePart.refundGame.selector);
        if (kind == 18) return (checkPart, CheckPart.commit.selector);
        if (kind == 19) return (checkPart, CheckPart.showProof.selector);
        if (kind == 20) return (requestPart, RequestPart.requestLeaf.selector);
        if (kind == 21) return (requestPart, RequestPart.answerRequest.selector);
        if (kind == 22) return (requestPart, RequestPart.claimWithheld.selector);
        if (kind == 23) return (payoutPart, PayoutPart.claimPayout.selector);
        revert Malformed();
    }
}
