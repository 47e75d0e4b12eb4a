// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Sha256} from "./Sha256.sol";

/// The arithmetic of programs (deterministic_math/numbers/arithmetic.h): total on signed 128-bit integers, which stand
/// sign-extended in 256 bits, and wrapped where the result does not fit.
library Int128 {
    function wrap(int256 value) internal pure returns (int256 wrapped) {
        assembly ("memory-safe") {
            wrapped := signextend(15, value)
        }
    }

    /// floor(a / b); 0 where b < 1.
    function div(int256 a, int256 b) internal pure returns (int256) {
        unchecked {
            if (b < 1) return 0;
            return a % b < 0 ? a / b - 1 : a / b;
        }
    }

    /// a - b * floor(a / b), in 0 .. b - 1; 0 where b < 1.
    function mod(int256 a, int256 b) internal pure returns (int256) {
        unchecked {
            if (b < 1) return 0;
            int256 rest = a % b;
            return rest < 0 ? rest + b : rest;
        }
    }

    /// The quotient of floor division rounded to nearest, ties to even.
    function rounded(int256 quotient, int256 rest, int256 divisor) private pure returns (int256) {
        unchecked {
            int256 other = divisor - rest;
            return rest > other || (rest == other && quotient & 1 != 0) ? quotient + 1 : quotient;
        }
    }

    /// a / b to the nearest integer, ties to even; 0 where b < 1.
    function divRound(int256 a, int256 b) internal pure returns (int256) {
        if (b < 1) return 0;
        return rounded(div(a, b), mod(a, b), b);
    }

    /// a * 2^n, n the low seven bits of b, as in all shifts.
    function shl(int256 a, int256 b) internal pure returns (int256) {
        return wrap(a << (uint256(b) & 127));
    }

    function shr(int256 a, int256 b) internal pure returns (int256) {
        return a >> (uint256(b) & 127);
    }

    /// a / 2^n to the nearest integer, ties to even.
    function shrRound(int256 a, int256 b) internal pure returns (int256) {
        unchecked {
            uint256 count = uint256(b) & 127;
            int256 divisor = int256(1) << count;
            return rounded(a >> count, a & (divisor - 1), divisor);
        }
    }

    /// floor(sqrt(a)); 0 where a < 0. Newton's method from above: a start of at most twice the root, then at most
    /// seven steps.
    function isqrt(int256 a) internal pure returns (int256) {
        unchecked {
            if (a < 1) return 0;
            uint256 value = uint256(a);
            uint256 bits = 0;
            if (value >> 64 != 0) bits = 64;
            if (value >> (bits + 32) != 0) bits += 32;
            if (value >> (bits + 16) != 0) bits += 16;
            if (value >> (bits + 8) != 0) bits += 8;
            if (value >> (bits + 4) != 0) bits += 4;
            if (value >> (bits + 2) != 0) bits += 2;
            // 2^bits <= value < 2^(bits + 2), so the root is below 2^(bits/2 + 1).
            uint256 root = uint256(1) << (bits / 2 + 1);
            uint256 next = (root + value / root) >> 1;
            while (next < root) {
                root = next;
                next = (root + value / root) >> 1;
            }
            return int256(root);
        }
    }

    /// The signed residue of a modulo 2^bits; a where bits is not in 1..127.
    function wrapToBits(int256 a, int256 bits) internal pure returns (int256) {
        unchecked {
            if (bits < 1 || bits > 127) return a;
            uint256 unused = 256 - uint256(bits);
            return (a << unused) >> unused;
        }
    }

    /// Word (c mod 8) of SHA-256(0x10 ‖ be128 a ‖ be128 b ‖ be64 ⌊c / 8⌋); 0 where c < 0 or c >= 2^63.
    function prf(int256 a, int256 b, int256 c) internal view returns (int256) {
        if (c < 0 || c >= 1 << 63) return 0;
        uint256 place;
        assembly ("memory-safe") {
            place := mload(0x40)
            mstore8(place, 0x10)
            mstore(add(place, 1), shl(128, a))
            mstore(add(place, 17), shl(128, b))
            mstore(add(place, 33), shl(192, shr(3, c)))
        }
        uint256 digest = uint256(Sha256.hash(place, 41));
        unchecked {
            return int256((digest >> (32 * (7 - (uint256(c) & 7)))) & 0xffffffff);
        }
    }
}
