#include "sequencer/batch/batch_builder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/files/atomic_file.h"
#include "deterministic_math/bytecode/codec.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/records/record.h"
#include "fraud_proof/signing/eip712.h"
#include "sequencer/batch/build_failure.h"
#include "sequencer/batch/check_inputs.h"
#include "sequencer/batch/quantised_rows.h"
#include "sequencer/batch/table_filler.h"

namespace tally::sequencer {

namespace {

using Clock = std::chrono::steady_clock;
using math::ObjectKind;

constexpr std::uint64_t kCopyElements = std::uint64_t{1} << 16;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::uint64_t batch_number(const BatchInputs& inputs) {
  return inputs.place ? inputs.place->number : proof::kFirstBatch;
}

/// One build. The methods run in the order of build().
class Builder {
 public:
  Builder(BatchInputs inputs, const BuildOptions& options, chain::BatchWriter writer)
      : x_inputs(std::move(inputs)),
        x_options(options),
        x_compiled(*x_inputs.program),
        x_program(x_compiled.program),
        x_writer(std::move(writer)),
        x_work(options.stop, options.progress),
        x_values(proof::batch_values(x_inputs.dims, batch_number(x_inputs), x_inputs.seed)) {}

  BuiltBatch build() {
    const Clock::time_point start = Clock::now();
    sort_records();
    write_program();
    write_states();
    place_batch();
    check_signatures();
    fold();
    write_records();
    commit_tables();
    write_model();
    x_writer.write(chain::kHeaderFile, proof::encode(x_manifest.header));
    const std::string manifest = chain::write_manifest(x_manifest);
    x_writer.write(chain::kManifestFile, math::unsigned_bytes(manifest));
    const Clock::time_point commit = Clock::now();
    x_work.begin("write", 0);
    const std::filesystem::path directory = name_directory();
    if (auto committed = x_writer.commit(*x_options.pool); !committed) {
      fail_build(BuildReason::kTargetExists, std::move(committed.error().message));
    }
    x_times.write += seconds_since(commit);
    const double threads = x_options.pool->threads();
    x_times.read += x_work.seconds(chain::Activity::kRead) / threads;
    x_times.quantise += x_work.seconds(chain::Activity::kQuantise) / threads;
    x_times.hash += x_work.seconds(chain::Activity::kHash) / threads;
    x_times.write += x_work.seconds(chain::Activity::kWrite) / threads;
    x_times.wall = seconds_since(start);
    return {.directory = directory,
            .manifest = std::move(x_manifest),
            .times = x_times,
            .row_bytes = x_row_bytes,
            .clipped = clipped()};
  }

 private:
  void sort_records();
  void write_program();
  void write_states();
  void place_batch();
  void check_signatures();
  void gather_inputs(math::RowSource& rows);
  void fold();
  void write_records();
  void commit_tables();
  void write_model();

  [[nodiscard]] std::filesystem::path name_directory();
  [[nodiscard]] proof::RecordContext record_context() const;
  [[nodiscard]] std::uint64_t clipped() const;
  /// The data of each state or table, as commitments.
  [[nodiscard]] math::Digest commit(math::ObjectId id, std::span<const std::byte> data);

  BatchInputs x_inputs;
  const BuildOptions& x_options;
  const math::CompiledProgram& x_compiled;
  const math::Program& x_program;
  chain::BatchWriter x_writer;
  chain::Work x_work;
  math::BatchValues x_values;
  chain::Manifest x_manifest;
  BuildTimes x_times;
  std::uint64_t x_row_bytes = 0;

