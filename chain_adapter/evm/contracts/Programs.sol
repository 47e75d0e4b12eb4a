// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {
    extent as extentOf,
    KIND_ADVICE,
    KIND_COMPUTED,
    KIND_FIELD,
    KIND_ROW,
    KIND_STATE,
    Object,
    objectAt,
    OBJECT_BYTES
} from "./Objects.sol";
import {i128At, setWord, u16At, u32At, u8At, wordAt, zeroedWords} from "./Memory.sol";

/// A program's bytecode in memory, and where its parts are. Only bytecode that ProgramForm accepted is ever stored, so
/// nothing is checked again.
struct Program {
    uint256 place; // of the first byte
    uint256 dims;
    uint256 objects;
    uint256 constants;
    uint256 items;
    uint256 dimsAt;
    uint256 objectsAt;
    uint256 constantsAt;
    uint256 notesAt; // of its description, below
    uint256 fields;
    uint256 rows;
    uint256 states;
    uint256 tables; // advice and computed
}

uint256 constant ITEM_ADVICE = 0;
uint256 constant ITEM_TABLE = 1;

uint256 constant OUTSIDE_LOOPS = 0xffff;

uint256 constant MAX_PROGRAM_BYTES = 16384;
uint256 constant MAX_ACCUMULATORS = 8;
uint256 constant MAX_RESULTS = 16;

uint256 constant HEADER_BYTES = 16;
uint256 constant DIM_BYTES = 9;
uint256 constant ITEM_HEAD_BYTES = 16;
uint256 constant BODY_HEAD_BYTES = 11;
uint256 constant ACCUMULATOR_BYTES = 48;
uint256 constant INSTRUCTION_BYTES = 8;

