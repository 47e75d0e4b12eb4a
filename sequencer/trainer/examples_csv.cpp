#include "sequencer/trainer/examples_csv.h"

#include <charconv>
#include <filesystem>
#include <optional>
#include <unordered_map>

#include "sequencer/trainer/layout_names.h"

namespace tally::sequencer {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Names contain commas more often than numbers do, so the last comma divides.
struct Line {
  std::string name;
  std::string_view number;
};

std::optional<std::string> unquoted(std::string_view field) {
  if (!field.starts_with('"')) return std::string(field);
  if (field.size() < 2 || !field.ends_with('"')) return std::nullopt;
  field = field.substr(1, field.size() - 2);
  std::string name;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '"') {
      ++i;  // a quote inside quotes is written twice
      if (i == field.size() || field[i] != '"') return std::nullopt;
    }
    name += field[i];
  }
  return name;
}

std::optional<Line> split(std::string_view text) {
  const std::size_t comma = text.rfind(',');
  if (comma == std::string_view::npos) return std::nullopt;
  auto name = unquoted(trimmed(text.substr(0, comma)));
  if (!name || name->empty()) return std::nullopt;
  return Line{std::move(*name), trimmed(text.substr(comma + 1))};
}

/// Finds updates by file name or by stem.
class Names {
 public:
  explicit Names(std::span<const std::string> files) {
    for (std::size_t i = 0; i < files.size(); ++i) x_files.emplace(files[i], i);
    for (std::size_t i = 0; i < files.size(); ++i) {
      const auto [found, fresh] = x_stems.emplace(std::filesystem::path(files[i]).stem().string(), i);
      if (!fresh) found->second = kSeveral;
    }
  }

  static constexpr std::size_t kSeveral = ~std::size_t{0};

  [[nodiscard]] std::optional<std::size_t> find(const std::string& name) const {
    if (const auto file = x_files.find(name); file != x_files.end()) return file->second;
    if (const auto stem = x_stems.find(name); stem != x_stems.end()) return stem->second;
    return std::nullopt;
  }

 private:
  std::unordered_map<std::string, std::size_t> x_files;
  std::unordered_map<std::string, std::size_t> x_stems;
};

std::unexpected<ExamplesError> refuse_line(ExamplesReason reason, std::size_t line, const std::string& why) {
  const std::string where = line == 0 ? "" : "line " + std::to_string(line) + ": ";
  return std::unexpected(ExamplesError{reason, line, where + why});
}

std::expected<std::int64_t, ExamplesError> number(std::string_view text, std::size_t line, const ExamplesRange& range) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = end == text.data() + text.size();
  if (error == std::errc::invalid_argument || !whole) {
    return refuse_line(ExamplesReason::kNotANumber, line, printable(text) + " is not a whole number");
  }
  if (error != std::errc{} || value < range.lo || value > range.hi) {
    return refuse_line(
        ExamplesReason::kOutOfRange, line,
        std::string(text.substr(0, 40)) + " is not in " + std::to_string(range.lo) + ".." + std::to_string(range.hi));
  }
  return value;
}

bool starts_like_a_number(std::string_view text) {
  return !text.empty() && std::string_view("+-0123456789").contains(text.front());
}

}  // namespace

std::expected<std::vector<std::int64_t>, ExamplesError> parse_examples_csv(std::string_view text,
                                                                           std::span<const std::string> files,
                                                                           const ExamplesRange& range) {
  if (text.size() > kMaxExamplesCsvBytes) {
    return refuse_line(ExamplesReason::kTooLarge, 0,
                       "the table exceeds " + std::to_string(kMaxExamplesCsvBytes) + " bytes");
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const Names names(files);
  std::vector<std::int64_t> examples(files.size());
  std::vector<std::size_t> lines(files.size(), 0);
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    const std::string_view content = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (content.empty()) continue;
    const auto fields = split(content);
    if (!fields) return refuse_line(ExamplesReason::kSyntax, line, "name,examples is expected");
    const auto update = names.find(fields->name);
    if (line == 1 && !update && !starts_like_a_number(fields->number)) continue;
    if (!update) return refuse_line(ExamplesReason::kUnknown, line, "no update is named " + printable(fields->name));
    if (*update == Names::kSeveral) {
      return refuse_line(ExamplesReason::kAmbiguous, line,
                         "several updates are named " + printable(fields->name) + "; add the extension");
    }
    if (lines[*update] != 0) {
      return refuse_line(ExamplesReason::kDuplicate, line,
                         printable(files[*update]) + " has line " + std::to_string(lines[*update]) + " already");
    }
    const auto value = number(fields->number, line, range);
    if (!value) return std::unexpected(value.error());
    examples[*update] = *value;
    lines[*update] = line;
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (lines[i] == 0) return refuse_line(ExamplesReason::kMissing, 0, "no line is named " + printable(files[i]));
  }
  return examples;
}

}  // namespace tally::sequencer
