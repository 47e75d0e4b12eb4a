// `tally task`: create a task on chain, fund it, and look at tasks.
#include <filesystem>
#include <memory>
#include <string>

#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/keys/keystore.h"
#include "cli/commands.h"
#include "cli/load_program.h"
#include "cli/settings_options.h"
#include "cli/task_genesis.h"
#include "cli/task_options.h"
#include "cli/threads.h"
#include "sequencer/task/new_task.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct TaskFlags {
  std::string chain;
  KeyFlags key;
  std::string data;
  std::string program;
  std::vector<std::string> parameters;
  GenesisFlags genesis;
  SettingsFlags settings;
  std::string salt;
  std::string task;
  std::string amount;
};

proof::Salt parse_salt(const std::string& text) {
  math::Digest digest;
  if (text.empty()) {
    // Two tasks that are otherwise alike are two tasks.
    const proof::PrivateKey random = chain::random_private_key();
    std::ranges::copy(random.bytes(), digest.bytes.begin());
  } else if (!math::from_hex(text, digest.bytes)) {
    bad_input("--salt " + text + ": expected 0x and 64 hex digits");
  }
  return digest.bytes;
}

/// Of a refused one no data is left.
void create_on(chain::ChainAdapter& chain, const proof::PrivateKey& key, const sequencer::PreparedTask& task,
               const chain::BatchStore& store) {
  const proof::Transaction transaction = task.transaction;
  try {
    send(chain, {.key = key, .value = {}, .transaction = transaction});
  } catch (const Failure&) {
    if (!proof::read_task(chain.state(), task.id)) fs::remove_all(store.task(task.id));
    throw;
  }
}

ExitCode create(const TaskFlags& flags, Console& console) {
  const math::CompiledProgram program = load_program(flags.program, flags.parameters);
  Genesis genesis = gather_genesis(flags.genesis, program);
  const sequencer::NewTask task{.program = program,
                                .dims = std::move(genesis.dims),
                                .frac_bits = flags.genesis.frac_bits,
                                .settings = read_settings(flags.settings),
                                .salt = parse_salt(flags.salt),
                                .states = std::move(genesis.states)};
  const auto chain = open_chain(flags.chain, console);
  const proof::PrivateKey key = load_key(flags.key, console);
  const chain::BatchStore store(flags.data);
  math::ThreadPool pool(thread_count(0));
  const auto prepared = sequencer::prepare_task(task, chain->identity(), key.address(), store, pool);
  if (!prepared) bad_input(prepared.error());
  const std::string id = to_hex(prepared->id);
  const std::string salt = math::to_hex(task.salt);
  if (chain::is_evm_chain(flags.chain)) {
    console.note("creating task " + id + " with salt " + salt +
                 "; after an interruption the same command with --salt " + salt + " goes on");
  }
  if (!proof::read_task(chain->state(), prepared->id)) create_on(*chain, key, *prepared, store);
  console.result("task " + id + "\ndata " + store.task(prepared->id).string(),
                 json::object{{"task", id}, {"salt", salt}, {"data", store.task(prepared->id).string()}});
  return ExitCode::kFine;
}

json::object to_json(chain::ChainAdapter& chain, const proof::TaskId& id) {
  const auto record = proof::read_task(chain.state(), id);
  const auto status = proof::read_task_status(chain.state(), id);
  if (!record || !status) bad_input(to_hex(id) + ": the chain has no such task");
  const proof::TaskPreimage& task = record->preimage;
  json::array params;
  for (const math::i128 value : task.params) params.emplace_back(math::to_string(value));
  json::object settings;
  for (const auto& [name, value] : list_settings(task.settings)) settings[name] = value;
  return {{"task", to_hex(id)},
          {"creator", to_text(task.creator)},
          {"created_s", record->created_s},
          {"program_hash", math::to_hex(task.program_hash)},
          {"dims", json::value_from(task.dims)},
          {"params", std::move(params)},
          {"frac_bits", task.frac_bits},
          {"genesis_root", to_hex(task.genesis_root)},
          {"members", status->members},
          {"pool", chain::to_text(status->pool)},
          {"final_number", status->final_number},
          {"final_batch", to_hex(status->final_batch)},
          {"final_state", to_hex(status->final_state)},
          {"settings", std::move(settings)}};
}

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

std::string to_text(const json::object& task) {
  std::string text;
  for (const auto& [name, value] : task) {
    if (name == "settings") continue;
    text += std::string(name) + std::string(name.size() < 16 ? 16 - name.size() : 1, ' ') + text_of(value) + "\n";
  }
  text += "settings\n";
  for (const auto& [name, value] : task.at("settings").as_object()) {
    text +=
        "  " + std::string(name) + std::string(name.size() < 22 ? 22 - name.size() : 1, ' ') + text_of(value) + "\n";
  }
  text.pop_back();
  return text;
}

