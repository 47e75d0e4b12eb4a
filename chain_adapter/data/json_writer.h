// JSON in one form only: two spaces of indentation, keys in the order they are written, integers in decimal, strings
// with only the escapes that JSON demands, a newline at the end. What is read is written again and compared, so a file
// has exactly one valid form.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "deterministic_math/numbers/int128.h"

namespace tally::chain {

class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  /// The key of the value that is written next.
  void key(std::string_view name);

  void string(std::string_view value);
  void null();
  void boolean(bool value) { scalar(value ? "true" : "false"); }
  template <std::integral T>
  void integer(T value) {
    scalar(math::to_string(static_cast<math::i128>(value)));
  }
  /// A number where it fits 64 bits with its sign, else a string of its digits: many readers know no wider numbers.
  void wide_integer(math::i128 value);

  /// The text, with its final newline. All objects and arrays must be closed.
  [[nodiscard]] std::string take();

 private:
  void open(char bracket);
  void close(char bracket);
  void scalar(std::string_view text);
  void separate();
  void break_line();

  std::string x_text;
  std::size_t x_depth = 0;
  bool x_first = true;  // nothing stands in the innermost object or array yet
  bool x_after_key = false;
};

}  // namespace tally::chain
