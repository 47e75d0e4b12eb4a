// The sizes and settings that the laboratory's commands go through: every combination of them.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
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

struct LabFlags {
  LabLists lists;
  bool csv = false;
};

/// A command of the laboratory, with the lists' values as defaults.
[[nodiscard]] CLI::App* add_lab_command(CLI::App& lab, const std::string& name, const std::string& help,
                                        LabFlags& flags);

[[nodiscard]] std::vector<LabCase> combinations(const LabLists& lists);

}  // namespace tally::cli
