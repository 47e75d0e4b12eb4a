// What commands print: text for people, JSON for scripts, progress for those who wait. And what they hear: Ctrl-C.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace tally::cli {

enum class Format { kText, kJson };
enum class Verbosity { kNormal, kQuiet };

struct ConsoleSettings {
  Format format = Format::kText;
  Verbosity verbosity = Verbosity::kNormal;
};

/// Results go to standard output; progress, warnings and errors to standard error, so that results can be piped.
class Console {
 public:
  explicit Console(const ConsoleSettings& settings, std::stop_token stop = {})
      : x_settings(settings), x_stop(std::move(stop)) {}

  [[nodiscard]] bool json() const { return x_settings.format == Format::kJson; }
  /// Of an interruption.
  [[nodiscard]] const std::stop_token& stop() const { return x_stop; }

  /// The result of a command: `text` for people, `value` for scripts. --quiet leaves it out.
  void result(std::string_view text, const boost::json::value& value) const;

  /// The result of a command that found something invalid: printed even with --quiet.
  void finding(std::string_view text, const boost::json::value& value) const;

  /// A plain warning; kept quiet by --quiet and by --json.
  void warn(std::string_view message) const;

  /// What is good to know before a command ends, or in case it does not: on standard error, for scripts too, unless
  /// --quiet.
  void note(std::string_view message) const;

  /// A bar on a terminal, redrawn at most ten times a second; nothing where standard error is not a terminal.
  void progress(std::string_view phase, std::uint64_t done, std::uint64_t total);

  /// Ends a bar, so that what follows starts on a line of its own.
  void end_progress();

 private:
  ConsoleSettings x_settings;
  std::stop_token x_stop;
  std::mutex x_mutex;
  std::chrono::steady_clock::time_point x_drawn{};
  bool x_bar_open = false;
};

/// An error for people on standard error, or `{"error": …, "exit_code": …}` on standard output for scripts.
void print_error(Format format, std::string_view message, int exit_code);

/// JSON with two spaces of indentation, keys in the order they were inserted, and a final newline.
[[nodiscard]] std::string pretty(const boost::json::value& value);

/// Control characters but line feed and tab as \xNN: names in other people's files must not steer a terminal.
[[nodiscard]] std::string harmless(std::string_view text);

/// 1234567 as "1.2 MB".
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

/// Times in JSON are whole microseconds.
[[nodiscard]] std::int64_t microseconds(double seconds);

}  // namespace tally::cli
