// decode_npy on any bytes: what it accepts lies inside the file and survives being written again.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "deterministic_math/numbers/assert.h"
#include "sequencer/trainer/npy.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer gives the name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally::sequencer;
  const auto contents = decode_npy(std::as_bytes(std::span(data, size)));
  if (!contents) {
    TALLY_ASSERT(!contents.error().message.empty());
    return 0;
  }
  TALLY_ASSERT(contents->layout.tensors.size() == 1 && contents->offsets.size() == 1);
  const TensorLayout& tensor = contents->layout.tensors.front();
  const std::uint64_t bytes = element_count(contents->layout) * element_bytes(tensor.type);
  TALLY_ASSERT(contents->offsets.front() + bytes == size);
  const std::string again = encode_npy_header(tensor) + std::string(bytes, '\0');
  const auto second = decode_npy(std::as_bytes(std::span(again)));
  TALLY_ASSERT(second.has_value() && second->layout == contents->layout);
  return 0;
}
