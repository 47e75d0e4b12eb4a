// What the commands about a task share: the task, its data folder, and the batch that comes next.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "chain_adapter/chain/batch_index.h"
#include "chain_adapter/data/batch_store.h"
#include "cli/chain_options.h"
#include "sequencer/task/extend.h"
#include "sequencer/task/open_task.h"

namespace tally::cli {

/// --data, or the environment's TALLY_DATA.
void add_data_option(CLI::App& command, std::string& folder);
/// --task.
void add_task_option(CLI::App& command, std::string& task);

/// The chain's record and the program's text in the store. A Failure says what is missing, and where it is to be had.
[[nodiscard]] sequencer::OpenTask open_task(chain::ChainAdapter& chain, const chain::BatchStore& store,
                                            const std::string& task);

/// `latest`, `genesis`, or a batch's id.
[[nodiscard]] proof::BatchId parse_parent(chain::ChainAdapter& chain, const chain::BatchStore& store,
                                          const proof::TaskId& task, const std::string& text);

/// The place of a batch on `parent`. A Failure says why nothing can extend it.
[[nodiscard]] sequencer::Extension extend_parent(chain::ChainAdapter& chain, const proof::TaskId& task,
                                                 const proof::BatchId& parent);

}  // namespace tally::cli
