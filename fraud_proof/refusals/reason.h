// Why the chain refuses a transaction: one flat list of names, the same in C++ and in Solidity, where each is a custom
// error. A refused transaction changes nothing. Wire values are explicit, grouped by module, and never renumbered.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "fraud_proof/encoding/refusal.h"

namespace tally::proof {

enum class Reason : std::uint16_t {
  // Openings and witnesses (step/).
  kOpeningMissing = 1,     // the bytes end before or within an opening that is needed
  kOpeningTrailing = 2,    // bytes behind the last opening that is needed
  kOpeningUnexpected = 3,  // an opening of another leaf than the one needed next
  kOpeningSize = 4,        // a leaf that has not the size that the shape says
  kOpeningRecord = 5,      // a record that does not lead to records_root
  kOpeningRow = 6,         // a leaf of a row that does not lead to the record's commitment
  kOpeningTable = 7,       // a leaf of advice or a computed table that does not lead to tables_root
  kOpeningState = 8,       // a leaf of a state that does not lead to prev_state_root
  kNoSuchEntry = 9,        // an item, entry, transition, record, leaf or element that the batch does not have
  kNoBody = 10,            // an item that has no fold to dispute

  // The game (game/).
  kStaleMove = 20,     // the move answers another state than the game's
  kNotYourMove = 21,   // the sender is neither the side to move nor its delegate
  kWrongPhase = 22,    // a move of another phase
  kClockExpired = 23,  // the mover's clock ran out
  kClockRunning = 24,  // a timeout is claimed while the clock still runs
  kClaimSize = 25,     // accumulators of another number or width
  kNoSuchSegment = 26,
  kSegmentTooLong = 27,  // proving needs a single transition
  kNotDisproved = 28,    // the transition leads exactly to what was claimed
  kRevealCount = 29,     // not one answer for each table under descent, or not the nodes of the next levels
  kRevealMismatch = 30,  // nodes or a leaf that do not hash to the current node
  kRevealSize = 31,      // a revealed leaf that has not the size that the shape says
  kNoSuchChild = 32,
  kDescentTables = 33,  // none, not ascending, not results of the body or its loop, or empty
  kGameEnded = 34,
  kGameExists = 35,
  kNoSuchGame = 36,

  // Other local checks (checks/).
  kNotCommitted = 50,      // no commitment of this sender to this proof
  kCommittedTooLate = 51,  // the commitment is not at least one block old
  kAlreadyCommitted = 52,
  kRecordsInOrder = 53,
  kSignerIsMember = 54,
  kSignatureIsGood = 55,
  kAdviceInRange = 56,

  // Tasks (settlement/).
  kProgramTooLarge = 70,  // its bytecode, or what a descent into its tables may have to reveal at once
  kProgramInvalid = 71,   // the validator refuses it, alone or for the task's shape
  kTaskDims = 72,         // not one for each dim but K, or outside the declared bounds, or a row of length 0
  kTaskParams = 73,       // too many
  kTaskSettings = 74,     // check_settings() refuses
  kClockTooShort = 75,    // game_clock < most moves of a side * move_time + censorship budget
  kPeriodTooShort = 76,   // T < 2 windows + move_time + censorship budget, or T_req too short; or 0
  kExitTooShort = 77,     // exit_delay is not longer than any batch and game that a member can be in
  kBondsTooClose = 78,    // S < 10 C
  kGenesisRoots = 79,     // not one tree root for each state, or not the empty tree's for an empty one
  kTaskExists = 80,
  kNoSuchTask = 81,
  kWrongValue = 82,      // not the amount that the transaction asks for
  kMoneyOverflow = 83,   // an amount of 2^128 wei or more would result
  kWindowTooShort = 84,  // where leaves are requested: window < move_time + censorship budget, or 0
  kBondTooSmall = 85,    // a bond of 0, which holds nobody to anything

  // Members.
  kNoSuchMember = 90,
  kAddressTaken = 91,  // the address belongs, or belonged, to a member of the task
  kNoMemberSlots = 92,
  kStakeTooSmall = 93,
  kNotTheWallet = 94,
  kTooManyKeys = 95,
  kKeySignature = 96,  // the device key did not sign its binding
  kNoSuchKey = 97,
  kAlreadyUnbinding = 98,
  kAlreadyExiting = 99,
  kNotExited = 100,  // the stake is not free yet, or no exit was asked for
  kStakeWithdrawn = 101,

  // Posts and the tree of batches.
  kNoSuchBatch = 110,
  kHeaderMismatch = 111,  // the header is not that of the batch named
  kParentDead = 112,      // the parent is invalid, orphaned or superseded, or has a final child
  kParentState = 113,     // the parent's state commitments do not give its next_state_root
  kTooDeep = 114,         // more than 64 unfinalised batches in a line
  kRecordCount = 115,     // K outside the program's or the task's bounds, or 0 with a root of records
  kTableRoots = 116,      // not one tree root for each advice and computed table, or one of an empty table that is not
                          // the empty tree's
  kNotAProposer = 117,
  kNotYourTurn = 118,
  kSeedNotSealed = 119,
  kSeedTooEarly = 120,  // the sealing block does not exist yet
  kSeedSealed = 121,
  kBatchExists = 122,
  kKeeperCount = 123,  // not exactly `threshold` signatures
  kKeeperOrder = 124,  // not strictly ascending positions, or beyond the list
  kKeeperSignature = 125,
  kTooManyLeaves = 126,  // more input leaves than may be requested

  // The end of a batch.
  kPeriodOver = 140,  // a challenge, or a request, comes too late
  kPeriodRunning = 141,
  kBatchLost = 142,  // the batch has been shown invalid before
  kBatchDead = 143,  // orphaned or superseded
  kBatchFinal = 144,
  kGamesOpen = 145,
  kRequestsOpen = 146,
  kParentNotFinal = 147,
  kEarlierSibling = 148,  // an earlier sibling is not invalid, or not passed yet
  kNothingToSkip = 149,
  kBondReleased = 150,
  kNotReleasable = 151,  // the bond of a batch that may still become final
  kBatchNotLost = 152,

  // Requests of leaves.
  kRequestsNotAllowed = 160,
  kRequestExists = 161,
  kNoSuchRequest = 162,
  kRequestAnswered = 163,
  kAnswerTooLate = 164,
  kWindowRunning = 165,
  kRequestSettled = 166,  // its bond was given back when the batch fell

  // Payments.
  kNothingToPay = 180,
  kNotLatestFinal = 181,
  kNotPayable = 182,
  kNothingToWithdraw = 183,

  // The embedded chain's own (a node of an EVM chain has its own words for these).
  kMalformed = 200,   // bytes that are no transaction
  kWrongChain = 201,  // signed for another chain or contract
  kWrongNonce = 202,
  kBadSignature = 203,
  kInsufficientFunds = 204,
};

struct ReasonName {
  Reason reason;
  std::string_view name;
};

/// Every reason with its name in Solidity, ascending.
[[nodiscard]] std::span<const ReasonName> all_reasons();

[[nodiscard]] std::string_view to_string(Reason reason);

using ChainRefusal = Refusal<Reason>;

template <class T>
using OrRefused = std::expected<T, ChainRefusal>;

}  // namespace tally::proof
