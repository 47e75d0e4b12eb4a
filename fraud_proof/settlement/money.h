// Sums and shares of money, checked.
#pragma once

#include <cstdint>

#include "fraud_proof/commitments/task_settings.h"
#include "fraud_proof/refusals/reason.h"

namespace tally::proof {

/// kMoneyOverflow where the sum is 2^128 wei or more.
[[nodiscard]] OrRefused<Wei> add(const Wei& a, const Wei& b);

/// a - b; b is at most a.
[[nodiscard]] Wei subtract(const Wei& a, const Wei& b);

/// What happens to a lost bond.
struct Split {
  Wei burned{};  // floor(bond * burn_bps / 10000)
  Wei reward{};  // the rest
};

/// `burn_bps` is at most 10,000.
[[nodiscard]] Split split_bond(const Wei& bond, std::uint16_t burn_bps);

/// "5 wei", in decimal.
[[nodiscard]] std::string describe(const Wei& amount);

}  // namespace tally::proof
