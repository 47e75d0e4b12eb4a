// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {calldataWord} from "./Memory.sol";
import {HeaderNotShown} from "./OwnReasons.sol";
import {Reader, Readers} from "./Reader.sol";
import {Malformed} from "./Reasons.sol";
import {Sha256} from "./Sha256.sol";

/// docs/spec.md, 5.4.
struct Header {
    bytes32 id;
    bytes32 task;
    uint256 number;
    bytes32 parent;
    uint256 records;
    bytes32 recordsRoot;
    bytes32 previousStateRoot;
    bytes32 nextStateRoot;
    bytes32 tablesRoot;
    address poster;
}

library Headers {
    using Readers for Reader;

    uint256 internal constant SIZE = 320;
    uint256 private constant LAST_BATCH = 1 << 40;

    // Words of its bytes, behind the version.
    uint256 private constant TASK_AT = 32;
    uint256 private constant PARENT_AT = 96;

    function read(Reader memory reader) internal view returns (Header memory header) {
        unchecked {
            uint256 place = reader.skip(SIZE);
            header.task = bytes32(calldataWord(place + TASK_AT));
            header.number = calldataWord(place + 64);
            header.parent = bytes32(calldataWord(place + PARENT_AT));
            header.records = calldataWord(place + 128);
            header.recordsRoot = bytes32(calldataWord(place + 160));
            header.previousStateRoot = bytes32(calldataWord(place + 192));
            header.nextStateRoot = bytes32(calldataWord(place + 224));
            header.tablesRoot = bytes32(calldataWord(place + 256));
            header.poster = address(uint160(calldataWord(place + 288)));
            requireForm(place);
            header.id = idAt(place);
        }
    }

    /// Of a header of which nothing else is wanted.
    function readId(Reader memory reader) internal view returns (bytes32) {
        uint256 place = reader.skip(SIZE);
        requireForm(place);
        return idAt(place);
    }

    function requireForm(uint256 place) private pure {
        unchecked {
            uint256 number = calldataWord(place + 64);
            if (calldataWord(place) != 1 || number == 0 || number > LAST_BATCH) revert Malformed();
            if (calldataWord(place + 128) >> 64 != 0 || calldataWord(place + 288) >> 160 != 0) revert Malformed();
        }
    }

    /// Of the header at a place of calldata.
    function idAt(uint256 place) private view returns (bytes32) {
        uint256 buffer;
        assembly ("memory-safe") {
            buffer := mload(0x40)
            mstore8(buffer, 3)
            calldatacopy(add(buffer, 1), place, SIZE)
        }
        return Sha256.hash(buffer, SIZE + 1);
    }

    function idOf(bytes memory encoded) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"03", encoded));
    }

    // Headers that a caller shows behind its transaction, one after the other, of batches that it does not name itself:
    // each is believed because its hash is the id of a batch that was posted. They are looked through once, in order.

    /// The task and the parent of a posted batch. HeaderNotShown where no header of those not yet looked at is its.
    function find(Reader memory shown, bytes32 id) internal view returns (bytes32 task, bytes32 parent) {
        unchecked {
            while (true) {
                uint256 place = next(shown);
                if (idAt(place) != id) continue;
                return (bytes32(calldataWord(place + TASK_AT)), bytes32(calldataWord(place + PARENT_AT)));
            }
        }
    }

    /// The next of those whose task and parent these are.
    function findChild(Reader memory shown, bytes32 task, bytes32 parent) internal view returns (bytes32 id) {
        unchecked {
            while (true) {
                uint256 place = next(shown);
                if (bytes32(calldataWord(place + TASK_AT)) != task) continue;
                if (bytes32(calldataWord(place + PARENT_AT)) == parent) return idAt(place);
            }
        }
    }

    function next(Reader memory shown) private pure returns (uint256 place) {
        unchecked {
            place = shown.place;
            if (shown.end - place < SIZE) revert HeaderNotShown();
            shown.place = place + SIZE;
        }
    }
}
