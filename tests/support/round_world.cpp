#include "tests/support/round_world.h"

#include <algorithm>
#include <random>
#include <stdexcept>

#include "chain_adapter/keys/development_keys.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/programs/program_library.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "sequencer/batch/model_encoder.h"

namespace tally::test {

namespace {

using math::ObjectKind;

math::CompiledProgram compile(const RoundOptions& options) {
  const auto known = math::find_library_program(options.program);
  math::CompileOptions compile_options;
  compile_options.parameters = options.parameters;
  compile_options.template_library = math::template_library();
  auto compiled = math::compile(known ? known->text : std::string_view(options.program), compile_options);
  if (!compiled) throw std::runtime_error(compiled.error().listing);
  return *std::move(compiled);
}

std::unique_ptr<sequencer::ElementSource> random_elements(std::mt19937_64& random, const std::string& name,
                                                          const math::Object& object, std::uint64_t count) {
  const std::size_t width = math::element_bytes(object.type);
  std::uniform_int_distribution<std::int64_t> values(
      static_cast<std::int64_t>(std::max<math::i128>(object.range.lo, -100'000'000)),
      static_cast<std::int64_t>(std::min<math::i128>(object.range.hi, 100'000'000)));
  std::vector<std::byte> bytes(count * width);
  for (std::uint64_t i = 0; i < count; ++i) math::write_element(bytes, object.type, i, values(random));
  return sequencer::stored_elements(name, std::move(bytes), width);
}

}  // namespace

RoundWorld::RoundWorld(const std::filesystem::path& data, RoundOptions options)
    : x_options(std::move(options)),
      x_store(data),
      x_program(compile(x_options)),
      x_poster(chain::development_key(kPosterKey)) {
  for (std::uint64_t member = 0; member < x_options.members; ++member) {
    x_keys.push_back(chain::development_key(x_options.first_key + member));
  }
  const math::Program& program = x_program.program;
  std::vector<std::uint64_t> dims = {program.dims.front().lo};
  dims.insert(dims.end(), x_options.dims.begin(), x_options.dims.end());
  const math::BatchValues values = proof::batch_values(dims, proof::kFirstBatch, {});
  std::mt19937_64 random(99);
  sequencer::NewTask task{
      .program = x_program, .dims = x_options.dims, .settings = x_options.settings, .salt = {}, .states = {}};
  for (const math::ObjectId id : proof::objects_of(program, ObjectKind::kState)) {
    const math::Object& object = program.objects[id];
    task.states.push_back(
        random_elements(random, x_program.names.objects[id], object, math::element_count(object.extents, values)));
  }
  math::ThreadPool pool(1);
  auto prepared = sequencer::prepare_task(task, x_options.chain, x_poster.address(), x_store, pool);
  if (!prepared) throw std::runtime_error(prepared.error());
  x_prepared = *std::move(prepared);
  x_task = sequencer::OpenTask{
      .id = x_prepared->id,
      .record = {.preimage = x_prepared->preimage, .created_s = 0, .created_block = 0},
      .program = compile(x_options),
  };
}

RoundStart RoundWorld::genesis() const { return {.state = x_prepared->preimage.genesis_root}; }

RoundStart RoundWorld::after(const sequencer::BuiltBatch& batch) {
  const proof::BatchHeader& header = batch.manifest.header;
  return {.parent = proof::batch_id(header), .number = header.number + 1, .state = header.next_state_root};
}

sequencer::BatchInputs RoundWorld::inputs(const RoundStart& start, std::uint64_t seed) const {
  const math::Program& program = x_program.program;
  sequencer::BatchInputs inputs;
  inputs.program = &x_program;
  inputs.dims = x_task->dims(x_keys.size());
  inputs.place = sequencer::BatchPlace{
      .task = x_prepared->preimage, .parent = start.parent, .number = start.number, .state = start.state};
  inputs.settings = x_options.settings;
  inputs.poster = x_poster.address();
  auto states = sequencer::previous_states(*x_task, x_store, start.parent);
  if (!states) throw std::runtime_error(states.error().message);
  inputs.states = *std::move(states);
  const math::BatchValues values = proof::batch_values(inputs.dims, start.number, {});
  std::mt19937_64 random(seed);
  for (std::size_t k = 0; k < x_keys.size(); ++k) {
    sequencer::RecordInput& record = inputs.records.emplace_back();
    record.source = "update " + std::to_string(k);
    for (const math::ObjectId id : proof::objects_of(program, ObjectKind::kRow)) {
      const math::Object& object = program.objects[id];
      record.rows.push_back(
          random_elements(random, record.source, object, math::extent_value(object.extents[1], values)));
    }
    std::vector<std::int64_t> fields;
    for (const math::ObjectId id : proof::objects_of(program, ObjectKind::kField)) {
      const math::Range& range = program.objects[id].range;
      std::uniform_int_distribution<std::int64_t> field(static_cast<std::int64_t>(range.lo),
                                                        static_cast<std::int64_t>(range.hi));
      fields.push_back(field(random));
    }
    auto made = sequencer::make_record({.program = program,
                                        .task = x_prepared->preimage,
                                        .place = {.task = x_prepared->id, .batch = start.number, .state = start.state},
                                        .key = x_keys[k],
                                        .member = k,
                                        .nonce = 0,
                                        .rows = record.rows,
                                        .fields = std::move(fields)});
    if (!made) throw std::runtime_error(made.error());
    record.signed_record = *std::move(made);
  }
  return inputs;
}

std::expected<sequencer::BuiltBatch, sequencer::BuildError> RoundWorld::build(sequencer::BatchInputs inputs) const {
  math::ThreadPool pool(1);
  sequencer::BuildOptions options;
  options.target = x_store.folder();
  options.naming = sequencer::Naming::kBatchId;
  options.pool = &pool;
  options.encode_model = sequencer::model_encoder();
  return sequencer::build_batch(std::move(inputs), options);
}

}  // namespace tally::test
