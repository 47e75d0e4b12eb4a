// The economic settings of a task from a TOML file and from flags, which count more than the file.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "fraud_proof/commitments/task_settings.h"

namespace tally::cli {

struct SettingsFlags {
  std::string file;
  std::map<std::string, std::string> values;  // by name; what the command line gives
};

/// --settings FILE.toml, and a flag for each setting.
void add_settings_options(CLI::App& command, SettingsFlags& flags);

/// The defaults, changed by the file, changed by the flags. A Failure names the flag or the key.
[[nodiscard]] proof::TaskSettings read_settings(const SettingsFlags& flags);

/// Each setting's name and value, as the file would have it.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> list_settings(const proof::TaskSettings& settings);

/// "600", "10m", "12h", "7d" as seconds.
[[nodiscard]] std::uint64_t parse_duration(const std::string& name, const std::string& text);

}  // namespace tally::cli
