// TALLY_ASSERT states what only a bug can break. It is on in every build and ends the program.
#pragma once

namespace tally::math {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace tally::math

#define TALLY_ASSERT(expression)                        \
  (static_cast<bool>(expression) ? static_cast<void>(0) \
                                 : ::tally::math::assertion_failed(#expression, __FILE__, __LINE__))

// Where branches are counted, an assertion is a call: that no test makes one fail is no branch left untaken.
#ifdef TALLY_COVERAGE
namespace tally::math {
constexpr void assert_true(bool holds, const char* expression, const char* file, int line) noexcept {
  if (!holds) assertion_failed(expression, file, line);
}
}  // namespace tally::math
#undef TALLY_ASSERT
#define TALLY_ASSERT(expression) \
  (::tally::math::assert_true(static_cast<bool>(expression), #expression, __FILE__, __LINE__))
#endif
