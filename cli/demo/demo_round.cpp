#include "cli/demo/demo_round.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "cli/demo/forge.h"
#include "deterministic_math/numbers/quantiser.h"
#include "sequencer/batch/model_encoder.h"
#include "sequencer/batch/update_source.h"
#include "sequencer/task/extend.h"
#include "sequencer/trainer/contribution.h"
#include "sequencer/trainer/model_writer.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;
namespace training = sequencer::training;

constexpr std::size_t kReplayedTrainer = 7;

training::LocalOptions local_options() { return {.learning_rate = 0.1, .batch_size = 10, .epochs = 5}; }

}  // namespace

DemoTraining::DemoTraining(DemoWorld& world, const DemoSettings& settings)
    : x_world(world),
      x_settings(settings),
      x_clients(training::make_synthetic({.clients = settings.trainers, .max_samples = 400, .seed = settings.seed})) {}

training::ModelShape DemoTraining::shape() { return {.kind = training::ModelKind::kSoftmax}; }

std::vector<float> DemoTraining::model_behind(const proof::BatchId& parent) const {
  const auto states = sequencer::previous_states(x_world.task(), x_world.store(), parent);
  if (!states) throw std::runtime_error(states.error().message);
  std::vector<std::int32_t> fixed(states->front()->size());
  if (auto read = states->front()->read(0, std::as_writable_bytes(std::span(fixed))); !read) {
    throw std::runtime_error(read.error());
  }
  std::vector<float> values(fixed.size());
  const auto done = math::dequantise(math::FloatType::kF32, fixed, std::as_writable_bytes(std::span(values)),
                                     x_world.task().preimage().frac_bits);
  if (!done) throw std::runtime_error(done.error().message());
  return values;
}

fs::path DemoTraining::update_file(const Source& source) const {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "trainer-%02zu.npy", source.trainer);
  return x_world.round_folder(source.round) / name.data();
}

void DemoTraining::contribute(int round, const proof::BatchId& parent) {
  const sequencer::OpenTask& task = x_world.task();
  const auto place = sequencer::place_on(x_world.chain().state(), x_world.index(), task.id, parent);
  if (!place) throw std::runtime_error(place.error().message);
  const std::vector<float> model = model_behind(parent);
  std::vector<training::ClientUpdate> updates =
      training::train_round(shape(), model, x_clients, local_options(), x_settings.seed, round);
  fs::create_directories(x_world.round_folder(round));
  for (std::size_t i = 0; i < updates.size(); ++i) {
    if (i < static_cast<std::size_t>(x_settings.malicious)) {
      for (float& value : updates[i].delta) value = -value;
    }
    const fs::path file = update_file({.round = round, .trainer = i});
    sequencer::write_npy(file, {.name = "", .shape = {model.size()}, .values = updates[i].delta});
    auto opened = sequencer::UpdateFile::open(file);
    if (!opened) throw std::runtime_error(opened.error().message);
    std::vector<std::unique_ptr<sequencer::ElementSource>> rows;
    rows.push_back(std::make_unique<sequencer::UpdateSource>(
        *std::move(opened), math::QuantiseOptions{.frac_bits = task.preimage().frac_bits}));
    const sequencer::RoundPlace round_place{.task = task.id, .batch = place->number, .state = place->state};
    const proof::PrivateKey& key = x_world.trainer(i);
    auto record = sequencer::make_record({.program = task.program.program,
                                          .task = task.preimage(),
                                          .place = round_place,
                                          .key = key,
                                          .member = i,
                                          .nonce = 0,
                                          .rows = rows,
                                          .fields = {}});
    if (!record) throw std::runtime_error(record.error());
    sequencer::write_contribution(sequencer::record_file_of(file),
                                  {.place = round_place, .record = *std::move(record)});
  }
}

std::vector<DemoTraining::Source> DemoTraining::sources(int round) const {
  std::vector<Source> all;
  for (std::size_t i = 0; i < x_world.trainers(); ++i) all.push_back({.round = round, .trainer = i});
  return all;
}

