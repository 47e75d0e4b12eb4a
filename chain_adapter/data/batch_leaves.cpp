#include "chain_adapter/data/batch_leaves.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/hashing/leaf_hasher.h"

namespace tally::chain {

using math::Bytes;
using math::Digest;
using math::ObjectId;
using math::ObjectKind;

namespace {

// Hashed at a time: whole leaves of every size, but for records.
constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

std::size_t tree_bytes(const proof::MerkleTree& tree) { return 2 * sizeof(Digest) * tree.leaves(); }

std::size_t place_of(const std::vector<ObjectId>& ids, ObjectId id) {
  const auto found = std::ranges::find(ids, id);
  TALLY_ASSERT(found != ids.end());
  return static_cast<std::size_t>(found - ids.begin());
}

}  // namespace

const Digest& BatchCommitments::of(const math::Program& program, ObjectId table) const {
  const bool is_state = program.objects.at(table).kind == ObjectKind::kState;
  return is_state ? states.at(place_of(proof::objects_of(program, ObjectKind::kState), table))
                  : tables.at(place_of(proof::table_objects(program), table));
}

BatchCommitments posted_commitments(const proof::CommittedBatch& batch, std::span<const Digest> state_commitments,
                                    std::span<const Digest> table_roots) {
  const std::vector<ObjectId> ids = proof::table_objects(batch.program);
  TALLY_ASSERT(ids.size() == table_roots.size());
  BatchCommitments commitments;
  commitments.states.assign(state_commitments.begin(), state_commitments.end());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const proof::TableShape shape = proof::table_shape(batch.program.objects[ids[i]], batch.values);
    commitments.tables.push_back(proof::table_commitment(shape, batch.leaf_bytes, table_roots[i]));
  }
  return commitments;
}

BatchLeaves::BatchLeaves(const proof::CommittedBatch& batch, const BatchFiles& files, BatchCommitments commitments,
                         std::size_t tree_bytes)
    : x_batch(batch), x_files(files), x_commitments(std::move(commitments)), x_tree_bytes(tree_bytes) {}

proof::OpenedLeaf BatchLeaves::leaf(const proof::OpeningKey& key) {
  TALLY_ASSERT(proof::has_leaf(x_batch, key));
  const bool is_record = key.object == math::kMemberObject;
  const Place place{key.object, is_record ? 0 : key.record};
  const std::uint64_t index = is_record ? key.record : key.leaf;
  const proof::LeafLayout layout = proof::leaf_layout(x_batch, key.object);
  proof::InclusionPath path = tree(place).inclusion_path(index);
  const std::size_t size = layout.size_of(index);
  std::vector<std::byte> scratch(size);
  const Bytes bytes = read(place, index * layout.leaf_bytes, size, scratch);
  return {.bytes = {bytes.begin(), bytes.end()}, .path = std::move(path)};
}

std::span<const Digest> BatchLeaves::leaf_digests(ObjectId table) {
  const proof::MerkleTree& found = tree({table, 0});
  return found.leaves() == 0 ? std::span<const Digest>{} : found.level(0);
}

void BatchLeaves::check_data(ObjectId object, std::uint32_t record) {
  const ObjectKind kind = x_batch.program.objects[object].kind;
  const bool has_file = kind == ObjectKind::kRow || proof::is_table(kind);
  static_cast<void>(tree(has_file ? Place{object, record} : Place{math::kMemberObject, 0}));
}

const proof::MerkleTree& BatchLeaves::tree(const Place& place) {
  const auto known = std::ranges::find(x_trees, place, &Cached::place);
  if (known != x_trees.end()) {
    x_trees.splice(x_trees.begin(), x_trees, known);
    return x_trees.front().tree;
  }
  proof::MerkleTree built = build(place);
  check(place, built.root());
  x_trees.push_front({place, std::move(built)});
  std::size_t total = 0;
  auto last = x_trees.begin();
  for (; last != x_trees.end(); ++last) {
    total += tree_bytes(last->tree);
    if (last != x_trees.begin() && total > x_tree_bytes) break;
  }
  x_trees.erase(last, x_trees.end());
  return x_trees.front().tree;
}

proof::MerkleTree BatchLeaves::build(const Place& place) const {
  const proof::LeafLayout layout = proof::leaf_layout(x_batch, place.first);
  const auto leaf_bytes = static_cast<std::size_t>(layout.leaf_bytes);
  const std::size_t chunk = std::max<std::size_t>(kChunkBytes / leaf_bytes, 1) * leaf_bytes;
  proof::LeafDigests digests(layout.data_bytes, leaf_bytes);
  std::vector<std::byte> scratch(std::min<std::uint64_t>(chunk, layout.data_bytes));
  for (std::uint64_t at = 0; at < layout.data_bytes; at += chunk) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk, layout.data_bytes - at));
    digests.hash_block(at, read(place, at, size, scratch));
  }
  return proof::MerkleTree(digests.digests());
}

void BatchLeaves::check(const Place& place, const Digest& root) const {
  const auto [object, record] = place;
  const math::Object& laid_out = x_batch.program.objects[object];
  const auto require = [&](bool right, const std::string& what) {
    if (!right) throw std::runtime_error("the data of " + what + " is not what the batch commits to");
  };
  const auto committed = [&](const proof::TableShape& shape) {
    return proof::table_commitment(shape, x_batch.leaf_bytes, root);
  };
  const std::string& name = x_files.names.at(object);
  switch (laid_out.kind) {
    case ObjectKind::kMember:
    case ObjectKind::kNonce:
    case ObjectKind::kField:
      return require(root == x_batch.header.records_root, "the records");
    case ObjectKind::kRow: {
      const proof::RecordShape shape = proof::record_shape(x_batch.program);
      const Bytes bytes =
          math::unsigned_bytes(x_files.records.bytes()).subspan(record * shape.record_bytes(), shape.record_bytes());
      const std::size_t row = place_of(proof::objects_of(x_batch.program, ObjectKind::kRow), object);
      const Digest expected = proof::decode_record(bytes, shape).value().rows.at(row);
      return require(committed(proof::row_shape(laid_out, x_batch.values)) == expected,
                     name + " of record " + std::to_string(record));
    }
    case ObjectKind::kState:
    case ObjectKind::kAdvice:
    case ObjectKind::kComputed:
      return require(
          committed(proof::table_shape(laid_out, x_batch.values)) == x_commitments.of(x_batch.program, object), name);
  }
}

Bytes BatchLeaves::read(const Place& place, std::uint64_t offset, std::size_t size,
                        std::span<std::byte> scratch) const {
  const auto [object, record] = place;
  if (object == math::kMemberObject) return math::unsigned_bytes(x_files.records.bytes().subspan(offset, size));
  if (x_batch.program.objects[object].kind != ObjectKind::kRow) {
    return math::unsigned_bytes(x_files.tables.at(object).bytes().subspan(offset, size));
  }
  const auto row = static_cast<std::size_t>(object - first_row(x_batch.program));
  return math::unsigned_bytes(x_files.rows.read(row, record, offset, size, scratch));
}

}  // namespace tally::chain
