// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {free} from "contracts/Memory.sol";
import {HashFailed} from "contracts/OwnReasons.sol";
import {Sha256} from "contracts/Sha256.sol";

/// Hashes so many zeros with all amounts of gas up to one.
contract HashHarness {
    function sweep(uint256 size, uint256 mostGas, uint256 step)
        external
        view
        returns (uint256 right, uint256 wrong, uint256 refused)
    {
        bytes32 expected = sha256(new bytes(size));
        for (uint256 amount = step; amount <= mostGas; amount += step) {
            try this.hashOf{gas: amount}(size) returns (bytes32 digest) {
                if (digest == expected) ++right;
                else ++wrong;
            } catch (bytes memory reason) {
                if (reason.length == 4 && bytes4(reason) == HashFailed.selector) ++refused;
            }
        }
    }

    function hashOf(uint256 size) external view returns (bytes32) {
        return Sha256.hash(free(), size);
    }
}
