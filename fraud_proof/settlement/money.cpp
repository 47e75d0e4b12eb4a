#include "fraud_proof/settlement/money.h"

#include <algorithm>
#include <string>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/record_codec.h"
#include "fraud_proof/settlement/settlement.h"

namespace tally::proof {

OrRefused<Wei> add(const Wei& a, const Wei& b) {
  const math::u128 sum = a.value + b.value;
  if (sum < a.value) return refuse(Reason::kMoneyOverflow, describe(a) + " and " + describe(b) + " are 2^128 or more");
  return Wei{sum};
}

Wei subtract(const Wei& a, const Wei& b) {
  TALLY_ASSERT(b <= a);
  return {a.value - b.value};
}

// With bond = 10000 q + r the share is q * bps + floor(r * bps / 10000): no product leaves 128 bits.
Split split_bond(const Wei& bond, std::uint16_t burn_bps) {
  TALLY_ASSERT(burn_bps <= kMaxBurnBps);
  const math::u128 whole = bond.value / kMaxBurnBps;
  const math::u128 rest = bond.value % kMaxBurnBps;
  const Wei burned{whole * burn_bps + rest * burn_bps / kMaxBurnBps};
  return {.burned = burned, .reward = subtract(bond, burned)};
}

std::string describe(const Wei& amount) {
  std::string digits;
  math::u128 rest = amount.value;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  std::ranges::reverse(digits);
  return digits + " wei";
}

Wei money_in(math::Bytes key, math::Bytes record) {
  TALLY_ASSERT(!key.empty());
  switch (static_cast<RecordKind>(key.front())) {
    case RecordKind::kTaskStatus:
      return decode_record_as<TaskStatus>(record).pool;
    case RecordKind::kMember:
      return decode_record_as<MemberRecord>(record).stake;
    case RecordKind::kNode:
      return decode_record_as<NodeRecord>(record).bond;
    case RecordKind::kGame:
      return decode_record_as<GameRecord>(record).bond;
    case RecordKind::kRequest:
      return decode_record_as<RequestRecord>(record).bond;
    case RecordKind::kCredit:
    case RecordKind::kBurned:
      return decode_record_as<Wei>(record);
    // Sums of what was paid, which is held no more, and records without money.
    case RecordKind::kPaid:
    case RecordKind::kPaidInBatch:
    case RecordKind::kProgram:
    case RecordKind::kTask:
    case RecordKind::kBinding:
    case RecordKind::kChild:
    case RecordKind::kSeed:
    case RecordKind::kCommitment:
      return {};
  }
  TALLY_ASSERT(false);
}

}  // namespace tally::proof
