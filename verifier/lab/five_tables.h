// A task whose batches have five tables and a thousand records: of their data only what proofs show is there, the rest
// is roots with nothing behind them, which is all that a chain sees. None of what is made up has a byte that is 0.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/records/record.h"
#include "fraud_proof/step/opening.h"
#include "verifier/lab/lab_chain.h"

namespace tally::verifier {

inline constexpr std::uint64_t kTablesRecords = 1'000;
/// 20 levels over leaves of 1 KiB.
inline constexpr std::uint64_t kTablesParameters = std::uint64_t{1} << 28;
inline constexpr math::ObjectId kTablesAdvice = 5;
inline constexpr std::uint64_t kTablesElement = kTablesParameters / 2;

/// Ascending, and without signatures that are anyone's.
[[nodiscard]] std::vector<proof::Record> made_up_records();

/// The leaf of the one element of advice that can be shown, which is out of its range, and records.
class TablesData final : public proof::LeafSource {
 public:
  explicit TablesData(std::span<const proof::Record> records);

  [[nodiscard]] proof::OpenedLeaf leaf(const proof::OpeningKey& key) override;
  [[nodiscard]] std::span<const proof::Digest> state_commitments() override { return {}; }
  [[nodiscard]] std::span<const proof::Digest> table_commitments() override { return x_tables; }

  [[nodiscard]] proof::Digest records_root() const { return x_record_tree.root(); }
  /// Of the tables' trees.
  [[nodiscard]] const std::vector<proof::Digest>& roots() const { return x_roots; }

 private:
  std::vector<std::vector<std::uint8_t>> x_records;
  proof::MerkleTree x_record_tree{{}};
  proof::OpenedLeaf x_advice;
  std::vector<proof::Digest> x_roots;
  std::vector<proof::Digest> x_tables;
};

class FiveTables {
 public:
  /// Creates the task; `chain` outlives this.
  FiveTables(LabChain& chain, const proof::TaskSettings& settings);

  struct Posted {
    proof::BatchHeader header{};
    std::uint64_t gas = 0;
  };
  /// Posts what no other batch has, after `parent`, or as a first one. The keepers sign who are due.
  Posted post(const std::optional<proof::BatchHeader>& parent, std::span<const proof::PrivateKey> keepers = {});
  Posted post(TablesData& data);

  [[nodiscard]] const proof::TaskId& task() const { return x_task; }
  [[nodiscard]] const proof::TaskSettings& settings() const { return x_settings; }

 private:
  /// The states' commitments.
  [[nodiscard]] std::vector<proof::Digest> model_with(const proof::Digest& root) const;
  Posted send(proof::Post post, std::span<const proof::PrivateKey> keepers);

  LabChain& x_chain;
  proof::TaskSettings x_settings;
  proof::TaskId x_task{};
  std::vector<proof::Digest> x_genesis;
  std::uint64_t x_posts = 0;
};

}  // namespace tally::verifier
