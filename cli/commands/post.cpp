// `tally post`, `seal`, `finalize` and `withdraw`: a sequencer's transactions about whole batches.
#include <filesystem>
#include <memory>
#include <string>

#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/data/batch_directory.h"
#include "cli/commands.h"
#include "cli/signing_keys.h"
#include "cli/task_options.h"
#include "cli/threads.h"
#include "sequencer/batch/model_encoder.h"
#include "sequencer/poster/finaliser.h"
#include "sequencer/poster/poster.h"
#include "verifier/replay/verify_batch.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct PostFlags {
  std::string batch;
  std::string task;
  std::string parent = "latest";
  std::string delegate;
  std::vector<std::string> keepers;
  bool no_verify = false;
  std::string chain;
  KeyFlags key;
  std::string data;
  unsigned threads = 0;
};

/// A directory, or the id of a batch in the store.
fs::path find_directory(const PostFlags& flags) {
  proof::BatchId id;
  if (fs::exists(flags.batch)) return flags.batch;
  if (!math::from_hex(flags.batch, id.digest.bytes)) {
    bad_input(flags.batch + ": no such directory, and not the id of a batch (0x and 64 hex digits)");
  }
  if (flags.data.empty()) bad_input(flags.batch + ": give --data to name a batch by its id");
  return chain::BatchStore(flags.data).batch(id);
}

/// POSITION=SIGNATURE.
proof::KeeperSignature parse_keeper(const std::string& text) {
  proof::KeeperSignature keeper;
  const std::size_t equals = text.find('=');
  const auto position = math::parse_i128(std::string_view(text).substr(0, equals));
  const bool read = equals != std::string::npos && position && *position >= 0 &&
                    *position < static_cast<math::i128>(proof::kMaxKeepers) &&
                    math::from_hex(text.substr(equals + 1), keeper.signature.bytes);
  if (!read) bad_input("--keeper " + text + ": expected POSITION=SIGNATURE, 0x and 130 hex digits");
  keeper.position = static_cast<std::uint16_t>(*position);
  return keeper;
}

/// A bond is not put on what was not recomputed.
proof::BatchHeader verify(const fs::path& directory, math::TaskPool& pool, Console& console,
                          const std::stop_token& stop) {
  verifier::VerifyOptions options;
  options.pool = &pool;
  options.stop = stop;
  options.encode_model = sequencer::model_encoder();
  options.progress = [&console](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    console.progress(phase, done, total);
  };
  const verifier::VerifyReport report = verifier::verify_batch(directory, options);
  console.end_progress();
  if (report.stopped) throw Failure(ExitCode::kOutsideWorld, "stopped before the batch was verified");
  if (report.findings.empty()) return report.manifest.value().header;
  throw Failure(ExitCode::kFoundInvalid, directory.string() + " is not valid, and whoever posts it loses the bond: " +
                                             report.findings.front().message);
}

ExitCode post(const PostFlags& flags, Console& console, const std::stop_token& stop) {
  const fs::path directory = find_directory(flags);
  const auto chain = open_chain(flags.chain, console);
  const proof::PrivateKey key = load_key(flags.key, console);
  math::ThreadPool pool(thread_count(flags.threads));
  sequencer::PostOptions options;
  options.pool = &pool;
  if (!flags.delegate.empty()) options.delegate = parse_address_argument("--delegate", flags.delegate);
  for (const std::string& keeper : flags.keepers) options.keepers.push_back(parse_keeper(keeper));
  sequencer::Verify look;
  if (!flags.no_verify) look = [&] { return verify(directory, pool, console, stop); };
  const auto posted = sequencer::verify_and_post(*chain, key, directory, options, look);
  if (!posted) {
    const bool refused = posted.error().reason == sequencer::PostReason::kChain;
    throw Failure(refused ? ExitCode::kFoundInvalid : ExitCode::kBadInput, posted.error().message);
  }
  const auto& [plan, fate] = *posted;
  if (fate.refusal) {
    throw Failure(ExitCode::kFoundInvalid, "the chain refused post: " + std::string(to_string(fate.refusal->reason)) +
                                               ": " + fate.refusal->message);
  }
  const std::string id = to_hex(plan.batch);
  console.result("posted batch " + std::to_string(plan.header.number) + " " + id + "\nbond   " +
                     chain::to_text_with_unit(plan.bond) + "\nbytes  " + std::to_string(fate.bytes),
                 json::object{{"batch_id", id},
                              {"number", plan.header.number},
                              {"bond", chain::to_text(plan.bond)},
                              {"block", fate.block},
                              {"bytes", fate.bytes}});
  return ExitCode::kFine;
}

ExitCode seal(const PostFlags& flags, Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const auto task = parse_id_argument<proof::TaskId>("--task", flags.task);
  const proof::BatchId parent = parse_parent(*chain, chain::BatchStore(flags.data), task, flags.parent);
  const proof::PrivateKey key = load_key(flags.key, console);
  const chain::TransactionFate fate = sequencer::seal_seed(*chain, key, task, parent);
  if (fate.refusal) {
    throw Failure(
        ExitCode::kFoundInvalid,
        "the chain refused seal_seed: " + std::string(to_string(fate.refusal->reason)) + ": " + fate.refusal->message);
  }
  const auto seed = proof::read_seed(chain->state(), task, parent);
  const std::string text = seed ? math::to_hex(*seed) : "none";
  console.result(seed ? "seed " + text : "the task's program reads no seed", json::object{{"seed", text}});
  return ExitCode::kFine;
}

