// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "contracts/Batches.sol";
import {zeroedWords} from "contracts/Memory.sol";
import {End, OneStep} from "contracts/OneStep.sol";
import {ProgramForm} from "contracts/ProgramForm.sol";
import {Programs} from "contracts/Programs.sol";

/// Runs many single transitions, and checks many programs, in one call: what the parity tests ask a node.
contract StepHarness {
    // A case: program[20] ‖ records root ‖ previous state root ‖ tables root ‖ u32be leaf bytes ‖ u64be batch number
    // ‖ seed[32] ‖ u8 dims ‖ u64be × dims ‖ u8 what ‖ u16be item ‖ u64be entry ‖ u64be transition ‖ i128be × 8 ‖ witness
    struct Reader {
        uint256 place;
    }

    uint256 private constant RUN = 0;

    /// For each case its gas in 8 bytes, then 1 ‖ what step() gives, or 0 ‖ the error.
    function steps(bytes[] calldata cases) external view returns (bytes[] memory results) {
        results = new bytes[](cases.length);
        for (uint256 i = 0; i < cases.length; ++i) {
            uint256 before = gasleft();
            try this.step(cases[i]) returns (bytes memory result) {
                results[i] = abi.encodePacked(uint64(before - gasleft()), uint8(1), result);
            } catch (bytes memory reason) {
                results[i] = abi.encodePacked(uint64(before - gasleft()), uint8(0), reason);
            }
        }
    }

    function step(bytes calldata data) external view returns (bytes memory) {
        Reader memory reader;
        assembly ("memory-safe") {
            mstore(reader, data.offset)
        }
        Batch memory batch = readBatch(reader);
        uint256 what = take(reader, 1);
        uint256 item = take(reader, 2);
        uint256 entry = take(reader, 8);
        uint256 number = take(reader, 8);
        int256[8] memory before;
        for (uint256 j = 0; j < 8; ++j) before[j] = int128(uint128(take(reader, 16)));
        uint256 end;
        assembly ("memory-safe") {
            end := add(data.offset, data.length)
        }
        End memory result;
        if (what == RUN) {
            result = OneStep.run(batch, item, entry, number, before, reader.place, end - reader.place);
        } else {
            int256[8] memory initial;
            OneStep.begin(batch, item, entry, reader.place, end - reader.place, initial, result.results);
        }
        bytes memory values = abi.encodePacked(uint8(result.kind));
        for (uint256 j = 0; j < 8; ++j) values = abi.encodePacked(values, int128(result.accumulators[j]));
        for (uint256 j = 0; j < 16; ++j) values = abi.encodePacked(values, int128(result.results[j]));
        return values;
    }

    /// For each program a byte: 1 where it is well formed, else 0.
    function forms(bytes[] calldata programs) external view returns (bytes memory results) {
        results = new bytes(programs.length);
        for (uint256 i = 0; i < programs.length; ++i) {
            try this.form(programs[i]) {
                results[i] = 0x01;
            } catch {}
        }
    }

    function form(bytes calldata program) external pure {
        uint256 place = zeroedWords(program.length / 32 + 3);
        assembly ("memory-safe") {
            calldatacopy(place, program.offset, program.length)
        }
        ProgramForm.check(place, program.length);
    }

    /// A program kept by CodeStore.
    function load(Batch memory batch, address store) private view {
        uint256 size = store.code.length - 1;
        uint256 place = zeroedWords((size + 95) / 32);
        assembly ("memory-safe") {
            extcodecopy(store, place, 1, size)
        }
        Programs.describe(batch.program, place);
    }

    function readBatch(Reader memory reader) private view returns (Batch memory batch) {
        load(batch, address(uint160(take(reader, 20))));
        batch.recordsRoot = bytes32(take(reader, 32));
        batch.previousStateRoot = bytes32(take(reader, 32));
        batch.tablesRoot = bytes32(take(reader, 32));
        batch.leafBytes = take(reader, 4);
        batch.number = take(reader, 8);
        batch.seedHigh = int128(uint128(take(reader, 16)));
        batch.seedLow = int128(uint128(take(reader, 16)));
        uint256 others = take(reader, 1) - 1;
        batch.records = take(reader, 8);
        uint256 from = reader.place;
        uint256 dims = zeroedWords(others / 4 + 2);
        assembly ("memory-safe") {
            calldatacopy(dims, from, mul(8, others))
        }
        reader.place = from + 8 * others;
        batch.dimsAt = dims;
        Programs.resolve(batch.program, dims);
    }

    function take(Reader memory reader, uint256 size) private pure returns (uint256 value) {
        uint256 place = reader.place;
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, size)), calldataload(place))
        }
        reader.place = place + size;
    }
}
