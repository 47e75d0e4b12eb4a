// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {i128At, u16At, u32At, u8At, wordAt} from "./Memory.sol";
import {OBJECT_BYTES} from "./Objects.sol";
import {
    BODY_HEAD_BYTES,
    DIM_BYTES,
    HEADER_BYTES,
    INSTRUCTION_BYTES,
    ITEM_HEAD_BYTES,
    ITEM_TABLE,
    MAX_ACCUMULATORS,
    MAX_PROGRAM_BYTES,
    MAX_RESULTS,
    OUTSIDE_LOOPS
} from "./Programs.sol";
import {ProgramInvalid, ProgramTooLarge} from "./Reasons.sol";

/// Whether bytes are a program's bytecode: accepts exactly what deterministic_math/bytecode/codec.h encodes. What it
/// accepts is safe to run. That a program is valid beyond that, its ranges above all, every role proves for itself
/// before it takes part in a task.
library ProgramForm {
    uint256 private constant MAX_DIMS = 32;
    uint256 private constant MAX_OBJECTS = 1138;
    uint256 private constant MAX_CONSTANTS = 1024;
    uint256 private constant MAX_ITEMS = 64; // and loops, next links, payable states
    uint256 private constant MAX_DIM = 1 << 28;
    uint256 private constant MAX_SECTION = 256;
    uint256 private constant REGISTERS = 64;

    // One byte for each opcode byte below 0x60, by thirds: bits 0..2 say whether it uses dst, a and b; bits 3..5 what
    // its imm holds; bits 6..7 that it may stand in a step only (1) or in a finish only (2). 0: no opcode.
    uint256 private constant OPS_00 = 0x0009110319270000000000000000000007070707070000000000000000000000;
    uint256 private constant OPS_20 = 0x070707070707033300000000000000000707072f000000000000000000000000;
    uint256 private constant OPS_40 = 0x2f0000000000000000000000000000004282ba00000000000000000000000000;

    uint256 private constant IMM_NONE = 0;
    uint256 private constant IMM_VALUE = 1;
    uint256 private constant IMM_CONSTANT = 2;
    uint256 private constant IMM_VARIABLE = 3;
    uint256 private constant IMM_OBJECT = 4;
    uint256 private constant IMM_REGISTER = 5;
    uint256 private constant IMM_BITS = 6;
    uint256 private constant IMM_COLUMN = 7;

    struct Counts {
        uint256 place;
        uint256 end;
        uint256 dims;
        uint256 objects;
        uint256 constants;
        uint256 loops;
        uint256 items;
        uint256 objectsAt;
    }

    struct Owner {
        uint256 rank;
        uint256 columns; // 0 but for a table
        bool isStep;
    }

    /// ProgramTooLarge, ProgramInvalid. Zeros follow the bytes in memory.
    function check(uint256 place, uint256 size) internal pure {
        unchecked {
            if (size > MAX_PROGRAM_BYTES) revert ProgramTooLarge();
            Counts memory counts;
            counts.place = place;
            counts.end = place + size;
            uint256 next = checkTables(counts, size);
            for (uint256 item = 0; item < counts.items; ++item) {
                require_(u16At(place + HEADER_BYTES + 2 * item) == next - place);
                next = checkItem(counts, next);
            }
            require_(next == counts.end);
        }
    }

    function require_(bool condition) private pure {
        if (!condition) revert ProgramInvalid();
    }

    /// All that stands before the items. Gives the place behind it.
    function checkTables(Counts memory counts, uint256 size) private pure returns (uint256 place) {
        unchecked {
            uint256 start = counts.place;
            require_(size >= HEADER_BYTES && u32At(start) == 0x544c5901 && u16At(start + 4) == size);
            require_(u8At(start + 6) <= 1);
            counts.dims = u8At(start + 7);
            counts.objects = u16At(start + 8);
            counts.constants = u16At(start + 10);
            counts.loops = u8At(start + 12);
            counts.items = u8At(start + 13);
            uint256 links = u8At(start + 14);
            uint256 payable_ = u8At(start + 15);
            require_(counts.dims <= MAX_DIMS && counts.objects <= MAX_OBJECTS && counts.constants <= MAX_CONSTANTS);
            require_(counts.loops <= MAX_ITEMS && counts.items <= MAX_ITEMS);
            require_(links <= MAX_ITEMS && payable_ <= MAX_ITEMS);

            place = start + HEADER_BYTES + 2 * counts.items;
            for (uint256 i = 0; i < counts.dims; ++i) {
                uint256 highest = u32At(place + 5);
                require_(u8At(place) <= 2 && u32At(place + 1) <= highest && highest <= MAX_DIM);
                place += DIM_BYTES;
            }
            counts.objectsAt = place;
            require_(place + OBJECT_BYTES * counts.objects <= counts.end);
            for (uint256 i = 0; i < counts.objects; ++i) {
                checkObject(counts, place);
                place += OBJECT_BYTES;
            }
            place += 16 * counts.constants;
            for (uint256 i = 0; i < counts.loops; ++i) {
                checkExtent(counts, place);
                place += 5;
            }
            for (uint256 i = 0; i < 2 * links + payable_; ++i) {
                require_(u16At(place) < counts.objects);
                place += 2;
            }
            require_(place <= counts.end);
        }
    }

    function checkObject(Counts memory counts, uint256 place) private pure {
        unchecked {
            require_(u8At(place) <= 6 && u8At(place + 1) <= 4);
            checkExtents(counts, place + 2);
            require_(u8At(place + 13) <= 1 && i128At(place + 14) <= i128At(place + 30));
        }
    }

    /// A rank and its two extents.
    function checkExtents(Counts memory counts, uint256 place) private pure {
        unchecked {
            uint256 rank = u8At(place);
            require_(rank <= 2);
            for (uint256 axis = 0; axis < 2; ++axis) {
                uint256 extent = place + 1 + 5 * axis;
                checkExtent(counts, extent);
                require_(axis < rank || (u8At(extent) == 0 && u32At(extent + 1) == 1));
            }
        }
    }

    function checkExtent(Counts memory counts, uint256 place) private pure {
        unchecked {
            uint256 kind = u8At(place);
            uint256 value = u32At(place + 1);
            require_(kind == 0 ? value <= MAX_DIM : kind == 1 && value < counts.dims);
        }
    }

    function checkItem(Counts memory counts, uint256 place) private pure returns (uint256 next) {
        unchecked {
            uint256 loop = u16At(place + 1);
            uint256 results = u8At(place + 14);
            uint256 hasBody = u8At(place + 15);
            require_(u8At(place) <= 2 && (loop == OUTSIDE_LOOPS || loop < counts.loops));
            checkExtents(counts, place + 3);
            require_(results <= MAX_RESULTS && hasBody <= 1);
            next = place + ITEM_HEAD_BYTES;
            for (uint256 i = 0; i < results; ++i) {
                require_(u16At(next) < counts.objects);
                next += 2;
            }
            require_(next <= counts.end);
            if (hasBody == 0) return next;
            Owner memory owner;
            owner.rank = u8At(place + 3);
            owner.columns = u8At(place) == ITEM_TABLE ? results : 0;
            return checkBody(counts, owner, next);
        }
    }

    function checkBody(Counts memory counts, Owner memory owner, uint256 place) private pure returns (uint256 next) {
        unchecked {
            uint256 fold = u8At(place);
            uint256 accumulators = u8At(place + 6);
            uint256 steps = u16At(place + 7);
            uint256 finishes = u16At(place + 9);
            require_(fold <= 1 && accumulators <= MAX_ACCUMULATORS);
            require_(steps <= MAX_SECTION && finishes <= MAX_SECTION);
            checkExtent(counts, place + 1);
            bool isEmpty =
                accumulators == 0 && steps == 0 && u8At(place + 1) == 0 && u32At(place + 2) == 1;
            require_(fold == 1 || isEmpty);
            next = place + BODY_HEAD_BYTES;
            for (uint256 j = 0; j < accumulators; ++j) {
                require_(i128At(next + 16) <= i128At(next + 32));
                next += 48;
            }
            require_(next + INSTRUCTION_BYTES * (steps + finishes) <= counts.end);
            owner.isStep = true;
            next = checkCode(counts, owner, next, steps);
            owner.isStep = false;
            next = checkCode(counts, owner, next, finishes);
        }
    }

    function checkCode(Counts memory counts, Owner memory owner, uint256 place, uint256 instructions)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            next = place + INSTRUCTION_BYTES * instructions;
            for (; place < next; place += INSTRUCTION_BYTES) checkInstruction(counts, owner, wordAt(place) >> 192);
        }
    }

    function opInfo(uint256 op) private pure returns (uint256 info) {
        if (op >= 0x60) return 0;
        uint256 third = op < 0x20 ? OPS_00 : op < 0x40 ? OPS_20 : OPS_40;
        assembly ("memory-safe") {
            info := byte(and(op, 31), third)
        }
    }

    function checkInstruction(Counts memory counts, Owner memory owner, uint256 code) private pure {
        unchecked {
            uint256 info = opInfo(code >> 56);
            require_(info != 0 && info >> 6 != (owner.isStep ? 2 : 1));
            uint256 imm = code & 0xffffffff;
            uint256 use = (info >> 3) & 7;
            uint256 coordinates = 2;
            if (use == IMM_OBJECT) {
                require_(imm < counts.objects);
                coordinates = u8At(counts.objectsAt + OBJECT_BYTES * imm + 2);
            } else {
                require_(isImmGood(counts, owner, use, imm));
            }
            require_(isRegisterGood(info & 1 != 0, code >> 48));
            require_(isRegisterGood(info & 2 != 0 && coordinates > 0, code >> 40));
            require_(isRegisterGood(info & 4 != 0 && coordinates > 1, code >> 32));
        }
    }

    function isRegisterGood(bool used, uint256 register) private pure returns (bool) {
        register &= 0xff;
        return used ? register < REGISTERS : register == 0;
    }

    function isImmGood(Counts memory counts, Owner memory owner, uint256 use, uint256 imm)
        private
        pure
        returns (bool)
    {
        unchecked {
            if (use == IMM_NONE) return imm == 0;
            if (use == IMM_VALUE) return true;
            if (use == IMM_CONSTANT) return imm < counts.constants;
            if (use == IMM_REGISTER) return imm < REGISTERS;
            if (use == IMM_BITS) return imm >= 1 && imm <= 127;
            if (use == IMM_COLUMN) return imm < owner.columns;
            // A variable.
            if (imm < 2) return imm < owner.rank;
            if (imm == 2) return owner.isStep;
            if (imm < 6) return true;
            return imm >= 16 && imm < 16 + counts.dims;
        }
    }
}
