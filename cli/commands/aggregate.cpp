// `tally aggregate`: from a folder of updates to a signed, committed batch and its aggregated model.
#include <array>
#include <memory>
#include <set>

#include "cli/admission.h"
#include "cli/aggregate_inputs.h"
#include "cli/chain_aggregate.h"
#include "cli/commands.h"
#include "cli/load_program.h"
#include "cli/threads.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "sequencer/batch/model_encoder.h"
#include "sequencer/trainer/contribution.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

void print(const sequencer::BuiltBatch& built, const AggregateFlags& flags, std::uint64_t left_out,
           const Console& console) {
  const std::string directory = built.directory.string();
  const chain::Manifest& manifest = built.manifest;
  const std::string id = to_hex(proof::batch_id(manifest.header));
  const sequencer::BuildTimes& times = built.times;
  std::array<char, 200> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.3f s: read %.3f, quantise %.3f, hash %.3f, fold %.3f, write %.3f",
                times.wall, times.read, times.quantise, times.hash, times.fold, times.write);
  const std::string model = manifest.model ? (built.directory / manifest.model->file).string() : "none";
  std::string text = "aggregated " + std::to_string(manifest.header.record_count) +
                     (manifest.header.record_count == 1 ? " update (" : " updates (") + human_bytes(built.row_bytes) +
                     ") by " + manifest.shape.program + "\n";
  if (flags.clip) text += "clip   " + std::to_string(built.clipped) + " values were out of range\n";
  if (left_out > 0) text += "left out " + std::to_string(left_out) + " that were refused\n";
  text += "batch  " + id + "\nfiles  " + directory + "\nmodel  " + model + "\ntime   " + seconds.data();
  console.result(text, json::object{{"program", manifest.shape.program},
                                    {"records", manifest.header.record_count},
                                    {"batch_id", id},
                                    {"directory", directory},
                                    {"model", model},
                                    {"row_bytes", built.row_bytes},
                                    {"clipped", built.clipped},
                                    {"left_out", left_out},
                                    {"microseconds",
                                     {{"wall", microseconds(times.wall)},
                                      {"read", microseconds(times.read)},
                                      {"quantise", microseconds(times.quantise)},
                                      {"hash", microseconds(times.hash)},
                                      {"fold", microseconds(times.fold)},
                                      {"write", microseconds(times.write)}}}});
}

sequencer::BuiltBatch build(sequencer::BatchInputs inputs, sequencer::BuildOptions options, Console& console) {
  options.encode_model = sequencer::model_encoder();
  options.progress = [&console](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    console.progress(phase, done, total);
  };
  auto built = sequencer::build_batch(std::move(inputs), options);
  console.end_progress();
  if (!built) {
    const bool stopped = built.error().reason == sequencer::BuildReason::kStopped;
    throw Failure(stopped ? ExitCode::kOutsideWorld : ExitCode::kBadInput, built.error().message);
  }
  return *std::move(built);
}

/// A batch of no chain.
ExitCode aggregate(const AggregateFlags& flags, Console& console, const std::stop_token& stop) {
  if (flags.program.empty() || flags.out.empty()) {
    bad_input("give --program and --out, or --task for a batch of a task on chain");
  }
  const math::CompiledProgram compiled = load_program(flags.program, flags.parameters);
  const std::vector<fs::path> updates = find_updates(flags.updates);
  const SigningKeys keys = load_signing_keys(updates, flags.keys, flags.password_file, console);
  sequencer::BatchInputs inputs = gather_inputs(flags, compiled, updates, keys);
  math::ThreadPool pool(thread_count(flags.threads));
  sequencer::BuildOptions options;
  options.target = flags.out;
  options.replace = flags.replace ? sequencer::Replace::kReplace : sequencer::Replace::kRefuse;
  options.pool = &pool;
  options.stop = stop;
  print(build(std::move(inputs), std::move(options), console), flags, 0, console);
  return ExitCode::kFine;
}

/// A trainer that sent its record alone would miss the round, and nobody would know.
void warn_of_lone_records(const std::vector<std::string>& folders, const std::vector<fs::path>& updates,
                          const Console& console) {
  std::set<fs::path> used;
  for (const fs::path& update : updates) used.insert(sequencer::record_file_of(update));
  std::set<fs::path> lone;
  for (const std::string& folder : folders) {
    if (!fs::is_directory(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".record" && !used.contains(entry.path())) lone.insert(entry.path());
    }
  }
  for (const fs::path& record : lone) console.warn("left out: " + record.string() + ": its update is not beside it");
}

