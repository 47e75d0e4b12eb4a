// `tally batch`: the batches of a task, and one of them.
#include <memory>
#include <string>

#include "chain_adapter/chain/wei_text.h"
#include "cli/commands.h"
#include "cli/task_options.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

struct BatchFlags {
  std::string chain;
  std::string task;
  std::string batch;
};

json::object to_json(chain::ChainAdapter& chain, const chain::IndexedBatch& batch) {
  const proof::BatchHeader& header = batch.posted.header;
  const proof::BatchId& id = batch.posted.batch;
  const auto node = proof::read_node(chain.state(), header.task, id);
  const auto status = proof::batch_status(chain.state(), header.task, id);
  if (!node || !status) throw std::runtime_error("the chain has no record of batch " + to_hex(id));
  const auto task = proof::read_task(chain.state(), header.task);
  json::array tables;
  for (const math::Digest& root : batch.posted.table_roots) tables.emplace_back(math::to_hex(root));
  return {{"batch_id", to_hex(id)},
          {"status", to_string(*status)},
          {"task", to_hex(header.task)},
          {"number", header.number},
          {"parent", to_hex(header.parent)},
          {"records", header.record_count},
          {"poster", to_text(header.poster)},
          {"posted_s", node->posted_s},
          {"block", batch.block},
          {"challenge_ends_s", node->posted_s + (task ? task->preimage.settings.challenge_period_s : 0)},
          {"bond", chain::to_text(node->bond)},
          {"open_games", node->open_games},
          {"open_requests", node->open_requests},
          {"records_root", math::to_hex(header.records_root)},
          {"prev_state_root", to_hex(header.prev_state_root)},
          {"next_state_root", to_hex(header.next_state_root)},
          {"tables_root", math::to_hex(header.tables_root)},
          {"table_roots", std::move(tables)},
          {"seed", math::to_hex(batch.posted.seed)}};
}

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

ExitCode list(const BatchFlags& flags, const Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const proof::TaskId task = parse_task_argument(*chain, flags.task);
  chain::BatchIndex index;
  index.follow(*chain);
  std::string text;
  json::array batches;
  for (const proof::BatchId& id : index.batches(task)) {
    json::object batch = to_json(*chain, *index.find(id));
    text += (text.empty() ? "" : "\n") + padded(text_of(batch.at("number")), 4) + to_hex(id) + "  " +
            padded(text_of(batch.at("status")), 11) + text_of(batch.at("poster"));
    batches.emplace_back(std::move(batch));
  }
  console.result(text.empty() ? "no batches" : text, batches);
  return ExitCode::kFine;
}

ExitCode show(const BatchFlags& flags, const Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const auto id = parse_id_argument<proof::BatchId>("batch", flags.batch);
  chain::BatchIndex index;
  index.follow(*chain);
  const chain::IndexedBatch* const found = index.find(id);
  if (found == nullptr) bad_input(flags.batch + ": the chain has no such batch" + index.what_is_missing(id));
  const json::object batch = to_json(*chain, *found);
  std::string text;
  for (const auto& [name, value] : batch) {
    if (value.is_array()) continue;
    const bool time = name.ends_with("_s");
    text += (text.empty() ? "" : "\n") + padded(std::string(name), 18) + text_of(value) +
            (time ? " (" + time_text(value.to_number<std::uint64_t>()) + ")" : "");
  }
  console.result(text, batch);
  return ExitCode::kFine;
}

void add_list(CLI::App& batch, Session& session) {
  const auto flags = std::make_shared<BatchFlags>();
  CLI::App* const command = batch.add_subcommand("list", "All batches of a task, in the order of their posts");
  add_task_option(*command, flags->task);
  add_chain_option(*command, flags->chain);
  run_with(*command, session, flags, list);
}

void add_show(CLI::App& batch, Session& session) {
  const auto flags = std::make_shared<BatchFlags>();
  CLI::App* const command = batch.add_subcommand("show", "One batch: its header and what became of it");
  command->add_option("batch", flags->batch, "The batch's id")->required();
  add_chain_option(*command, flags->chain);
  run_with(*command, session, flags, show);
}

}  // namespace

void add_batch(CLI::App& app, Session& session) {
  CLI::App* const batch = app.add_subcommand("batch", "The batches of a task on chain");
  batch->require_subcommand(1);
  add_list(*batch, session);
  add_show(*batch, session);
}

}  // namespace tally::cli