  std::vector<chain::MappedFile> x_states;
  std::vector<math::Digest> x_state_commitments;
  std::vector<proof::Record> x_records;  // of x_inputs.records, which are in their order
  // What the folds read.
  std::vector<std::uint64_t> x_members;
  std::vector<std::uint64_t> x_nonces;
  std::vector<std::vector<std::int64_t>> x_fields;
  math::Inputs x_data;
  std::optional<TableFiller> x_filler;
};

/// What a builder without a chain knows of a record before it signs it.
proof::Record unsigned_record(const RecordInput& input) {
  proof::Record record;
  record.address = input.key->address();
  record.fields = input.fields;
  return record;
}

void Builder::sort_records() {
  std::vector<RecordInput> inputs = std::move(x_inputs.records);
  std::vector<proof::Record> records;
  records.reserve(inputs.size());
  for (RecordInput& input : inputs) {
    records.push_back(input.signed_record ? *std::move(input.signed_record) : unsigned_record(input));
  }
  const proof::RecordOrder rule =
      x_inputs.place ? proof::record_order(x_program) : proof::RecordOrder::kByAddressAndNonce;
  std::vector<std::size_t> order(records.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return proof::comes_before(records[a], records[b], rule); });
  x_inputs.records.clear();
  x_inputs.records.reserve(order.size());
  x_records.reserve(order.size());
  for (const std::size_t position : order) {
    proof::Record& record = records[position];
    if (!x_records.empty() && !proof::comes_before(x_records.back(), record, rule)) {
      fail_build(BuildReason::kDuplicateSigner,
                 x_inputs.records.back().source + " and " + inputs[position].source + " are signed " +
                     (rule == proof::RecordOrder::kByMember ? "for the same member, " + std::to_string(record.member)
                                                            : "by the same address, " + to_text(record.address)));
    }
    if (!x_inputs.place) record.member = x_records.size();
    x_records.push_back(std::move(record));
    x_inputs.records.push_back(std::move(inputs[position]));
  }
}

void Builder::write_program() {
  const std::vector<std::uint8_t> bytecode = math::encode_program(x_program);
  x_writer.write(chain::kProgramFile, bytecode);
  x_writer.write(chain::kProgramTextFile, math::unsigned_bytes(x_compiled.source));
  x_manifest.shape = chain::manifest_shape(x_compiled, x_inputs.dims);
  x_manifest.seed = x_inputs.seed;
  proof::TaskPreimage& task = x_manifest.task;
  if (x_inputs.place) {
    task = x_inputs.place->task;
    return;
  }
  task.creator = x_inputs.poster;
  task.program_hash = math::sha256(bytecode);
  task.dims.assign(x_inputs.dims.begin() + 1, x_inputs.dims.end());
  for (const math::Parameter& parameter : x_compiled.parameters) task.params.push_back(parameter.value);
  task.frac_bits = static_cast<std::uint8_t>(x_inputs.frac_bits);
  task.settings = x_inputs.settings;
}

math::Digest Builder::commit(math::ObjectId id, std::span<const std::byte> data) {
  const Clock::time_point start = Clock::now();
  const math::Digest commitment = chain::commit_table(proof::table_shape(x_program.objects[id], x_values),
                                                      x_inputs.settings.leaf_bytes, data, *x_options.pool);
  x_times.hash += seconds_since(start);
  x_work.advance(data.size());
  return commitment;
}

std::uint64_t Builder::clipped() const {
  std::uint64_t sum = 0;
  for (const RecordInput& record : x_inputs.records) {
    for (const auto& row : record.rows) sum += row->clipped();
  }
  return sum;
}

void Builder::write_states() {
  const std::vector<math::ObjectId> ids = proof::objects_of(x_program, ObjectKind::kState);
  std::uint64_t total = 0;
  for (const math::ObjectId id : ids) total += proof::table_shape(x_program.objects[id], x_values).data_bytes();
  x_work.begin("state", total);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const math::Object& object = x_program.objects[ids[i]];
    const std::size_t width = math::element_bytes(object.type);
    const std::uint64_t count = math::element_count(object.extents, x_values);
    const ElementSource& source = *x_inputs.states[i];
    const Clock::time_point start = Clock::now();
    chain::MappedFile file =
        chain::MappedFile::create(x_writer.paths().state(x_compiled.names.objects[ids[i]]), count * width);
    const std::span<std::byte> data = file.writable();
    x_options.pool->run((count + kCopyElements - 1) / kCopyElements, [&](std::size_t piece) {
      x_work.check();
      const std::uint64_t first = piece * kCopyElements;
      const std::uint64_t part = std::min(kCopyElements, count - first);
      auto read = source.read(first, data.subspan(first * width, part * width));
      if (!read) fail_build(BuildReason::kRowValue, std::move(read.error()), x_compiled.names.objects[ids[i]]);
    });
    x_times.quantise += seconds_since(start);
    x_state_commitments.push_back(commit(ids[i], data));
    x_states.push_back(std::move(file));
  }
}

