// Openings: leaves of a batch's trees, shown to the chain with their paths.
//
// An opening is, in bytes,
//
//   u16be object ‖ u32be record ‖ u64be leaf ‖ u16be size ‖ leaf bytes ‖ path[32] × exact length ‖ upper path
//
//   a record         object 0 (member), record k, leaf 0: the record's bytes; path to records_root; no upper path
//   a row's leaf     its object, record k: path to the row's root, which must give the commitment in record k, so that
//                    record must have been opened before in the same bytes; no upper path
//   a table's leaf   its object, record 0: path to the table's root; then, at the first opening of that table in the
//                    bytes, the path of its commitment to tables_root (advice, computed) or prev_state_root (states)
//
// Every length but the leaf's own follows from the program's shapes; the leaf's must be the one that they say. Paths
// are those of merkle/inclusion.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/merkle/inclusion.h"
#include "fraud_proof/refusals/reason.h"
#include "fraud_proof/step/committed_batch.h"

namespace tally::proof {

/// Which leaf. Ascending order is that of the fields.
struct OpeningKey {
  math::ObjectId object = 0;
  std::uint32_t record = 0;
  std::uint64_t leaf = 0;
  auto operator<=>(const OpeningKey&) const = default;
};

/// The leaf that holds an element: of a record for member, nonce and fields (`element` is k), of a row for element
/// k * length + d, of a table for its flattened index.
[[nodiscard]] OpeningKey leaf_of(const CommittedBatch& batch, math::ObjectId object, std::uint64_t element);

/// Whether the batch has such a leaf.
[[nodiscard]] bool has_leaf(const CommittedBatch& batch, const OpeningKey& key);

/// How an object's leaves are cut out of its data: those of the records, of one record's row, or of a table.
struct LeafLayout {
  std::uint64_t data_bytes = 0;
  std::uint64_t leaf_bytes = 0;
  [[nodiscard]] std::uint64_t leaves() const;
  /// Of leaf `leaf`, which is smaller than leaves().
  [[nodiscard]] std::size_t size_of(std::uint64_t leaf) const;
};

/// Of a record's kind of object, of a row or of a table.
[[nodiscard]] LeafLayout leaf_layout(const CommittedBatch& batch, math::ObjectId object);

/// One opening without an upper path: the leaf, and the root that its path leads to.
struct LeafAndRoot {
  math::Bytes leaf;
  Digest root{};
};

/// Reads one opening of leaf `key` of `layout`, which has it. kOpeningMissing, kOpeningUnexpected, kOpeningSize.
[[nodiscard]] OrRefused<LeafAndRoot> read_opening(math::ByteReader& reader, const OpeningKey& key,
                                                  const LeafLayout& layout);

/// Checks openings one after the other, and keeps the leaves that were shown. What it keeps points into the bytes.
class OpeningReader {
 public:
  OpeningReader(const CommittedBatch& batch, math::Bytes bytes) : x_batch(batch), x_reader(bytes) {}

  /// kNoSuchEntry where the batch has no such leaf. Else the leaf, if it was opened before; else the next opening of
  /// the bytes, which must be that leaf's. A row's leaf takes its record's opening first, where that was not opened
  /// before.
  [[nodiscard]] OrRefused<math::Bytes> open(const OpeningKey& key);

  /// The raw value of an element that the batch has, opening what it takes.
  [[nodiscard]] OrRefused<math::i128> element(math::ObjectId object, std::uint64_t element);

  /// kOpeningTrailing unless every byte was used.
  [[nodiscard]] OrRefused<void> finish() const;

 private:
  /// Whether the leaf's root is what the batch commits to.
  [[nodiscard]] OrRefused<void> check(const OpeningKey& key, const Digest& root);
  [[nodiscard]] OrRefused<void> check_table(const OpeningKey& key, const Digest& root, Reason reason);

  const CommittedBatch& x_batch;
  math::ByteReader x_reader;
  std::map<OpeningKey, math::Bytes> x_leaves;
  std::map<math::ObjectId, Digest> x_roots;  // of tables whose commitment was led to the header
};

/// One leaf with its path up to the root of its own tree.
struct OpenedLeaf {
  std::vector<std::uint8_t> bytes;
  InclusionPath path;
};

/// Where an honest party's leaves come from: a batch's data.
class LeafSource {
 public:
  virtual ~LeafSource() = default;
  /// `key` names a leaf that the batch has.
  [[nodiscard]] virtual OpenedLeaf leaf(const OpeningKey& key) = 0;
  /// Of the states, and of the advice and computed tables, in program order.
  [[nodiscard]] virtual std::span<const Digest> state_commitments() = 0;
  [[nodiscard]] virtual std::span<const Digest> table_commitments() = 0;
};

/// Writes what read_opening reads.
void write_opening(math::ByteWriter& writer, const OpeningKey& key, const OpenedLeaf& opened);

/// Writes what OpeningReader reads, each leaf once.
class OpeningWriter {
 public:
  OpeningWriter(const CommittedBatch& batch, LeafSource& source) : x_batch(batch), x_source(source) {}

  void open(const OpeningKey& key);
  /// Opens what holds the element, and gives its raw value.
  math::i128 element(math::ObjectId object, std::uint64_t element);

  [[nodiscard]] std::vector<std::uint8_t> take() { return x_writer.take(); }

 private:
  void write_upper_path(math::ObjectId table);

  const CommittedBatch& x_batch;
  LeafSource& x_source;
  math::ByteWriter x_writer;
  std::map<OpeningKey, std::vector<std::uint8_t>> x_leaves;
};

}  // namespace tally::proof
