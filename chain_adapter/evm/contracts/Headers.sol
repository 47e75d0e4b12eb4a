// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Reader, Readers} from "./Reader.sol";
import {Malformed} from "./Reasons.sol";

/// docs/spec.md, 5.4.
struct Header {
    bytes32 task;
    uint256 number;
    bytes32 parent;
    uint256 records;
    bytes32 recordsRoot;
    bytes32 previousStateRoot;
    bytes32 nextStateRoot;
    bytes32 tablesRoot;
    address poster;
}

library Headers {
    using Readers for Reader;

    uint256 private constant LAST_BATCH = 1 << 40;

    function read(Reader memory reader) internal pure returns (Header memory header) {
        if (uint256(reader.word()) != 1) revert Malformed();
        header.task = reader.word();
        header.number = uint256(reader.word());
        header.parent = reader.word();
        header.records = uint256(reader.word());
        header.recordsRoot = reader.word();
        header.previousStateRoot = reader.word();
        header.nextStateRoot = reader.word();
        header.tablesRoot = reader.word();
        uint256 poster = uint256(reader.word());
        if (header.number == 0 || header.number > LAST_BATCH) revert Malformed();
        if (header.records >> 64 != 0 || poster >> 160 != 0) revert Malformed();
        header.poster = address(uint160(poster));
    }

    function encode(Header memory header) internal pure returns (bytes memory) {
        return abi.encode(
            uint256(1),
            header.task,
            header.number,
            header.parent,
            header.records,
            header.recordsRoot,
            header.previousStateRoot,
            header.nextStateRoot,
            header.tablesRoot,
            header.poster
        );
    }

    function id(Header memory header) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"03", encode(header)));
    }
}
