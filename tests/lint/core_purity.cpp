#include "tests/lint/core_purity.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace tally::lint {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 8> kFloatWords{"float",    "double",   "float_t",  "double_t",
                                                      "_Float16", "_Float32", "_Float64", "__float128"};
constexpr std::array<std::string_view, 6> kFloatHeaders{"cmath", "math.h", "cfloat", "float.h", "cfenv", "complex"};
constexpr std::string_view kQuantiser = "deterministic_math/numbers/quantiser.";

constexpr std::array<std::string_view, 13> kImpureHeaders{
    "chrono",     "ctime",    "time.h",  "sys/time.h", "random",     "fstream",  "iostream",
    "filesystem", "unistd.h", "fcntl.h", "sys/mman.h", "sys/stat.h", "execution"};
constexpr std::array<std::string_view, 8> kThreadHeaders{"thread", "mutex",     "shared_mutex", "condition_variable",
                                                         "future", "semaphore", "latch",        "pthread.h"};
// The pool itself, and what its tasks share.
constexpr std::array<std::string_view, 2> kTaskPool{"deterministic_math/executor/task_pool.",
                                                    "deterministic_math/executor/tasks.h"};

constexpr std::array<std::string_view, 15> kImpureWords{"unordered_map",
                                                        "unordered_set",
                                                        "unordered_multimap",
                                                        "unordered_multiset",
                                                        "rand",
                                                        "srand",
                                                        "random_device",
                                                        "mt19937",
                                                        "mt19937_64",
                                                        "fopen",
                                                        "getenv",
                                                        "clock_gettime",
                                                        "gettimeofday",
                                                        "system_clock",
                                                        "steady_clock"};

bool in_core(std::string_view file) {
  const std::string folder = first_folder(file);
  return is_cpp(file) && (folder == "deterministic_math" || folder == "fraud_proof");
}

// Decimal with a point or an exponent, or hexadecimal with a point or a binary exponent.
bool is_float_literal(std::string_view number) {
  const bool hex = number.starts_with("0x") || number.starts_with("0X");
  return number.find_first_of(hex ? ".pP" : ".eEfF") != std::string_view::npos;
}

using Check = std::function<void(const std::string& file, const CppSource& source)>;

void for_each_core_file(const fs::path& root, const Check& check) {
  for (const std::string& file : list_files(root)) {
    if (in_core(file)) check(file, parse_cpp(read_text(root / file)));
  }
}

void ban_headers(const std::string& file, const CppSource& source, std::span<const std::string_view> banned,
                 std::vector<Violation>& violations) {
  for (const Include& include : source.includes) {
    if (contains(banned, include.path)) {
      violations.push_back({file, include.line, "includes <" + include.path + ">"});
    }
  }
}

void ban_words(const std::string& file, const CppSource& source, std::span<const std::string_view> banned,
               std::vector<Violation>& violations) {
  for (const Token& token : source.tokens) {
    if (token.kind == Token::Kind::kIdentifier && contains(banned, token.text)) {
      violations.push_back({file, token.line, "uses " + token.text});
    }
  }
}

}  // namespace

std::vector<Violation> check_floats(const fs::path& root) {
  std::vector<Violation> violations;
  for_each_core_file(root, [&](const std::string& file, const CppSource& source) {
    if (file.starts_with(kQuantiser)) return;
    ban_headers(file, source, kFloatHeaders, violations);
    ban_words(file, source, kFloatWords, violations);
    for (const Token& token : source.tokens) {
      if (token.kind == Token::Kind::kNumber && is_float_literal(token.text)) {
        violations.push_back({file, token.line, "has the floating literal " + token.text});
      }
    }
  });
  return violations;
}

std::vector<Violation> check_core_purity(const fs::path& root) {
  std::vector<Violation> violations;
  for_each_core_file(root, [&](const std::string& file, const CppSource& source) {
    ban_headers(file, source, kImpureHeaders, violations);
    ban_words(file, source, kImpureWords, violations);
    const bool pooled = std::ranges::any_of(kTaskPool, [&](std::string_view pool) { return file.starts_with(pool); });
    if (!pooled) ban_headers(file, source, kThreadHeaders, violations);
  });
  return violations;
}

}  // namespace tally::lint
