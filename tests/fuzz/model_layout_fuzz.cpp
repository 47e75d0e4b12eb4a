// layout_from_json on any text: what it accepts survives being written again, and fits a file header.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "deterministic_math/numbers/assert.h"
#include "sequencer/trainer/model_layout.h"
#include "sequencer/trainer/npy.h"
#include "sequencer/trainer/safetensors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer gives the name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally::sequencer;
  const auto layout = layout_from_json({reinterpret_cast<const char*>(data), size});
  if (!layout) {
    TALLY_ASSERT(layout.error().reason == UpdateReason::kLayout && !layout.error().message.empty());
    return 0;
  }
  TALLY_ASSERT(element_count(*layout) >= 1 && element_count(*layout) <= kMaxElements);
  const auto again = layout_from_json(layout_to_json(*layout));
  TALLY_ASSERT(again.has_value() && *again == *layout);
  if (layout->format == FileFormat::kNpy) {
    TALLY_ASSERT(encode_npy_header(layout->tensors.front()).size() % 64 == 0);
  } else {
    TALLY_ASSERT(encode_safetensors_header(*layout).order.size() == layout->tensors.size());
  }
  return 0;
}
