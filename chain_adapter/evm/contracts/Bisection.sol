// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Batch} from "./Batches.sol";
import {Game, PHASE_PROVE, PHASE_RESPOND} from "./Games.sol";
import {End, END_ACCUMULATORS, END_FAIL, OneStep} from "./OneStep.sol";
import {Paces} from "./Paces.sol";
import {ITEM_TABLE, Programs} from "./Programs.sol";
import {Slice} from "./Reader.sol";
import {NoSuchSegment, NotDisproved, SegmentTooLong} from "./Reasons.sol";

/// Narrow and prove: fraud_proof/game/bisection.cpp.
library Bisection {
    /// Over an entry whose results are opened.
    function begin(Batch memory batch, Game memory game, uint256 item, uint256 entry, Slice memory openings)
        internal
        view
    {
        game.item = item;
        game.entry = entry;
        (game.high,,) =
            OneStep.begin(batch, item, entry, openings.place, openings.size, game.atLow, game.results);
        game.phase = phaseOver(0, game.high);
    }

    /// `widths` are those of Paces.
    function narrow(Game memory game, uint256 pace, uint256 widths, uint256 segment) internal pure {
        unchecked {
            uint256 low = game.low;
            uint256 length = game.high - low;
            uint256 count = segments(length, pace);
            if (segment >= count) revert NoSuchSegment();
            uint256 size = Paces.claimBytes(pace);
            uint256 claims = game.claims.place;
            if (segment > 0) {
                game.low = boundary(low, length, count, segment);
                readClaim(game.atLow, widths, claims + (segment - 1) * size);
            }
            if (segment + 1 < count) {
                game.high = boundary(low, length, count, segment + 1);
                readClaim(game.atHigh, widths, claims + segment * size);
                delete game.results;
            }
            game.claims = Slice(0, 0);
            game.phase = phaseOver(game.low, game.high);
        }
    }

    /// Returns where the poster is disproved.
    function prove(Batch memory batch, Game memory game, Slice memory witness) internal view {
        // Its accumulators become those behind the step.
        End memory end =
            OneStep.run(batch, game.item, game.entry, game.low, game.atLow, witness.place, witness.size);
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
        uint256 pace,
        uint256 segment,
        Slice memory witness
    ) internal view {
        uint256 widths = Paces.isSingle(pace) ? Paces.claimBytes(pace) : Paces.widthsOf(batch.program, game.item);
        narrow(game, pace, widths, segment);
        if (game.phase != PHASE_PROVE) revert SegmentTooLong();
        prove(batch, game, witness);
    }

    function phaseOver(uint256 low, uint256 high) internal pure returns (uint256) {
        unchecked {
            return high - low == 1 ? PHASE_PROVE : PHASE_RESPOND;
        }
    }

    /// How many segments so many transitions are cut into.
    function segments(uint256 length, uint256 pace) internal pure returns (uint256) {
        uint256 arity = Paces.arity(pace);
        return length < arity ? length : arity;
    }

    /// Where segment `i` begins.
    function boundary(uint256 low, uint256 length, uint256 count, uint256 i) internal pure returns (uint256) {
        unchecked {
            return low + length * i / count;
        }
    }

    function readClaim(int256[8] memory values, uint256 widths, uint256 place) private pure {
        assembly ("memory-safe") {
            for { let value := values } widths { value := add(value, 32) } {
                let size := and(widths, 0xff)
                mstore(value, sar(sub(256, shl(3, size)), calldataload(place)))
                place := add(place, size)
                widths := shr(8, widths)
            }
        }
    }
}