/// The bytecode's layout (docs/spec.md, 4.1), and a description that is made of it once, when a task is created: u16 record
/// fields ‖ rows ‖ states ‖ tables, and a note for each object: u16 1 + the item that owns it, 0 where none does ‖ u16 how
/// many objects of its kind stand before it. Advice and computed tables count as one kind.
library Programs {
    uint256 private constant COUNTS_BYTES = 8;
    uint256 private constant NOTE_BYTES = 4;

    /// A program of which a description was kept.
    function locate(Program memory program, uint256 place, uint256 description) internal pure {
        unchecked {
            locateParts(program, place);
            uint256 counts = wordAt(description);
            program.fields = uint16(counts >> 240);
            program.rows = uint16(counts >> 224);
            program.states = uint16(counts >> 208);
            program.tables = uint16(counts >> 192);
            program.notesAt = description + COUNTS_BYTES;
        }
    }

    /// The same with a new description, in memory of its own.
    function describe(Program memory program, uint256 place) internal pure returns (uint256 description) {
        unchecked {
            locateParts(program, place);
            description = zeroedWords(descriptionBytes(program.objects) / 32 + 2);
            program.notesAt = description + COUNTS_BYTES;
            noteOwners(program);
            uint256 counts = notePlaces(program);
            setWord(description, wordAt(description) | (counts << 192));
            locate(program, place, description);
        }
    }

    function descriptionBytes(uint256 objects) internal pure returns (uint256) {
        unchecked {
            return COUNTS_BYTES + NOTE_BYTES * objects;
        }
    }

    /// Of bytecode at a place of memory.
    function objectCount(uint256 place) internal pure returns (uint256) {
        unchecked {
            return u16At(place + 8);
        }
    }

    function locateParts(Program memory program, uint256 place) private pure {
        unchecked {
            program.place = place;
            program.dims = u8At(place + 7);
            program.objects = objectCount(place);
            program.constants = u16At(place + 10);
            program.items = u8At(place + 13);
            program.dimsAt = place + HEADER_BYTES + 2 * program.items;
            program.objectsAt = program.dimsAt + DIM_BYTES * program.dims;
            program.constantsAt = program.objectsAt + OBJECT_BYTES * program.objects;
        }
    }

    function noteOwners(Program memory program) private pure {
        unchecked {
            for (uint256 item = 0; item < program.items; ++item) {
                uint256 place = itemAt(program, item);
                uint256 end = place + ITEM_HEAD_BYTES + 2 * resultCount(place);
                for (uint256 result = place + ITEM_HEAD_BYTES; result < end; result += 2) {
                    uint256 note = noteAt(program, u16At(result));
                    // The first item that names an object owns it.
                    if (u16At(note) == 0) setWord(note, wordAt(note) | ((item + 1) << 240));
                }
            }
        }
    }

    /// Gives the four counts.
    function notePlaces(Program memory program) private pure returns (uint256) {
        unchecked {
            uint256 note = program.notesAt;
            uint256 end = program.constantsAt;
            uint256 counts = 0; // sixteen bits for each kind
            for (uint256 place = program.objectsAt; place < end; place += OBJECT_BYTES) {
                uint256 kind = objectAt(place).kind();
                uint256 shift = 16 * (kind == KIND_COMPUTED ? KIND_ADVICE : kind);
                setWord(note, wordAt(note) | (uint256(uint16(counts >> shift)) << 224));
                counts += 1 << shift;
                note += NOTE_BYTES;
            }
            return (uint256(uint16(counts >> (16 * KIND_FIELD))) << 48)
                | (uint256(uint16(counts >> (16 * KIND_ROW))) << 32)
                | (uint256(uint16(counts >> (16 * KIND_STATE))) << 16) | uint16(counts >> (16 * KIND_ADVICE));
        }
    }

    function noteAt(Program memory program, uint256 id) private pure returns (uint256) {
        unchecked {
            return program.notesAt + NOTE_BYTES * id;
        }
    }

    function itemAt(Program memory program, uint256 item) internal pure returns (uint256) {
        unchecked {
            return program.place + u16At(program.place + HEADER_BYTES + 2 * item);
        }
    }

    function placeOfObject(Program memory program, uint256 id) internal pure returns (uint256) {
        unchecked {
            return program.objectsAt + OBJECT_BYTES * id;
        }
    }

    function object(Program memory program, uint256 id) internal pure returns (Object) {
        return objectAt(placeOfObject(program, id));
    }

    /// 1 + the item that owns the object; 0: none does.
    function ownerOf(Program memory program, uint256 id) internal pure returns (uint256) {
        return u16At(noteAt(program, id));
    }

    function placeOf(Program memory program, uint256 id) internal pure returns (uint256) {
        unchecked {
            return u16At(noteAt(program, id) + 2);
        }
    }

    /// The `next` links, and the states that are payable, by their place in memory: u16 state ‖ u16 table; u16 state.
    function links(Program memory program) internal pure returns (uint256 place, uint256 count) {
        unchecked {
            place = program.constantsAt + 16 * program.constants + 5 * u8At(program.place + 12);
            count = u8At(program.place + 14);
        }
    }

    function payableStates(Program memory program) internal pure returns (uint256 place, uint256 count) {
        unchecked {
            (place, count) = links(program);
            place += 4 * count;
            count = u8At(program.place + 15);
        }
    }

    function isOneRecordPerMember(Program memory program) internal pure returns (bool) {
        unchecked {
            return u8At(program.place + 6) == 1;
        }
    }

    // Of an object, by its place in memory: what is not in its first word, and where its extents are.

    function objectExtentAt(uint256 place, uint256 axis) internal pure returns (uint256) {
        unchecked {
            return place + 3 + 5 * axis;
        }
    }

    function lowest(uint256 place) internal pure returns (int256) {
        unchecked {
            return i128At(place + 14);
        }
    }

    function highest(uint256 place) internal pure returns (int256) {
        unchecked {
            return i128At(place + 30);
        }
    }

    // Of an item, by its place in memory.

    function itemKind(uint256 place) internal pure returns (uint256) {
        return u8At(place);
    }

    function loopOf(uint256 place) internal pure returns (uint256) {
        unchecked {
            return u16At(place + 1);
        }
    }

    function itemRank(uint256 place) internal pure returns (uint256) {
        unchecked {
            return u8At(place + 3);
        }
    }

    function itemExtentAt(uint256 place, uint256 axis) internal pure returns (uint256) {
        unchecked {
            return place + 4 + 5 * axis;
        }
    }

    function resultCount(uint256 place) internal pure returns (uint256) {
        unchecked {
            return u8At(place + 14);
        }
    }

    function hasBody(uint256 place) internal pure returns (bool) {
        unchecked {
            return u8At(place + 15) == 1;
        }
    }

    function resultOf(uint256 place, uint256 column) internal pure returns (uint256) {
        unchecked {
            return u16At(place + ITEM_HEAD_BYTES + 2 * column);
        }
    }

    function bodyAt(uint256 place) internal pure returns (uint256) {
        unchecked {
            return place + ITEM_HEAD_BYTES + 2 * resultCount(place);
        }
    }

    // Of a body, by its place in memory.

    function isFold(uint256 place) internal pure returns (bool) {
        return u8At(place) == 1;
    }

    function lengthAt(uint256 place) internal pure returns (uint256) {
        unchecked {
            return place + 1;
        }
    }

    function accumulatorCount(uint256 place) internal pure returns (uint256) {
        unchecked {
            return u8At(place + 6);
        }
    }

    function stepCount(uint256 place) internal pure returns (uint256) {
        unchecked {
            return u16At(place + 7);
        }
    }

    function finishCount(uint256 place) internal pure returns (uint256) {
        unchecked {
            return u16At(place + 9);
        }
    }

    /// Of its initial value; the proved range follows.
    function accumulatorAt(uint256 place, uint256 accumulator) internal pure returns (uint256) {
        unchecked {
            return place + BODY_HEAD_BYTES + ACCUMULATOR_BYTES * accumulator;
        }
    }

    function stepAt(uint256 place) internal pure returns (uint256) {
        return accumulatorAt(place, accumulatorCount(place));
    }

    function finishAt(uint256 place) internal pure returns (uint256) {
        unchecked {
            return stepAt(place) + INSTRUCTION_BYTES * stepCount(place);
        }
    }

    // Of an extent, by its place in memory: u8 whether it is a dim's ‖ u32be number, or dim.

    /// Of a task's program the only dim is K.
    function extent(uint256 place, uint256 records) internal pure returns (uint256) {
        unchecked {
            return extentOf(wordAt(place) >> 216, records);
        }
    }

    /// Makes numbers of all extents but K: the task's dims, u64be each from this place on, which are within their bounds.
    function resolve(Program memory program, uint256 dims) internal pure {
        unchecked {
            for (uint256 place = program.objectsAt; place < program.constantsAt; place += OBJECT_BYTES) {
                resolve(objectExtentAt(place, 0), dims);
                resolve(objectExtentAt(place, 1), dims);
            }
            for (uint256 i = 0; i < program.items; ++i) {
                uint256 item = itemAt(program, i);
                resolve(itemExtentAt(item, 0), dims);
                resolve(itemExtentAt(item, 1), dims);
                if (hasBody(item)) resolve(lengthAt(bodyAt(item)), dims);
            }
        }
    }

    function resolve(uint256 place, uint256 dims) private pure {
        unchecked {
            uint256 dim = u32At(place + 1);
            if (u8At(place) == 0 || dim == 0) return;
            uint256 number = wordAt(dims + 8 * (dim - 1)) >> 192;
            setWord(place, (number << 216) | (wordAt(place) & (type(uint256).max >> 40)));
        }
    }
}
