// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {PaymentRefused} from "./OwnReasons.sol";
import {Reader, Readers} from "./Reader.sol";
import {NothingToWithdraw} from "./Reasons.sol";
import {SettlementState} from "./SettlementState.sol";

/// withdraw (docs/spec.md, 10.5).
abstract contract Withdrawals is SettlementState {
    using Readers for Reader;

    /// All that the sender has to its credit. What it is sent last can change nothing here.
    function withdraw(bytes calldata fields) internal {
        requireValue(0);
        Readers.over(fields).finish();
        uint256 kept = credits[msg.sender];
        if (kept <= 1) revert NothingToWithdraw();
        credits[msg.sender] = 1;
        uint256 amount = kept - 1;
        emit Happened(20, abi.encodePacked(msg.sender, amount));
        (bool taken,) = msg.sender.call{value: amount}("");
        if (!taken) revert PaymentRefused();
    }
}