json::array ids(const std::vector<proof::BatchId>& batches) {
  json::array list;
  for (const proof::BatchId& batch : batches) list.emplace_back(to_hex(batch));
  return list;
}

ExitCode finalize(const PostFlags& flags, Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const proof::PrivateKey key = load_key(flags.key, console);
  chain::BatchIndex index;
  index.follow(*chain);
  std::vector<proof::TaskId> tasks(index.tasks().begin(), index.tasks().end());
  if (!flags.task.empty()) tasks = {parse_task_argument(*chain, flags.task)};
  sequencer::FinaliserReport all;
  for (const proof::TaskId& task : tasks) {
    const sequencer::FinaliserReport report = sequencer::do_due(*chain, key, index, task);
    all.finalised.insert(all.finalised.end(), report.finalised.begin(), report.finalised.end());
    all.released.insert(all.released.end(), report.released.begin(), report.released.end());
    all.waiting.insert(all.waiting.end(), report.waiting.begin(), report.waiting.end());
    all.claims += report.claims;
    all.transactions += report.transactions;
  }
  std::string text;
  json::array waiting;
  for (const proof::BatchId& batch : all.finalised) text += "final     " + to_hex(batch) + "\n";
  if (all.claims > 0) text += "claimed   " + std::to_string(all.claims) + " games and requests that ran out of time\n";
  for (const proof::BatchId& batch : all.released) text += "released  " + to_hex(batch) + "\n";
  for (const sequencer::Waiting& wait : all.waiting) {
    text += "waiting   " + to_hex(wait.batch) + ": " + wait.reason + "\n";
    waiting.push_back(json::object{{"batch_id", to_hex(wait.batch)}, {"reason", wait.reason}});
  }
  if (!text.empty()) text.pop_back();
  console.result(text.empty() ? "nothing is due" : text, json::object{{"finalised", ids(all.finalised)},
                                                                      {"released", ids(all.released)},
                                                                      {"claims", all.claims},
                                                                      {"waiting", std::move(waiting)},
                                                                      {"transactions", all.transactions}});
  return ExitCode::kFine;
}

ExitCode withdraw(const PostFlags& flags, Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const proof::PrivateKey key = load_key(flags.key, console);
  const proof::Wei credit = proof::read_credit(chain->state(), key.address());
  const proof::Transaction transaction = proof::Withdraw{};
  send(*chain, {.key = key, .value = {}, .transaction = transaction});
  const proof::Wei balance = chain->balance(key.address());
  console.result("withdrew " + chain::to_text_with_unit(credit) + "; " + to_text(key.address()) + " has " +
                     chain::to_text_with_unit(balance),
                 json::object{{"amount", chain::to_text(credit)}, {"balance", chain::to_text(balance)}});
  return ExitCode::kFine;
}

using Action = ExitCode (*)(const PostFlags&, Console&);

void sign_with(CLI::App& command, Session& session, const std::shared_ptr<PostFlags>& flags, Action action) {
  add_chain_option(command, flags->chain);
  add_key_options(command, flags->key);
  run_with(command, session, flags, action);
}

}  // namespace

void add_post(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<PostFlags>();
  CLI::App* const command = app.add_subcommand("post", "Verify a batch and post it, with its bond");
  command->add_option("batch", flags->batch, "A batch directory, or the id of a batch in --data")->required();
  command->add_option("--data", flags->data, "Folder that holds the data of batches")->envname("TALLY_DATA");
  command->add_option("--delegate", flags->delegate, "Who may answer disputes beside the poster");
  command->add_option("--keeper", flags->keepers, "A keeper's signature, POSITION=SIGNATURE; repeatable");
  command->add_flag("--no-verify", flags->no_verify, "Do not recompute the batch: a wrong number costs the bond");
  add_threads_option(*command, flags->threads);
  add_chain_option(*command, flags->chain);
  add_key_options(*command, flags->key);
  add_output_flags(*command, session);
  command->callback([flags, &session] {
    session.run = [flags, &session](Console& console) { return post(*flags, console, session.stop); };
  });
}

void add_seal(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<PostFlags>();
  CLI::App* const command = app.add_subcommand("seal", "Seal the seed of the batches on a parent");
  add_task_option(*command, flags->task);
  command->add_option("--parent", flags->parent, "latest, genesis, or a batch's id")->capture_default_str();
  add_data_option(*command, flags->data);
  sign_with(*command, session, flags, seal);
}

void add_finalize(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<PostFlags>();
  CLI::App* const command = app.add_subcommand("finalize", "Finalise what can be, and release bonds");
  command->add_option("--task", flags->task, "Of one task only")->envname("TALLY_TASK");
  sign_with(*command, session, flags, finalize);
}

void add_withdraw(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<PostFlags>();
  CLI::App* const command = app.add_subcommand("withdraw", "Take out all that the settlement owes the key");
  sign_with(*command, session, flags, withdraw);
}

}  // namespace tally::cli
