// Writes model files: an aggregated model in fixed point back into the tensors that the updates had, and plain float
// arrays for generators and tests. Files appear whole or not at all, and are written in blocks.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "deterministic_math/numbers/digest.h"
#include "sequencer/trainer/layout_names.h"
#include "sequencer/trainer/update_error.h"

namespace tally::sequencer {

/// Fills `out` with fixed-point elements first … first + out.size() - 1 of a flattened model.
using FixedSource = std::function<void(std::uint64_t first, std::span<std::int32_t> out)>;

/// What is written goes here, in pieces and in order.
using ByteSink = std::function<void(math::Bytes)>;

/// Gives the bytes of the model's file: floats correctly rounded, i32 as it is. A value beyond f16 is
/// kNotRepresentable; what went to the sink before is then of no use.
[[nodiscard]] std::expected<void, UpdateError> encode_model(const ModelLayout& layout, int frac_bits,
                                                            const FixedSource& source, const ByteSink& sink);

/// Writes the model in the layout's format, whatever the extension of `path`: floats correctly rounded, i32 as it is.
/// A value beyond f16 is kNotRepresentable, and no file appears. Throws std::system_error where writing fails.
[[nodiscard]] std::expected<void, UpdateError> write_model(const std::filesystem::path& path, const ModelLayout& layout,
                                                           int frac_bits, const FixedSource& source);

struct FloatTensor {
  std::string name;  // unused in a .npy file
  std::vector<std::uint64_t> shape;
  std::span<const float> values;  // row-major, exactly as many as the shape says
};

/// f32 arrays, bit for bit.
void write_npy(const std::filesystem::path& path, const FloatTensor& tensor);
void write_safetensors(const std::filesystem::path& path, std::span<const FloatTensor> tensors);

}  // namespace tally::sequencer
