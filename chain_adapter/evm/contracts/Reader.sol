// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {calldataWord} from "./Memory.sol";
import {Malformed} from "./Reasons.sol";

/// Fields of a transaction, one after the other in calldata. What is missing, or left over, is Malformed.
struct Reader {
    uint256 place;
    uint256 end;
}

/// Bytes of calldata.
struct Slice {
    uint256 place;
    uint256 size;
}

library Readers {
    function over(bytes calldata data) internal pure returns (Reader memory reader) {
        assembly ("memory-safe") {
            mstore(reader, data.offset)
            mstore(add(reader, 32), add(data.offset, data.length))
        }
    }

    /// An unsigned number of `size` bytes, at most 32.
    function number(Reader memory reader, uint256 size) internal pure returns (uint256) {
        unchecked {
            return calldataWord(skip(reader, size)) >> (256 - 8 * size);
        }
    }

    function word(Reader memory reader) internal pure returns (bytes32) {
        return bytes32(calldataWord(skip(reader, 32)));
    }

    function addr(Reader memory reader) internal pure returns (address) {
        return address(uint160(number(reader, 20)));
    }

    /// A count of a list of at most `most`.
    function count(Reader memory reader, uint256 most) internal pure returns (uint256 found) {
        found = number(reader, 2);
        if (found > most) revert Malformed();
    }

    /// u32be size ‖ bytes.
    function slice(Reader memory reader) internal pure returns (Slice memory) {
        return take(reader, number(reader, 4));
    }

    function take(Reader memory reader, uint256 size) internal pure returns (Slice memory) {
        return Slice(skip(reader, size), size);
    }

    /// The place of the next `size` bytes.
    function skip(Reader memory reader, uint256 size) internal pure returns (uint256 place) {
        unchecked {
            place = reader.place;
            if (reader.end - place < size) revert Malformed();
            reader.place = place + size;
        }
    }

    function finish(Reader memory reader) internal pure {
        if (reader.place != reader.end) revert Malformed();
    }

    function firstWord(Slice memory part) internal pure returns (uint256) {
        return calldataWord(part.place);
    }

    function copy(Slice memory part) internal pure returns (bytes memory data) {
        uint256 from = part.place;
        uint256 size = part.size;
        data = new bytes(size);
        assembly ("memory-safe") {
            calldatacopy(add(data, 32), from, size)
        }
    }
}
