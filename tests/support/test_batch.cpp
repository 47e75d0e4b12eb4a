#include "tests/support/test_batch.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/files/mapped_file.h"
#include "chain_adapter/keys/development_keys.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/programs/program_library.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "sequencer/batch/model_encoder.h"

namespace tally::test {

namespace {

namespace fs = std::filesystem;

math::CompiledProgram compile(std::string_view program, const std::map<std::string, math::i128>& parameters) {
  const auto known = math::find_library_program(program);
  math::CompileOptions options;
  options.parameters = parameters;
  options.template_library = math::template_library();
  auto compiled = math::compile(known ? known->text : program, options);
  if (!compiled) throw std::runtime_error(compiled.error().listing);
  return *std::move(compiled);
}

std::unique_ptr<sequencer::ElementSource> random_elements(std::mt19937_64& random, const std::string& name,
                                                          const math::Object& object, std::uint64_t count) {
  const std::size_t width = math::element_bytes(object.type);
  const math::Range range{std::max<math::i128>(object.range.lo, -100'000'000),
                          std::min<math::i128>(object.range.hi, 100'000'000)};
  std::uniform_int_distribution<std::int64_t> values(static_cast<std::int64_t>(range.lo),
                                                     static_cast<std::int64_t>(range.hi));
  std::vector<std::byte> bytes(count * width);
  for (std::uint64_t i = 0; i < count; ++i) math::write_element(bytes, object.type, i, values(random));
  return sequencer::stored_elements(name, std::move(bytes), width);
}

chain::Manifest manifest_of(const fs::path& batch) {
  const std::vector<std::uint8_t> bytes = read_bytes(batch / chain::kManifestFile);
  return chain::parse_manifest({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).value();
}

}  // namespace

TestBatch::TestBatch(std::string_view program, TestBatchOptions options)
    : x_options(std::move(options)), x_program(compile(program, x_options.parameters)) {
  for (std::uint64_t k = 0; k < x_options.dims.front(); ++k) x_keys.push_back(chain::development_key(k));
}

sequencer::BatchInputs TestBatch::inputs() const {
  std::mt19937_64 random(x_options.random_seed);
  const math::Program& program = x_program.program;
  const math::BatchValues values = proof::batch_values(x_options.dims, 1, {});
  sequencer::BatchInputs inputs;
  inputs.program = &x_program;
  inputs.dims = x_options.dims;
  inputs.settings.leaf_bytes = x_options.leaf_bytes;
  inputs.poster = chain::development_key(1'000'000).address();
  for (const math::ObjectId id : proof::objects_of(program, math::ObjectKind::kState)) {
    const math::Object& object = program.objects[id];
    inputs.states.push_back(
        random_elements(random, x_program.names.objects[id], object, math::element_count(object.extents, values)));
  }
  for (std::size_t k = 0; k < x_keys.size(); ++k) {
    sequencer::RecordInput record;
    record.key = &x_keys[k];
    record.source = "update " + std::to_string(k);
    for (const math::ObjectId id : proof::objects_of(program, math::ObjectKind::kRow)) {
      const math::Object& object = program.objects[id];
      record.rows.push_back(
          random_elements(random, record.source, object, math::extent_value(object.extents[1], values)));
    }
    for (const math::ObjectId id : proof::objects_of(program, math::ObjectKind::kField)) {
      const math::Range& range = program.objects[id].range;
      std::uniform_int_distribution<std::int64_t> field(static_cast<std::int64_t>(range.lo),
                                                        static_cast<std::int64_t>(range.hi));
      record.fields.push_back(field(random));
    }
    inputs.records.push_back(std::move(record));
  }
  for (std::size_t id = 0; id < program.objects.size(); ++id) {
    if (x_program.names.objects[id] != chain::kModelTable || program.objects[id].rank != 1) continue;
    chain::ModelLayout layout;
    layout.tensors.push_back({.name = "", .type = chain::TensorType::kF32, .shape = {x_options.dims.at(1)}});
    inputs.layout = layout;
  }
  return inputs;
}

std::expected<sequencer::BuiltBatch, sequencer::BuildError> build(sequencer::BatchInputs inputs, const fs::path& target,
                                                                  unsigned threads) {
  math::ThreadPool pool(threads);
  sequencer::BuildOptions options;
  options.target = target;
  options.pool = &pool;
  options.encode_model = sequencer::model_encoder();
  return sequencer::build_batch(std::move(inputs), options);
}

verifier::VerifyReport verify(const fs::path& batch, verifier::Findings findings, unsigned threads) {
  math::ThreadPool pool(threads);
  verifier::VerifyOptions options;
  options.pool = &pool;
  options.findings = findings;
  options.encode_model = sequencer::model_encoder();
  return verifier::verify_batch(batch, options);
}

std::vector<std::uint8_t> read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_byte(const fs::path& path, std::size_t place, std::uint8_t value) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.exceptions(std::ios::badbit | std::ios::failbit);
  file.seekp(static_cast<std::streamoff>(place));
  file.put(static_cast<char>(value));
}

void write_bytes(const fs::path& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.exceptions(std::ios::badbit | std::ios::failbit);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void recommit(const fs::path& batch, const math::CompiledProgram& compiled) {
  const chain::BatchPaths paths(batch);
  chain::Manifest manifest = manifest_of(batch);
  const math::Program& program = compiled.program;
  std::vector<std::uint64_t> dims;
  for (const auto& dim : manifest.shape.dims) dims.push_back(dim.second);
  const math::BatchValues values = proof::batch_values(dims, manifest.header.number, manifest.seed);
  math::ThreadPool pool(1);
  const auto commit = [&](math::ObjectId id, const fs::path& path) {
    const proof::TableShape shape = proof::table_shape(program.objects[id], values);
    const auto file = chain::MappedFile::open(path, shape.data_bytes()).value();
    return chain::commit_table(shape, manifest.task.settings.leaf_bytes, file.bytes(), pool);
  };
  std::vector<math::Digest> states;
  std::vector<math::Digest> tables;
  for (const math::ObjectId id : proof::objects_of(program, math::ObjectKind::kState)) {
    states.push_back(commit(id, paths.state(compiled.names.objects[id])));
  }
  for (const math::ObjectId id : proof::table_objects(program)) {
    tables.push_back(commit(id, paths.table(compiled.names.objects[id])));
  }
  const std::vector<std::uint8_t> records = read_bytes(paths.file(chain::kRecordsFile));
  manifest.header.records_root = proof::records_root(records, proof::record_shape(program).record_bytes(), pool);
  manifest.header.tables_root = proof::tables_root(tables);
  manifest.header.next_state_root = proof::state_root(proof::next_state(program, states, tables));
  const proof::HeaderBytes header = proof::encode(manifest.header);
  write_bytes(paths.file(chain::kHeaderFile), {header.begin(), header.end()});
  const std::string text = chain::write_manifest(manifest);
  write_bytes(paths.file(chain::kManifestFile), {text.begin(), text.end()});
}

void forge_table(const fs::path& batch, const math::CompiledProgram& compiled, const std::string& table,
                 std::uint64_t index, math::i128 change) {
  const auto name = std::ranges::find(compiled.names.objects, table);
  const auto id = static_cast<std::size_t>(name - compiled.names.objects.begin());
  const math::ElementType type = compiled.program.objects.at(id).type;
  const fs::path path = chain::BatchPaths(batch).table(table);
  std::vector<std::uint8_t> bytes = read_bytes(path);
  const std::span<std::byte> data = std::as_writable_bytes(std::span(bytes));
  math::write_element(data, type, index, math::read_element(data, type, index) + change);
  write_bytes(path, bytes);
  recommit(batch, compiled);
}

std::map<std::string, std::vector<std::uint8_t>> read_folder(const fs::path& folder) {
  std::map<std::string, std::vector<std::uint8_t>> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[fs::relative(entry.path(), folder).string()] = read_bytes(entry.path());
  }
  return files;
}

}  // namespace tally::test