void Builder::place_batch() {
  const proof::StateRoot root = proof::state_root(x_state_commitments);
  if (!x_inputs.place) {
    x_manifest.task.genesis_root = root;
  } else if (root != x_inputs.place->state) {
    fail_build(BuildReason::kState, "the states given commit to " + to_hex(root) + ", but the batch extends " +
                                        to_hex(x_inputs.place->state));
  }
  x_manifest.header = {.task = proof::task_id(x_manifest.task),
                       .number = batch_number(x_inputs),
                       .parent = x_inputs.place ? x_inputs.place->parent : proof::kGenesisParent,
                       .record_count = x_inputs.dims.front(),
                       .records_root = {},
                       .prev_state_root = root,
                       .next_state_root = {},
                       .tables_root = {},
                       .poster = x_inputs.poster};
}

proof::RecordContext Builder::record_context() const {
  const proof::TaskPreimage& task = x_manifest.task;
  return {.domain = proof::domain_separator(proof::tallystick_domain(task.chain_id, task.contract)),
          .task = x_manifest.header.task,
          .batch = x_manifest.header.number,
          .state = x_manifest.header.prev_state_root};
}

void Builder::check_signatures() {
  if (!x_inputs.place || x_options.signatures == Signatures::kChecked) return;
  const proof::RecordContext context = record_context();
  x_options.pool->run(x_records.size(), [&](std::size_t k) {
    x_work.check();
    const auto checked = proof::check_signature(x_records[k], context);
    if (checked) return;
    fail_build(BuildReason::kSignature, x_inputs.records[k].source + ": " + checked.error().message +
                                            "; a record is signed for one batch of one task, on one state");
  });
}

void Builder::gather_inputs(math::RowSource& rows) {
  const std::vector<math::ObjectId> field_ids = proof::objects_of(x_program, ObjectKind::kField);
  const std::vector<math::ObjectId> state_ids = proof::objects_of(x_program, ObjectKind::kState);
  for (const proof::Record& record : x_records) {
    x_members.push_back(record.member);
    x_nonces.push_back(record.nonce);
  }
  x_fields.resize(field_ids.size());
  x_data.members = x_members;
  x_data.nonces = x_nonces;
  x_data.fields.resize(x_program.objects.size());
  x_data.tables.resize(x_program.objects.size());
  x_data.rows = &rows;
  for (std::size_t i = 0; i < field_ids.size(); ++i) {
    for (const proof::Record& record : x_records) x_fields[i].push_back(record.fields[i]);
    x_data.fields[field_ids[i]] = x_fields[i];
  }
  for (std::size_t i = 0; i < state_ids.size(); ++i) x_data.tables[state_ids[i]] = x_states[i].bytes();
}

void Builder::fold() {
  const std::size_t records = x_inputs.records.size();
  const std::vector<math::ObjectId> rows = proof::objects_of(x_program, ObjectKind::kRow);
  const math::ObjectId first_row = rows.empty() ? math::ObjectId{0} : rows.front();
  QuantisedRows source(chain::RowFiles::create(x_writer.paths(), chain::row_shapes(x_compiled, x_values), records),
                       first_row, x_inputs.settings.leaf_bytes, x_inputs.records, x_work);
  x_row_bytes = source.total_bytes();
  x_work.begin("fold", x_row_bytes);

  gather_inputs(source);
  const Clock::time_point start = Clock::now();
  x_filler.emplace(x_compiled, x_values, x_writer.paths(), x_data);
  x_filler->fill(x_inputs.advice, *x_options.pool, x_work);
  x_times.fold += std::max(0.0, seconds_since(start) - x_work.seconds() / x_options.pool->threads());
  source.complete(*x_options.pool);
  x_data.rows = nullptr;  // the source ends here
  for (std::size_t k = 0; k < records; ++k) {
    std::vector<math::Digest> commitments;
    for (std::size_t row = 0; row < rows.size(); ++row) commitments.push_back(source.commitment(row, k));
    if (!x_inputs.place) {
      x_records[k].rows = std::move(commitments);
    } else if (x_records[k].rows != commitments) {
      fail_build(BuildReason::kRowCommitment,
                 x_inputs.records[k].source + ": the data is not what its signed record commits to");
    }
  }
}

