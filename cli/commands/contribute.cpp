// `tally contribute`: a trainer signs its update for the next batch of a task.
#include <algorithm>
#include <memory>
#include <string>

#include "cli/admission.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/task_options.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "sequencer/admission/program_refusals.h"
#include "sequencer/batch/update_source.h"
#include "sequencer/trainer/contribution.h"
#include "sequencer/trainer/update_file.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

struct ContributeFlags {
  std::string update;
  std::string task;
  std::string parent = "latest";
  std::string examples;
  std::vector<std::string> fields;
  std::uint64_t nonce = 0;
  bool clip = false;
  std::string chain;
  KeyFlags key;
  std::string data;
};

std::vector<std::int64_t> field_values(const ContributeFlags& flags, const math::CompiledProgram& compiled) {
  auto given = split_pairs(flags.fields, "--field");
  if (!flags.examples.empty() && !given.emplace("examples", flags.examples).second) {
    bad_input("--examples and --field examples=… say the same thing twice");
  }
  std::vector<std::int64_t> values;
  for (const math::ObjectId id : proof::objects_of(compiled.program, math::ObjectKind::kField)) {
    const std::string& name = compiled.names.objects[id];
    const auto found = given.find(name);
    if (found == given.end())
      bad_input(compiled.names.program + " needs field " + name + ": give --field " + name + "=N");
    const auto value = math::parse_i128(found->second);
    const math::Range& range = compiled.program.objects[id].range;
    if (!value || !range.contains(*value)) {
      bad_input(name + " " + found->second + ": not within " + math::to_string(range.lo) + ".." +
                math::to_string(range.hi));
    }
    values.push_back(static_cast<std::int64_t>(*value));
    given.erase(found);
  }
  if (!given.empty()) bad_input(compiled.names.program + " has no field " + given.begin()->first);
  return values;
}

/// Whoever signs hears at once what a sequencer would refuse it for.
void examine_own(const sequencer::OpenTask& task, const sequencer::BatchPlace& place, const chain::BatchStore& store,
                 const proof::StateReader& chain, const proof::Record& record, const std::string& file) {
  std::vector<std::unique_ptr<sequencer::ElementSource>> states;
  if (sequencer::has_refusals(task.program)) {
    auto previous = sequencer::previous_states(task, store, place.parent);
    if (!previous) bad_input(previous.error().message);
    states = *std::move(previous);
  }
  math::ThreadPool pool(1);
  const sequencer::Admission admission{
      .task = task, .place = place, .seed = {}, .chain = chain, .states = states, .pool = pool};
  require_admitted(admission, record, file);
}

ExitCode contribute(const ContributeFlags& flags, Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const chain::BatchStore store(flags.data);
  const sequencer::OpenTask task = open_task(*chain, store, flags.task);
  const proof::BatchId parent = parse_parent(*chain, store, task.id, flags.parent);
  chain::BatchIndex index;
  index.follow(*chain);
  const auto placed = sequencer::place_on(chain->state(), index, task.id, parent);
  if (!placed) bad_input(placed.error().message);
  const sequencer::BatchPlace& place = *placed;
  const proof::PrivateKey key = load_key(flags.key, console);
  const auto binding = proof::read_binding(chain->state(), task.id, key.address());
  if (!binding) bad_input(to_text(key.address()) + " belongs to no member of the task; run `tally register` first");

  sequencer::Contribution contribution;
  contribution.place = {.task = task.id, .batch = place.number, .state = place.state};
  contribution.out_of_range = flags.clip ? math::OutOfRangePolicy::kClip : math::OutOfRangePolicy::kRefuse;
  std::vector<std::unique_ptr<sequencer::ElementSource>> rows;
  if (!proof::objects_of(task.program.program, math::ObjectKind::kRow).empty()) {
    auto update = sequencer::UpdateFile::open(flags.update);
    if (!update) bad_input(update.error().message);
    rows.push_back(std::make_unique<sequencer::UpdateSource>(
        *std::move(update),
        math::QuantiseOptions{.frac_bits = task.preimage().frac_bits, .out_of_range = contribution.out_of_range}));
  }
  auto record = sequencer::make_record({.program = task.program.program,
                                        .task = task.preimage(),
                                        .place = contribution.place,
                                        .key = key,
                                        .member = binding->member,
                                        .nonce = flags.nonce,
                                        .rows = rows,
                                        .fields = field_values(flags, task.program)});
  if (!record) bad_input(record.error());
  contribution.record = *std::move(record);
  const std::filesystem::path file = sequencer::record_file_of(flags.update);
  examine_own(task, place, store, chain->state(), contribution.record, file.string());
  sequencer::write_contribution(file, contribution);
  console.result("signed " + file.string() + " for batch " + std::to_string(place.number) + " as member " +
                     std::to_string(binding->member),
                 json::object{{"record", file.string()},
                              {"task", to_hex(task.id)},
                              {"batch", place.number},
                              {"state", to_hex(place.state)},
                              {"member", binding->member}});
  return ExitCode::kFine;
}

}  // namespace

void add_contribute(CLI::App& app, Session& session) {
  const auto flags = std::make_shared<ContributeFlags>();
  CLI::App* const command = app.add_subcommand("contribute", "Sign an update for a task's next batch");
  command
      ->add_option("update", flags->update,
                   "The update, .npy or .safetensors; its record goes beside it. Without rows: the record's name")
      ->required();
  add_task_option(*command, flags->task);
  command->add_option("--parent", flags->parent, "What that batch extends: latest, genesis, or a batch's id")
      ->capture_default_str();
  command->add_option("--examples", flags->examples, "Field `examples`");
  command->add_option("--field", flags->fields, "Another field, NAME=N; repeatable");
  command->add_option("--nonce", flags->nonce, "For several records of one key in a batch")->capture_default_str();
  command->add_flag("--clip", flags->clip, "Clip finite values beyond the fixed-point range instead of refusing them");
  add_chain_option(*command, flags->chain);
  add_key_options(*command, flags->key);
  add_data_option(*command, flags->data);
  add_output_flags(*command, session);
  command->callback(
      [flags, &session] { session.run = [flags](Console& console) { return contribute(*flags, console); }; });
}

}  // namespace tally::cli
