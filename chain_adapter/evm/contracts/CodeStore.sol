// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {CodeNotKept} from "./OwnReasons.sol";

/// Data kept as the code of a contract of its own, behind a zero byte (which stops whoever calls it).
library CodeStore {
    function store(bytes memory data) internal returns (address place) {
        // PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: gives what stands behind it.
        bytes memory creation =
            abi.encodePacked(hex"61", uint16(data.length + 1), hex"80600a3d393df3", hex"00", data);
        assembly ("memory-safe") {
            place := create(0, add(creation, 32), mload(creation))
        }
        if (place == address(0)) revert CodeNotKept();
    }
}
