#include "sequencer/batch/model_encoder.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "sequencer/trainer/model_writer.h"

namespace tally::sequencer {

namespace {

std::expected<void, std::string> encode(const chain::ModelLayout& layout, std::span<const std::int32_t> model,
                                        int frac_bits, const chain::ByteSink& sink) {
  if (auto checked = chain::check_layout(layout); !checked) return checked;
  if (element_count(layout) != model.size()) {
    return std::unexpected("the layout has " + std::to_string(element_count(layout)) + " parameters, the model " +
                           std::to_string(model.size()));
  }
  const FixedSource source = [&](std::uint64_t first, std::span<std::int32_t> out) {
    std::ranges::copy(model.subspan(first, out.size()), out.begin());
  };
  auto encoded = encode_model(layout, frac_bits, source, sink);
  if (!encoded) return std::unexpected(std::move(encoded.error().message));
  return {};
}

}  // namespace

chain::ModelEncoder model_encoder() { return encode; }

}  // namespace tally::sequencer
