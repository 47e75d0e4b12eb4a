// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// A batch, or a task's genesis, in the tree of batches: one word of storage, 0 where there is none. What else is to be
/// known of a batch stands in its header, which is shown where it is needed.
///
/// posted at u40 ‖ in block u40 ‖ position u32 ‖ children u32 ‖ first live child u32 ‖ open games u32 ‖ open requests u32
/// ‖ state u8 ‖ flags u8
type Node is uint256;

using {
    exists,
    postedAt,
    postedBlock,
    position,
    children,
    firstLive,
    openGames,
    openRequests,
    state,
    has,
    with,
    without,
    withState,
    withChild,
    withFirstLive,
    withGame,
    withoutGame,
    withRequest,
    withoutRequest
} for Node global;

uint256 constant NODE_PENDING = 0;
uint256 constant NODE_LOST = 1;
uint256 constant NODE_FINAL = 2;

// The sequencer's bond is neither given back nor split.
uint256 constant NODE_BONDED = 1;
// The poster named a delegate, who has a word of its own.
uint256 constant NODE_HAS_DELEGATE = 2;
// One of its children is final.
uint256 constant NODE_HAS_FINAL_CHILD = 4;
uint256 constant NODE_IS_GENESIS = 8;

uint256 constant STATE_AT = 8;
uint256 constant REQUESTS_AT = 16;
uint256 constant GAMES_AT = 48;
uint256 constant FIRST_LIVE_AT = 80;
uint256 constant CHILDREN_AT = 112;
uint256 constant POSITION_AT = 144;
uint256 constant BLOCK_AT = 176;
uint256 constant TIME_AT = 216;

function newNode(uint256 position_, uint256 state_, uint256 flags) view returns (Node) {
    return Node.wrap(
        (block.timestamp << TIME_AT) | (block.number << BLOCK_AT) | (position_ << POSITION_AT) | (state_ << STATE_AT)
            | flags
    );
}

function exists(Node node) pure returns (bool) {
    return Node.unwrap(node) != 0;
}

function postedAt(Node node) pure returns (uint256) {
    return Node.unwrap(node) >> TIME_AT;
}

function postedBlock(Node node) pure returns (uint256) {
    return (Node.unwrap(node) >> BLOCK_AT) & 0xffffffffff;
}

/// Among its parent's children.
function position(Node node) pure returns (uint256) {
    return uint32(Node.unwrap(node) >> POSITION_AT);
}

function children(Node node) pure returns (uint256) {
    return uint32(Node.unwrap(node) >> CHILDREN_AT);
}

/// Every child before this position is lost.
function firstLive(Node node) pure returns (uint256) {
    return uint32(Node.unwrap(node) >> FIRST_LIVE_AT);
}

function openGames(Node node) pure returns (uint256) {
    return uint32(Node.unwrap(node) >> GAMES_AT);
}

function openRequests(Node node) pure returns (uint256) {
    return uint32(Node.unwrap(node) >> REQUESTS_AT);
}

function state(Node node) pure returns (uint256) {
    return uint8(Node.unwrap(node) >> STATE_AT);
}

function has(Node node, uint256 flag) pure returns (bool) {
    return Node.unwrap(node) & flag != 0;
}

function with(Node node, uint256 flag) pure returns (Node) {
    return Node.wrap(Node.unwrap(node) | flag);
}

function without(Node node, uint256 flag) pure returns (Node) {
    return Node.wrap(Node.unwrap(node) & ~flag);
}

/// Of a pending one: its state is 0.
function withState(Node node, uint256 state_) pure returns (Node) {
    return Node.wrap(Node.unwrap(node) | (state_ << STATE_AT));
}

// Counts of 32 bits: nobody pays for so many.

function withChild(Node node) pure returns (Node) {
    return Node.wrap(Node.unwrap(node) + (1 << CHILDREN_AT));
}

function withFirstLive(Node node, uint256 child) pure returns (Node) {
    return Node.wrap((Node.unwrap(node) & ~(uint256(type(uint32).max) << FIRST_LIVE_AT)) | (child << FIRST_LIVE_AT));
}

function withGame(Node node) pure returns (Node) {
    return Node.wrap(Node.unwrap(node) + (1 << GAMES_AT));
}

function withoutGame(Node node) pure returns (Node) {
    return Node.wrap(Node.unwrap(node) - (1 << GAMES_AT));
}

function withRequest(Node node) pure returns (Node) {
    return Node.wrap(Node.unwrap(node) + (1 << REQUESTS_AT));
}

function withoutRequest(Node node) pure returns (Node) {
    return Node.wrap(Node.unwrap(node) - (1 << REQUESTS_AT));
}
