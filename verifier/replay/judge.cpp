#include "verifier/replay/judge.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <tuple>
#include <utility>

#include "chain_adapter/data/batch_leaves.h"
#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/merkle/tree.h"
#include "verifier/replay/batch_data.h"
#include "verifier/replay/check_records.h"
#include "verifier/replay/finding_list.h"
#include "verifier/replay/readable.h"
#include "verifier/replay/replay_items.h"
#include "verifier/replay/stoppable_pool.h"
#include "verifier/replay/stored_rows.h"

namespace tally::verifier {

namespace {

class Judge {
 public:
  Judge(const PostedBatch& posted, const Description& batch, const chain::BatchPaths& paths,
        const JudgeOptions& options)
      : x_posted(posted), x_batch(batch), x_paths(paths), x_options(options), x_data(find_data(batch, paths)) {}

  [[nodiscard]] Verdict run();

 private:
  void take_records();
  void take_tables();
  [[nodiscard]] std::optional<CheckTarget> failed_record();
  [[nodiscard]] std::optional<CheckTarget> advice_outside();
  void replay();
  void leave_for_a_dispute(const StoredRows& rows) const;
  void check_rows();
  /// A row of the program in adjoining records.
  void miss_row(std::size_t row, std::uint64_t first_record, std::uint64_t records = 1);
  void miss_table(math::ObjectId id);
  void miss(const MissingPart& part, const std::string& what);

