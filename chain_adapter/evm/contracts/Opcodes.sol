// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

// The opcodes of deterministic_math/bytecode/program.h, by their names and wire values there.

uint256 constant OP_IMM = 0x01;
uint256 constant OP_CONST = 0x02;
uint256 constant OP_MOV = 0x03;
uint256 constant OP_VAR = 0x04;
uint256 constant OP_LD = 0x05;
uint256 constant OP_ADD = 0x10;
uint256 constant OP_SUB = 0x11;
uint256 constant OP_MUL = 0x12;
uint256 constant OP_MIN = 0x13;
uint256 constant OP_MAX = 0x14;
uint256 constant OP_DIV = 0x20;
uint256 constant OP_MOD = 0x21;
uint256 constant OP_DIVR = 0x22;
uint256 constant OP_SHL = 0x23;
uint256 constant OP_SHR = 0x24;
uint256 constant OP_SHRR = 0x25;
uint256 constant OP_ISQRT = 0x26;
uint256 constant OP_WRAP = 0x27;
uint256 constant OP_LT = 0x30;
uint256 constant OP_LE = 0x31;
uint256 constant OP_EQ = 0x32;
uint256 constant OP_SEL = 0x33;
uint256 constant OP_PRF = 0x40;
uint256 constant OP_SKIPZ = 0x50;
uint256 constant OP_REQ = 0x51;
uint256 constant OP_RET = 0x52;
