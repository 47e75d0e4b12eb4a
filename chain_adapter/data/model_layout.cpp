#include "chain_adapter/data/model_layout.h"

#include <algorithm>
#include <array>

#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

struct TypeRow {
  TensorType type;
  std::string_view name;
  std::size_t bytes;
  std::optional<math::FloatType> floats;
};

constexpr std::array kTypes = {
    TypeRow{TensorType::kF16, "F16", 2, math::FloatType::kF16},
    TypeRow{TensorType::kBf16, "BF16", 2, math::FloatType::kBf16},
    TypeRow{TensorType::kF32, "F32", 4, math::FloatType::kF32},
    TypeRow{TensorType::kF64, "F64", 8, math::FloatType::kF64},
    TypeRow{TensorType::kI32, "I32", 4, std::nullopt},
};

const TypeRow& row_of(TensorType type) {
  const TypeRow& row = kTypes.at(static_cast<std::size_t>(type));
  TALLY_ASSERT(row.type == type);
  return row;
}

}  // namespace

std::string printable(std::string_view name) {
  constexpr std::size_t kMost = 200;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "'";
  for (const char c : name.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    } else {
      text += c;
    }
  }
  return text + (name.size() > kMost ? "…'" : "'");
}

std::string_view to_string(TensorType type) { return row_of(type).name; }

std::optional<TensorType> tensor_type_from(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

std::size_t element_bytes(TensorType type) { return row_of(type).bytes; }

std::optional<math::FloatType> float_type(TensorType type) { return row_of(type).floats; }

std::optional<std::uint64_t> element_count(const std::vector<std::uint64_t>& shape) {
  std::uint64_t count = 1;
  for (const std::uint64_t dim : shape) {
    if (dim > kMaxModelElements || (dim != 0 && count > kMaxModelElements / dim)) return std::nullopt;
    count *= dim;
  }
  return count;
}

std::uint64_t element_count(const ModelLayout& layout) {
  std::uint64_t total = 0;
  for (const TensorLayout& tensor : layout.tensors) {
    const auto count = element_count(tensor.shape);
    TALLY_ASSERT(count.has_value());
    total += *count;
  }
  return total;
}

bool same_shapes(const ModelLayout& a, const ModelLayout& b) {
  return std::ranges::equal(a.tensors, b.tensors, [](const TensorLayout& x, const TensorLayout& y) {
    return x.name == y.name && x.shape == y.shape;
  });
}

std::expected<void, std::string> check_layout(const ModelLayout& layout) {
  std::uint64_t total = 0;
  const TensorLayout* previous = nullptr;
  for (const TensorLayout& tensor : layout.tensors) {
    const std::string name = "tensor " + printable(tensor.name);
    if (previous != nullptr && previous->name >= tensor.name) return std::unexpected(name + " is out of order");
    if (tensor.name == "__metadata__") return std::unexpected("no tensor can be named '__metadata__'");
    if (tensor.shape.size() > kMaxTensorRank) return std::unexpected(name + " has too many dims");
    const auto count = element_count(tensor.shape);
    if (!count) return std::unexpected(name + " is too large");
    total += *count;
    if (total > kMaxModelElements) return std::unexpected("the tensors are too large together");
    previous = &tensor;
  }
  if (total == 0) return std::unexpected("the layout holds no parameters");
  const bool single = layout.tensors.size() == 1 && layout.tensors.front().name.empty();
  if (layout.format == ModelFormat::kNpy &&
      (!single || !layout.metadata.empty() || layout.tensors.front().type == TensorType::kBf16)) {
    return std::unexpected("a .npy file holds one array without a name, not of bf16");
  }
  return {};
}

std::string model_file_name(ModelFormat format) {
  return format == ModelFormat::kNpy ? "model.npy" : "model.safetensors";
}

}  // namespace tally::chain
