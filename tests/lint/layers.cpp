#include "tests/lint/layers.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace tally::lint {

namespace fs = std::filesystem;

namespace {

struct Layer {
  std::string_view folder;
  std::array<std::string_view, 6> may_include;
};

constexpr std::array<Layer, 6> kLayers{{
    {"deterministic_math", {"deterministic_math"}},
    {"fraud_proof", {"deterministic_math", "fraud_proof"}},
    {"chain_adapter", {"deterministic_math", "fraud_proof", "chain_adapter"}},
    {"sequencer", {"deterministic_math", "fraud_proof", "chain_adapter", "sequencer"}},
    {"verifier", {"deterministic_math", "fraud_proof", "chain_adapter", "verifier"}},
    {"cli", {"deterministic_math", "fraud_proof", "chain_adapter", "sequencer", "verifier", "cli"}},
}};

constexpr std::array<std::string_view, 9> kTopLevel{
    "deterministic_math", "fraud_proof", "chain_adapter", "sequencer", "verifier", "cli", "tests", "bench", "docs"};

// Spelt in halves, so that this file does not set off its own rule.
constexpr std::array<std::array<std::string_view, 2>, 3> kUnfinished{{{"TO", "DO"}, {"FIX", "ME"}, {"XX", "X"}}};

constexpr std::array<std::string_view, 8> kTextEndings{".h",     ".cpp",   ".md",   ".txt",
                                                       ".cmake", ".tally", ".json", ".sol"};

const Layer* layer_of(std::string_view folder) {
  const auto* const found = std::ranges::find(kLayers, folder, &Layer::folder);
  return found == kLayers.end() ? nullptr : found;
}

bool is_text(std::string_view file) {
  return file == "dev" || std::ranges::any_of(kTextEndings, [&](std::string_view end) { return file.ends_with(end); });
}

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool holds_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word_character(line[at - 1])) && (end == line.size() || !is_word_character(line[end]))) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<Violation> check_layers(const fs::path& root) {
  std::vector<Violation> violations;
  for (const std::string& file : list_files(root)) {
    if (!is_cpp(file)) continue;
    const Layer* const layer = layer_of(first_folder(file));
    for (const Include& include : parse_cpp(read_text(root / file)).includes) {
      const std::string target = first_folder(include.path);
      if (include.kind == Include::Kind::kSystem) {
        if (contains(kTopLevel, target)) {
          violations.push_back({file, include.line, "includes <" + include.path + ">: write it in quotes"});
        }
      } else if (layer != nullptr && !contains(layer->may_include, target)) {
        violations.push_back({file, include.line, "may not include \"" + include.path + "\""});
      } else if (!fs::exists(root / include.path)) {
        violations.push_back({file, include.line, "includes \"" + include.path + "\", which the tree does not have"});
      }
    }
  }
  return violations;
}

std::vector<Violation> check_top_level(const fs::path& root) {
  std::vector<Violation> violations;
  for (const fs::directory_entry& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || name.starts_with('.') || name == "build") continue;
    if (!contains(kTopLevel, name)) {
      violations.push_back({name, 0, "is no top-level folder of the design"});
    }
  }
  return violations;
}

std::vector<Violation> check_unfinished(const fs::path& root) {
  std::vector<Violation> violations;
  for (const std::string& file : list_files(root)) {
    if (!is_text(file)) continue;
    const std::string text = read_text(root / file);
    std::size_t line = 1;
    for (std::size_t from = 0; from < text.size(); ++line) {
      const std::size_t end = std::min(text.find('\n', from), text.size());
      for (const auto& halves : kUnfinished) {
        const std::string word = std::string(halves[0]) + std::string(halves[1]);
        if (holds_word(std::string_view(text).substr(from, end - from), word)) {
          violations.push_back({file, line, "leaves a " + word});
        }
      }
      from = end + 1;
    }
  }
  return violations;
}

}  // namespace tally::lint