  const PostedBatch& x_posted;
  const Description& x_batch;
  const chain::BatchPaths& x_paths;
  const JudgeOptions& x_options;
  BatchData x_data;
  chain::RecordColumns x_columns;
  Verdict x_verdict;
};

void Judge::miss(const MissingPart& part, const std::string& what) {
  if (part.records == 0) return;
  std::vector<MissingPart>& missing = x_verdict.missing;
  if (missing.empty()) x_verdict.message = what + " is missing, or is not what the batch commits to";
  if (!missing.empty() && missing.back().object == part.object &&
      missing.back().first_record + missing.back().records == part.first_record) {
    missing.back().records += part.records;
  } else {
    missing.push_back(part);
  }
}

void Judge::miss_table(math::ObjectId id) {
  const proof::TableShape shape = proof::table_shape(x_batch.program().objects[id], x_batch.values);
  miss({.object = id, .leaves = shape.leaves(x_batch.leaf_bytes())}, x_batch.compiled.names.objects[id]);
}

void Judge::miss_row(std::size_t row, std::uint64_t first_record, std::uint64_t records) {
  const auto id = static_cast<math::ObjectId>(chain::first_row(x_batch.program()) + row);
  const proof::TableShape shape = proof::row_shape(x_batch.program().objects[id], x_batch.values);
  miss({.object = id,
        .first_record = static_cast<std::uint32_t>(first_record),
        .records = records,
        .leaves = shape.leaves(x_batch.leaf_bytes())},
       x_batch.compiled.names.objects[id] + " of record " + std::to_string(first_record));
}

/// Rows that no fold was to read, since other inputs are missing. They can be demanded only for a while, so all that
/// are missing or damaged are found at once.
void Judge::check_rows() {
  const math::ObjectId first = chain::first_row(x_batch.program());
  const std::vector<chain::RowShape> shapes = chain::row_shapes(x_batch.compiled, x_batch.values);
  if (!x_data.records) {
    for (std::size_t row = 0; row < shapes.size(); ++row) miss_row(row, 0, x_batch.records());
    return;
  }
  std::uint64_t total = 0;
  for (const chain::RowShape& shape : shapes) total += shape.bytes() * x_batch.records();
  chain::Work work(x_options.stop, x_options.progress);
  work.begin("rows", total);
  for (std::size_t row = 0; row < shapes.size(); ++row) {
    const proof::TableShape shape = proof::row_shape(x_batch.program().objects[first + row], x_batch.values);
    for (std::uint64_t record = 0; record < x_batch.records(); ++record) {
      work.check();
      const auto file = where_readable(
          [&] { return chain::MappedFile::open(x_paths.row(shapes[row].name, record), shape.data_bytes()); });
      if (!file || chain::commit_table(shape, x_batch.leaf_bytes(), file->bytes(), *x_options.pool) !=
                       x_columns.rows[row][record]) {
        miss_row(row, record);
      }
      work.advance(shapes[row].bytes());
    }
  }
}

void Judge::take_records() {
  const std::size_t width = proof::record_shape(x_batch.program()).record_bytes();
  if (x_data.records && proof::records_root(math::unsigned_bytes(x_data.records->bytes()), width, *x_options.pool) !=
                            x_batch.header().records_root) {
    x_data.records.reset();
  }
  if (x_data.records) return;
  miss({.object = math::kMemberObject, .records = x_batch.records()}, std::string(chain::kRecordsFile));
}

/// Drops what does not hash to what was posted.
void Judge::take_tables() {
  const math::Program& program = x_batch.program();
  const std::vector<math::ObjectId> states = proof::objects_of(program, math::ObjectKind::kState);
  const std::vector<math::ObjectId> tables = proof::table_objects(program);
  const std::vector<math::Digest> posted =
      chain::posted_commitments(committed_batch(x_batch), x_posted.posted.state_commitments,
                                x_posted.posted.table_roots)
          .tables;
  TALLY_ASSERT(states.size() == x_posted.posted.state_commitments.size());
  for (const math::ObjectId id : x_options.withheld) x_data.tables.erase(id);
  const auto take = [&](math::ObjectId id, const math::Digest& commitment) {
    const auto file = x_data.tables.find(id);
    const proof::TableShape shape = proof::table_shape(program.objects[id], x_batch.values);
    if (file != x_data.tables.end() &&
        chain::commit_table(shape, x_batch.leaf_bytes(), file->second.bytes(), *x_options.pool) != commitment) {
      x_data.tables.erase(file);
    }
    if (x_data.tables.contains(id) || program.objects[id].kind == math::ObjectKind::kComputed) return;
    miss_table(id);
  };
  for (std::size_t i = 0; i < states.size(); ++i) take(states[i], x_posted.posted.state_commitments[i]);
  for (std::size_t i = 0; i < tables.size(); ++i) take(tables[i], posted[i]);
}

std::optional<CheckTarget> Judge::failed_record() {
  const math::Bytes bytes = math::unsigned_bytes(x_data.records->bytes());
  FindingList findings(Findings::kFirst, 1);
  check_records(x_batch, bytes, *x_options.pool, findings);
  if (!findings.empty()) {
    const Finding& finding = findings.findings().front();
    x_verdict.message = finding.message;
    if (finding.kind == FindingKind::kRecordOrder) {
      return CheckTarget{.cause = proof::LossCause::kRecordOrder, .object = 0, .index = finding.record.value() - 1};
    }
    const auto cause = finding.kind == FindingKind::kRecordSigner ? proof::LossCause::kRecordSigner
                                                                  : proof::LossCause::kRecordSignature;
    return CheckTarget{.cause = cause, .object = 0, .index = finding.record.value()};
  }
  if (!x_options.signers) return std::nullopt;
  const proof::RecordShape shape = proof::record_shape(x_batch.program());
  const std::size_t width = shape.record_bytes();
  for (std::uint64_t place = 0; place < x_batch.records(); ++place) {
    x_options.pool->check();
    const proof::Record record = proof::decode_record(bytes.subspan(place * width, width), shape).value();
    if (proof::signer_is_member(record, x_options.signers(record.address), x_posted.posted_s)) continue;
    x_verdict.message = "record " + std::to_string(place) + " (" + proof::to_text(record.address) +
                        "): its address was not bound to member " + std::to_string(record.member) +
                        " when the batch was posted";
    return CheckTarget{.cause = proof::LossCause::kRecordSigner, .object = 0, .index = place};
  }
  return std::nullopt;
}

std::optional<CheckTarget> Judge::advice_outside() {
  const math::Program& program = x_batch.program();
  for (const math::ObjectId id : proof::objects_of(program, math::ObjectKind::kAdvice)) {
    const auto file = x_data.tables.find(id);
    if (file == x_data.tables.end()) continue;
    const math::Object& object = program.objects[id];
    const chain::EntryRange all{.item = 0, .first = 0, .count = math::element_count(object.extents, x_batch.values)};
    const auto outside = entries_outside(object, file->second.bytes(), all, 1, *x_options.pool);
    if (outside.empty()) continue;
    x_verdict.message = x_batch.compiled.names.objects[id] + ": element " + std::to_string(*outside.begin()) +
                        " is outside its declared range";
    return CheckTarget{.cause = proof::LossCause::kAdviceRange, .object = id, .index = *outside.begin()};
  }
  return std::nullopt;
}

void Judge::leave_for_a_dispute(const StoredRows& rows) const {
  const std::filesystem::path& scratch = x_options.scratch;
  for (const ComputedTable& computed : x_verdict.computed) chain::sync_file(scratch_table(scratch, computed.table));
  // The roots prove themselves to whoever reads them, and are no more than a shortcut.
  std::filesystem::create_directories(scratch);
  std::ofstream file(scratch_row_roots(scratch), std::ios::binary);
  static_assert(sizeof(math::Digest) == 32);
  const std::span<const std::byte> roots = std::as_bytes(rows.block_roots());
  file.write(reinterpret_cast<const char*>(roots.data()), static_cast<std::streamsize>(roots.size()));
}

/// All inputs but the rows' contents are known to be the batch's.
void Judge::replay() {
  chain::Work work(x_options.stop, x_options.progress);
  StoredRows rows(*std::move(x_data.rows), chain::first_row(x_batch.program()), x_batch.leaf_bytes(), work);
  work.begin("fold", rows.total_bytes());
  std::map<math::ObjectId, std::span<const std::byte>> tables;
  for (const auto& [id, file] : x_data.tables) tables.emplace(id, file.bytes());
  const ReplayItems::Parts parts{.batch = x_batch,
                                 .table_roots = x_posted.posted.table_roots,
                                 .inputs = chain::batch_inputs(x_batch.program(), x_columns, x_data.tables, rows),
                                 .available = std::move(tables),
                                 .scratch = x_options.scratch,
                                 .scratch_limit_bytes = x_options.scratch_limit_bytes};
  Verdict replayed;
  ReplayItems(parts, *x_options.pool, work, x_options.scalar).run(replayed);

  // Only now it is known whether the folds read the rows that were signed.
  rows.complete(*x_options.pool);
  for (std::size_t row = 0; row < x_columns.rows.size(); ++row) {
    for (std::uint64_t record = 0; record < x_batch.records(); ++record) {
      work.check();
      if (rows.commitment(row, record) != x_columns.rows[row][record]) miss_row(row, record);
    }
  }
  if (!x_verdict.missing.empty()) {
    x_verdict.alarms = std::move(replayed.alarms);
    return;
  }
  x_verdict = std::move(replayed);
  if (x_verdict.kind != VerdictKind::kValid) leave_for_a_dispute(rows);
}

Verdict Judge::run() {
  std::filesystem::remove_all(x_options.scratch);
  take_records();
  take_tables();
  // A failed local check needs no data but its own.
  std::optional<CheckTarget> failed;
  if (x_data.records) failed = failed_record();
  if (!failed) failed = advice_outside();
  if (failed) {
    return {.kind = VerdictKind::kCheck, .check = failed, .message = std::move(x_verdict.message)};
  }
  if (x_data.records) {
    x_columns = chain::record_columns(x_batch.program(), math::unsigned_bytes(x_data.records->bytes()));
  }
  if (!x_verdict.missing.empty() || !x_data.rows) {
    check_rows();
  } else {
    replay();
  }
  std::ranges::sort(x_verdict.missing);
  return std::move(x_verdict);
}

}  // namespace

std::string_view to_string(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kValid:
      return "valid";
    case VerdictKind::kEntry:
      return "wrong_entry";
    case VerdictKind::kDescent:
      return "wrong_table";
    case VerdictKind::kCheck:
      return "failed_check";
    case VerdictKind::kMissing:
      return "missing_data";
  }
  TALLY_ASSERT(false);
}

