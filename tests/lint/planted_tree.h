// A source tree in a temporary folder, to plant violations in.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tally::lint {

class PlantedTree {
 public:
  PlantedTree() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tally-lint-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    x_root = pattern;
  }
  ~PlantedTree() {
    std::error_code ignored;
    std::filesystem::remove_all(x_root, ignored);
  }
  PlantedTree(const PlantedTree&) = delete;
  PlantedTree& operator=(const PlantedTree&) = delete;

  void write(std::string_view file, std::string_view text) const {
    std::filesystem::create_directories((x_root / file).parent_path());
    std::ofstream(x_root / file) << text;
  }
  [[nodiscard]] const std::filesystem::path& root() const { return x_root; }

 private:
  std::filesystem::path x_root;
};

}  // namespace tally::lint