sequencer::BatchInputs DemoTraining::inputs(const std::vector<Source>& sources, const proof::BatchId& parent,
                                            const proof::Address& poster) {
  const sequencer::OpenTask& task = x_world.task();
  auto extension = sequencer::extend(x_world.chain().state(), x_world.index(), task.id, parent);
  if (!extension) throw std::runtime_error(extension.error().message);
  auto states = sequencer::previous_states(task, x_world.store(), parent);
  if (!states) throw std::runtime_error(states.error().message);
  sequencer::BatchInputs inputs;
  inputs.program = &task.program;
  inputs.dims = task.dims(sources.size());
  inputs.place = std::move(extension->place);
  inputs.frac_bits = task.preimage().frac_bits;
  inputs.settings = task.preimage().settings;
  inputs.poster = poster;
  inputs.states = *std::move(states);
  for (const Source& source : sources) {
    const fs::path file = update_file(source);
    auto opened = sequencer::UpdateFile::open(file);
    if (!opened) throw std::runtime_error(opened.error().message);
    auto contribution = sequencer::read_contribution(sequencer::record_file_of(file), {.rows = 1, .fields = 0});
    if (!contribution) throw std::runtime_error(contribution.error().message);
    if (!inputs.layout) inputs.layout = opened->layout();
    sequencer::RecordInput& record = inputs.records.emplace_back();
    record.source = file.string();
    record.rows.push_back(std::make_unique<sequencer::UpdateSource>(
        *std::move(opened), math::QuantiseOptions{.frac_bits = inputs.frac_bits}));
    record.signed_record = std::move(contribution->record);
  }
  return inputs;
}

namespace {

sequencer::BuiltBatch build_in(const fs::path& store, sequencer::BatchInputs inputs, sequencer::Signatures signatures,
                               math::TaskPool& pool) {
  sequencer::BuildOptions options;
  options.target = store;
  options.naming = sequencer::Naming::kBatchId;
  options.signatures = signatures;
  options.pool = &pool;
  options.encode_model = sequencer::model_encoder();
  auto built = sequencer::build_batch(std::move(inputs), options);
  if (!built) throw std::runtime_error(built.error().message);
  return *std::move(built);
}

}  // namespace

sequencer::BuiltBatch DemoTraining::build(int round, const proof::BatchId& parent) {
  return build_in(x_world.store().folder(), inputs(sources(round), parent, x_world.sequencer().address()),
                  sequencer::Signatures::kCheck, x_world.pool());
}

BuiltFraud DemoTraining::build_fraud(Fraud kind, int round, const proof::BatchId& parent) {
  BuiltFraud fraud{.kind = kind, .batch = {}, .directory = {}};
  std::vector<Source> taken = sources(round);
  if (kind == Fraud::kOldUpdate) {
    fraud.trainer = kReplayedTrainer % taken.size();
    taken[fraud.trainer].round = round - 1;
  }
  const chain::BatchStore store = kind == Fraud::kWithheld ? x_world.hidden_store() : x_world.rival_store();
  const sequencer::BuiltBatch built = build_in(store.folder(), inputs(taken, parent, x_world.rival().address()),
                                               sequencer::Signatures::kChecked, x_world.pool());
  fraud.batch = proof::batch_id(built.manifest.header);
  fraud.directory = built.directory;
  if (kind == Fraud::kForgedWeight) {
    fraud.entry = built.manifest.task.dims.front() / 4 + 7 * static_cast<std::uint64_t>(round);
    fraud.batch = forge_weight(built.directory, x_world.task(), fraud.entry, x_world.pool());
    fraud.directory = store.batch(fraud.batch);
  }
  return fraud;
}

double DemoTraining::accuracy(const proof::BatchId& batch) {
  return training::test_accuracy(shape(), model_behind(batch), x_clients);
}

}  // namespace tally::cli
