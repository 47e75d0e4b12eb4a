// NumPy's .npy format, versions 1 to 3 (numpy.lib.format): a magic string, a header that is a Python dictionary, data.
//
// Accepted are little-endian f2, f4, f8 and i4 in C order, of any rank. Everything else that numpy can write is refused
// with the line of Python that makes it acceptable.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>

#include "sequencer/trainer/layout_names.h"
#include "sequencer/trainer/update_error.h"

namespace tally::sequencer {

/// numpy itself refuses longer headers (max_header_size is 10,000 by default); version 1 cannot be longer.
inline constexpr std::size_t kMaxNpyHeaderBytes = 65535;

/// What a file holds and where: the first byte of each tensor, counted from the start of the file.
struct FileContents {
  ModelLayout layout;
  std::vector<std::uint64_t> offsets;
};

/// Checks a whole file and locates its array. Messages do not name the file.
[[nodiscard]] std::expected<FileContents, UpdateError> decode_npy(std::span<const std::byte> file);

/// All that precedes the data, byte for byte as numpy writes it: version 1, padded to 64. Not for kBf16.
[[nodiscard]] std::string encode_npy_header(const TensorLayout& tensor);

}  // namespace tally::sequencer
