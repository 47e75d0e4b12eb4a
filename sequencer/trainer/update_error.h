// Why an update file, or a number in it, is refused.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tally::sequencer {

enum class UpdateReason : std::uint8_t {
  kMissing,           // no such file
  kNotRegular,        // a folder, a pipe
  kUnknownExtension,  // neither .npy nor .safetensors
  kEmpty,             // no parameters
  kTruncated,         // the file ends before its data
  kTrailingBytes,     // the file goes on after its data
  kShapeTooLarge,
  kUnsupportedType,
  kDuplicateKey,
  // .npy
  kNpyMagic,
  kNpyVersion,
  kNpyHeaderLength,
  kNpyHeaderSyntax,
  kNpyBigEndian,
  kNpyPickled,
  kNpyFortranOrder,
  // .safetensors
  kHeaderLength,
  kHeaderJson,
  kTensorEntry,  // a key of a tensor's entry is missing, unknown or of the wrong kind
  kOffsetsOverlap,
  kOffsetsGap,
  kSizeMismatch,  // the offsets and the shape disagree
  // numbers
  kNotANumber,
  kInfinite,
  kOutOfRange,
  kNotRepresentable,
};

struct UpdateError {
  UpdateReason reason{};
  std::string message;                 // names the file, and the tensor and element where there is one
  std::string tensor;                  // its name, where one is concerned and has a name
  std::optional<std::uint64_t> index;  // of the element in its tensor, flattened
};

[[nodiscard]] inline std::unexpected<UpdateError> refuse(UpdateReason reason, std::string message,
                                                         std::string tensor = {}) {
  return std::unexpected(UpdateError{reason, std::move(message), std::move(tensor), std::nullopt});
}

}  // namespace tally::sequencer
