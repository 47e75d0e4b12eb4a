// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {u16At, u32At, u8At, wordAt} from "./Memory.sol";
import {Program, Programs} from "./Programs.sol";
import {Malformed} from "./Reasons.sol";

/// A task in memory, and where its parts are (docs/spec.md, 5.5). Its code contract holds: u8 whether the program reads the
/// seed ‖ preimage ‖ bytecode ‖ the program's description.
struct Task {
    bool readsSeed;
    uint256 end; // of the description; zeros follow
    uint256 dims; // all but K
    uint256 dimsAt;
    uint256 settingsAt;
    uint256 proposers; // 0: anyone
    uint256 proposersAt; // of the first; slot and grace period stand before their count
    uint256 keepers; // 0: leaves are requested
    uint256 availabilityAt; // behind its first byte
    uint256 endAt; // behind max_payout_per_batch
}

library Tasks {
    uint256 private constant MAX_DIMS = 64;
    uint256 private constant MAX_PARAMS = 64;
    uint256 private constant MAX_PROPOSERS = 64;
    uint256 private constant MAX_KEEPERS = 32;
    uint256 private constant PREIMAGE_AT = 1;
    // 0x05, chain id, contract, creator, salt, program hash.
    uint256 private constant DIMS_IN_PREIMAGE = 1 + 32 + 20 + 20 + 32 + 32;

    // Settings that every task has, from settingsAt on.
    uint256 private constant LEAF_BYTES = 0;
    uint256 private constant ARITY = 4;
    uint256 private constant CHALLENGE_PERIOD = 6;
    uint256 private constant REQUEST_PERIOD = 14;
    uint256 private constant WINDOW = 22;
    uint256 private constant GAME_CLOCK = 30;
    uint256 private constant MOVE_TIME = 38;
    uint256 private constant CENSORSHIP_BUDGET = 46;
    uint256 private constant SEQUENCER_BOND = 54;
    uint256 private constant CHALLENGER_BOND = 86;
    uint256 private constant BURN_BPS = 118;
    uint256 private constant PAYOUT_UNIT = 120;
    uint256 private constant MIN_RECORDS = 152;
    uint256 private constant MIN_STAKE = 160;
    uint256 private constant EXIT_DELAY = 192;
    uint256 private constant SETTINGS_BYTES = 200;

    /// Of a code contract of so many bytes.
    function load(Task memory task, address store, uint256 codeBytes) internal view {
        unchecked {
            uint256 size = codeBytes - 1;
            uint256 place;
            assembly ("memory-safe") {
                place := mload(0x40)
                // Fields are read as the start of a word. Behind its end, code reads as zeros.
                let words := and(add(size, 95), not(31))
                mstore(0x40, add(place, words))
                extcodecopy(store, place, 1, words)
            }
            task.readsSeed = u8At(place) == 1;
            task.end = place + size;
            locate(task, place + PREIMAGE_AT + DIMS_IN_PREIMAGE, place + size);
        }
    }

    /// Dims, params, fraction bits and settings in memory, in their order on the wire. Malformed where 5.5 refuses them.
    function parse(Task memory task, uint256 place, uint256 end) internal pure {
        locate(task, place, end);
        requireMoney(task.settingsAt + SEQUENCER_BOND);
        requireMoney(task.settingsAt + CHALLENGER_BOND);
        requireMoney(task.settingsAt + PAYOUT_UNIT);
        requireMoney(task.settingsAt + MIN_STAKE);
        requireMoney(task.endAt - 32);
        uint256 leaf = leafBytes(task);
        if (leaf < 64 || leaf > 4096 || leaf & (leaf - 1) != 0) revert Malformed();
        if (arity(task) < 2 || arity(task) > 64) revert Malformed();
        if (burnBps(task) < 5000 || burnBps(task) > 10000) revert Malformed();
        if (task.proposers != 0) {
            if (slot(task) == 0) revert Malformed();
            requireAscending(task.proposersAt, task.proposers);
        }
        if (task.keepers != 0) {
            if (threshold(task) == 0 || threshold(task) > task.keepers) revert Malformed();
            requireAscending(task.availabilityAt + 4, task.keepers);
        } else {
            requireMoney(task.availabilityAt + 8);
            if (requestPeriod(task) + 2 * window(task) > challengePeriod(task)) revert Malformed();
        }
    }

    /// Malformed where counts and choices are none, or something is missing.
    function locate(Task memory task, uint256 place, uint256 end) private pure {
        unchecked {
            uint256 count = u16At(place);
            if (count > MAX_DIMS) revert Malformed();
            task.dims = count;
            task.dimsAt = place + 2;
            place += 2 + 8 * count;
            count = u16At(place);
            if (count > MAX_PARAMS) revert Malformed();
            place += 2 + 16 * count + 1; // and the fraction bits
            task.settingsAt = place;
            place += SETTINGS_BYTES;
            uint256 choice = u8At(place++);
            if (choice > 1) revert Malformed();
            if (choice == 1) {
                place += 16;
                count = u16At(place);
                if (count == 0 || count > MAX_PROPOSERS) revert Malformed();
                task.proposers = count;
                task.proposersAt = place + 2;
                place += 2 + 20 * count;
            }
            choice = u8At(place++);
            if (choice > 1) revert Malformed();
            task.availabilityAt = place;
            if (choice == 0) {
                count = u16At(place + 2);
                if (count == 0 || count > MAX_KEEPERS) revert Malformed();
                task.keepers = count;
                place += 4 + 20 * count;
            } else {
                place += 40;
            }
            place += 40; // max_work, for those who validate the program, and max_payout_per_batch
            if (place > end) revert Malformed();
            task.endAt = place;
        }
    }

    function requireMoney(uint256 place) private pure {
        if (wordAt(place) >> 128 != 0) revert Malformed();
    }

    /// None is 0.
    function requireAscending(uint256 place, uint256 count) private pure {
        unchecked {
            address last = address(0);
            for (uint256 i = 0; i < count; ++i) {
                address next = addressAt(place, i);
                if (next <= last) revert Malformed();
                last = next;
            }
        }
    }

    function addressAt(uint256 place, uint256 i) private pure returns (address) {
        unchecked {
            return address(uint160(wordAt(place + 20 * i) >> 96));
        }
    }

    function u64(uint256 place) private pure returns (uint256) {
        return wordAt(place) >> 192;
    }

    function dim(Task memory task, uint256 i) internal pure returns (uint256) {
        unchecked {
            return u64(task.dimsAt + 8 * i);
        }
    }

    function fractionBits(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u8At(task.settingsAt - 1);
        }
    }

    function leafBytes(Task memory task) internal pure returns (uint256) {
        return u32At(task.settingsAt + LEAF_BYTES);
    }

    function arity(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u16At(task.settingsAt + ARITY);
        }
    }

    function challengePeriod(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u64(task.settingsAt + CHALLENGE_PERIOD);
        }
    }

    function requestPeriod(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u64(task.settingsAt + REQUEST_PERIOD);
        }
    }

    function window(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u64(task.settingsAt + WINDOW);
        }
    }

    function gameClock(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u64(task.settingsAt + GAME_CLOCK);
        }
    }

    function moveTime(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u64(task.settingsAt + MOVE_TIME);
        }
    }

    function censorshipBudget(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u64(task.settingsAt + CENSORSHIP_BUDGET);
        }
    }

    function sequencerBond(Task memory task) internal pure returns (uint256) {
        unchecked {
            return wordAt(task.settingsAt + SEQUENCER_BOND);
        }
    }

    function challengerBond(Task memory task) internal pure returns (uint256) {
        unchecked {
            return wordAt(task.settingsAt + CHALLENGER_BOND);
        }
    }

    function burnBps(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u16At(task.settingsAt + BURN_BPS);
        }
    }

    function payoutUnit(Task memory task) internal pure returns (uint256) {
        unchecked {
            return wordAt(task.settingsAt + PAYOUT_UNIT);
        }
    }

    function minRecords(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u64(task.settingsAt + MIN_RECORDS);
        }
    }

    function minStake(Task memory task) internal pure returns (uint256) {
        unchecked {
            return wordAt(task.settingsAt + MIN_STAKE);
        }
    }

    function exitDelay(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u64(task.settingsAt + EXIT_DELAY);
        }
    }

    // Of tasks with proposers that take turns.

    function slot(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u64(task.proposersAt - 18);
        }
    }

    function grace(Task memory task) internal pure returns (uint256) {
        unchecked {
            return u64(task.proposersAt - 10);
        }
    }

    function proposer(Task memory task, uint256 i) internal pure returns (address) {
        return addressAt(task.proposersAt, i);
    }

    // Of tasks with keepers.

    function threshold(Task memory task) internal pure returns (uint256) {
        return u16At(task.availabilityAt);
    }

    function keeper(Task memory task, uint256 i) internal pure returns (address) {
        unchecked {
            return addressAt(task.availabilityAt + 4, i);
        }
    }

    // Of tasks without.

    function maxRequests(Task memory task) internal pure returns (uint256) {
        return u64(task.availabilityAt);
    }

    function requestBond(Task memory task) internal pure returns (uint256) {
        unchecked {
            return wordAt(task.availabilityAt + 8);
        }
    }

    function maxPayoutPerBatch(Task memory task) internal pure returns (uint256) {
        unchecked {
            return wordAt(task.endAt - 32);
        }
    }

    function genesisRoot(Task memory task) internal pure returns (bytes32) {
        return bytes32(wordAt(task.endAt));
    }

    function program(Task memory task) internal pure returns (Program memory located) {
        locateProgram(task, located);
    }

    /// Into one that is there already.
    function locateProgram(Task memory task, Program memory located) internal pure {
        unchecked {
            uint256 place = task.endAt + 32;
            Programs.locate(located, place, task.end - Programs.descriptionBytes(Programs.objectCount(place)));
        }
    }
}
