#include "sequencer/batch/model_encoder.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "chain_adapter/data/json_writer.h"
#include "sequencer/trainer/model_writer.h"

namespace tally::sequencer {

namespace {

/// The layout in the form that layout_from_json() checks and reads.
std::string to_json(const chain::ModelLayout& layout) {
  chain::JsonWriter json;
  json.begin_object();
  json.key("format");
  json.string(layout.format == chain::ModelFormat::kNpy ? "npy" : "safetensors");
  json.key("metadata");
  json.begin_object();
  for (const auto& [key, value] : layout.metadata) {
    json.key(key);
    json.string(value);
  }
  json.end_object();
  json.key("tensors");
  json.begin_array();
  for (const chain::TensorLayout& tensor : layout.tensors) {
    json.begin_object();
    json.key("name");
    json.string(tensor.name);
    json.key("type");
    json.string(tensor.dtype);
    json.key("shape");
    json.begin_array();
    for (const std::uint64_t dim : tensor.shape) json.integer(dim);
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::expected<void, std::string> encode(const chain::ModelLayout& layout, std::span<const std::int32_t> model,
                                        int frac_bits, const chain::ByteSink& sink) {
  const auto own = layout_from_json(to_json(layout));
  if (!own) return std::unexpected(own.error().message);
  if (manifest_layout(*own) != layout) return std::unexpected("the layout's metadata are not in order");
  if (element_count(*own) != model.size()) {
    return std::unexpected("the layout has " + std::to_string(element_count(*own)) + " parameters, the model " +
                           std::to_string(model.size()));
  }
  const FixedSource source = [&](std::uint64_t first, std::span<std::int32_t> out) {
    std::ranges::copy(model.subspan(first, out.size()), out.begin());
  };
  auto encoded = encode_model(*own, frac_bits, source, sink);
  if (!encoded) return std::unexpected(std::move(encoded.error().message));
  return {};
}

}  // namespace

chain::ModelLayout manifest_layout(const ModelLayout& layout) {
  chain::ModelLayout kept;
  kept.format = layout.format == FileFormat::kNpy ? chain::ModelFormat::kNpy : chain::ModelFormat::kSafetensors;
  for (const TensorLayout& tensor : layout.tensors) {
    kept.tensors.push_back({.name = tensor.name, .dtype = std::string(to_string(tensor.type)), .shape = tensor.shape});
  }
  kept.metadata.assign(layout.metadata.begin(), layout.metadata.end());
  return kept;
}

chain::ModelEncoder model_encoder() { return encode; }

}  // namespace tally::sequencer
