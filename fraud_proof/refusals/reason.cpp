#include "fraud_proof/refusals/reason.h"

#include <algorithm>
#include <array>
#include <functional>

#include "deterministic_math/numbers/assert.h"

namespace tally::proof {

namespace {

constexpr std::array kReasons = {
    ReasonName{Reason::kOpeningMissing, "OpeningMissing"},
    ReasonName{Reason::kOpeningTrailing, "OpeningTrailing"},
    ReasonName{Reason::kOpeningUnexpected, "OpeningUnexpected"},
    ReasonName{Reason::kOpeningSize, "OpeningSize"},
    ReasonName{Reason::kOpeningRecord, "OpeningRecord"},
    ReasonName{Reason::kOpeningRow, "OpeningRow"},
    ReasonName{Reason::kOpeningTable, "OpeningTable"},
    ReasonName{Reason::kOpeningState, "OpeningState"},
    ReasonName{Reason::kNoSuchEntry, "NoSuchEntry"},
    ReasonName{Reason::kNoBody, "NoBody"},
    ReasonName{Reason::kStaleMove, "StaleMove"},
    ReasonName{Reason::kNotYourMove, "NotYourMove"},
    ReasonName{Reason::kWrongPhase, "WrongPhase"},
    ReasonName{Reason::kClockExpired, "ClockExpired"},
    ReasonName{Reason::kClockRunning, "ClockRunning"},
    ReasonName{Reason::kClaimSize, "ClaimSize"},
    ReasonName{Reason::kNoSuchSegment, "NoSuchSegment"},
    ReasonName{Reason::kSegmentTooLong, "SegmentTooLong"},
    ReasonName{Reason::kNotDisproved, "NotDisproved"},
    ReasonName{Reason::kRevealCount, "RevealCount"},
    ReasonName{Reason::kRevealMismatch, "RevealMismatch"},
    ReasonName{Reason::kRevealSize, "RevealSize"},
    ReasonName{Reason::kNoSuchChild, "NoSuchChild"},
    ReasonName{Reason::kDescentTables, "DescentTables"},
    ReasonName{Reason::kGameEnded, "GameEnded"},
    ReasonName{Reason::kGameExists, "GameExists"},
    ReasonName{Reason::kNoSuchGame, "NoSuchGame"},
    ReasonName{Reason::kNotCommitted, "NotCommitted"},
    ReasonName{Reason::kCommittedTooLate, "CommittedTooLate"},
    ReasonName{Reason::kAlreadyCommitted, "AlreadyCommitted"},
    ReasonName{Reason::kRecordsInOrder, "RecordsInOrder"},
    ReasonName{Reason::kSignerIsMember, "SignerIsMember"},
    ReasonName{Reason::kSignatureIsGood, "SignatureIsGood"},
    ReasonName{Reason::kAdviceInRange, "AdviceInRange"},
    ReasonName{Reason::kProgramTooLarge, "ProgramTooLarge"},
    ReasonName{Reason::kProgramInvalid, "ProgramInvalid"},
    ReasonName{Reason::kTaskDims, "TaskDims"},
    ReasonName{Reason::kTaskParams, "TaskParams"},
    ReasonName{Reason::kTaskSettings, "TaskSettings"},
    ReasonName{Reason::kClockTooShort, "ClockTooShort"},
    ReasonName{Reason::kPeriodTooShort, "PeriodTooShort"},
    ReasonName{Reason::kExitTooShort, "ExitTooShort"},
    ReasonName{Reason::kBondsTooClose, "BondsTooClose"},
    ReasonName{Reason::kGenesisRoots, "GenesisRoots"},
    ReasonName{Reason::kTaskExists, "TaskExists"},
    ReasonName{Reason::kNoSuchTask, "NoSuchTask"},
    ReasonName{Reason::kWrongValue, "WrongValue"},
    ReasonName{Reason::kMoneyOverflow, "MoneyOverflow"},
    ReasonName{Reason::kWindowTooShort, "WindowTooShort"},
    ReasonName{Reason::kBondTooSmall, "BondTooSmall"},
    ReasonName{Reason::kNoSuchMember, "NoSuchMember"},
    ReasonName{Reason::kAddressTaken, "AddressTaken"},
    ReasonName{Reason::kNoMemberSlots, "NoMemberSlots"},
    ReasonName{Reason::kStakeTooSmall, "StakeTooSmall"},
    ReasonName{Reason::kNotTheWallet, "NotTheWallet"},
    ReasonName{Reason::kTooManyKeys, "TooManyKeys"},
    ReasonName{Reason::kKeySignature, "KeySignature"},
    ReasonName{Reason::kNoSuchKey, "NoSuchKey"},
    ReasonName{Reason::kAlreadyUnbinding, "AlreadyUnbinding"},
    ReasonName{Reason::kAlreadyExiting, "AlreadyExiting"},
    ReasonName{Reason::kNotExited, "NotExited"},
    ReasonName{Reason::kStakeWithdrawn, "StakeWithdrawn"},
    ReasonName{Reason::kNoSuchBatch, "NoSuchBatch"},
    ReasonName{Reason::kHeaderMismatch, "HeaderMismatch"},
    ReasonName{Reason::kParentDead, "ParentDead"},
    ReasonName{Reason::kParentState, "ParentState"},
    ReasonName{Reason::kTooDeep, "TooDeep"},
    ReasonName{Reason::kRecordCount, "RecordCount"},
    ReasonName{Reason::kTableRoots, "TableRoots"},
    ReasonName{Reason::kNotAProposer, "NotAProposer"},
    ReasonName{Reason::kNotYourTurn, "NotYourTurn"},
    ReasonName{Reason::kSeedNotSealed, "SeedNotSealed"},
    ReasonName{Reason::kSeedTooEarly, "SeedTooEarly"},
    ReasonName{Reason::kSeedSealed, "SeedSealed"},
    ReasonName{Reason::kBatchExists, "BatchExists"},
    ReasonName{Reason::kKeeperCount, "KeeperCount"},
    ReasonName{Reason::kKeeperOrder, "KeeperOrder"},
    ReasonName{Reason::kKeeperSignature, "KeeperSignature"},
    ReasonName{Reason::kTooManyLeaves, "TooManyLeaves"},
    ReasonName{Reason::kPeriodOver, "PeriodOver"},
    ReasonName{Reason::kPeriodRunning, "PeriodRunning"},
    ReasonName{Reason::kBatchLost, "BatchLost"},
    ReasonName{Reason::kBatchDead, "BatchDead"},
    ReasonName{Reason::kBatchFinal, "BatchFinal"},
    ReasonName{Reason::kGamesOpen, "GamesOpen"},
    ReasonName{Reason::kRequestsOpen, "RequestsOpen"},
    ReasonName{Reason::kParentNotFinal, "ParentNotFinal"},
    ReasonName{Reason::kEarlierSibling, "EarlierSibling"},
    ReasonName{Reason::kNothingToSkip, "NothingToSkip"},
    ReasonName{Reason::kBondReleased, "BondReleased"},
    ReasonName{Reason::kNotReleasable, "NotReleasable"},
    ReasonName{Reason::kBatchNotLost, "BatchNotLost"},
    ReasonName{Reason::kRequestsNotAllowed, "RequestsNotAllowed"},
    ReasonName{Reason::kRequestExists, "RequestExists"},
    ReasonName{Reason::kNoSuchRequest, "NoSuchRequest"},
    ReasonName{Reason::kRequestAnswered, "RequestAnswered"},
    ReasonName{Reason::kAnswerTooLate, "AnswerTooLate"},
    ReasonName{Reason::kWindowRunning, "WindowRunning"},
    ReasonName{Reason::kRequestSettled, "RequestSettled"},
    ReasonName{Reason::kNothingToPay, "NothingToPay"},
    ReasonName{Reason::kNotLatestFinal, "NotLatestFinal"},
    ReasonName{Reason::kNotPayable, "NotPayable"},
    ReasonName{Reason::kNothingToWithdraw, "NothingToWithdraw"},
    ReasonName{Reason::kMalformed, "Malformed"},
    ReasonName{Reason::kWrongChain, "WrongChain"},
    ReasonName{Reason::kWrongNonce, "WrongNonce"},
    ReasonName{Reason::kBadSignature, "BadSignature"},
    ReasonName{Reason::kInsufficientFunds, "InsufficientFunds"},
};
static_assert(std::ranges::adjacent_find(kReasons, std::ranges::greater_equal{}, &ReasonName::reason) == kReasons.end(),
              "strictly ascending, so each once");

}  // namespace

std::span<const ReasonName> all_reasons() { return kReasons; }

std::string_view to_string(Reason reason) {
  const auto found = std::ranges::lower_bound(kReasons, reason, {}, &ReasonName::reason);
  TALLY_ASSERT(found != kReasons.end());
  TALLY_ASSERT(found->reason == reason);
  return found->name;
}

}  // namespace tally::proof
