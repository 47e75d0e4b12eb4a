// A manifest or receipt that is accepted is written back as it came.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chain_adapter/data/manifest.h"
#include "chain_adapter/data/receipt_file.h"
#include "deterministic_math/numbers/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto manifest = chain::parse_manifest(text)) TALLY_ASSERT(chain::write_manifest(*manifest) == text);
  if (const auto receipt = chain::parse_receipt(text)) TALLY_ASSERT(chain::write_receipt(*receipt) == text);
  return 0;
}
