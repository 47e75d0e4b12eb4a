// The shape of a model file: which tensors it holds, and in which order they make up one flat vector.
//
// A batch knows a model as one vector of D fixed-point integers. The layout is what is kept beside it, so that the
// aggregated model can be written as a file with the very tensors that the updates had.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/numbers/quantiser.h"
#include "sequencer/trainer/update_error.h"

namespace tally::sequencer {

/// Floats, and i32 that is fixed point already.
enum class ElementType : std::uint8_t { kF16, kBf16, kF32, kF64, kI32 };

/// The names that safetensors gives them: F16 BF16 F32 F64 I32.
[[nodiscard]] std::string_view to_string(ElementType type);
[[nodiscard]] std::optional<ElementType> element_type_from(std::string_view name);
[[nodiscard]] std::size_t element_bytes(ElementType type);
/// Nothing for kI32.
[[nodiscard]] std::optional<math::FloatType> float_type(ElementType type);

enum class FileFormat : std::uint8_t { kNpy, kSafetensors };

/// Limits on what a file may claim.
inline constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 40;
inline constexpr std::size_t kMaxRank = 64;

struct TensorLayout {
  std::string name;  // empty in a .npy file
  ElementType type = ElementType::kF32;
  std::vector<std::uint64_t> shape;

  bool operator==(const TensorLayout&) const = default;
};

/// The product of the dimensions, 1 for a scalar; nothing beyond kMaxElements.
[[nodiscard]] std::optional<std::uint64_t> element_count(const std::vector<std::uint64_t>& shape);

struct ModelLayout {
  FileFormat format = FileFormat::kNpy;
  std::vector<TensorLayout> tensors;            // in flattening order: ascending by the bytes of their names
  std::map<std::string, std::string> metadata;  // of a .safetensors file

  bool operator==(const ModelLayout&) const = default;
};

/// Elements of all tensors together. The layout is one that was checked.
[[nodiscard]] std::uint64_t element_count(const ModelLayout& layout);

/// Whether both flatten to the same vector: equal names and shapes. Element types, formats and metadata may differ.
[[nodiscard]] bool same_shapes(const ModelLayout& a, const ModelLayout& b);

/// {"format": "npy"|"safetensors", "metadata": {...}, "tensors": [{"name": …, "type": "F32", "shape": [3, 4]}]}
[[nodiscard]] std::string layout_to_json(const ModelLayout& layout);
/// Reads what layout_to_json writes; refuses names out of order, unknown types and shapes beyond the limits (kLayout).
[[nodiscard]] std::expected<ModelLayout, UpdateError> layout_from_json(std::string_view text);

}  // namespace tally::sequencer
