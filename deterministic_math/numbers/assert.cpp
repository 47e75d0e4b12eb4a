#include "deterministic_math/numbers/assert.h"

#include <cstdio>
#include <cstdlib>

namespace tally::math {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "tally: internal error: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace tally::math
