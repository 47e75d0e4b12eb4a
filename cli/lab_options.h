// The sizes and settings that the laboratory's commands go through: every combination of them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <vector>

namespace tally::cli {

struct LabLists {
  std::vector<std::uint64_t> clients;
  std::vector<std::uint64_t> parameters;
  std::vector<std::uint16_t> arities;
  std::vector<std::uint32_t> leaf_bytes;
};

struct LabCase {
  std::uint64_t clients = 0;
  std::uint64_t parameters = 0;
  std::uint16_t arity = 0;
  std::uint32_t leaf_bytes = 0;
};

/// With the lists' values as defaults.
void add_lab_lists(CLI::App& command, LabLists& lists);

[[nodiscard]] std::vector<LabCase> combinations(const LabLists& lists);

}  // namespace tally::cli
