#include "sequencer/trainer/model_writer.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "chain_adapter/files/atomic_file.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/quantiser.h"
#include "sequencer/trainer/npy.h"
#include "sequencer/trainer/safetensors.h"

namespace tally::sequencer {
namespace {

constexpr std::size_t kBlockElements = std::size_t{1} << 16;

/// The header of a file and the order in which the tensors' data follow it.
struct Plan {
  std::string header;
  std::vector<std::size_t> order;
};

Plan plan(const ModelLayout& layout) {
  if (layout.format == ModelFormat::kNpy) {
    TALLY_ASSERT(layout.tensors.size() == 1);
    return {encode_npy_header(layout.tensors.front()), {0}};
  }
  SafetensorsHeader header = encode_safetensors_header(layout);
  return {std::move(header.bytes), std::move(header.order)};
}

std::expected<void, math::QuantiseError> convert(TensorType type, std::span<const std::int32_t> fixed,
                                                 std::span<std::byte> out, int frac_bits) {
  if (const auto floats = float_type(type)) return math::dequantise(*floats, fixed, out, frac_bits);
  std::ranges::copy(std::as_bytes(fixed), out.begin());
  return {};
}

}  // namespace

std::expected<void, UpdateError> encode_model(const ModelLayout& layout, int frac_bits, const FixedSource& source,
                                              const ByteSink& sink) {
  std::vector<std::uint64_t> first = {0};
  for (const TensorLayout& tensor : layout.tensors) first.push_back(first.back() + element_count(tensor.shape).value());
  const Plan file_plan = plan(layout);
  sink(math::unsigned_bytes(std::string_view(file_plan.header)));
  std::vector<std::int32_t> fixed(kBlockElements);
  std::vector<std::byte> data(kBlockElements * sizeof(double));
  for (const std::size_t index : file_plan.order) {
    const TensorLayout& tensor = layout.tensors[index];
    const std::uint64_t total = first[index + 1] - first[index];
    for (std::uint64_t begin = 0; begin < total; begin += kBlockElements) {
      const std::size_t count = std::min<std::uint64_t>(kBlockElements, total - begin);
      const auto numbers = std::span(fixed).first(count);
      const auto converted = std::span(data).first(count * element_bytes(tensor.type));
      source(first[index] + begin, numbers);
      if (auto done = convert(tensor.type, numbers, converted, frac_bits); !done) {
        math::QuantiseError error = done.error();
        error.index += begin;
        const std::string name = tensor.name.empty() ? "" : "tensor " + printable(tensor.name) + ", ";
        return std::unexpected(
            UpdateError{UpdateReason::kNotRepresentable, name + error.message(), tensor.name, error.index});
      }
      sink(math::unsigned_bytes(converted));
    }
  }
  return {};
}

std::expected<void, UpdateError> write_model(const std::filesystem::path& path, const ModelLayout& layout,
                                             int frac_bits, const FixedSource& source) {
  chain::AtomicFile file(path);
  auto encoded = encode_model(layout, frac_bits, source, [&](math::Bytes piece) { file.write(piece); });
  if (!encoded) {
    encoded.error().message = path.string() + ": " + encoded.error().message;
    return encoded;
  }
  file.commit();
  return {};
}

void write_npy(const std::filesystem::path& path, const FloatTensor& tensor) {
  TALLY_ASSERT(element_count(tensor.shape) == tensor.values.size());
  chain::AtomicFile file(path);
  const std::string header = encode_npy_header({.name = {}, .type = TensorType::kF32, .shape = tensor.shape});
  file.write(math::unsigned_bytes(std::string_view(header)));
  file.write(math::unsigned_bytes(std::as_bytes(tensor.values)));
  file.commit();
}

void write_safetensors(const std::filesystem::path& path, std::span<const FloatTensor> tensors) {
  std::vector<std::size_t> by_name(tensors.size());
  std::iota(by_name.begin(), by_name.end(), std::size_t{0});
  std::ranges::sort(by_name, {}, [&](std::size_t index) { return std::string_view(tensors[index].name); });
  ModelLayout layout;
  layout.format = ModelFormat::kSafetensors;
  for (const std::size_t index : by_name) {
    TALLY_ASSERT(element_count(tensors[index].shape) == tensors[index].values.size());
    layout.tensors.push_back({.name = tensors[index].name, .type = TensorType::kF32, .shape = tensors[index].shape});
  }
  const SafetensorsHeader header = encode_safetensors_header(layout);
  chain::AtomicFile file(path);
  file.write(math::unsigned_bytes(std::string_view(header.bytes)));
  for (const std::size_t place : header.order)
    file.write(math::unsigned_bytes(std::as_bytes(tensors[by_name[place]].values)));
  file.commit();
}

}  // namespace tally::sequencer
