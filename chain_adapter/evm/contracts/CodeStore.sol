// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {CodeNotKept} from "./OwnReasons.sol";

/// Data kept as the code of a contract of its own, behind a zero byte (which stops whoever calls it), at an address that
/// follows from a name: a maker, whose code is always the same, is put where CREATE2 puts it by the name, and makes the
/// contract by CREATE, which goes by the maker's address alone. So nothing in storage says where it is.
library CodeStore {
    /// Of a maker: CALLDATASIZE PUSH0 PUSH0 CALLDATACOPY CALLDATASIZE PUSH0 PUSH0 CREATE, which makes a contract of what it is
    /// called with; and what puts these eight bytes there: PUSH8 .. PUSH0 MSTORE PUSH1 8 PUSH1 24 RETURN.
    bytes private constant MAKER = hex"67365f5f37365f5ff05f5260086018f3";
    bytes32 private constant MAKER_HASH = keccak256(MAKER);

    /// Where the data of a name is, if any is kept.
    function placeOf(bytes32 name) private view returns (address place) {
        bytes32 hash = MAKER_HASH;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, or(shl(248, 0xff), shl(88, address())))
            mstore(add(buffer, 21), name)
            mstore(add(buffer, 53), hash)
            let maker := and(keccak256(buffer, 85), 0xffffffffffffffffffffffffffffffffffffffff)
            // RLP of the list of its address and its first nonce, 1.
            mstore(buffer, or(or(shl(240, 0xd694), shl(80, maker)), shl(72, 1)))
            place := and(keccak256(buffer, 23), 0xffffffffffffffffffffffffffffffffffffffff)
        }
    }

    /// The same, and how many bytes there are, the first one among them; 0: none.
    function find(bytes32 name) internal view returns (address place, uint256 size) {
        place = placeOf(name);
        size = place.code.length;
    }

    /// A name is used once.
    function store(bytes32 name, bytes memory data) internal {
        // PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN: gives what stands behind it.
        bytes memory creation =
            abi.encodePacked(hex"61", uint16(data.length + 1), hex"80600a3d393df3", hex"00", data);
        bytes memory making = MAKER;
        bool done;
        assembly ("memory-safe") {
            let maker := create2(0, add(making, 32), mload(making), name)
            done := call(gas(), maker, 0, add(creation, 32), mload(creation), 0, 0)
        }
        (, uint256 size) = find(name);
        if (!done || size != data.length + 1) revert CodeNotKept();
    }
}
