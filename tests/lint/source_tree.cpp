#include "tests/lint/source_tree.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace tally::lint {

namespace fs = std::filesystem;

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : x_text(text) {}

  CppSource scan() {
    while (!at_end()) next();
    return std::move(x_source);
  }

 private:
  void next() {
    const char c = peek();
    if (starts_with("//")) {
      skip_to("\n");
    } else if (starts_with("/*")) {
      skip_past("*/", 2);
    } else if (starts_with("R\"")) {
      const std::size_t open = x_text.find('(', x_at);
      const std::size_t size = open == std::string_view::npos ? 0 : open - x_at - 2;
      skip_past(")" + std::string(x_text.substr(x_at + 2, size)) + "\"", 2);
    } else if (c == '"' || c == '\'') {
      skip_quoted(c);
    } else if (c == '#') {
      directive();
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      number();
    } else if (is_word(c)) {
      const std::size_t from = x_at;
      while (is_word(peek())) ++x_at;
      add(Token::Kind::kIdentifier, x_text.substr(from, x_at - from));
    } else {
      if (c > ' ') add(Token::Kind::kOther, x_text.substr(x_at, 1));
      advance(1);
    }
  }

  void directive() {
    std::size_t at = x_at + 1;
    while (at < x_text.size() && (x_text[at] == ' ' || x_text[at] == '\t')) ++at;
    constexpr std::string_view kInclude = "include";
    if (!x_text.substr(at).starts_with(kInclude)) {
      advance(1);
      return;
    }
    at += kInclude.size();
    while (at < x_text.size() && (x_text[at] == ' ' || x_text[at] == '\t')) ++at;
    const char open = at < x_text.size() ? x_text[at] : '\0';
    const char close = open == '<' ? '>' : '"';
    const std::size_t end = std::min(x_text.find(close, at + 1), x_text.find('\n', at));
    if ((open == '<' || open == '"') && end != std::string_view::npos && x_text[end] == close) {
      const auto kind = open == '<' ? Include::Kind::kSystem : Include::Kind::kProject;
      x_source.includes.push_back({kind, std::string(x_text.substr(at + 1, end - at - 1)), x_line});
    }
    skip_to("\n");
  }

  // A preprocessing number: digits, letters, points, digit separators, and signs after an exponent letter.
  void number() {
    const std::size_t from = x_at;
    const bool hex = peek(1) == 'x' || peek(1) == 'X';
    while (!at_end()) {
      const char c = peek();
      const char before = x_at > from ? x_text[x_at - 1] : '\0';
      const bool exponent = hex ? before == 'p' || before == 'P' : before == 'e' || before == 'E';
      const bool separator = c == '\'' && is_word(peek(1));
      if (!is_word(c) && c != '.' && !separator && !(exponent && (c == '+' || c == '-'))) break;
      ++x_at;
    }
    add(Token::Kind::kNumber, x_text.substr(from, x_at - from));
  }

  void skip_quoted(char quote) {
    advance(1);
    while (!at_end() && peek() != quote && peek() != '\n') advance(peek() == '\\' ? 2 : 1);
    advance(1);
  }

  void skip_to(std::string_view end) {
    const std::size_t at = x_text.find(end, x_at);
    advance((at == std::string_view::npos ? x_text.size() : at) - x_at);
  }
  void skip_past(std::string_view end, std::size_t after) {
    const std::size_t at = x_text.find(end, x_at + after);
    advance(at == std::string_view::npos ? x_text.size() - x_at : at + end.size() - x_at);
  }
  void advance(std::size_t count) {
    for (; count > 0 && !at_end(); --count) {
      if (x_text[x_at++] == '\n') ++x_line;
    }
  }
  void add(Token::Kind kind, std::string_view text) { x_source.tokens.push_back({kind, std::string(text), x_line}); }

  [[nodiscard]] bool at_end() const { return x_at >= x_text.size(); }
  [[nodiscard]] bool starts_with(std::string_view what) const { return x_text.substr(x_at).starts_with(what); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return x_at + ahead < x_text.size() ? x_text[x_at + ahead] : '\0';
  }

  std::string_view x_text;
  std::size_t x_at = 0;
  std::size_t x_line = 1;
  CppSource x_source;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Violation& violation) {
  return out << violation.file << ':' << violation.line << ": " << violation.message;
}

std::string describe(const std::vector<Violation>& violations) {
  if (violations.empty()) return "none";
  std::ostringstream out;
  for (const Violation& violation : violations) out << violation << '\n';
  return out.str();
}

CppSource parse_cpp(std::string_view text) { return Scanner(text).scan(); }

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

std::vector<std::string> list_files(const fs::path& root) {
  std::vector<std::string> files;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    const std::string name = it->path().filename().string();
    const std::string relative = fs::relative(it->path(), root).generic_string();
    if (it->is_directory()) {
      if (name.starts_with('.') || relative == "build" || name == "node_modules") it.disable_recursion_pending();
    } else if (it->is_regular_file()) {
      files.push_back(relative);
    }
  }
  std::ranges::sort(files);
  return files;
}

bool is_cpp(std::string_view file) { return file.ends_with(".h") || file.ends_with(".cpp"); }

std::string first_folder(std::string_view file) {
  const std::size_t slash = file.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(file.substr(0, slash));
}

}  // namespace tally::lint
