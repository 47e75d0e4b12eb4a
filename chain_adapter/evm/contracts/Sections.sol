// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch, Batches} from "./Batches.sol";
import {Int128} from "./Int128.sol";
import {Entry, Loads} from "./Loads.sol";
import {i128At, zeroedWords} from "./Memory.sol";
import "./Opcodes.sol";
import {Openings} from "./Openings.sol";
import {ITEM_TABLE, INSTRUCTION_BYTES, Programs} from "./Programs.sol";

/// One section of one entry: what bytecode means (deterministic_math/interpreter/section.h).
struct Section {
    uint256 codeAt;
    uint256 instructions;
    bool isStep;
    uint256 fold; // fold index of a step
}

library Sections {
    uint256 private constant REGISTERS = 64;

    uint256 private constant VAR_FOLD = 2;
    uint256 private constant VAR_BATCH = 3;
    uint256 private constant VAR_SEED_HIGH = 4;
    uint256 private constant VAR_SEED_LOW = 5;
    uint256 private constant VAR_FIRST_DIM = 16;

    /// Runs a section on the first `count` of `accumulators`. A step writes them back, unless it is skipped; a finish
    /// gives `results`, and whether it ended as FAIL. Total for all bytecode that ProgramForm accepts.
    function run(
        Batch memory batch,
        Openings memory openings,
        Entry memory entry,
        Section memory section,
        int256[8] memory accumulators,
        uint256 count
    ) internal view returns (bool failed, int256[16] memory results) {
        unchecked {
            uint256 registers = zeroedWords(REGISTERS);
            for (uint256 j = 0; j < count; ++j) setRegister(registers, j, accumulators[j]);
            uint256 end = section.codeAt + INSTRUCTION_BYTES * section.instructions;
            for (uint256 place = section.codeAt; place < end; place += INSTRUCTION_BYTES) {
                uint256 code;
                assembly ("memory-safe") {
                    code := shr(192, mload(place))
                }
                uint256 op = code >> 56;
                int256 a = register(registers, code >> 40);
                if (op >= OP_SKIPZ) {
                    if (op == OP_SKIPZ) {
                        if (a == 0) return (false, results);
                    } else if (op == OP_REQ) {
                        if (a == 0) return (true, results);
                    } else if (!give(batch, entry, uint32(code), a, results)) {
                        return (true, results);
                    }
                    continue;
                }
                int256 value;
                if (op == OP_LD) {
                    value = Loads.value(batch, openings, entry, uint32(code), a, register(registers, code >> 32));
                } else if (op < OP_ADD) {
                    value = op == OP_VAR ? variable(batch, entry, section, uint32(code)) : constant_(batch, op, code, a);
                } else {
                    value = compute(registers, op, code, a, register(registers, code >> 32));
                }
                setRegister(registers, code >> 48, value);
            }
            if (section.isStep) {
                for (uint256 j = 0; j < count; ++j) accumulators[j] = register(registers, j);
            }
        }
    }

    /// Registers are named by the low six bits.
    function register(uint256 registers, uint256 name) private pure returns (int256 value) {
        assembly ("memory-safe") {
            value := mload(add(registers, shl(5, and(name, 63))))
        }
    }

    function setRegister(uint256 registers, uint256 name, int256 value) private pure {
        assembly ("memory-safe") {
            mstore(add(registers, shl(5, and(name, 63))), value)
        }
    }

    /// Result column `column` is `value`; false where that lies outside its table's range.
    function give(Batch memory batch, Entry memory entry, uint256 column, int256 value, int256[16] memory results)
        private
        pure
        returns (bool)
    {
        if (Programs.itemKind(entry.itemAt) != ITEM_TABLE || column >= Programs.resultCount(entry.itemAt)) return true;
        uint256 table = Programs.placeOfObject(batch.program, Programs.resultOf(entry.itemAt, column));
        if (value < Programs.lowest(table) || value > Programs.highest(table)) return false;
        results[column] = value;
        return true;
    }

    /// imm, const and mov.
    function constant_(Batch memory batch, uint256 op, uint256 code, int256 a) private pure returns (int256) {
        unchecked {
            if (op == OP_IMM) return int256(int32(uint32(code)));
            if (op == OP_CONST) return i128At(batch.program.constantsAt + 16 * uint256(uint32(code)));
            return a;
        }
    }

    function variable(Batch memory batch, Entry memory entry, Section memory section, uint256 name)
        private
        pure
        returns (int256)
    {
        unchecked {
            if (name >= VAR_FIRST_DIM) return int256(Batches.dim(batch, name - VAR_FIRST_DIM));
            if (name == 0) return int256(entry.first);
            if (name == 1) return int256(entry.second);
            if (name == VAR_FOLD) return section.isStep ? int256(section.fold) : int256(0);
            if (name == VAR_BATCH) return int256(batch.number);
            return name == VAR_SEED_HIGH ? batch.seedHigh : batch.seedLow;
        }
    }

    function compute(uint256 registers, uint256 op, uint256 code, int256 a, int256 b) private view returns (int256) {
        unchecked {
            if (op < OP_DIV) {
                if (op == OP_ADD) return Int128.wrap(a + b);
                if (op == OP_MUL) return Int128.wrap(a * b);
                if (op == OP_SUB) return Int128.wrap(a - b);
                if (op == OP_MIN) return a < b ? a : b;
                return a > b ? a : b;
            }
            if (op >= OP_LT) {
                if (op == OP_LT) return a < b ? int256(1) : int256(0);
                if (op == OP_LE) return a <= b ? int256(1) : int256(0);
                if (op == OP_EQ) return a == b ? int256(1) : int256(0);
                int256 c = register(registers, code);
                if (op == OP_SEL) return c != 0 ? a : b;
                return Int128.prf(a, b, c);
            }
            if (op < OP_SHL) {
                if (op == OP_DIV) return Int128.div(a, b);
                if (op == OP_MOD) return Int128.mod(a, b);
                return Int128.divRound(a, b);
            }
            if (op == OP_SHL) return Int128.shl(a, b);
            if (op == OP_SHR) return Int128.shr(a, b);
            if (op == OP_SHRR) return Int128.shrRound(a, b);
            if (op == OP_ISQRT) return Int128.isqrt(a);
            return Int128.wrapToBits(a, int256(int32(uint32(code))));
        }
    }
}
