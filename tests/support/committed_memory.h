// A batch in memory, committed: its trees, its header, and openings of its leaves. What a poster has on disk.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "deterministic_math/executor/inputs.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/records/record.h"
#include "fraud_proof/step/opening.h"

namespace tally::test {

/// Signs the records of a batch; `batch` and `state` of the context are the batch's own.
struct RecordSigners {
  proof::KeccakDigest domain{};
  proof::TaskId task{};
  std::vector<const proof::PrivateKey*> keys{};  // of each record
};

/// A copy of the data as it is when this is made; the program must outlive it. Records carry an address made of their
/// index and no signature, unless there are signers.
class CommittedMemory final : public proof::LeafSource {
 public:
  CommittedMemory(const math::Program& program, const math::BatchValues& values, const math::Inputs& inputs,
                  std::uint32_t leaf_bytes, const RecordSigners* signers = nullptr);
  ~CommittedMemory() override = default;
  // Its batch() refers to its own header.
  CommittedMemory(const CommittedMemory&) = delete;
  CommittedMemory& operator=(const CommittedMemory&) = delete;

  [[nodiscard]] const proof::CommittedBatch& batch() const { return x_batch; }
  [[nodiscard]] const proof::BatchHeader& header() const { return x_header; }
  [[nodiscard]] proof::BatchHeader& header() { return x_header; }

  [[nodiscard]] proof::OpenedLeaf leaf(const proof::OpeningKey& key) override;
  [[nodiscard]] std::span<const proof::Digest> state_commitments() override { return x_states; }
  [[nodiscard]] std::span<const proof::Digest> table_commitments() override { return x_tables; }

  /// Of a state or a table.
  [[nodiscard]] std::span<const proof::Digest> leaf_digests(math::ObjectId table) const;
  [[nodiscard]] proof::Digest tree_root(math::ObjectId table) const;

 private:
  struct Data {
    std::vector<std::uint8_t> bytes;
    proof::MerkleTree tree;
  };
  using Place = std::pair<math::ObjectId, std::uint32_t>;  // object and, of a row, record

  [[nodiscard]] Data commit(std::vector<std::uint8_t> bytes, std::uint64_t leaf_bytes) const;
  void commit_rows(const math::Inputs& inputs);
  void commit_records(const math::Inputs& inputs, const RecordSigners* signers);
  void commit_tables(const math::Inputs& inputs);

  proof::BatchHeader x_header;
  proof::CommittedBatch x_batch;
  std::map<Place, Data> x_data;
  std::vector<proof::Digest> x_states;
  std::vector<proof::Digest> x_tables;
};

}  // namespace tally::test
