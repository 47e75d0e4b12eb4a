#include "verifier/keeper/keeper.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/batch_store.h"
#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/files/shortened_files.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "verifier/replay/batch_data.h"
#include "verifier/replay/check_records.h"
#include "verifier/replay/description.h"
#include "verifier/replay/stored_rows.h"

namespace tally::verifier {

namespace {

namespace fs = std::filesystem;
using math::ObjectKind;

/// Inputs alone: computed tables can be had by anyone who has these.
void copy_inputs(const Description& batch, const chain::BatchPaths& from, const chain::BatchPaths& to) {
  for (const std::string_view name :
       {chain::kHeaderFile, chain::kProgramTextFile, chain::kProgramFile, chain::kManifestFile, chain::kRecordsFile}) {
    fs::copy_file(from.file(name), to.file(name));
  }
  const math::Program& program = batch.program();
  for (std::size_t id = 0; id < program.objects.size(); ++id) {
    const std::string& name = batch.compiled.names.objects[id];
    switch (program.objects[id].kind) {
      case ObjectKind::kRow:
        fs::create_directories(to.row_folder(name));
        for (std::uint64_t record = 0; record < batch.records(); ++record) {
          fs::copy_file(from.row(name, record), to.row(name, record));
        }
        break;
      case ObjectKind::kState:
        fs::copy_file(from.state(name), to.state(name));
        break;
      case ObjectKind::kAdvice:
        fs::copy_file(from.table(name), to.table(name));
        break;
      case ObjectKind::kMember:
      case ObjectKind::kNonce:
      case ObjectKind::kField:
      case ObjectKind::kComputed:
        break;
    }
  }
}

/// Holds stored inputs against the header. Computed tables are the original's: without their roots nobody could tell
/// what advice the header commits to.
class InputCheck {
 public:
  InputCheck(const Description& batch, BatchData inputs, chain::TableFiles computed, const KeepOptions& options)
      : x_batch(batch), x_data(std::move(inputs)), x_computed(std::move(computed)), x_options(options) {}

  /// What is wrong; absent: nothing.
  [[nodiscard]] std::optional<std::string> run() {
    if (!x_data.records) return "records.bin is missing, or of another size than the program says";
    if (!x_data.rows) return "a row is missing, or of another size than the program says";
    if (auto wrong = check_records_list()) return wrong;
    if (auto wrong = check_tables()) return wrong;
    return check_rows();
  }
  [[nodiscard]] std::uint64_t bytes() const { return x_bytes; }

