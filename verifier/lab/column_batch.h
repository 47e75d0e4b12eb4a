// A batch of the library's fedavg whose clients change one leaf of the model alone: every number but those of the leaf
// that holds one parameter is 0, so that a batch of any size is committed to in the time of its clients' paths. As to
// that parameter it is a true batch, but for what its maker forges; what surrounds it is made up. So every opening of
// the parameter's dispute is as long as in any other, and has as few bytes that are 0.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/step/opening.h"

namespace tally::verifier {

struct ColumnShape {
  std::uint64_t clients = 1;
  std::uint64_t parameters = 1;
  std::uint32_t leaf_bytes = proof::kDefaultLeafBytes;
};

class ColumnBatch final : public proof::LeafSource {
 public:
  /// `program` is fedavg, and outlives this. The parameter stands in the middle of the model.
  ColumnBatch(const math::Program& program, const ColumnShape& shape);

  [[nodiscard]] std::uint64_t parameter() const { return x_parameter; }
  /// Item and tree roots, for the chain: of the model, and of the two tables.
  [[nodiscard]] std::uint16_t item() const { return 1; }
  [[nodiscard]] const proof::Digest& model_root() const;
  [[nodiscard]] std::vector<proof::Digest> table_roots() const;
  /// What the batch's openings are checked against: a header without the names that a chain gives.
  [[nodiscard]] const proof::CommittedBatch& committed() const { return x_committed; }

  /// Commits to another new value of the parameter.
  void set_next(math::i128 value);

  [[nodiscard]] proof::OpenedLeaf leaf(const proof::OpeningKey& key) override;
  [[nodiscard]] std::span<const proof::Digest> state_commitments() override { return x_states; }
  [[nodiscard]] std::span<const proof::Digest> table_commitments() override { return x_tables; }

 private:
  struct Tree {
    proof::OpenedLeaf leaf;
    proof::Digest root{};
  };
  /// Zeros but for one value, in the leaf that holds it.
  [[nodiscard]] Tree plant(math::ObjectId object, std::uint64_t element, math::i128 value) const;
  void make_records();
  void commit_tables();

  std::uint64_t x_parameter;
  proof::BatchHeader x_header;
  proof::CommittedBatch x_committed;
  proof::InclusionPath x_path;  // of the parameter's leaf, the same in every tree over all parameters
  std::vector<std::vector<std::uint8_t>> x_records;
  proof::MerkleTree x_record_tree{{}};
  std::vector<math::i128> x_updates;
  std::map<math::ObjectId, Tree> x_trees;  // model, total and next_model
  std::vector<proof::Digest> x_states;
  std::vector<proof::Digest> x_tables;
};

}  // namespace tally::verifier
