// `tally lab gas`, on the `lab` command.
#pragma once

#include "cli/commands.h"

namespace tally::cli {

void add_lab_gas(CLI::App& lab, Session& session);

}  // namespace tally::cli