ExitCode show(const TaskFlags& flags, const Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const json::object task = to_json(*chain, parse_id_argument<proof::TaskId>("task", flags.task));
  console.result(to_text(task), task);
  return ExitCode::kFine;
}

ExitCode list(const TaskFlags& flags, const Console& console) {
  const auto chain = open_chain(flags.chain, console);
  chain::BatchIndex index;
  index.follow(*chain);
  std::string text;
  json::array tasks;
  for (const proof::TaskId& id : index.tasks()) {
    json::object task = to_json(*chain, id);
    text += (text.empty() ? "" : "\n") + to_hex(id) + "  " + text_of(task.at("members")) + " members, " +
            std::to_string(index.batches(id).size()) + " batches, final " + text_of(task.at("final_number"));
    task["batches"] = index.batches(id).size();
    tasks.emplace_back(std::move(task));
  }
  console.result(text.empty() ? "no tasks" : text, tasks);
  return ExitCode::kFine;
}

ExitCode fund(const TaskFlags& flags, Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const auto id = parse_id_argument<proof::TaskId>("task", flags.task);
  const proof::Wei amount = parse_wei_argument("--amount", flags.amount);
  const proof::PrivateKey key = load_key(flags.key, console);
  const proof::Transaction transaction = proof::Fund{.task = id};
  send(*chain, {.key = key, .value = amount, .transaction = transaction});
  const proof::Wei pool = proof::read_task_status(chain->state(), id)->pool;
  console.result("the pool of the task holds " + chain::to_text_with_unit(pool),
                 json::object{{"task", flags.task}, {"pool", chain::to_text(pool)}});
  return ExitCode::kFine;
}

void add_create(CLI::App& task, Session& session) {
  const auto flags = std::make_shared<TaskFlags>();
  CLI::App* command = task.add_subcommand("create", "Create a task on chain, and its folder in --data");
  command->add_option("program", flags->program, "A program of the library, or a .tally file")->required();
  command->add_option("--param", flags->parameters, "A parameter of the program, NAME=VALUE; repeatable");
  command->add_option("--dim", flags->genesis.dims, "A dim, NAME=VALUE; repeatable");
  command->add_option("--genesis", flags->genesis.genesis, "State `model` to begin with: a model file, or `zero`")
      ->capture_default_str();
  command->add_option("--state", flags->genesis.states,
                      "Another state, NAME=FILE: a model file, or raw little-endian elements; repeatable");
  command->add_option("--frac-bits", flags->genesis.frac_bits, "Fraction bits of the fixed point")
      ->check(CLI::Range(0, math::kMaxFracBits))
      ->capture_default_str();
  command->add_option(
      "--salt", flags->salt,
      "0x and 64 hex digits (default: random); the same command with the same salt makes no second task");
  add_settings_options(*command, flags->settings);
  add_chain_option(*command, flags->chain);
  add_key_options(*command, flags->key);
  add_data_option(*command, flags->data);
  run_with(*command, session, flags, create);
}

void add_task_argument(CLI::App& command, TaskFlags& flags) {
  command.add_option("task", flags.task, "The task's id")->envname("TALLY_TASK")->required();
}

void add_show(CLI::App& task, Session& session) {
  const auto flags = std::make_shared<TaskFlags>();
  CLI::App* const command = task.add_subcommand("show", "A task's program, settings and how far it is");
  add_task_argument(*command, *flags);
  add_chain_option(*command, flags->chain);
  run_with(*command, session, flags, show);
}

void add_fund(CLI::App& task, Session& session) {
  const auto flags = std::make_shared<TaskFlags>();
  CLI::App* const command = task.add_subcommand("fund", "Add to the pool that a task pays its members from");
  add_task_argument(*command, *flags);
  command->add_option("--amount", flags->amount, "How much: 5, 20gwei, 1.5ether")->required();
  add_chain_option(*command, flags->chain);
  add_key_options(*command, flags->key);
  run_with(*command, session, flags, fund);
}

void add_list(CLI::App& task, Session& session) {
  const auto flags = std::make_shared<TaskFlags>();
  CLI::App* const command = task.add_subcommand("list", "All tasks of the chain");
  add_chain_option(*command, flags->chain);
  run_with(*command, session, flags, list);
}

}  // namespace

void add_task(CLI::App& app, Session& session) {
  CLI::App* const task = app.add_subcommand("task", "Create tasks on chain, fund them, and look at them");
  task->require_subcommand(1);
  add_create(*task, session);
  add_show(*task, session);
  add_fund(*task, session);
  add_list(*task, session);
}

}  // namespace tally::cli
