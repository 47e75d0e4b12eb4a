// The safetensors format: u64 little-endian header length, a JSON header, one buffer of tensors.
// https://github.com/huggingface/safetensors#format
//
// The header is read as a stream of tokens, never as a tree, so that repeated keys are seen and a hostile header of the
// allowed size costs memory in proportion to it.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "sequencer/trainer/layout_names.h"
#include "sequencer/trainer/npy.h"
#include "sequencer/trainer/update_error.h"

namespace tally::sequencer {

/// As in the reference implementation.
inline constexpr std::uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;

/// Checks a whole file and locates its tensors, in byte order of their names. The buffer must be covered without gaps
/// or overlaps. Messages do not name the file.
[[nodiscard]] std::expected<FileContents, UpdateError> decode_safetensors(std::span<const std::byte> file);

struct SafetensorsHeader {
  std::string bytes;               // the length, the JSON text, and spaces up to a multiple of 8
  std::vector<std::size_t> order;  // tensors as their data follows, wider elements first, as indices into the layout
};

[[nodiscard]] SafetensorsHeader encode_safetensors_header(const ModelLayout& layout);

}  // namespace tally::sequencer
