#include "sequencer/trainer/update_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "sequencer/trainer/safetensors.h"

namespace tally::sequencer {
namespace {

UpdateReason reason_of(math::QuantiseReason reason) {
  switch (reason) {
    case math::QuantiseReason::kNotANumber:
      return UpdateReason::kNotANumber;
    case math::QuantiseReason::kInfinite:
      return UpdateReason::kInfinite;
    case math::QuantiseReason::kOutOfRange:
      return UpdateReason::kOutOfRange;
    case math::QuantiseReason::kNotRepresentable:
      return UpdateReason::kNotRepresentable;
  }
  TALLY_ASSERT(false);
  return {};
}

std::expected<FileContents, UpdateError> decode(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  if (path.extension() == ".npy") return decode_npy(bytes);
  if (path.extension() == ".safetensors") return decode_safetensors(bytes);
  return refuse(UpdateReason::kUnknownExtension, "the name ends neither in .npy nor in .safetensors");
}

}  // namespace

UpdateFile::UpdateFile(std::filesystem::path path, chain::MappedFile file, FileContents contents)
    : x_path(std::move(path)), x_file(std::move(file)), x_contents(std::move(contents)), x_first{0} {
  for (const TensorLayout& tensor : x_contents.layout.tensors) {
    x_first.push_back(x_first.back() + chain::element_count(tensor.shape).value());
  }
}

std::expected<UpdateFile, UpdateError> UpdateFile::open(const std::filesystem::path& path) {
  auto file = chain::MappedFile::open(path);
  if (!file) {
    const bool missing = file.error().reason == chain::FileReason::kMissing;
    return refuse(missing ? UpdateReason::kMissing : UpdateReason::kNotRegular, file.error().message);
  }
  auto contents = decode(path, file->bytes());
  if (!contents) {
    UpdateError error = std::move(contents.error());
    error.message = path.string() + ": " + error.message;
    return std::unexpected(std::move(error));
  }
  return UpdateFile(path, std::move(*file), std::move(*contents));
}

std::expected<math::QuantiseStats, UpdateError> UpdateFile::read(std::uint64_t first, std::span<std::int32_t> out,
                                                                 const math::QuantiseOptions& options) const {
  TALLY_ASSERT(first <= element_count() && out.size() <= element_count() - first);
  math::QuantiseStats stats;
  // The last tensor that begins at or before `first`: tensors without elements never hold it.
  auto tensor = static_cast<std::size_t>(std::ranges::upper_bound(x_first, first) - x_first.begin()) - 1;
  while (!out.empty()) {
    const std::uint64_t begin = first - x_first[tensor];
    const std::size_t count = std::min<std::uint64_t>(out.size(), x_first[tensor + 1] - first);
    const TensorType type = x_contents.layout.tensors[tensor].type;
    const std::size_t width = element_bytes(type);
    const auto source = x_file.bytes().subspan(x_contents.offsets[tensor] + begin * width, count * width);
    const auto floats = float_type(type);
    const auto done = floats ? math::quantise(*floats, source, out.first(count), options)
                             : math::copy_fixed(source, out.first(count), options);
    if (!done) return std::unexpected(describe(done.error(), tensor, begin, options));
    stats.clipped += done->clipped;
    out = out.subspan(count);
    first += count;
    ++tensor;
  }
  return stats;
}

void UpdateFile::prefetch(std::uint64_t first, std::uint64_t count) const {
  TALLY_ASSERT(first <= element_count() && count <= element_count() - first);
  constexpr std::size_t kPage = 4096;
  for (std::size_t tensor = 0; tensor + 1 < x_first.size(); ++tensor) {
    const std::uint64_t begin = std::max(first, x_first[tensor]);
    const std::uint64_t end = std::min(first + count, x_first[tensor + 1]);
    if (begin >= end) continue;
    const std::size_t width = element_bytes(x_contents.layout.tensors[tensor].type);
    const auto bytes =
        x_file.bytes().subspan(x_contents.offsets[tensor] + (begin - x_first[tensor]) * width, (end - begin) * width);
    // A volatile read of each page is one that no compiler leaves out.
    for (std::size_t at = 0; at < bytes.size(); at += kPage) {
      static_cast<void>(*static_cast<const volatile std::byte*>(&bytes[at]));
    }
  }
}

UpdateError UpdateFile::describe(const math::QuantiseError& error, std::size_t tensor, std::uint64_t begin,
                                 const math::QuantiseOptions& options) const {
  math::QuantiseError in_tensor = error;
  in_tensor.index += begin;
  const TensorLayout& layout = x_contents.layout.tensors[tensor];
  std::string message = x_path.string() + ": ";
  if (!layout.name.empty()) message += "tensor " + printable(layout.name) + ", ";
  message += in_tensor.message();
  if (error.reason == math::QuantiseReason::kOutOfRange) {
    // In the units of the numbers that the file holds.
    const int scale = float_type(layout.type) ? -options.frac_bits : 0;
    std::array<char, 64> limits{};
    std::snprintf(limits.data(), limits.size(), "%.12g to %.12g", std::ldexp(options.lo, scale),
                  std::ldexp(options.hi, scale));
    message +=
        ": fixed point with " + std::to_string(options.frac_bits) + " fractional bits goes from " + limits.data();
  }
  return {reason_of(error.reason), std::move(message), layout.name, in_tensor.index};
}

}  // namespace tally::sequencer
