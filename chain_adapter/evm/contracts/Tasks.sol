// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {u8At, wordAt} from "./Memory.sol";
import {Malformed} from "./Reasons.sol";

/// A task as its code contract holds it: address of the program's contract[20] ‖ created at u64be ‖ in block u64be ‖
/// u8 whether the program reads the seed ‖ preimage (docs/spec.md, 5.5).
struct Task {
    address program;
    uint256 createdAt;
    uint256 createdBlock;
    bool readsSeed;
    uint256[] dims; // all but K
    uint256 fractionBits;
    uint256 leafBytes;
    uint256 arity;
    uint256 challengePeriod;
    uint256 requestPeriod;
    uint256 window;
    uint256 gameClock;
    uint256 moveTime;
    uint256 censorshipBudget;
    uint256 sequencerBond;
    uint256 challengerBond;
    uint256 burnBps;
    uint256 payoutUnit;
    uint256 minRecords;
    uint256 minStake;
    uint256 exitDelay;
    address[] proposers; // none: anyone
    uint256 slot;
    uint256 grace;
    address[] keepers; // none: leaves are requested
    uint256 threshold;
    uint256 maxRequests;
    uint256 requestBond;
    uint256 maxPayoutPerBatch;
    bytes32 genesisRoot;
}

library Tasks {
    uint256 private constant MAX_DIMS = 64;
    uint256 private constant MAX_PARAMS = 64;
    uint256 internal constant PREIMAGE_AT = 37;
    // 0x05, chain id, contract, creator, salt, program hash.
    uint256 internal constant DIMS_IN_PREIMAGE = 1 + 32 + 20 + 20 + 32 + 32;

    struct Cursor {
        uint256 place;
        uint256 end;
    }

    function load(address store) internal view returns (Task memory task) {
        unchecked {
            uint256 size = store.code.length - 1;
            bytes memory data = new bytes(size + 32);
            uint256 place;
            assembly ("memory-safe") {
                place := add(data, 32)
                extcodecopy(store, place, 1, size)
            }
            task.program = address(uint160(wordAt(place) >> 96));
            task.createdAt = wordAt(place + 20) >> 192;
            task.createdBlock = wordAt(place + 28) >> 192;
            task.readsSeed = u8At(place + 36) == 1;
            Cursor memory cursor = Cursor(place + PREIMAGE_AT + DIMS_IN_PREIMAGE, place + size - 32);
            parse(task, cursor);
            task.genesisRoot = bytes32(wordAt(cursor.place));
        }
    }

    /// Dims, params, fraction bits and settings in memory, in their order on the wire. Malformed where 5.5 refuses them.
    function parse(Task memory task, Cursor memory cursor) internal pure {
        unchecked {
            uint256 count = number(cursor, 2);
            if (count > MAX_DIMS) revert Malformed();
            task.dims = new uint256[](count);
            for (uint256 i = 0; i < count; ++i) task.dims[i] = number(cursor, 8);
            count = number(cursor, 2);
            if (count > MAX_PARAMS) revert Malformed();
            skip(cursor, 16 * count);
            task.fractionBits = number(cursor, 1);
            parseTimesAndBonds(task, cursor);
            parseProposers(task, cursor);
            parseAvailability(task, cursor);
            number(cursor, 8); // max_work: for those who validate the program
            task.maxPayoutPerBatch = money(cursor);
            if (task.keepers.length == 0 && task.requestPeriod + 2 * task.window > task.challengePeriod) {
                revert Malformed();
            }
        }
    }

    function parseTimesAndBonds(Task memory task, Cursor memory cursor) private pure {
        unchecked {
            task.leafBytes = number(cursor, 4);
            task.arity = number(cursor, 2);
            task.challengePeriod = number(cursor, 8);
            task.requestPeriod = number(cursor, 8);
            task.window = number(cursor, 8);
            task.gameClock = number(cursor, 8);
            task.moveTime = number(cursor, 8);
            task.censorshipBudget = number(cursor, 8);
            task.sequencerBond = money(cursor);
            task.challengerBond = money(cursor);
            task.burnBps = number(cursor, 2);
            task.payoutUnit = money(cursor);
            task.minRecords = number(cursor, 8);
            task.minStake = money(cursor);
            task.exitDelay = number(cursor, 8);
            uint256 leaf = task.leafBytes;
            if (leaf < 64 || leaf > 4096 || leaf & (leaf - 1) != 0) revert Malformed();
            if (task.arity < 2 || task.arity > 64) revert Malformed();
            if (task.burnBps < 5000 || task.burnBps > 10000) revert Malformed();
        }
    }

    function parseProposers(Task memory task, Cursor memory cursor) private pure {
        uint256 rule = number(cursor, 1);
        if (rule > 1) revert Malformed();
        if (rule == 0) return;
        task.slot = number(cursor, 8);
        task.grace = number(cursor, 8);
        task.proposers = addresses(cursor, 64);
        if (task.slot == 0) revert Malformed();
    }

    function parseAvailability(Task memory task, Cursor memory cursor) private pure {
        uint256 mode = number(cursor, 1);
        if (mode > 1) revert Malformed();
        if (mode == 1) {
            task.maxRequests = number(cursor, 8);
            task.requestBond = money(cursor);
            return;
        }
        task.threshold = number(cursor, 2);
        task.keepers = addresses(cursor, 32);
        if (task.threshold == 0 || task.threshold > task.keepers.length) revert Malformed();
    }

    /// One to `most`, strictly ascending, none 0.
    function addresses(Cursor memory cursor, uint256 most) private pure returns (address[] memory list) {
        unchecked {
            uint256 count = number(cursor, 2);
            if (count == 0 || count > most) revert Malformed();
            list = new address[](count);
            address last = address(0);
            for (uint256 i = 0; i < count; ++i) {
                list[i] = address(uint160(number(cursor, 20)));
                if (list[i] <= last) revert Malformed();
                last = list[i];
            }
        }
    }

    function number(Cursor memory cursor, uint256 size) private pure returns (uint256) {
        unchecked {
            return wordAt(skip(cursor, size)) >> (256 - 8 * size);
        }
    }

    function money(Cursor memory cursor) private pure returns (uint256 amount) {
        amount = wordAt(skip(cursor, 32));
        if (amount >> 128 != 0) revert Malformed();
    }

    function skip(Cursor memory cursor, uint256 size) private pure returns (uint256 place) {
        unchecked {
            place = cursor.place;
            if (cursor.end - place < size) revert Malformed();
            cursor.place = place + size;
        }
    }
}
