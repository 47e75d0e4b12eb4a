// The data of a batch that is in dispute: leaves with their paths for the chain, and what folds read.
//
// A bond hangs on every move, and the files may be other people's: whatever is read here is copied first and must hash
// to what was posted, or, for a table that was computed here, to what the verdict says of it. Data that changed since
// it was judged is noticed, whenever it changed, and never sent.
//
// A withheld table is known in two parts. Up to its first wrong leaf it is what was computed here; that leaf, and the
// nodes beside and above the way to it, were revealed in the descent. Both together give every path that a dispute
// about its first wrong entry needs.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_leaves.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/step/opening.h"
#include "verifier/challenger/checked_rows.h"
#include "verifier/replay/batch_data.h"
#include "verifier/replay/judge.h"
#include "verifier/replay/posted_batch.h"

namespace tally::verifier {

/// What a descent revealed of one table.
struct RevealedTable {
  /// By first leaf and number of leaves.
  std::map<std::pair<std::uint64_t, std::uint64_t>, math::Digest> nodes{};
  std::optional<std::uint64_t> leaf{};  // the first wrong one, once its bytes are known
  std::vector<std::uint8_t> bytes{};
};

class PlayedBatch final : public proof::LeafSource {
 public:
  /// Throws DataMissing where the records, or a table that was computed, are not those that were judged. So does
  /// everything below, for what it reads. `between_steps` is called while a fold runs, and ends it by throwing.
  PlayedBatch(const PostedBatch& batch, const chain::BatchPaths& paths, const std::filesystem::path& scratch,
              const Verdict& verdict, std::function<void()> between_steps = {});
  ~PlayedBatch() override = default;
  PlayedBatch(const PlayedBatch&) = delete;
  PlayedBatch& operator=(const PlayedBatch&) = delete;

  [[nodiscard]] const Description& description() const { return x_description; }
  [[nodiscard]] const proof::CommittedBatch& committed() const { return x_committed; }
  /// To run one item with: only what that item reads is there. Valid until the next call.
  [[nodiscard]] math::Evaluation evaluation(std::size_t item);

  /// Replaces what is known of the withheld tables.
  void reveal(std::map<math::ObjectId, RevealedTable> tables);

  /// The digests of a table's leaves as they are here: for a withheld table, as they were computed.
  [[nodiscard]] std::span<const math::Digest> leaf_digests(math::ObjectId table);
  [[nodiscard]] std::span<const std::byte> table_bytes(math::ObjectId table);
  [[nodiscard]] const math::Digest& posted_root(math::ObjectId table) const;

  [[nodiscard]] proof::OpenedLeaf leaf(const proof::OpeningKey& key) override;
  [[nodiscard]] std::span<const math::Digest> state_commitments() override { return x_commitments.states; }
  [[nodiscard]] std::span<const math::Digest> table_commitments() override { return x_commitments.tables; }

 private:
  /// A table or state as it was posted, or computed here.
  struct CheckedTable {
    std::vector<std::byte> bytes;
    std::vector<math::Digest> digests;
    std::unique_ptr<proof::MerkleTree> tree;  // made when it is first needed
  };

  [[nodiscard]] const math::Digest& commitment_of(math::ObjectId table) const;
  [[nodiscard]] CheckedTable& checked(math::ObjectId table);
  [[nodiscard]] proof::OpenedLeaf record(std::uint64_t place);
  [[nodiscard]] proof::OpenedLeaf row_leaf(const proof::OpeningKey& key);
  [[nodiscard]] proof::OpenedLeaf withheld_leaf(const proof::OpeningKey& key, const RevealedTable& revealed);
  [[nodiscard]] const std::string& name_of(math::ObjectId object) const;

  proof::Posted x_posted;
  Description x_description;
  proof::CommittedBatch x_committed;
  chain::BatchCommitments x_commitments;
  BatchData x_data;
  std::map<math::ObjectId, math::Digest> x_computed;  // commitments of what was computed here
  std::vector<std::uint8_t> x_records;
  std::unique_ptr<proof::MerkleTree> x_record_tree;  // absent where the records are
  chain::RecordColumns x_columns;
  std::optional<CheckedRows> x_rows;  // absent where records or rows are
  std::map<math::ObjectId, CheckedTable> x_tables;
  math::Inputs x_inputs;
  std::map<math::ObjectId, RevealedTable> x_revealed;
  std::function<void()> x_between_steps;
};

}  // namespace tally::verifier
