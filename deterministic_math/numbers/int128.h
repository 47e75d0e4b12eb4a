// 128-bit integers: the number type of programs. All proved values fit in i128.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tally::math {

__extension__ using i128 = __int128;
__extension__ using u128 = unsigned __int128;

inline constexpr i128 kI128Max = static_cast<i128>(~u128{0} >> 1);
inline constexpr i128 kI128Min = -kI128Max - 1;

/// Decimal, with a leading minus sign where negative.
[[nodiscard]] std::string to_string(i128 value);

/// Parses what to_string writes: an optional minus sign and decimal digits without leading zeros. Nothing else.
[[nodiscard]] std::optional<i128> parse_i128(std::string_view text);

}  // namespace tally::math
