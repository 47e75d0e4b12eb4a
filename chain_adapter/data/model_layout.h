// How table next_model is written as a file: the tensors that it is made of, in the order in which they follow one
// another in the table. A batch keeps the layout of the updates, so that the result has the same tensors.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deterministic_math/numbers/digest.h"

namespace tally::chain {

/// The table that a model file is written from.
inline constexpr std::string_view kModelTable = "next_model";

struct TensorLayout {
  std::string name;   // empty in a .npy file
  std::string dtype;  // F16 BF16 F32 F64 I32
  std::vector<std::uint64_t> shape;
  bool operator==(const TensorLayout&) const = default;
};

enum class ModelFormat : std::uint8_t { kNpy, kSafetensors };

struct ModelLayout {
  ModelFormat format = ModelFormat::kNpy;
  std::vector<TensorLayout> tensors;
  std::vector<std::pair<std::string, std::string>> metadata;  // of a .safetensors file, ascending by key
  bool operator==(const ModelLayout&) const = default;
};

/// "model.npy" or "model.safetensors".
[[nodiscard]] std::string model_file_name(ModelFormat format);

using ByteSink = std::function<void(math::Bytes)>;

/// Writes fixed-point values as the file that a layout describes, to a sink, in pieces. The error is a sentence. Lent
/// by whoever knows the file formats; equal arguments give equal bytes.
using ModelEncoder = std::function<std::expected<void, std::string>(
    const ModelLayout& layout, std::span<const std::int32_t> model, int frac_bits, const ByteSink& sink)>;

}  // namespace tally::chain
