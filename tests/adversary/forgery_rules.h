// What becomes of each kind of forgery: by which causes a batch is lost, and whether an honest keeper signs for it. A
// kind without a cause is refused at the post. By what name, and whether a change may leave a batch true, each forgery
// says itself.
#pragma once

#include <cstdint>
#include <set>

#include "tests/support/forger.h"

namespace tally::test {

/// What a valid batch must have so that the kind can be made of it, and lose.
enum class Needs : std::uint8_t {
  kNothing,
  kTable,
  kComputed,
  kRangedAdvice,
  kAdvice,
  kState,
  kRow,
  kSignedData,  // a record with a row or a field
  kRecord,
  kTwoRecords,
  kMoreRecords,   // a record, and one more is admissible
  kFewerRecords,  // two records, and one less is admissible
  kQuorum,
  kLuck,  // data that happen to allow it
};

/// Whether an honest keeper signs for it.
enum class Keeper : std::uint8_t { kSigns, kRefuses, kEither };

struct ForgeryRule {
  ForgeryKind kind;
  Needs needs = Needs::kNothing;
  Keeper keeper = Keeper::kSigns;
  /// Each of them is the cause among some forgeries of the kind.
  std::set<proof::LossCause> usual{};
  /// And these may be.
  std::set<proof::LossCause> also{};
};

[[nodiscard]] const ForgeryRule& rule_of(ForgeryKind kind);
[[nodiscard]] bool meets(const TrialWorld& world, Needs needs);

}  // namespace tally::test
