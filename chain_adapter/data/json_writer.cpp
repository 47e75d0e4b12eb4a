#include "chain_adapter/data/json_writer.h"

#include <limits>
#include <utility>

#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

std::string quoted(std::string_view value) {
  static constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte < 0x20) {
      text += "\\u00";
      text += kHexDigits[byte >> 4U];
      text += kHexDigits[byte & 15U];
    } else {
      text += c;
    }
  }
  return text + '"';
}

}  // namespace

void JsonWriter::key(std::string_view name) {
  TALLY_ASSERT(!x_after_key);
  separate();
  x_text += quoted(name) + ": ";
  x_after_key = true;
}

void JsonWriter::string(std::string_view value) { scalar(quoted(value)); }

void JsonWriter::null() { scalar("null"); }

void JsonWriter::wide_integer(math::i128 value) {
  const bool fits =
      value >= std::numeric_limits<std::int64_t>::min() && value <= std::numeric_limits<std::int64_t>::max();
  const std::string digits = math::to_string(value);
  fits ? scalar(digits) : string(digits);
}

std::string JsonWriter::take() {
  TALLY_ASSERT(x_depth == 0 && !x_text.empty());
  return std::exchange(x_text, {}) + '\n';
}

void JsonWriter::open(char bracket) {
  scalar({&bracket, 1});
  ++x_depth;
  x_first = true;
}

void JsonWriter::close(char bracket) {
  TALLY_ASSERT(x_depth > 0 && !x_after_key);
  --x_depth;
  if (!x_first) break_line();
  x_text += bracket;
  x_first = false;
}

void JsonWriter::scalar(std::string_view text) {
  if (!std::exchange(x_after_key, false)) separate();
  x_text += text;
}

void JsonWriter::separate() {
  if (x_depth == 0) return;
  if (!std::exchange(x_first, false)) x_text += ',';
  break_line();
}

void JsonWriter::break_line() {
  x_text += '\n';
  x_text.append(2 * x_depth, ' ');
}

}  // namespace tally::chain