 private:
  [[nodiscard]] std::optional<std::string> check_records_list() {
    const math::Bytes bytes = math::unsigned_bytes(x_data.records->bytes());
    x_bytes += bytes.size();
    const std::size_t width = proof::record_shape(x_batch.program()).record_bytes();
    if (proof::records_root(bytes, width, *x_options.pool) != x_batch.header().records_root) {
      return "records.bin is not what the header's records_root commits to";
    }
    FindingList findings(Findings::kFirst, 1);
    check_records(x_batch, bytes, *x_options.pool, findings);
    if (!findings.empty()) return findings.findings().front().message;
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::string> commit(std::span<const math::ObjectId> ids,
                                                  std::vector<math::Digest>& commitments) {
    for (const math::ObjectId id : ids) {
      const bool is_computed = x_batch.program().objects[id].kind == ObjectKind::kComputed;
      const chain::TableFiles& files = is_computed ? x_computed : x_data.tables;
      const auto file = files.find(id);
      if (file == files.end()) {
        return x_batch.compiled.names.objects[id] + " is missing, or of another size than the program says";
      }
      if (!is_computed) x_bytes += file->second.bytes().size();
      commitments.push_back(chain::commit_table(proof::table_shape(x_batch.program().objects[id], x_batch.values),
                                                x_batch.leaf_bytes(), file->second.bytes(), *x_options.pool));
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::string> check_tables() {
    std::vector<math::Digest> states;
    std::vector<math::Digest> tables;
    if (auto wrong = commit(proof::objects_of(x_batch.program(), ObjectKind::kState), states)) return wrong;
    if (proof::state_root(states) != x_batch.header().prev_state_root) {
      return "the state is not what the header's prev_state_root commits to";
    }
    if (auto wrong = commit(proof::table_objects(x_batch.program()), tables)) return wrong;
    if (proof::tables_root(tables) != x_batch.header().tables_root) {
      return "advice and tables are not what the header's tables_root commits to";
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<std::string> check_rows() {
    const auto columns = chain::record_columns(x_batch.program(), math::unsigned_bytes(x_data.records->bytes()));
    chain::Work work(x_options.stop, x_options.progress);
    StoredRows rows(*std::move(x_data.rows), chain::first_row(x_batch.program()), x_batch.leaf_bytes(), work);
    work.begin("hash", rows.total_bytes());
    rows.complete(*x_options.pool);
    x_bytes += rows.total_bytes();
    for (std::size_t row = 0; row < columns.rows.size(); ++row) {
      for (std::uint64_t record = 0; record < x_batch.records(); ++record) {
        if (rows.commitment(row, record) == columns.rows[row][record]) continue;
        return "row " + x_batch.manifest.shape.rows.at(row).name + " of record " + std::to_string(record) +
               " is not what the record commits to";
      }
    }
    return std::nullopt;
  }

  const Description& x_batch;
  BatchData x_data;
  chain::TableFiles x_computed;
  const KeepOptions& x_options;
  std::uint64_t x_bytes = 0;
};

std::optional<std::uint16_t> position_of(const Description& batch, const proof::Address& keeper) {
  const auto* const quorum = std::get_if<proof::KeeperQuorum>(&batch.manifest.task.settings.availability);
  if (quorum == nullptr) return std::nullopt;
  const auto place = std::ranges::find(quorum->keepers, keeper);
  if (place == quorum->keepers.end()) return std::nullopt;
  return static_cast<std::uint16_t>(place - quorum->keepers.begin());
}

/// Computed tables of the original; what is missing there is found out by the check.
chain::TableFiles computed_tables(const Description& batch, const chain::BatchPaths& paths) {
  chain::TableFiles tables = find_data(batch, paths).tables;
  std::erase_if(tables,
                [&](const auto& table) { return batch.program().objects[table.first].kind != ObjectKind::kComputed; });
  return tables;
}

}  // namespace

std::expected<KeptBatch, std::string> keep_batch(const fs::path& directory, const fs::path& store,
                                                 const proof::PrivateKey& key, const KeepOptions& options) {
  const chain::ToleratesShortenedFiles tolerant;
  const chain::BatchPaths original(directory);
  auto batch = read_description(original);
  if (!batch) return std::unexpected(std::move(batch.error().message));
  KeptBatch kept{.batch = proof::batch_id(batch->header()), .folder = {}};
  kept.folder = chain::BatchStore(store).batch(kept.batch);
  kept.position = position_of(*batch, key.address());

  std::optional<chain::BatchWriter> writer;
  const bool was_kept = chain::BatchStore(store).holds(kept.batch);
  if (!was_kept) {
    const BatchData there = find_data(*batch, original);
    const auto all_there = [&](ObjectKind kind) {
      return std::ranges::all_of(proof::objects_of(batch->program(), kind),
                                 [&](math::ObjectId id) { return there.tables.contains(id); });
    };
    if (!there.records || !there.rows || !all_there(ObjectKind::kState) || !all_there(ObjectKind::kAdvice)) {
      return std::unexpected(directory.string() +
                             ": an input is missing, unreadable, or of another size than the program says");
    }
    fs::create_directories(store);
    auto created = chain::BatchWriter::create(kept.folder, chain::BatchWriter::Existing::kRefuse);
    if (!created) return std::unexpected(std::move(created.error().message));
    writer.emplace(*std::move(created));
    copy_inputs(*batch, original, writer->paths());
  }
  const chain::BatchPaths copy = writer ? writer->paths() : chain::BatchPaths(kept.folder);
  const auto stored = read_description(copy);
  if (!stored) return std::unexpected(stored.error().message);
  if (proof::batch_id(stored->header()) != kept.batch) return std::unexpected("the batch changed while it was stored");
  InputCheck check(*stored, find_data(*stored, copy), computed_tables(*batch, original), options);
  if (auto wrong = check.run()) return std::unexpected(*std::move(wrong));
  kept.bytes = check.bytes();
  if (writer) {
    if (auto committed = writer->commit(*options.pool); !committed) {
      return std::unexpected(std::move(committed.error().message));
    }
  }
  kept.signature = proof::sign(key, proof::keeper_message(kept.batch).bytes);
  return kept;
}

}  // namespace tally::verifier
