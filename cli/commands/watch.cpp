// `tally watch` and `tally keep`: looking after other people's batches.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "chain_adapter/chain/wei_text.h"
#include "cli/chain_options.h"
#include "cli/commands.h"
#include "cli/threads.h"
#include "verifier/keeper/keeper.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct WatchFlags {
  bool once = false;
  std::vector<std::string> data;
  std::vector<std::string> tasks;
  bool all_tasks = false;
  std::string demand_limit = chain::to_text_with_unit(verifier::kDemandLimit);
  std::uint32_t judging_limit_s = verifier::kJudgingLimit.count();
  std::uint32_t scratch_limit_gib = verifier::kScratchLimitBytes >> 30;
  std::string memory;
  std::string chain;
  KeyFlags key;
  unsigned threads = 0;
};

struct KeepFlags {
  bool once = false;
  std::string directory;
  std::string store;
  std::string out;
  KeyFlags key;
  unsigned threads = 0;
};

chain::Progress progress_on(Console& console) {
  return [&console](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    console.progress(phase, done, total);
  };
}

json::object to_json(const verifier::WatchEvent& event) {
  json::object object{{"kind", verifier::to_string(event.kind)}, {"what", event.what}};
  if (event.batch != proof::BatchId{}) object["batch_id"] = to_hex(event.batch);
  if (!event.message.empty()) object["message"] = event.message;
  if (event.bytes != 0) object["bytes"] = event.bytes;
  if (event.kind == verifier::WatchEvent::Kind::kJudged) object["microseconds"] = event.microseconds;
  return object;
}

std::string to_text(const verifier::WatchEvent& event) {
  std::string text(verifier::to_string(event.kind));
  text += " " + event.what;
  if (event.batch != proof::BatchId{}) text += " " + to_hex(event.batch);
  if (event.bytes != 0) text += ", " + std::to_string(event.bytes) + " bytes";
  return event.message.empty() ? text : text + ": " + event.message;
}

/// As `tally defend`: what could not be looked after comes first, then what a person should look at.
ExitCode exit_code(const verifier::WatchReport& report) {
  const bool failed = std::ranges::any_of(report.events, [](const verifier::WatchEvent& event) {
    return event.kind == verifier::WatchEvent::Kind::kFailed;
  });
  if (failed) return ExitCode::kOutsideWorld;
  return report.alarms.empty() ? ExitCode::kFine : ExitCode::kFoundInvalid;
}

ExitCode watch(const WatchFlags& flags, Console& console, const std::stop_token& stop) {
  verifier::WatchSettings settings;
  for (const std::string& folder : flags.data) {
    if (!fs::is_directory(folder)) bad_input(folder + ": no such folder");
    settings.data.emplace_back(folder);
  }
  settings.all_tasks = flags.all_tasks;
  settings.demand_limit = parse_wei_argument("--demand-limit", flags.demand_limit);
  settings.judging_limit = std::chrono::seconds(flags.judging_limit_s);
  settings.scratch_limit_bytes = std::uint64_t{flags.scratch_limit_gib} << 30;
  settings.memory = flags.memory;
  settings.stop = stop;
  settings.progress = progress_on(console);
  math::ThreadPool pool(thread_count(flags.threads));
  settings.pool = &pool;
  const auto chain = open_chain(flags.chain, console);
  for (const std::string& task : flags.tasks) settings.tasks.push_back(parse_task_argument(*chain, task));
  const proof::PrivateKey key = load_key(flags.key, console);
  const verifier::WatchReport report = with_chain_errors([&] { return verifier::watch_once(*chain, key, settings); });
  console.end_progress();

  std::string text;
  json::array events;
  for (const verifier::WatchEvent& event : report.events) {
    text += to_text(event) + "\n";
    events.emplace_back(to_json(event));
  }
  for (const std::string& alarm : report.alarms) text += "ALARM " + alarm + "\n";
  text += "open batches " + std::to_string(report.open_batches);
  if (report.withdrawn.value != 0) text += ", withdrawn " + chain::to_text_with_unit(report.withdrawn);
  const json::object object{{"events", std::move(events)},
                            {"alarms", json::value_from(report.alarms)},
                            {"open_batches", report.open_batches},
                            {"withdrawn", chain::to_text(report.withdrawn)},
                            {"stopped", report.stopped}};
  const ExitCode code = exit_code(report);
  if (code == ExitCode::kFine) {
    console.result(text, object);
  } else {
    console.finding(text, object);
  }
  if (!report.stopped) return code;
  console.note("interrupted; the next run goes on from here");
  return ExitCode::kOutsideWorld;
}

