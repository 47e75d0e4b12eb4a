#include "cli/console.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <iostream>

namespace tally::cli {

namespace {

constexpr int kBarWidth = 30;

void write_pretty(std::string& out, const boost::json::value& value, std::size_t indent) {
  const auto newline = [&out](std::size_t depth) { out.append("\n").append(2 * depth, ' '); };
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!first) out += ',';
      first = false;
      newline(indent + 1);
      out += boost::json::serialize(key);
      out += ": ";
      write_pretty(out, member, indent + 1);
    }
    newline(indent);
    out += '}';
    return;
  }
  if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    bool first = true;
    for (const auto& element : *array) {
      if (!first) out += ',';
      first = false;
      newline(indent + 1);
      write_pretty(out, element, indent + 1);
    }
    newline(indent);
    out += ']';
    return;
  }
  out += boost::json::serialize(value);
}

}  // namespace

std::string harmless(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  bool second_of_pair = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    // U+0080 to U+009F in UTF-8 are control characters too.
    const bool first_of_pair = byte == 0xc2 && next >= 0x80 && next < 0xa0;
    const bool control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
    if (control || first_of_pair || second_of_pair) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += text[i];
    }
    second_of_pair = first_of_pair;
  }
  return out;
}

std::string pretty(const boost::json::value& value) {
  std::string out;
  write_pretty(out, value, 0);
  out += '\n';
  return out;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 999.95 would be printed as 1000.0.
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000.0;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits.at(unit));
  return text.data();
}

std::int64_t microseconds(double seconds) { return static_cast<std::int64_t>(seconds * 1e6); }

void Console::result(std::string_view text, const boost::json::value& value) const {
  if (json() || x_settings.verbosity == Verbosity::kNormal) finding(text, value);
}

void Console::finding(std::string_view text, const boost::json::value& value) const {
  if (json()) {
    std::cout << pretty(value);
  } else {
    std::cout << harmless(text);
    if (!text.ends_with('\n')) std::cout << '\n';
  }
  std::cout.flush();
}

void Console::warn(std::string_view message) const {
  if (json() || x_settings.verbosity == Verbosity::kQuiet) return;
  std::cerr << "warning: " << harmless(message) << '\n';
}

void Console::note(std::string_view message) const {
  if (x_settings.verbosity == Verbosity::kNormal) std::cerr << harmless(message) << '\n';
}

void Console::progress(std::string_view phase, std::uint64_t done, std::uint64_t total) {
  if (json() || x_settings.verbosity == Verbosity::kQuiet || total == 0 || isatty(STDERR_FILENO) == 0) return;
  const std::lock_guard lock(x_mutex);
  const auto now = std::chrono::steady_clock::now();
  if (x_bar_open && done < total && now - x_drawn < std::chrono::milliseconds(100)) return;
  x_drawn = now;
  x_bar_open = true;
  const int filled = static_cast<int>(static_cast<double>(done) / static_cast<double>(total) * kBarWidth);
  std::string bar(static_cast<std::size_t>(filled), '#');
  bar.resize(kBarWidth, '.');
  std::cerr << '\r' << phase << " [" << bar << "] " << human_bytes(done) << " of " << human_bytes(total) << "\033[K"
            << std::flush;
}

void Console::end_progress() {
  const std::lock_guard lock(x_mutex);
  if (!x_bar_open) return;
  std::cerr << "\r\033[K" << std::flush;
  x_bar_open = false;
}

void print_error(Format format, std::string_view message, int exit_code) {
  while (message.ends_with('\n')) message.remove_suffix(1);
  if (format == Format::kJson) {
    std::cout << pretty(boost::json::object{{"error", message}, {"exit_code", exit_code}}) << std::flush;
  } else {
    std::cerr << "tally: " << harmless(message) << '\n';
  }
}

}  // namespace tally::cli
