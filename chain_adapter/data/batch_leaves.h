// Openings of a batch directory's leaves, made on demand.
//
// A leaf's path needs the tree over one file: the records, one record's row, or one table. That file is hashed when a
// leaf of it is first asked for, and its tree is kept, about 64 bytes a leaf, until others need the memory. A tree's
// root must be what the batch commits to: data that was damaged or exchanged makes no opening.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_files.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/step/opening.h"

namespace tally::chain {

/// Of the states before the batch, and of the advice and computed tables, in program order.
struct BatchCommitments {
  std::vector<math::Digest> states;
  std::vector<math::Digest> tables;

  /// Of one of them.
  [[nodiscard]] const math::Digest& of(const math::Program& program, math::ObjectId table) const;
};

/// What was posted: states as commitments, tables as roots of their trees.
[[nodiscard]] BatchCommitments posted_commitments(const proof::CommittedBatch& batch,
                                                  std::span<const math::Digest> state_commitments,
                                                  std::span<const math::Digest> table_roots);

class BatchLeaves final : public proof::LeafSource {
 public:
  /// Trees beyond this many bytes are given up, the longest unused first; that of the last leaf is always kept.
  static constexpr std::size_t kTreeBytes = std::size_t{64} << 20;

  /// Batch and files must outlive it.
  BatchLeaves(const proof::CommittedBatch& batch, const BatchFiles& files, BatchCommitments commitments,
              std::size_t tree_bytes = kTreeBytes);

  /// std::runtime_error where the file is not what the batch commits to; std::system_error where it cannot be read.
  [[nodiscard]] proof::OpenedLeaf leaf(const proof::OpeningKey& key) override;
  [[nodiscard]] std::span<const math::Digest> state_commitments() override { return x_commitments.states; }
  [[nodiscard]] std::span<const math::Digest> table_commitments() override { return x_commitments.tables; }

  /// The digests of a state's or table's leaves, valid until the next call of anything here. Throws as leaf() does.
  [[nodiscard]] std::span<const math::Digest> leaf_digests(math::ObjectId table);

  /// Throws as leaf() does where the object's data are not what the batch commits to; of a row, record `record`'s.
  void check_data(math::ObjectId object, std::uint32_t record);

 private:
  using Place = std::pair<math::ObjectId, std::uint32_t>;  // object, and the record of a row
  struct Cached {
    Place place;
    proof::MerkleTree tree;
  };

  [[nodiscard]] const proof::MerkleTree& tree(const Place& place);
  [[nodiscard]] proof::MerkleTree build(const Place& place) const;
  void check(const Place& place, const math::Digest& root) const;
  /// `size` bytes of the file at `offset`, in memory that lasts or in `scratch`.
  [[nodiscard]] math::Bytes read(const Place& place, std::uint64_t offset, std::size_t size,
                                 std::span<std::byte> scratch) const;

  const proof::CommittedBatch& x_batch;
  const BatchFiles& x_files;
  BatchCommitments x_commitments;
  std::size_t x_tree_bytes;
  std::list<Cached> x_trees;  // the last used first
};

}  // namespace tally::chain
