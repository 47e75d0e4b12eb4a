// A batch of any program at any size, of whose data only what is asked for comes into being: what was loaded before it
// is committed to holds made-up numbers, everything else is zeros. So its openings are as long as in any other batch,
// and have as few bytes that are 0, and it takes the time of the paths that are opened alone. It is no true batch: its
// tables hold what nobody computed, but for what its maker sets.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "fraud_proof/records/record.h"
#include "fraud_proof/step/opening.h"
#include "verifier/lab/sparse_tree.h"

namespace tally::verifier {

class MadeUpBatch final : public proof::LeafSource {
 public:
  /// `program` outlives this. `dims` are all of its dims, K first.
  MadeUpBatch(const math::Program& program, std::vector<std::uint64_t> dims, std::uint32_t leaf_bytes);
  ~MadeUpBatch() override = default;
  // What it commits to refers to its own header.
  MadeUpBatch(const MadeUpBatch&) = delete;
  MadeUpBatch& operator=(const MadeUpBatch&) = delete;

  /// An element that a section loads (interpreter/section.h), within its object's range unless it was set. From then on
  /// it can be opened.
  [[nodiscard]] math::i128 load(math::ObjectId object, std::uint64_t element);
  /// Of a table, or a row.
  void set(math::ObjectId object, std::uint64_t element, math::i128 value);
  /// Nothing is loaded or set any more, but what was before.
  void commit();

  /// What its openings are checked against: a header without the names that a chain gives.
  [[nodiscard]] const proof::CommittedBatch& committed() const { return x_committed; }
  /// Of the trees of states, and of advice and computed tables, in program order.
  [[nodiscard]] const std::vector<proof::Digest>& state_roots() const { return x_state_roots; }
  [[nodiscard]] const std::vector<proof::Digest>& table_roots() const { return x_table_roots; }

  [[nodiscard]] proof::OpenedLeaf leaf(const proof::OpeningKey& key) override;
  [[nodiscard]] std::span<const proof::Digest> state_commitments() override { return x_states; }
  [[nodiscard]] std::span<const proof::Digest> table_commitments() override { return x_tables; }

 private:
  using Values = std::map<std::uint64_t, math::i128>;  // by element

  [[nodiscard]] const math::Object& object(math::ObjectId id) const { return x_committed.program.objects[id]; }
  [[nodiscard]] math::i128 made_up(math::ObjectId object, std::uint64_t element) const;
  [[nodiscard]] proof::Record record(std::uint32_t number);
  [[nodiscard]] std::vector<std::uint8_t> bytes_of(const proof::OpeningKey& key);
  [[nodiscard]] ZeroNodes& zeros_of(math::ObjectId object);
  /// Of a table, or of a record's row.
  [[nodiscard]] SparseTree tree_of(math::ObjectId object, std::uint32_t record);
  [[nodiscard]] proof::Digest root_of(math::ObjectId object);

  proof::BatchHeader x_header;
  proof::CommittedBatch x_committed;
  std::map<proof::OpeningKey, Values> x_opened;
  std::map<math::ObjectId, ZeroNodes> x_zeros;
  std::optional<SparseTree> x_record_tree;
  std::vector<proof::Digest> x_state_roots;
  std::vector<proof::Digest> x_table_roots;
  std::vector<proof::Digest> x_states;
  std::vector<proof::Digest> x_tables;
};

}  // namespace tally::verifier
