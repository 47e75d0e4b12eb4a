// TALLY_ASSERT states what only a bug can break. It is on in every build and ends the program.
#pragma once

namespace tally::math {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace tally::math

#define TALLY_ASSERT(expression)                        \
  (static_cast<bool>(expression) ? static_cast<void>(0) \
                                 : ::tally::math::assertion_failed(#expression, __FILE__, __LINE__))