ExitCode keep(const KeepFlags& flags, Console& console, const std::stop_token& stop) {
  if (!fs::is_directory(flags.directory)) bad_input(flags.directory + ": no such batch directory");
  const proof::PrivateKey key = load_key(flags.key, console);
  math::ThreadPool pool(thread_count(flags.threads));
  const auto kept = verifier::keep_batch(flags.directory, flags.store, key,
                                         {.pool = &pool, .stop = stop, .progress = progress_on(console)});
  console.end_progress();
  if (!kept) throw Failure(ExitCode::kFoundInvalid, flags.directory + ": nothing is signed: " + kept.error());
  const std::string signature = math::to_hex(kept->signature.bytes);
  json::object object{{"batch_id", to_hex(kept->batch)},
                      {"keeper", proof::to_text(key.address())},
                      {"signature", signature},
                      {"folder", kept->folder.string()},
                      {"bytes", kept->bytes}};
  std::string line = signature;
  if (kept->position) {
    object["position"] = *kept->position;
    line = std::to_string(*kept->position) + "=" + signature;
  } else {
    console.warn("the task does not name " + proof::to_text(key.address()) + " as a keeper");
  }
  object["argument"] = line;
  if (!flags.out.empty()) {
    std::ofstream file(flags.out, std::ios::trunc);
    file << line << "\n";
    if (!file.flush()) throw Failure(ExitCode::kOutsideWorld, flags.out + ": cannot be written");
  }
  console.result("kept " + to_hex(kept->batch) + " in " + kept->folder.string() + ", " + human_bytes(kept->bytes) +
                     "\ntally post takes: --keeper " + line,
                 object);
  return ExitCode::kFine;
}

}  // namespace

void add_watch(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<WatchFlags>();
  CLI::App* const command =
      app.add_subcommand("watch", "Judge every batch that was posted, and dispute what is wrong, to the end");
  command->add_flag("--once", flags->once, "Do all that can be done now, then end")->required();
  command->add_option("--data", flags->data, "Folder that may hold batches; may be given several times")
      ->required()
      ->envname("TALLY_DATA");
  command->add_option("--memory", flags->memory, "The watchtower's own file; made where there is none")->required();
  command
      ->add_option("--task", flags->tasks,
                   "Watch this task, without the limits below, and not those that are not named; may be given several "
                   "times. Without it all tasks are watched, strangers' too")
      ->envname("TALLY_TASK");
  command->add_flag("--all-tasks", flags->all_tasks, "Watch all other tasks too, after those that are named");
  command
      ->add_option("--demand-limit", flags->demand_limit,
                   "What demands for leaves may cost over all time, in all tasks that are not named together")
      ->capture_default_str();
  command
      ->add_option(
          "--judging-limit", flags->judging_limit_s,
          "Seconds that judging a batch of a task that is not named may take in one run, or a move against one")
      ->capture_default_str();
  command
      ->add_option("--scratch-limit", flags->scratch_limit_gib,
                   "GiB of tables that judging a batch of a task that is not named may compute beside the memory")
      ->capture_default_str();
  add_chain_option(*command, flags->chain);
  add_key_options(*command, flags->key);
  add_threads_option(*command, flags->threads);
  add_output_flags(*command, session);
  command->footer(
      "Exit codes: 0 all is well, frauds that are being disputed and what was passed over included (a data folder\n"
      "that cannot be read, a limit of tasks that are not named); 1 there are alarms, which a person should look at;\n"
      "2 usage or bad input; 3 a batch could not be looked after, or the outside world failed.");
  command->callback([flags, &session] {
    session.run = [flags, &session](Console& console) { return watch(*flags, console, session.stop); };
  });
}

void add_keep(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<KeepFlags>();
  CLI::App* const command =
      app.add_subcommand("keep", "Store and check the inputs of a batch that is to be posted, and sign for them");
  command->add_flag("--once", flags->once, "Keep this batch, then end")->required();
  command->add_option("directory", flags->directory, "The batch directory")->required();
  command->add_option("--store", flags->store, "Folder for the copies")->required();
  command->add_option("--out", flags->out, "Write what `tally post --keeper` takes to this file");
  add_key_options(*command, flags->key);
  add_threads_option(*command, flags->threads);
  add_output_flags(*command, session);
  command->callback([flags, &session] {
    session.run = [flags, &session](Console& console) { return keep(*flags, console, session.stop); };
  });
}

}  // namespace tally::cli
