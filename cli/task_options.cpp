#include "cli/task_options.h"

#include <utility>

#include "cli/exit_code.h"

namespace tally::cli {

namespace {

constexpr std::string_view kLatest = "latest";
constexpr std::string_view kGenesis = "genesis";

}  // namespace

void add_data_option(CLI::App& command, std::string& folder) {
  command.add_option("--data", folder, "Folder that holds the data of tasks and batches")
      ->envname("TALLY_DATA")
      ->required();
}

void add_task_option(CLI::App& command, std::string& task) {
  command.add_option("--task", task, "The task's id")->envname("TALLY_TASK")->required();
}

sequencer::OpenTask open_task(chain::ChainAdapter& chain, const chain::BatchStore& store, const std::string& task) {
  auto opened = sequencer::open_task(chain.state(), store, parse_id_argument<proof::TaskId>("--task", task));
  if (!opened) bad_input(opened.error().message);
  return *std::move(opened);
}

proof::BatchId parse_parent(chain::ChainAdapter& chain, const chain::BatchStore& store, const proof::TaskId& task,
                            const std::string& text) {
  if (text == kGenesis) return proof::kGenesisParent;
  if (text != kLatest) return parse_id_argument<proof::BatchId>("--parent", text);
  auto latest = sequencer::latest_batch(chain.state(), store, task);
  if (!latest) bad_input(latest.error().message);
  return *latest;
}

sequencer::Extension extend_parent(chain::ChainAdapter& chain, const proof::TaskId& task,
                                   const proof::BatchId& parent) {
  chain::BatchIndex index;
  index.follow(chain);
  auto extension = sequencer::extend(chain.state(), index, task, parent);
  if (extension) return *std::move(extension);
  const bool seed = extension.error().reason == sequencer::ExtendReason::kNoSeed;
  bad_input(extension.error().message + (seed ? ": run `tally seal`" : ""));
}

}  // namespace tally::cli
