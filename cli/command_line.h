// The whole command line of `tally`, declared but not run.
#pragma once

#include "cli/commands.h"

namespace tally::cli {

inline constexpr const char* kAbout = "Tallystick: an optimistic rollup for federated learning.";
inline constexpr const char* kProgramName = "tally";

/// All subcommands.
void add_commands(CLI::App& app, Session& session);

}  // namespace tally::cli
