#include "verifier/replay/verify_batch.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/batch_files.h"
#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/data/work.h"
#include "chain_adapter/files/mapped_file.h"
#include "chain_adapter/files/shortened_files.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "verifier/replay/check_entries.h"
#include "verifier/replay/check_model.h"
#include "verifier/replay/check_records.h"
#include "verifier/replay/description.h"
#include "verifier/replay/finding_list.h"
#include "verifier/replay/stoppable_pool.h"
#include "verifier/replay/stored_rows.h"

namespace tally::verifier {

namespace {

using Clock = std::chrono::steady_clock;
using math::ObjectKind;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Finding finding_of(FindingKind kind, std::string name, std::string message) {
  Finding finding;
  finding.kind = kind;
  finding.name = std::move(name);
  finding.message = std::move(message);
  return finding;
}

std::expected<chain::BatchFiles, Finding> open_files(const Description& batch, const chain::BatchPaths& paths) {
  auto files = chain::open_batch_files(batch.compiled, batch.values, paths);
  if (files) return *std::move(files);
  chain::BatchFileRefusal& refusal = files.error();
  Finding finding = finding_of(FindingKind::kFile, std::move(refusal.name), std::move(refusal.file.message));
  finding.record = refusal.record;
  return std::unexpected(std::move(finding));
}

/// Everything after the description.
class Replay {
 public:
  Replay(const Description& batch, const chain::BatchPaths& paths, chain::BatchFiles files,
         const VerifyOptions& options, chain::Work& work)
      : x_batch(batch),
        x_paths(paths),
        x_options(options),
        x_work(work),
        x_records(std::move(files.records)),
        x_tables(std::move(files.tables)),
        x_rows(std::move(files.rows), chain::first_row(batch.program()), batch.leaf_bytes(), work) {}

  void run(VerifyReport& report);

 private:
  [[nodiscard]] std::vector<math::Digest> commitments(std::span<const math::ObjectId> ids);
  void check_record_list(FindingList& findings);
  void check_states(FindingList& findings);
  void check_rows(FindingList& findings);
  void check_results(FindingList& findings);

