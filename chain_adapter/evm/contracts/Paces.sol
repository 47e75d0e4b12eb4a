// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {i128At} from "./Memory.sol";
import {Program, Programs} from "./Programs.sol";

/// What a response and a choice of a segment need of task and program, in two bytes: bytes of the claims at one boundary u8
/// ‖ whether they are of one accumulator, one bit ‖ arity, seven bits. So most moves read neither.
library Paces {
    uint256 private constant IS_SINGLE = 0x80;
    uint256 private constant ARITY_MASK = 0x7f;

    /// Of a game that has no entry yet.
    function ofDescent(uint256 arity_) internal pure returns (uint256) {
        return arity_;
    }

    function ofEntry(uint256 arity_, Program memory program, uint256 item) internal pure returns (uint256) {
        unchecked {
            uint256 size = 0;
            uint256 left = widthsOf(program, item);
            bool single = left != 0 && left >> 8 == 0;
            for (; left != 0; left >>= 8) size += left & 0xff;
            return (size << 8) | (single ? IS_SINGLE : 0) | arity_;
        }
    }

    function arity(uint256 pace) internal pure returns (uint256) {
        return pace & ARITY_MASK;
    }

    function claimBytes(uint256 pace) internal pure returns (uint256) {
        return pace >> 8;
    }

    /// Whether claimBytes() is all that widthsOf() would say.
    function isSingle(uint256 pace) internal pure returns (bool) {
        return pace & IS_SINGLE != 0;
    }

    /// Bytes of each accumulator in a claim, the first in the lowest byte: the fewest that hold every value of its proved
    /// range in two's complement.
    function widthsOf(Program memory program, uint256 item) internal pure returns (uint256 widths) {
        unchecked {
            uint256 body = Programs.bodyAt(Programs.itemAt(program, item));
            for (uint256 j = Programs.accumulatorCount(body); j-- > 0;) {
                uint256 accumulator = Programs.accumulatorAt(body, j);
                int256 lowest = i128At(accumulator + 16);
                int256 highest = i128At(accumulator + 32);
                uint256 magnitudes =
                    uint256(lowest < 0 ? ~lowest : lowest) | uint256(highest < 0 ? ~highest : highest);
                // One bit more, for the sign.
                widths = (widths << 8) | bytesOf(magnitudes << 1);
            }
        }
    }

    /// The fewest that hold a number below 2^128; 1 for 0.
    function bytesOf(uint256 number) private pure returns (uint256 size) {
        unchecked {
            size = 1;
            if (number >> 64 != 0) (number, size) = (number >> 64, 9);
            if (number >> 32 != 0) (number, size) = (number >> 32, size + 4);
            if (number >> 16 != 0) (number, size) = (number >> 16, size + 2);
            if (number >> 8 != 0) ++size;
        }
    }
}
