// The data of a batch that is in dispute: leaves with their paths for the chain, and what folds read.
//
// Nothing is hashed anew but what a witness needs; the player tries every move on the posted roots before it is sent,
// so data that changed since it was judged is noticed there and never sent.
//
// A withheld table is known in two parts. Up to its first wrong leaf it is what was computed here; that leaf, and the
// nodes beside and above the way to it, were revealed in the descent. Both together give every path that a dispute
// about its first wrong entry needs.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_leaves.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/step/opening.h"
#include "verifier/replay/batch_data.h"
#include "verifier/replay/judge.h"
#include "verifier/replay/posted_batch.h"

namespace tally::verifier {

/// Data that a move needs and that is not there any more.
class DataMissing : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a descent revealed of one table.
struct RevealedTable {
  /// By first leaf and number of leaves.
  std::map<std::pair<std::uint64_t, std::uint64_t>, math::Digest> nodes{};
  std::optional<std::uint64_t> leaf{};  // the first wrong one, once its bytes are known
  std::vector<std::uint8_t> bytes{};
};

class PlayedBatch final : public proof::LeafSource {
 public:
  /// Throws DataMissing where an input or a table is not there, or has another size than the program says.
  PlayedBatch(const PostedBatch& batch, const chain::BatchPaths& paths, const std::filesystem::path& scratch,
              const Verdict& verdict);
  ~PlayedBatch() override = default;
  PlayedBatch(const PlayedBatch&) = delete;
  PlayedBatch& operator=(const PlayedBatch&) = delete;

  [[nodiscard]] const Description& description() const { return x_description; }
  [[nodiscard]] const proof::CommittedBatch& committed() const { return x_committed; }
  [[nodiscard]] math::Evaluation evaluation() const;

  /// Replaces what is known of the withheld tables.
  void reveal(std::map<math::ObjectId, RevealedTable> tables);

  /// The digests of a table's leaves as they are here: for a withheld table, as they were computed.
  [[nodiscard]] std::span<const math::Digest> leaf_digests(math::ObjectId table);
  [[nodiscard]] std::span<const std::byte> table_bytes(math::ObjectId table) const;
  [[nodiscard]] const math::Digest& posted_root(math::ObjectId table) const;

  [[nodiscard]] proof::OpenedLeaf leaf(const proof::OpeningKey& key) override;
  [[nodiscard]] std::span<const math::Digest> state_commitments() override { return x_commitments.states; }
  [[nodiscard]] std::span<const math::Digest> table_commitments() override { return x_commitments.tables; }

 private:
  [[nodiscard]] proof::OpenedLeaf record(std::uint64_t place);
  [[nodiscard]] proof::OpenedLeaf row_leaf(const proof::OpeningKey& key);
  [[nodiscard]] proof::OpenedLeaf withheld_leaf(const proof::OpeningKey& key, const RevealedTable& revealed);
  [[nodiscard]] const proof::MerkleTree& tree(math::ObjectId table);

  proof::Posted x_posted;
  Description x_description;
  proof::CommittedBatch x_committed;
  chain::BatchCommitments x_commitments;
  BatchData x_data;
  std::optional<chain::PlainRows> x_rows;
  chain::RecordColumns x_columns;
  std::optional<math::Inputs> x_inputs;  // absent where records or rows are
  std::map<math::ObjectId, RevealedTable> x_revealed;
  std::map<math::ObjectId, std::vector<math::Digest>> x_digests;
  std::map<math::ObjectId, std::unique_ptr<proof::MerkleTree>> x_trees;  // the records' under kMemberObject
};

}  // namespace tally::verifier
