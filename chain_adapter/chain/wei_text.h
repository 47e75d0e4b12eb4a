// Amounts of money as text: decimal, in wei, and for people with a unit.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "fraud_proof/commitments/task_settings.h"

namespace tally::chain {

/// Decimal digits.
[[nodiscard]] std::string to_text(const proof::Wei& amount);

/// "1.5 ether", "20 gwei", "7 wei": the largest unit of which it is a thousandth or more, exactly.
[[nodiscard]] std::string to_text_with_unit(const proof::Wei& amount);

/// Reads digits with at most one point, then perhaps "wei" (the default), "gwei" or "ether", with or without a space.
/// The error says what is wrong.
[[nodiscard]] std::expected<proof::Wei, std::string> parse_wei(std::string_view text);

/// Nothing where the sum is 2^128 or more.
[[nodiscard]] std::optional<proof::Wei> add(const proof::Wei& a, const proof::Wei& b);

}  // namespace tally::chain