std::filesystem::path scratch_table(const std::filesystem::path& scratch, math::ObjectId table) {
  return scratch / ("table_" + std::to_string(table) + ".bin");
}

std::filesystem::path scratch_row_roots(const std::filesystem::path& scratch) { return scratch / "row_roots.bin"; }

bool comes_before(const Description& batch, const EntryTarget& a, const EntryTarget& b) {
  const math::Program& program = batch.program();
  const auto place = [&](const EntryTarget& target) {
    const math::Item& item = program.items.at(target.item);
    if (item.loop == math::kOutside) return std::tuple<std::uint64_t, std::uint64_t>(0, target.item);
    const std::uint64_t rounds = math::extent_value(program.loops.at(item.loop).extent, batch.values);
    const std::uint64_t per_round = math::element_count(item.extents, batch.values) / rounds;
    return std::tuple<std::uint64_t, std::uint64_t>(target.entry / per_round, target.item);
  };
  const math::LoopId loop = program.items.at(a.item).loop;
  if (loop == math::kOutside || loop != program.items.at(b.item).loop) {
    return std::tie(a.item, a.entry) < std::tie(b.item, b.entry);
  }
  const auto left = place(a);
  const auto right = place(b);
  return left != right ? left < right : a.entry < b.entry;
}

Verdict judge(const PostedBatch& batch, const Description& description, const chain::BatchPaths& paths,
              const JudgeOptions& options) {
  StoppablePool pool(*options.pool, options.stop);
  JudgeOptions stoppable = options;
  stoppable.pool = &pool;
  return Judge(batch, description, paths, stoppable).run();
}

}  // namespace tally::verifier
