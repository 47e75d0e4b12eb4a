// The source tree as the lint tests see it: files below the project's folders, and C++ files as tokens.
//
// The tokeniser knows just enough C++ to tell code from comments, strings and character literals, so that a rule about
// code is not set off by a sentence that names what it bans.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace tally::lint {

struct Violation {
  std::string file;
  std::size_t line = 0;
  std::string message;
};

std::ostream& operator<<(std::ostream& out, const Violation& violation);

/// One violation a line, or "none".
[[nodiscard]] std::string describe(const std::vector<Violation>& violations);

struct Token {
  enum class Kind { kIdentifier, kNumber, kOther };
  Kind kind = Kind::kOther;
  std::string text;
  std::size_t line = 0;
};

struct Include {
  enum class Kind { kProject, kSystem };
  Kind kind = Kind::kProject;
  std::string path;
  std::size_t line = 0;
};

struct CppSource {
  std::vector<Token> tokens;
  std::vector<Include> includes;
};

[[nodiscard]] CppSource parse_cpp(std::string_view text);

[[nodiscard]] std::string read_text(const std::filesystem::path& path);

/// Files below `root`, as sorted paths relative to it with forward slashes. Folders whose names start with a dot and
/// the build folder are left out.
[[nodiscard]] std::vector<std::string> list_files(const std::filesystem::path& root);

/// Whether `list` holds `value`, which is not empty.
template <typename List>
[[nodiscard]] bool contains(const List& list, std::string_view value) {
  return !value.empty() && std::ranges::find(list, value) != std::ranges::end(list);
}

[[nodiscard]] bool is_cpp(std::string_view file);

/// The first folder of a relative path; empty for a file at the top.
[[nodiscard]] std::string first_folder(std::string_view file);

}  // namespace tally::lint