  const Description& x_batch;
  const chain::BatchPaths& x_paths;
  const VerifyOptions& x_options;
  chain::Work& x_work;
  chain::MappedFile x_records;
  std::map<math::ObjectId, chain::MappedFile> x_tables;
  StoredRows x_rows;
  chain::RecordColumns x_columns;
  std::vector<math::Digest> x_state_commitments;
  double x_hash = 0;
};

void Replay::run(VerifyReport& report) {
  report.row_bytes = x_rows.total_bytes();
  FindingList inputs_wrong(x_options.findings, x_options.max_findings);
  check_record_list(inputs_wrong);
  if (!inputs_wrong.full()) check_states(inputs_wrong);
  if (inputs_wrong.full()) return inputs_wrong.finish(report);

  x_columns = chain::record_columns(x_batch.program(), math::unsigned_bytes(x_records.bytes()));
  FindingList entries_wrong(x_options.findings, x_options.max_findings);
  x_work.begin("fold", x_rows.total_bytes());
  const Clock::time_point start = Clock::now();
  report.entries = check_entries(x_batch, chain::batch_inputs(x_batch.program(), x_columns, x_tables, x_rows),
                                 *x_options.pool, x_work, entries_wrong);
  const double threads = x_options.pool->threads();
  report.times.fold = std::max(0.0, seconds_since(start) - x_work.seconds() / threads);
  x_rows.complete(*x_options.pool);
  check_rows(inputs_wrong);
  inputs_wrong.append(std::move(entries_wrong));
  if (!inputs_wrong.full()) check_results(inputs_wrong);
  report.times.hash = x_hash + x_work.seconds(chain::Activity::kHash) / threads;
  inputs_wrong.finish(report);
}

std::vector<math::Digest> Replay::commitments(std::span<const math::ObjectId> ids) {
  const Clock::time_point start = Clock::now();
  std::vector<math::Digest> list;
  for (const math::ObjectId id : ids) {
    x_work.check();
    const proof::TableShape shape = proof::table_shape(x_batch.program().objects[id], x_batch.values);
    list.push_back(chain::commit_table(shape, x_batch.leaf_bytes(), x_tables.at(id).bytes(), *x_options.pool));
  }
  x_hash += seconds_since(start);
  return list;
}

void Replay::check_record_list(FindingList& findings) {
  const math::Bytes bytes = math::unsigned_bytes(x_records.bytes());
  check_records(x_batch, bytes, *x_options.pool, findings);
  const std::size_t width = proof::record_shape(x_batch.program()).record_bytes();
  if (proof::records_root(bytes, width, *x_options.pool) != x_batch.header().records_root) {
    findings.add(finding_of(FindingKind::kRecordsRoot, std::string(chain::kRecordsFile),
                            "records.bin is not what the header's records_root commits to"));
  }
}

void Replay::check_states(FindingList& findings) {
  const std::vector<math::ObjectId> ids = proof::objects_of(x_batch.program(), ObjectKind::kState);
  x_state_commitments = commitments(ids);
  if (proof::state_root(x_state_commitments) == x_batch.header().prev_state_root) return;
  // The root tells that something differs, not what; with one state there is no doubt.
  const std::string name = ids.size() == 1 ? x_batch.compiled.names.objects[ids.front()] : "state";
  findings.add(finding_of(FindingKind::kState, name,
                          "the data of " + name + " is not what the header's prev_state_root commits to"));
}

void Replay::check_rows(FindingList& findings) {
  for (std::uint64_t record = 0; record < x_batch.records(); ++record) {
    for (std::size_t row = 0; row < x_columns.rows.size(); ++row) {
      if (x_rows.commitment(row, record) == x_columns.rows[row][record]) continue;
      const std::string& name = x_batch.manifest.shape.rows.at(row).name;
      Finding finding = finding_of(FindingKind::kRow, name,
                                   "row " + name + " of record " + std::to_string(record) +
                                       " is not what the record commits to and its signer signed");
      finding.record = record;
      findings.add(std::move(finding));
    }
  }
}

void Replay::check_results(FindingList& findings) {
  const math::Program& program = x_batch.program();
  const std::vector<math::ObjectId> ids = proof::table_objects(program);
  const std::vector<math::Digest> tables = commitments(ids);
  if (proof::tables_root(tables) != x_batch.header().tables_root) {
    findings.add(finding_of(FindingKind::kTablesRoot, "tables_root",
                            "the data of the tables is not what the header's tables_root commits to"));
  }
  const auto next = proof::next_state(program, x_state_commitments, tables);
  if (proof::state_root(next) != x_batch.header().next_state_root) {
    findings.add(finding_of(FindingKind::kNextState, "next_state_root",
                            "the header's next_state_root is not that of the state after the batch"));
  }
  std::optional<std::span<const std::byte>> model;
  for (const math::ObjectId id : proof::objects_of(program, ObjectKind::kComputed)) {
    if (x_batch.compiled.names.objects[id] != chain::kModelTable) continue;
    if (program.objects[id].type == math::ElementType::kI32) model = x_tables.at(id).bytes();
  }
  if (auto finding = check_model(x_batch, x_paths, model, x_options.encode_model)) findings.add(std::move(*finding));
}

}  // namespace

std::string_view to_string(FindingKind kind) {
  switch (kind) {
    case FindingKind::kFile:
      return "file";
    case FindingKind::kManifest:
      return "manifest";
    case FindingKind::kProgram:
      return "program";
    case FindingKind::kHeader:
      return "header";
    case FindingKind::kTask:
      return "task";
    case FindingKind::kRecordOrder:
      return "record_order";
    case FindingKind::kRecordSigner:
      return "record_signer";
    case FindingKind::kRecordSignature:
      return "record_signature";
    case FindingKind::kRecordsRoot:
      return "records_root";
    case FindingKind::kRow:
      return "row";
    case FindingKind::kState:
      return "state";
    case FindingKind::kAdviceRange:
      return "advice_range";
    case FindingKind::kEntry:
      return "entry";
    case FindingKind::kTablesRoot:
      return "tables_root";
    case FindingKind::kNextState:
      return "next_state";
    case FindingKind::kModel:
      return "model";
    case FindingKind::kAlarm:
      return "alarm";
  }
  TALLY_ASSERT(false);
}

VerifyReport verify_batch(const std::filesystem::path& directory, const VerifyOptions& options) {
  const Clock::time_point start = Clock::now();
  const chain::ToleratesShortenedFiles tolerant;
  VerifyReport report;
  const chain::BatchPaths paths(directory);
  auto batch = read_description(paths);
  if (!batch) {
    report.findings.push_back(std::move(batch.error()));
    return report;
  }
  report.manifest = batch->manifest;
  auto files = open_files(*batch, paths);
  if (!files) {
    report.findings.push_back(std::move(files.error()));
    return report;
  }
  chain::Work work(options.stop, options.progress);
  StoppablePool pool(*options.pool, options.stop);
  VerifyOptions stoppable = options;
  stoppable.pool = &pool;
  try {
    Replay(*batch, paths, *std::move(files), stoppable, work).run(report);
  } catch (const chain::Stopped&) {
    report.stopped = true;
  }
  report.times.wall = seconds_since(start);
  return report;
}

}  // namespace tally::verifier
