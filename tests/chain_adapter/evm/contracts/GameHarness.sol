// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Game, Games} from "contracts/Games.sol";
import {Readers, Slice} from "contracts/Reader.sol";

/// Reads the state of a game and writes it again.
contract GameHarness {
    /// The gas of writing it in 8 bytes, then what was written.
    function rewrite(bytes calldata state) external view returns (bytes memory) {
        Slice memory slice;
        assembly ("memory-safe") {
            mstore(slice, state.offset)
            mstore(add(slice, 32), state.length)
        }
        Game memory game;
        Games.decode(slice, game);
        uint256 before = gasleft();
        bytes memory written;
        uint256 place;
        assembly ("memory-safe") {
            written := mload(0x40)
            place := add(written, 32)
        }
        uint256 end = Games.write(game, place);
        assembly ("memory-safe") {
            mstore(written, sub(end, place))
            mstore(0x40, and(add(end, 63), not(31)))
        }
        return abi.encodePacked(uint64(before - gasleft()), written);
    }
}
