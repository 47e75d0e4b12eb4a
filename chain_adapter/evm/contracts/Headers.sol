// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {calldataWord} from "./Memory.sol";
import {HeaderNotShown} from "./OwnReasons.sol";
import {Reader, Readers} from "./Reader.sol";
import {Malformed} from "./Reasons.sol";
import {Sha256} from "./Sha256.sol";

/// docs/spec.md, 5.4: its id, and where it is in calldata.
struct Header {
    bytes32 id;
    uint256 place;
}

using {
    task,
    number,
    parent,
    records,
    recordsRoot,
    previousStateRoot,
    nextStateRoot,
    tablesRoot,
    poster
} for Header global;

// Words of its bytes, behind the version.
uint256 constant TASK_AT = 32;
uint256 constant NUMBER_AT = 64;
uint256 constant PARENT_AT = 96;
uint256 constant RECORDS_AT = 128;
uint256 constant POSTER_AT = 288;

function task(Header memory header) pure returns (bytes32) {
    return bytes32(wordOf(header, TASK_AT));
}

function number(Header memory header) pure returns (uint256) {
    return wordOf(header, NUMBER_AT);
}

function parent(Header memory header) pure returns (bytes32) {
    return bytes32(wordOf(header, PARENT_AT));
}

function records(Header memory header) pure returns (uint256) {
    return wordOf(header, RECORDS_AT);
}

function recordsRoot(Header memory header) pure returns (bytes32) {
    return bytes32(wordOf(header, 160));
}

function previousStateRoot(Header memory header) pure returns (bytes32) {
    return bytes32(wordOf(header, 192));
}

function nextStateRoot(Header memory header) pure returns (bytes32) {
    return bytes32(wordOf(header, 224));
}

function tablesRoot(Header memory header) pure returns (bytes32) {
    return bytes32(wordOf(header, 256));
}

function poster(Header memory header) pure returns (address) {
    return address(uint160(wordOf(header, POSTER_AT)));
}

function wordOf(Header memory header, uint256 offset) pure returns (uint256) {
    unchecked {
        return calldataWord(header.place + offset);
    }
}

library Headers {
    using Readers for Reader;

    uint256 internal constant SIZE = 320;
    uint256 private constant LAST_BATCH = 1 << 40;

    function read(Reader memory reader) internal view returns (Header memory header) {
        load(header, reader);
    }

    /// Into one that is there already.
    function load(Header memory header, Reader memory reader) internal view {
        load(header, reader.skip(SIZE));
        requireForm(header);
    }

    /// Whatever its form.
    function load(Header memory header, uint256 place) internal view {
        header.place = place;
        header.id = idAt(place);
    }

    /// Those of posted batches have it.
    function requireForm(Header memory header) internal pure {
        if (calldataWord(header.place) != 1) revert Malformed();
        if (header.number() == 0 || header.number() > LAST_BATCH) revert Malformed();
        if (header.records() >> 64 != 0) revert Malformed();
        if (wordOf(header, POSTER_AT) >> 160 != 0) revert Malformed();
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

    /// Of the header at a place of memory, behind a byte for its hash.
    function idOf(uint256 place) internal view returns (bytes32) {
        unchecked {
            assembly ("memory-safe") {
                mstore8(sub(place, 1), 3)
            }
            return Sha256.hash(place - 1, SIZE + 1);
        }
    }

    // Headers that a caller shows behind its transaction, one after the other, of batches that it does not name itself:
    // each is believed because its hash is the id of a batch that was posted. They are looked through once, in order.

    /// The task and the parent of a posted batch. HeaderNotShown where no header of those not yet looked at is its.
    function find(Reader memory shown, bytes32 id) internal view returns (bytes32 task_, bytes32 parent_) {
        unchecked {
            while (true) {
                uint256 place = next(shown);
                if (idAt(place) != id) continue;
                return (bytes32(calldataWord(place + TASK_AT)), bytes32(calldataWord(place + PARENT_AT)));
            }
        }
    }

    /// The next of those whose task and parent these are.
    function findChild(Reader memory shown, bytes32 task_, bytes32 parent_) internal view returns (bytes32 id) {
        unchecked {
            while (true) {
                uint256 place = next(shown);
                if (bytes32(calldataWord(place + TASK_AT)) != task_) continue;
                if (bytes32(calldataWord(place + PARENT_AT)) == parent_) return idAt(place);
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
