// parse_examples_csv on any text: either every update has a number in range, or the error names a line that exists.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "sequencer/trainer/examples_csv.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer gives the name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally::sequencer;
  static const std::vector<std::string> files = {"a.npy", "a.safetensors", "b.npy", "c,d.npy"};
  const ExamplesRange range;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto examples = parse_examples_csv(text, files, range);
  if (examples) {
    TALLY_ASSERT(examples->size() == files.size());
    for (const std::int64_t value : *examples) TALLY_ASSERT(value >= range.lo && value <= range.hi);
  } else {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    TALLY_ASSERT(examples.error().line <= lines && !examples.error().message.empty());
  }
  return 0;
}
