// decode_safetensors on any bytes: what it accepts lies inside the file and survives being written again.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "deterministic_math/numbers/assert.h"
#include "sequencer/trainer/layout_names.h"
#include "sequencer/trainer/safetensors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer gives the name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally::sequencer;
  const auto contents = decode_safetensors(std::as_bytes(std::span(data, size)));
  if (!contents) {
    TALLY_ASSERT(!contents.error().message.empty());
    return 0;
  }
  const ModelLayout& layout = contents->layout;
  TALLY_ASSERT(!layout.tensors.empty() && layout.tensors.size() == contents->offsets.size());
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < layout.tensors.size(); ++i) {
    if (i > 0) TALLY_ASSERT(layout.tensors[i - 1].name < layout.tensors[i].name);
    const std::uint64_t tensor_bytes =
        element_count(layout.tensors[i].shape).value() * element_bytes(layout.tensors[i].type);
    TALLY_ASSERT(contents->offsets[i] <= size && tensor_bytes <= size - contents->offsets[i]);
    bytes += tensor_bytes;
  }
  const std::string again = encode_safetensors_header(layout).bytes + std::string(bytes, '\0');
  const auto second = decode_safetensors(std::as_bytes(std::span(again)));
  TALLY_ASSERT(second.has_value() && second->layout == layout);
  TALLY_ASSERT(tally::chain::check_layout(layout).has_value());
  return 0;
}