ExitCode aggregate_on_chain(const AggregateFlags& flags, Console& console, const std::stop_token& stop) {
  if (flags.chain.empty() || flags.data.empty()) bad_input("--task needs --chain and --data");
  const auto chain = open_chain(flags.chain, console);
  const chain::BatchStore store(flags.data);
  const sequencer::OpenTask task = open_task(*chain, store, flags.task);
  const proof::BatchId parent = parse_parent(*chain, store, task.id, flags.parent);
  const sequencer::Extension extension = extend_parent(*chain, task.id, parent);
  const bool has_rows = !proof::objects_of(task.program.program, math::ObjectKind::kRow).empty();
  const std::vector<fs::path> updates = find_updates(flags.updates, has_rows ? Contents::kUpdates : Contents::kRecords);
  if (has_rows) warn_of_lone_records(flags.updates, updates, console);
  sequencer::BatchInputs inputs = gather_contributions(flags, task, extension, store, updates, console);
  const std::uint64_t unusable = updates.size() - inputs.records.size();
  math::ThreadPool pool(thread_count(flags.threads));
  const sequencer::Admission admission{.task = task,
                                       .place = extension.place,
                                       .seed = extension.seed,
                                       .chain = chain->state(),
                                       .states = inputs.states,
                                       .pool = pool};
  const std::uint64_t left_out =
      admit_records(admission, flags.leave_out_refused ? Refused::kLeaveOut : Refused::kFail, console, inputs);
  sequencer::BuildOptions options;
  options.target = store.folder();
  options.signatures = sequencer::Signatures::kChecked;
  options.naming = sequencer::Naming::kBatchId;
  // A batch of the same id is the same batch.
  options.replace = sequencer::Replace::kReplace;
  options.pool = &pool;
  options.stop = stop;
  print(build(std::move(inputs), std::move(options), console), flags, unusable + left_out, console);
  return ExitCode::kFine;
}

}  // namespace

void add_aggregate(CLI::App& app, Session& session) {
  auto flags = std::make_shared<AggregateFlags>();
  CLI::App* command = app.add_subcommand("aggregate", "Turn model updates into a signed, committed batch");
  command->add_option("--updates", flags->updates, "Update files (.npy, .safetensors), or folders of them")->required();
  command->add_option("--program", flags->program, "A program of the library, or a .tally file");
  command->add_option("--out", flags->out, "The batch directory to make");
  command->add_option("--task", flags->task,
                      "A task on chain: build its next batch from signed contributions in --data");
  command->add_option("--parent", flags->parent, "What that batch extends: latest, genesis, or a batch's id")
      ->capture_default_str();
  command->add_option("--chain", flags->chain, "The chain: embedded:FILE, or the file alone")->envname("TALLY_CHAIN");
  command->add_option("--data", flags->data, "Folder that holds the data of tasks and batches")->envname("TALLY_DATA");
  command
      ->add_option("--key", flags->key,
                   "With --task: the keystore whose address is the poster's, or dev:N; it is not opened")
      ->envname("TALLY_KEY");
  command->add_flag("--leave-out-refused", flags->leave_out_refused,
                    "Leave records that are not admitted out of a batch of --task, and say why");
  command->add_option("--examples", flags->examples, "CSV of name,examples, or one number for all updates");
  command->add_option("--field", flags->fields, "Another field, NAME=CSV or NAME=N; repeatable");
  command->add_option("--state", flags->state, "The model to start from, or `zeros`")->capture_default_str();
  command->add_option("--param", flags->parameters, "A parameter of the program, NAME=VALUE; repeatable");
  command->add_option("--dim", flags->dims, "A dim that the updates do not tell, NAME=VALUE; repeatable");
  command->add_option("--advice", flags->advice, "Advice with `hint input`, TABLE=FILE; repeatable");
  command->add_option("--keys", flags->keys, "Folder of keystores, one NAME.json for each update NAME.npy");
  command->add_option("--password-file", flags->password_file, "Password of the keystores");
  command->add_option("--poster", flags->poster,
                      "Address of the poster (default: that of --key with --task, else a development address)");
  command->add_option("--seed", flags->seed, "Seed for programs that use one, 0x and 64 hex digits");
  command->add_option("--frac-bits", flags->frac_bits, "Fraction bits of the fixed point")
      ->check(CLI::Range(0, math::kMaxFracBits))
      ->capture_default_str();
  command->add_option("--leaf-bytes", flags->leaf_bytes, "Bytes of a Merkle leaf: a power of two from 64 to 4096")
      ->capture_default_str();
  command->add_flag("--clip", flags->clip, "Clip finite values beyond the fixed-point range instead of refusing them");
  command->add_flag("--replace", flags->replace, "Replace a batch directory that is already there");
  add_threads_option(*command, flags->threads);
  add_output_flags(*command, session);
  command->callback([flags, &session] {
    session.run = [flags, &session](Console& console) {
      return flags->task.empty() ? aggregate(*flags, console, session.stop)
                                 : aggregate_on_chain(*flags, console, session.stop);
    };
  });
}

}  // namespace tally::cli
