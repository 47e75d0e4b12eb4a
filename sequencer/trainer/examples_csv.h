// The table behind `--examples`: how many training examples stand behind each update.
//
// One line per update, `name,examples`, where the name is the file's name or its stem. The first line may be a heading.
// Names may be quoted as in RFC 4180. Every update must have exactly one line, and every line an update (pitfall 37).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tally::sequencer {

inline constexpr std::size_t kMaxExamplesCsvBytes = std::size_t{16} << 20;

enum class ExamplesReason : std::uint8_t {
  kTooLarge,  // the text exceeds kMaxExamplesCsvBytes
  kSyntax,    // not `name,examples`
  kNotANumber,
  kOutOfRange,
  kUnknown,    // a line without an update
  kAmbiguous,  // a stem that several updates share
  kDuplicate,  // two lines for one update
  kMissing,    // an update without a line
};

struct ExamplesError {
  ExamplesReason reason{};
  std::size_t line = 0;  // counted from 1; 0 where no single line is at fault
  std::string message;
};

struct ExamplesRange {
  std::int64_t lo = 1;
  std::int64_t hi = 32767;
};

/// The numbers in the order of `files` (names without folders, all different).
[[nodiscard]] std::expected<std::vector<std::int64_t>, ExamplesError> parse_examples_csv(
    std::string_view text, std::span<const std::string> files, const ExamplesRange& range);

}  // namespace tally::sequencer