void Builder::write_records() {
  if (!x_inputs.place) {
    const proof::RecordContext context = record_context();
    x_options.pool->run(x_records.size(), [&](std::size_t k) {
      x_work.check();
      proof::sign_record(x_records[k], context, *x_inputs.records[k].key);
    });
  }
  math::ByteWriter bytes;
  for (const proof::Record& record : x_records) bytes.raw(proof::encode(record));
  x_writer.write(chain::kRecordsFile, bytes.view());
  x_manifest.header.records_root =
      proof::records_root(bytes.view(), proof::record_shape(x_program).record_bytes(), *x_options.pool);
}

void Builder::commit_tables() {
  const std::vector<math::ObjectId> ids = proof::table_objects(x_program);
  std::vector<math::Digest> commitments;
  commitments.reserve(ids.size());
  std::uint64_t total = 0;
  for (const math::ObjectId id : ids) total += x_data.tables[id].size();
  x_work.begin("hash", total);
  for (const math::ObjectId id : ids) commitments.push_back(commit(id, x_data.tables[id]));
  x_manifest.header.tables_root = proof::tables_root(commitments);
  x_manifest.header.next_state_root = proof::state_root(proof::next_state(x_program, x_state_commitments, commitments));
}

std::filesystem::path Builder::name_directory() {
  if (x_options.naming == Naming::kTarget) return x_options.target;
  const std::string id = to_hex(proof::batch_id(x_manifest.header));
  x_writer.rename_target(id);
  return x_options.target / id;
}

void Builder::write_model() {
  if (!x_inputs.layout) return;
  const auto name = std::ranges::find(x_compiled.names.objects, chain::kModelTable);
  const auto id = static_cast<std::size_t>(name - x_compiled.names.objects.begin());
  if (name == x_compiled.names.objects.end() || x_program.objects[id].kind != ObjectKind::kComputed ||
      x_program.objects[id].type != math::ElementType::kI32 || !x_options.encode_model) {
    fail_build(BuildReason::kModel, "the program has no i32 table next_model to write as a model file");
  }
  const Clock::time_point start = Clock::now();
  const std::string file_name = chain::model_file_name(x_inputs.layout->format);
  const std::filesystem::path path = x_writer.paths().file(file_name);
  const std::span<const std::byte> data = x_data.tables[id];
  const std::span<const std::int32_t> model{reinterpret_cast<const std::int32_t*>(data.data()),
                                            data.size() / sizeof(std::int32_t)};
  chain::AtomicFile file(path);
  std::uint64_t size = 0;
  auto encoded = x_options.encode_model(*x_inputs.layout, model, x_inputs.frac_bits, [&](math::Bytes piece) {
    x_work.check();
    file.write(piece);
    size += piece.size();
  });
  if (!encoded) fail_build(BuildReason::kModel, std::move(encoded.error()));
  file.commit();
  const chain::MappedFile written = chain::MappedFile::open(path, size).value();
  x_manifest.layout = x_inputs.layout;
  x_manifest.model = chain::ManifestModel{file_name, math::sha256(math::unsigned_bytes(written.bytes()))};
  x_times.write += seconds_since(start);
}

}  // namespace

std::expected<BuiltBatch, BuildError> build_batch(BatchInputs inputs, const BuildOptions& options) {
  try {
    check_inputs(inputs);
    const auto existing = options.replace == Replace::kReplace ? chain::BatchWriter::Existing::kReplace
                                                               : chain::BatchWriter::Existing::kRefuse;
    const bool named = options.naming == Naming::kTarget;
    auto writer = chain::BatchWriter::create(named ? options.target : options.target / "building", existing);
    if (!writer) return std::unexpected(BuildError{BuildReason::kTargetExists, writer.error().message, {}, {}});
    Builder builder(std::move(inputs), options, *std::move(writer));
    return builder.build();
  } catch (BuildFailure& failure) {
    return std::unexpected(std::move(failure.error));
  } catch (const chain::Stopped&) {
    return std::unexpected(BuildError{BuildReason::kStopped, "stopped before the batch was complete", {}, {}});
  }
}

}  // namespace tally::sequencer
