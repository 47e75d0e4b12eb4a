#include "tests/adversary/forgery_rules.h"

#include <algorithm>
#include <array>

#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"

namespace tally::test {

namespace {

using math::ObjectKind;
using proof::LossCause;
using Kind = ForgeryKind;

const std::set<LossCause> kGame = {LossCause::kEntry, LossCause::kTimeout};
const std::set<LossCause> kWithheldTable = {LossCause::kTimeout};
const std::set<LossCause> kWithheldInput = {LossCause::kWithheld};
const std::set<LossCause> kOrder = {LossCause::kRecordOrder};
const std::set<LossCause> kSigner = {LossCause::kRecordSigner};
const std::set<LossCause> kSignature = {LossCause::kRecordSignature};
const std::set<LossCause> kRange = {LossCause::kAdviceRange};

const std::array kRules = {
    // Advice among them is an input, and may leave its range.
    ForgeryRule{Kind::kElement, Needs::kTable, Keeper::kSigns, kGame, kRange},
    ForgeryRule{Kind::kOffByOne, Needs::kTable, Keeper::kSigns, kGame, kRange},
    ForgeryRule{Kind::kOtherData, Needs::kLuck, Keeper::kSigns, kGame, kRange},
    ForgeryRule{Kind::kAdviceRange, Needs::kRangedAdvice, Keeper::kSigns, kRange},
    ForgeryRule{Kind::kWithheld, Needs::kComputed, Keeper::kSigns, kGame},
    // A keeper does not know the members.
    ForgeryRule{Kind::kRecordByte,
                Needs::kRecord,
                Keeper::kEither,
                kSignature,
                {LossCause::kRecordSigner, LossCause::kRecordOrder}},
    ForgeryRule{Kind::kMember, Needs::kTwoRecords, Keeper::kEither, kSigner, kOrder},
    ForgeryRule{Kind::kExchanged, Needs::kTwoRecords, Keeper::kRefuses, kOrder},
    ForgeryRule{Kind::kDoubled, Needs::kTwoRecords, Keeper::kRefuses, kOrder},
    ForgeryRule{Kind::kAdded, Needs::kMoreRecords, Keeper::kRefuses, kOrder},
    ForgeryRule{Kind::kDropped, Needs::kFewerRecords, Keeper::kSigns, {LossCause::kEntry}, {LossCause::kTimeout}},
    ForgeryRule{Kind::kStranger, Needs::kRecord, Keeper::kEither, kSigner, kOrder},
    ForgeryRule{Kind::kReplayed, Needs::kRecord, Keeper::kRefuses, kSignature},
    ForgeryRule{Kind::kSecondForm, Needs::kRecord, Keeper::kRefuses, kSignature},
    ForgeryRule{Kind::kColluder, Needs::kSignedData, Keeper::kSigns, kGame},
    ForgeryRule{Kind::kRowBehind, Needs::kRow, Keeper::kRefuses, kWithheldInput},
    ForgeryRule{Kind::kStateBehind, Needs::kState, Keeper::kRefuses, kWithheldInput},
    ForgeryRule{Kind::kAdviceBehind, Needs::kAdvice, Keeper::kRefuses, kWithheldInput},
    ForgeryRule{Kind::kRecordBehind, Needs::kRecord, Keeper::kRefuses, kWithheldInput},
    // Of advice nothing is behind it.
    ForgeryRule{Kind::kGarbageRoot, Needs::kTable, Keeper::kRefuses, kWithheldTable, kWithheldInput},
    ForgeryRule{Kind::kGarbageRecords, Needs::kRecord, Keeper::kRefuses, kWithheldInput},
    ForgeryRule{Kind::kOtherLeaves, Needs::kLuck, Keeper::kRefuses, kWithheldTable, kWithheldInput},
    ForgeryRule{Kind::kLonger, Needs::kTable, Keeper::kRefuses, kWithheldTable, kWithheldInput},
    ForgeryRule{Kind::kShorter, Needs::kTable, Keeper::kRefuses, kWithheldTable, kWithheldInput},
    ForgeryRule{Kind::kRootsExchanged, Needs::kLuck, Keeper::kRefuses, kWithheldTable, kWithheldInput},
    ForgeryRule{Kind::kCount, Needs::kMoreRecords, Keeper::kRefuses, kWithheldInput},
    // What the chain sees itself.
    ForgeryRule{.kind = Kind::kRootCount},
    ForgeryRule{.kind = Kind::kState},
    ForgeryRule{.kind = Kind::kParent},
    ForgeryRule{.kind = Kind::kTask},
    ForgeryRule{.kind = Kind::kBond},
    ForgeryRule{.kind = Kind::kKeeperSignature, .needs = Needs::kQuorum},
    ForgeryRule{.kind = Kind::kKeeperOrder, .needs = Needs::kQuorum},
    ForgeryRule{.kind = Kind::kKeeperCount},
    ForgeryRule{.kind = Kind::kKeeperReplayed, .needs = Needs::kQuorum},
};

}  // namespace

const ForgeryRule& rule_of(ForgeryKind kind) {
  const auto* const found = std::ranges::find(kRules, kind, &ForgeryRule::kind);
  TALLY_ASSERT(found != kRules.end());
  return *found;
}

bool meets(const TrialWorld& world, Needs needs) {
  const math::Program& program = world.program().program;
  const math::Dim& records = program.dims.front();
  const std::uint64_t count = world.values().dims.front();
  const auto has = [&](ObjectKind kind, bool ranged = false) {
    return std::ranges::any_of(program.objects, [&](const math::Object& object) {
      return object.kind == kind && (!ranged || object.range != math::type_range(object.type)) &&
             math::element_count(object.extents, world.values()) > 0;
    });
  };
  switch (needs) {
    case Needs::kNothing:
      return true;
    case Needs::kTable:
      return has(ObjectKind::kAdvice) || has(ObjectKind::kComputed);
    case Needs::kComputed:
      return has(ObjectKind::kComputed);
    case Needs::kRangedAdvice:
      return has(ObjectKind::kAdvice, true);
    case Needs::kAdvice:
      return has(ObjectKind::kAdvice);
    case Needs::kState:
      return has(ObjectKind::kState);
    case Needs::kRow:
      return has(ObjectKind::kRow);
    case Needs::kSignedData:
      return has(ObjectKind::kRow) || has(ObjectKind::kField);
    case Needs::kRecord:
      return count > 0;
    case Needs::kTwoRecords:
      return count > 1;
    case Needs::kMoreRecords:
      return count > 0 && count < records.hi;
    case Needs::kFewerRecords:
      return count > 1 && count > records.lo;
    case Needs::kQuorum:
      return world.has_keepers();
    case Needs::kLuck:
      return false;
  }
  TALLY_ASSERT(false);
}

}  // namespace tally::test
