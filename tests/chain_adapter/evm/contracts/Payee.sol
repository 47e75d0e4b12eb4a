// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// Has something to its credit, and takes it as it is told to.
contract Payee {
    enum Conduct {
        TAKES,
        REFUSES,
        CALLS_BACK
    }

    Conduct public conduct;
    address private settlement;
    bytes private transaction;
    /// What the call that it made when it was paid gave; 0xff: it was taken.
    bytes public answer;

    function behave(Conduct conduct_) external {
        conduct = conduct_;
    }

    /// Sends a transaction to the settlement.
    function ask(address settlement_, bytes calldata transaction_) external payable {
        settlement = settlement_;
        transaction = transaction_;
        (bool done, bytes memory result) = transact(msg.value);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    receive() external payable {
        if (conduct == Conduct.REFUSES) revert();
        if (conduct != Conduct.CALLS_BACK) return;
        (bool done, bytes memory result) = transact(0);
        answer = done ? bytes(hex"ff") : result;
    }

    function transact(uint256 value) private returns (bool, bytes memory) {
        return settlement.call{value: value}(abi.encodeWithSignature("transact(bytes)", transaction));
    }
}
