#include "fraud_proof/step/opening.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/step/leaves.h"

namespace tally::proof {

namespace {

using math::Object;
using math::ObjectId;
using math::ObjectKind;

OpeningKey read_key(math::ByteReader& reader) {
  OpeningKey key;
  key.object = reader.u16be();
  key.record = reader.u32be();
  key.leaf = reader.u64be();
  return key;
}

OrRefused<InclusionPath> read_path(math::ByteReader& reader, LeafPosition position) {
  InclusionPath path(inclusion_path_length(position));
  for (Digest& sibling : path) std::ranges::copy(reader.raw(sibling.bytes.size()), sibling.bytes.begin());
  if (!reader.ok()) return refuse(Reason::kOpeningMissing, "the bytes end within a path");
  return path;
}

}  // namespace

OrRefused<LeafAndRoot> read_opening(math::ByteReader& reader, const OpeningKey& key, const LeafLayout& layout) {
  const OpeningKey found = read_key(reader);
  const std::size_t size = reader.u16be();
  if (!reader.ok()) return refuse(Reason::kOpeningMissing, "the bytes end where an opening is needed");
  if (found != key) return refuse(Reason::kOpeningUnexpected, "another leaf is opened than the one needed next");
  const LeafPosition position = leaf_position(key, layout);
  const std::size_t expected = layout.size_of(position.index);
  if (size != expected) {
    return refuse(Reason::kOpeningSize,
                  "a leaf of " + std::to_string(size) + " bytes, not " + std::to_string(expected));
  }
  const math::Bytes leaf = reader.raw(size);
  if (!reader.ok()) return refuse(Reason::kOpeningMissing, "the bytes end within a leaf");
  const auto path = read_path(reader, position);
  if (!path) return std::unexpected(path.error());
  return LeafAndRoot{leaf, inclusion_root(position, LeafHasher::best().hash_leaf(leaf), *path)};
}

OrRefused<math::Bytes> OpeningReader::open(const OpeningKey& key) {
  if (!has_leaf(x_batch, key)) return refuse(Reason::kNoSuchEntry, "the batch has no " + describe(x_batch, key));
  if (const auto known = x_leaves.find(key); known != x_leaves.end()) return known->second;
  if (x_batch.program.objects[key.object].kind == ObjectKind::kRow) {
    if (auto record = open({math::kMemberObject, key.record, 0}); !record) return record;
  }
  auto opened = read_opening(x_reader, key, leaf_layout(x_batch, key.object));
  if (!opened) {
    return refuse(opened.error().reason, describe(x_batch, key) + ": " + opened.error().message);
  }
  if (auto checked = check(key, opened->root); !checked) return std::unexpected(std::move(checked.error()));
  x_leaves.emplace(key, opened->leaf);
  return opened->leaf;
}

OrRefused<void> OpeningReader::check(const OpeningKey& key, const Digest& root) {
  const Object& object = x_batch.program.objects[key.object];
  const auto refused = [&](Reason reason, const char* what) {
    return refuse(reason, describe(x_batch, key) + " does not lead to " + what);
  };
  switch (object.kind) {
    case ObjectKind::kMember:
    case ObjectKind::kNonce:
    case ObjectKind::kField:
      if (root != x_batch.header.records_root) return refused(Reason::kOpeningRecord, "the header's records_root");
      return {};
    case ObjectKind::kRow: {
      const math::Bytes record = x_leaves.at({math::kMemberObject, key.record, 0});
      const Digest commitment = table_commitment(row_shape(object, x_batch.values), x_batch.leaf_bytes, root);
      if (!std::ranges::equal(row_commitment(x_batch, record, key.object), commitment.bytes)) {
        return refused(Reason::kOpeningRow, "the commitment in its record");
      }
      return {};
    }
    case ObjectKind::kState:
      return check_table(key, root, Reason::kOpeningState);
    case ObjectKind::kAdvice:
    case ObjectKind::kComputed:
      return check_table(key, root, Reason::kOpeningTable);
  }
  return {};
}

OrRefused<void> OpeningReader::check_table(const OpeningKey& key, const Digest& root, Reason reason) {
  if (const auto known = x_roots.find(key.object); known != x_roots.end()) {
    if (root != known->second) return refuse(reason, describe(x_batch, key) + " leads to another root than before");
    return {};
  }
  const LeafPosition position = commitment_position(x_batch, key.object);
  const auto path = read_path(x_reader, position);
  if (!path) return std::unexpected(path.error());
  const TableShape shape = table_shape(x_batch.program.objects[key.object], x_batch.values);
  const Digest commitment = table_commitment(shape, x_batch.leaf_bytes, root);
  const Digest& above =
      reason == Reason::kOpeningState ? x_batch.header.prev_state_root.digest : x_batch.header.tables_root;
  if (inclusion_root(position, commitment_leaf(commitment), *path) != above) {
    return refuse(reason, describe(x_batch, key) + " does not lead to the header");
  }
  x_roots.emplace(key.object, root);
  return {};
}

OrRefused<math::i128> OpeningReader::element(ObjectId object, std::uint64_t element) {
  const auto leaf = open(leaf_of(x_batch, object, element));
  if (!leaf) return std::unexpected(leaf.error());
  return value_in_leaf(x_batch, object, element, *leaf);
}

OrRefused<void> OpeningReader::finish() const {
  if (x_reader.remaining() == 0) return {};
  return refuse(Reason::kOpeningTrailing, std::to_string(x_reader.remaining()) + " bytes behind the last opening");
}

void write_opening(math::ByteWriter& writer, const OpeningKey& key, const OpenedLeaf& opened) {
  writer.u16be(key.object);
  writer.u32be(key.record);
  writer.u64be(key.leaf);
  writer.u16be(static_cast<std::uint16_t>(opened.bytes.size()));
  writer.raw(opened.bytes);
  for (const Digest& sibling : opened.path) writer.raw(sibling.bytes);
}

void OpeningWriter::open(const OpeningKey& key) {
  TALLY_ASSERT(has_leaf(x_batch, key));
  if (x_leaves.contains(key)) return;
  const ObjectKind kind = x_batch.program.objects[key.object].kind;
  if (kind == ObjectKind::kRow) open({math::kMemberObject, key.record, 0});
  const auto earlier = x_leaves.lower_bound({key.object, 0, 0});
  const bool is_first = earlier == x_leaves.end() || earlier->first.object != key.object;
  OpenedLeaf opened = x_source.leaf(key);
  write_opening(x_writer, key, opened);
  x_leaves.emplace(key, std::move(opened.bytes));
  if (is_table(kind) && is_first) write_upper_path(key.object);
}

void OpeningWriter::write_upper_path(ObjectId table) {
  const bool is_state = x_batch.program.objects[table].kind == ObjectKind::kState;
  std::vector<Digest> leaves;
  for (const Digest& commitment : is_state ? x_source.state_commitments() : x_source.table_commitments()) {
    leaves.push_back(commitment_leaf(commitment));
  }
  const LeafPosition position = commitment_position(x_batch, table);
  TALLY_ASSERT(leaves.size() == position.count);
  for (const Digest& sibling : MerkleTree(leaves).inclusion_path(position.index)) x_writer.raw(sibling.bytes);
}

math::i128 OpeningWriter::element(ObjectId object, std::uint64_t element) {
  const OpeningKey key = leaf_of(x_batch, object, element);
  open(key);
  return value_in_leaf(x_batch, object, element, x_leaves.at(key));
}

}  // namespace tally::proof
