#include "cli/chain_aggregate.h"

#include <algorithm>
#include <array>
#include <expected>
#include <memory>
#include <utility>

#include "chain_adapter/keys/keystore.h"
#include "cli/exit_code.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "sequencer/admission/admission.h"
#include "sequencer/batch/update_source.h"
#include "sequencer/trainer/contribution.h"
#include "sequencer/trainer/update_file.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;

void refuse_offline_flags(const AggregateFlags& flags) {
  const std::array<std::pair<const char*, bool>, 10> given = {{{"--program", !flags.program.empty()},
                                                               {"--param", !flags.parameters.empty()},
                                                               {"--dim", !flags.dims.empty()},
                                                               {"--examples", !flags.examples.empty()},
                                                               {"--field", !flags.fields.empty()},
                                                               {"--state", flags.state != "zeros"},
                                                               {"--keys", !flags.keys.empty()},
                                                               {"--seed", !flags.seed.empty()},
                                                               {"--clip", flags.clip},
                                                               {"--out", !flags.out.empty()}}};
  const auto* const first = std::ranges::find(given, true, &std::pair<const char*, bool>::second);
  if (first == given.end()) return;
  bad_input(std::string(first->first) +
            " does not go with --task: the task, the chain and what trainers signed settle it");
}

/// As a keystore tells it, so that no password is needed.
proof::Address address_of(const std::string& key) {
  if (const auto development = development_key_argument("--key", key)) return development->address();
  const auto keystore = chain::read_keystore(key);
  if (!keystore) bad_input(keystore.error().message);
  if (!keystore->address) bad_input(key + ": does not tell its address; give --poster");
  return *keystore->address;
}

proof::Address find_poster(const AggregateFlags& flags, const Console& console) {
  if (flags.poster.empty() && !flags.key.empty()) return address_of(flags.key);
  if (flags.poster.empty()) {
    console.warn("only development key 0, which anyone can derive, can post this batch; give --key or --poster");
  }
  return poster_address(flags.poster);
}

struct RefusedFile {
  sequencer::AdmissionReason reason{};
  std::string message;  // with the file that is at fault
};

std::unexpected<RefusedFile> refuse(sequencer::AdmissionReason reason, std::string message) {
  return std::unexpected(RefusedFile{reason, std::move(message)});
}

std::expected<sequencer::RecordInput, RefusedFile> read_contribution(const fs::path& update,
                                                                     const sequencer::OpenTask& task,
                                                                     const sequencer::BatchPlace& place) {
  using enum sequencer::AdmissionReason;
  const math::Program& program = task.program.program;
  const fs::path file = sequencer::record_file_of(update);
  auto contribution = sequencer::read_contribution(file, proof::record_shape(program));
  if (!contribution) return refuse(kMalformed, contribution.error().message + "; `tally contribute` makes it");
  const sequencer::RoundPlace expected{.task = task.id, .batch = place.number, .state = place.state};
  if (contribution->place != expected) {
    const bool other = contribution->place.task != task.id;
    return refuse(kOtherRound, file.string() + ": signed for " +
                                   (other ? "task " + to_hex(contribution->place.task)
                                          : "batch " + std::to_string(contribution->place.batch) + " on state " +
                                                to_hex(contribution->place.state)) +
                                   ", but this is batch " + std::to_string(place.number) + " on state " +
                                   to_hex(place.state));
  }
  sequencer::RecordInput input;
  input.source = update.string();
  if (!proof::objects_of(program, math::ObjectKind::kRow).empty()) {
    auto opened = sequencer::UpdateFile::open(update);
    if (!opened) return refuse(kMalformed, opened.error().message);
    const math::QuantiseOptions quantise{.frac_bits = task.preimage().frac_bits,
                                         .out_of_range = contribution->out_of_range};
    input.rows.push_back(std::make_unique<sequencer::UpdateSource>(*std::move(opened), quantise));
  }
  input.signed_record = std::move(contribution->record);
  return input;
}

/// The builder finds this too, but only when it is too late to leave the record out.
std::expected<void, RefusedFile> check_rows(const sequencer::RecordInput& input, const sequencer::OpenTask& task) {
  const auto commitments = sequencer::commit_rows(task.program.program, task.preimage(), input.rows);
  if (!commitments) return refuse(sequencer::AdmissionReason::kRows, commitments.error());
  if (*commitments == input.signed_record->rows) return {};
  return refuse(sequencer::AdmissionReason::kRows, input.source + ": not the update that its record was signed for");
}

/// In the order of the updates. With --leave-out-refused, those alone that can be in a batch, each other with a
/// warning.
std::vector<sequencer::RecordInput> read_contributions(const AggregateFlags& flags, const sequencer::OpenTask& task,
                                                       const sequencer::BatchPlace& place,
                                                       const std::vector<fs::path>& updates, const Console& console) {
  std::vector<sequencer::RecordInput> inputs;
  for (const fs::path& update : updates) {
    auto input = read_contribution(update, task, place);
    if (input && flags.leave_out_refused) {
      if (auto same = check_rows(*input, task); !same) input = std::unexpected(std::move(same.error()));
    }
    if (input) {
      inputs.push_back(*std::move(input));
    } else if (flags.leave_out_refused) {
      console.warn("refused: " + std::string(name_of(input.error().reason)) + ": " + input.error().message);
    } else {
      bad_input(input.error().message);
    }
  }
  return inputs;
}

std::optional<chain::ModelLayout> layout_of(const std::vector<sequencer::RecordInput>& records,
                                            const math::CompiledProgram& compiled) {
  const auto& names = compiled.names.objects;
  const auto found = std::ranges::find(names, chain::kModelTable);
  const auto rows = proof::objects_of(compiled.program, math::ObjectKind::kRow);
  if (found == names.end() || rows.empty() || records.empty()) return std::nullopt;
  const math::Object& table = compiled.program.objects[static_cast<std::size_t>(found - names.begin())];
  if (table.kind != math::ObjectKind::kComputed || table.type != math::ElementType::kI32) return std::nullopt;
  return sequencer::UpdateFile::open(records.front().source).value().layout();
}

}  // namespace

sequencer::BatchInputs gather_contributions(const AggregateFlags& flags, const sequencer::OpenTask& task,
                                            const sequencer::Extension& extension, const chain::BatchStore& store,
                                            const std::vector<fs::path>& updates, const Console& console) {
  refuse_offline_flags(flags);
  const auto rows = proof::objects_of(task.program.program, math::ObjectKind::kRow).size();
  if (rows > 1) {
    bad_input(task.program.names.program + " has " + std::to_string(rows) +
              " rows in each record; `tally aggregate` is for programs with one, which is the update");
  }
  sequencer::BatchInputs inputs;
  inputs.program = &task.program;
  inputs.records = read_contributions(flags, task, extension.place, updates, console);
  inputs.dims = task.dims(inputs.records.size());
  inputs.place = extension.place;
  inputs.frac_bits = task.preimage().frac_bits;
  inputs.settings = task.preimage().settings;
  inputs.seed = extension.seed;
  inputs.poster = find_poster(flags, console);
  auto states = sequencer::previous_states(task, store, extension.place.parent);
  if (!states) bad_input(states.error().message);
  inputs.states = *std::move(states);
  inputs.advice = supplied_advice(flags, inputs.frac_bits);
  inputs.layout = layout_of(inputs.records, task.program);
  return inputs;
}

}  // namespace tally::cli
