// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Game, PHASE_NARROW, PHASE_PROVE, PHASE_RESPOND} from "./Games.sol";
import {i128At} from "./Memory.sol";
import {End, END_ACCUMULATORS, END_FAIL, OneStep} from "./OneStep.sol";
import {ITEM_TABLE, Programs} from "./Programs.sol";
import {Slice} from "./Reader.sol";
import {ClaimSize, NoSuchSegment, NotDisproved, SegmentTooLong} from "./Reasons.sol";

/// Respond, narrow and prove: fraud_proof/game/bisection.cpp.
library Bisection {
    /// Over an entry whose results are opened.
    function begin(Batch memory batch, Game memory game, uint256 item, uint256 entry, Slice memory openings)
        internal
        view
    {
        uint256 count = OneStep.transitions(batch, item, entry);
        game.results = OneStep.openResults(batch, item, entry, openings.place, openings.size);
        game.item = item;
        game.entry = entry;
        game.atLow = OneStep.initial(batch, item);
        game.low = 0;
        game.high = count;
        game.phase = phaseOver(game);
    }

    function respond(Batch memory batch, Game memory game, uint256 arity, bytes memory claims) internal pure {
        uint256 boundaries = segmentsOf(game, arity) - 1;
        if (claims.length != boundaries * claimBytes(bodyOf(batch, game))) revert ClaimSize();
        game.claims = claims;
        game.phase = PHASE_NARROW;
    }

    function narrow(Batch memory batch, Game memory game, uint256 arity, uint256 segment) internal pure {
        unchecked {
            uint256 segments = segmentsOf(game, arity);
            if (segment >= segments) revert NoSuchSegment();
            uint256 low = game.low;
            uint256 length = game.high - low;
            uint256 body = bodyOf(batch, game);
            if (segment > 0) {
                game.low = low + length * segment / segments;
                game.atLow = claimAt(body, game.claims, segment - 1);
            }
            if (segment + 1 < segments) {
                game.high = low + length * (segment + 1) / segments;
                game.atHigh = claimAt(body, game.claims, segment);
                delete game.results;
            }
            game.claims = "";
            game.phase = phaseOver(game);
        }
    }

    /// Returns where the poster is disproved.
    function prove(Batch memory batch, Game memory game, Slice memory witness) internal view {
        int256[8] memory before;
        for (uint256 j = 0; j < 8; ++j) before[j] = game.atLow[j];
        End memory end =
            OneStep.run(batch, game.item, game.entry, game.low, before, witness.place, witness.size);
        if (end.kind == END_FAIL) return;
        if (end.kind == END_ACCUMULATORS) {
            for (uint256 j = 0; j < 8; ++j) {
                if (end.accumulators[j] != game.atHigh[j]) return;
            }
        } else if (Programs.itemKind(Programs.itemAt(batch.program, game.item)) == ITEM_TABLE) {
            // A body that returns nothing claims nothing: only FAIL disproves it.
            for (uint256 j = 0; j < 16; ++j) {
                if (end.results[j] != game.results[j]) return;
            }
        }
        revert NotDisproved();
    }

    function narrowAndProve(
        Batch memory batch,
        Game memory game,
        uint256 arity,
        uint256 segment,
        Slice memory witness
    ) internal view {
        narrow(batch, game, arity, segment);
        if (game.phase != PHASE_PROVE) revert SegmentTooLong();
        prove(batch, game, witness);
    }

    function phaseOver(Game memory game) private pure returns (uint256) {
        return game.high - game.low == 1 ? PHASE_PROVE : PHASE_RESPOND;
    }

    function segmentsOf(Game memory game, uint256 arity) private pure returns (uint256) {
        uint256 length = game.high - game.low;
        return length < arity ? length : arity;
    }

    function bodyOf(Batch memory batch, Game memory game) private pure returns (uint256) {
        return Programs.bodyAt(Programs.itemAt(batch.program, game.item));
    }

    /// Bytes of the accumulators of one boundary.
    function claimBytes(uint256 body) private pure returns (uint256 size) {
        unchecked {
            uint256 count = Programs.accumulatorCount(body);
            for (uint256 j = 0; j < count; ++j) size += width(Programs.accumulatorAt(body, j));
        }
    }

    /// The fewest bytes that hold every value of an accumulator's proved range in two's complement.
    function width(uint256 accumulator) private pure returns (uint256 bytes_) {
        unchecked {
            int256 lowest = i128At(accumulator + 16);
            int256 highest = i128At(accumulator + 32);
            uint256 magnitudes = uint256(lowest < 0 ? ~lowest : lowest) | uint256(highest < 0 ? ~highest : highest);
            bytes_ = 1;
            while (magnitudes >> (8 * bytes_ - 1) != 0) ++bytes_;
        }
    }

    function claimAt(uint256 body, bytes memory claims, uint256 boundary)
        private
        pure
        returns (int256[8] memory values)
    {
        unchecked {
            uint256 place;
            assembly ("memory-safe") {
                place := add(claims, 32)
            }
            place += boundary * claimBytes(body);
            uint256 count = Programs.accumulatorCount(body);
            for (uint256 j = 0; j < count; ++j) {
                uint256 size = width(Programs.accumulatorAt(body, j));
                int256 value;
                assembly ("memory-safe") {
                    value := sar(sub(256, shl(3, size)), mload(place))
                }
                values[j] = value;
                place += size;
            }
        }
    }
}
