// How many of something a test tries: a few by default, and as many as the environment says where there is time, as
// under ./dev soak.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

namespace tally::test {

/// Throws std::logic_error where the variable holds no number.
[[nodiscard]] inline std::uint64_t wanted_count(const char* variable, std::uint64_t otherwise) {
  const char* const given = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nobody changes it
  return given == nullptr ? otherwise : std::stoull(given);
}

}  // namespace tally::test
