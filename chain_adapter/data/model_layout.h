// The shape of a model file: which tensors it holds, and in which order they make up one flat vector.
//
// A batch knows a model as one vector of D fixed-point integers, table next_model. It keeps the layout of the updates
// beside it, so that the result is written as a file with the very tensors that they had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/numbers/digest.h"
#include "deterministic_math/numbers/quantiser.h"

namespace tally::chain {

/// The table that a model file is written from.
inline constexpr std::string_view kModelTable = "next_model";

/// Floats, and i32 that is fixed point already.
enum class TensorType : std::uint8_t { kF16, kBf16, kF32, kF64, kI32 };

/// The names that safetensors gives them: F16 BF16 F32 F64 I32.
[[nodiscard]] std::string_view to_string(TensorType type);
[[nodiscard]] std::optional<TensorType> tensor_type_from(std::string_view name);
[[nodiscard]] std::size_t element_bytes(TensorType type);
/// Nothing for kI32.
[[nodiscard]] std::optional<math::FloatType> float_type(TensorType type);

enum class ModelFormat : std::uint8_t { kNpy, kSafetensors };

/// Limits on what a file may claim.
inline constexpr std::uint64_t kMaxModelElements = std::uint64_t{1} << 40;
inline constexpr std::size_t kMaxTensorRank = 64;

struct TensorLayout {
  std::string name;  // empty in a .npy file
  TensorType type = TensorType::kF32;
  std::vector<std::uint64_t> shape;
  bool operator==(const TensorLayout&) const = default;
};

/// The product of the dimensions, 1 for a scalar; nothing beyond kMaxModelElements.
[[nodiscard]] std::optional<std::uint64_t> element_count(const std::vector<std::uint64_t>& shape);

struct ModelLayout {
  ModelFormat format = ModelFormat::kNpy;
  std::vector<TensorLayout> tensors;            // in flattening order: ascending by the bytes of their names
  std::map<std::string, std::string> metadata;  // of a .safetensors file
  bool operator==(const ModelLayout&) const = default;
};

/// Elements of all tensors together. The layout keeps check_layout().
[[nodiscard]] std::uint64_t element_count(const ModelLayout& layout);

/// Whether both flatten to the same vector: equal names and shapes. Types, formats and metadata may differ.
[[nodiscard]] bool same_shapes(const ModelLayout& a, const ModelLayout& b);

/// Whether a file of this layout exists: names in order, shapes within the limits, one nameless array for a .npy file.
/// The error is a sentence.
[[nodiscard]] std::expected<void, std::string> check_layout(const ModelLayout& layout);

/// A name from a file made safe to print: quoted, shortened, control bytes as \xNN.
[[nodiscard]] std::string printable(std::string_view name);

/// "model.npy" or "model.safetensors".
[[nodiscard]] std::string model_file_name(ModelFormat format);

using ByteSink = std::function<void(math::Bytes)>;

/// Writes fixed-point values as the file that a layout describes, to a sink, in pieces. The error is a sentence. Lent
/// by whoever knows the file formats; equal arguments give equal bytes.
using ModelEncoder = std::function<std::expected<void, std::string>(
    const ModelLayout& layout, std::span<const std::int32_t> model, int frac_bits, const ByteSink& sink)>;

}  // namespace tally::chain
