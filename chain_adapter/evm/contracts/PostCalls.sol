// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Header, Headers} from "./Headers.sol";
import {calldataWord} from "./Memory.sol";
import {Malformed} from "./Reasons.sol";

/// What a post says (docs/spec.md, 10.3), and where its lists are in calldata.
struct PostCall {
    bytes32 task;
    Header parent; // whatever its form; id, number and parent 0: genesis
    uint256 states; // commitments
    uint256 stateCount;
    uint256 records;
    bytes32 recordsRoot;
    uint256 tables; // tree roots
    uint256 tableCount;
    address delegate;
    uint256 keepers; // u16be position ‖ signature[65] each
    uint256 keeperCount;
}

uint256 constant KEEPER_BYTES = 2 + 65;

library PostCalls {
    uint256 private constant MAX_STATES = 64;
    uint256 private constant MAX_TABLES = 1024;
    uint256 private constant MAX_KEEPERS = 32;

    /// Counts are checked as they are read; that nothing is missing or left over, once at the end.
    function read(bytes calldata fields, PostCall memory post) internal view {
        unchecked {
            uint256 place;
            uint256 end;
            assembly ("memory-safe") {
                place := fields.offset
                end := add(place, fields.length)
            }
            post.task = bytes32(calldataWord(place));
            uint256 presence = calldataWord(place + 32) >> 248;
            if (presence > 1) revert Malformed();
            place += 33;
            if (presence == 1) {
                Headers.load(post.parent, place);
                place += Headers.SIZE;
            } else {
                // Calldata behind its end reads as zeros.
                post.parent.place = msg.data.length;
            }
            (post.states, post.stateCount) = list(place, MAX_STATES);
            place = post.states + 32 * post.stateCount;
            post.records = calldataWord(place) >> 192;
            post.recordsRoot = bytes32(calldataWord(place + 8));
            (post.tables, post.tableCount) = list(place + 40, MAX_TABLES);
            place = post.tables + 32 * post.tableCount;
            post.delegate = address(uint160(calldataWord(place) >> 96));
            (post.keepers, post.keeperCount) = list(place + 20, MAX_KEEPERS);
            if (post.keepers + KEEPER_BYTES * post.keeperCount != end) revert Malformed();
        }
    }

    /// Behind its u16be count.
    function list(uint256 place, uint256 most) private pure returns (uint256 items, uint256 count) {
        unchecked {
            count = calldataWord(place) >> 240;
            if (count > most) revert Malformed();
            items = place + 2;
        }
    }
}
