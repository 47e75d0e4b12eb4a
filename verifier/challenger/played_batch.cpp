#include "verifier/challenger/played_batch.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/hashing/leaf_hasher.h"

namespace tally::verifier {

namespace {

std::vector<math::Digest> digests_of(math::Bytes data, std::size_t leaf_bytes) {
  std::vector<math::Digest> digests(proof::leaf_count(data.size(), leaf_bytes));
  proof::LeafHasher::best().hash_leaves(data, leaf_bytes, digests);
  return digests;
}

math::Bytes leaf_of_data(math::Bytes data, std::size_t leaf_bytes, std::uint64_t leaf) {
  const std::size_t first = leaf * leaf_bytes;
  if (first >= data.size()) throw DataMissing("a leaf behind the end of the data");
  return data.subspan(first, std::min(leaf_bytes, data.size() - first));
}

proof::OpenedLeaf opened(math::Bytes bytes, proof::InclusionPath path) {
  return {.bytes = {bytes.begin(), bytes.end()}, .path = std::move(path)};
}

/// A tree of which some nodes are known, and the leaves before one.
class PartlyKnownTree {
 public:
  PartlyKnownTree(const RevealedTable& revealed, std::span<const math::Digest> computed)
      : x_revealed(revealed), x_computed(computed) {}

  [[nodiscard]] proof::InclusionPath path(std::uint64_t leaf) const {
    proof::InclusionPath path;
    collect(leaf, 0, x_computed.size(), path);
    return path;
  }

 private:
  [[nodiscard]] static std::uint64_t left_part(std::uint64_t leaves) { return std::bit_floor(leaves - 1); }

  void collect(std::uint64_t leaf, std::uint64_t first, std::uint64_t leaves, proof::InclusionPath& path) const {
    if (leaves == 1) return;
    const std::uint64_t left = left_part(leaves);
    const bool goes_left = leaf < first + left;
    collect(leaf, goes_left ? first : first + left, goes_left ? left : leaves - left, path);
    path.push_back(goes_left ? node(first + left, leaves - left) : node(first, left));
  }

  [[nodiscard]] math::Digest node(std::uint64_t first, std::uint64_t leaves) const {
    if (first + leaves <= x_revealed.leaf.value_or(0)) return proof::tree_root(x_computed.subspan(first, leaves));
    const auto known = x_revealed.nodes.find({first, leaves});
    if (known != x_revealed.nodes.end()) return known->second;
    if (leaves == 1) throw DataMissing("a node of a withheld table that was never revealed");
    const std::uint64_t left = left_part(leaves);
    return proof::LeafHasher::best().hash_node(node(first, left), node(first + left, leaves - left));
  }

  const RevealedTable& x_revealed;
  std::span<const math::Digest> x_computed;
};

}  // namespace

PlayedBatch::PlayedBatch(const PostedBatch& batch, const chain::BatchPaths& paths, const std::filesystem::path& scratch,
                         const Verdict& verdict)
    : x_posted(batch.posted),
      x_description(describe_posted(batch, paths)),
      x_committed(committed_batch(x_description)),
      x_commitments(chain::posted_commitments(x_committed, batch.posted.state_commitments, batch.posted.table_roots)),
      x_data(find_data(x_description, paths)) {
  const math::Program& program = x_description.program();
  for (const math::ObjectId id : verdict.computed) {
    const std::uint64_t bytes = proof::table_shape(program.objects.at(id), x_description.values).data_bytes();
    auto file = chain::MappedFile::open(scratch_table(scratch, id), bytes);
    if (!file) throw DataMissing(file.error().message);
    x_data.tables[id] = *std::move(file);
  }
  if (!x_data.records || !x_data.rows) return;
  x_columns = chain::record_columns(program, math::unsigned_bytes(x_data.records->bytes()));
  x_rows.emplace(*x_data.rows, chain::first_row(program));
  x_inputs = chain::batch_inputs(program, x_columns, x_data.tables, *x_rows);
}

math::Evaluation PlayedBatch::evaluation() const {
  if (!x_inputs) throw DataMissing("records or rows are not there any more");
  return {.program = x_description.program(), .values = x_description.values, .inputs = *x_inputs};
}

std::span<const std::byte> PlayedBatch::table_bytes(math::ObjectId table) const {
  const auto file = x_data.tables.find(table);
  if (file == x_data.tables.end()) throw DataMissing(x_description.compiled.names.objects.at(table) + " is not there");
  return file->second.bytes();
}

void PlayedBatch::reveal(std::map<math::ObjectId, RevealedTable> tables) { x_revealed = std::move(tables); }

std::span<const math::Digest> PlayedBatch::leaf_digests(math::ObjectId table) {
  auto kept = x_digests.find(table);
  if (kept == x_digests.end()) {
    kept = x_digests.emplace(table, digests_of(math::unsigned_bytes(table_bytes(table)), x_description.leaf_bytes()))
               .first;
  }
  return kept->second;
}

const math::Digest& PlayedBatch::posted_root(math::ObjectId table) const {
  const std::vector<math::ObjectId> ids = proof::table_objects(x_description.program());
  const auto place = static_cast<std::size_t>(std::ranges::find(ids, table) - ids.begin());
  return x_posted.table_roots.at(place);
}

const proof::MerkleTree& PlayedBatch::tree(math::ObjectId table) {
  std::unique_ptr<proof::MerkleTree>& tree = x_trees[table];
  if (!tree && table == proof::OpeningKey{}.object) {
    if (!x_data.records) throw DataMissing("records.bin is not there");
    const std::size_t width = proof::record_shape(x_description.program()).record_bytes();
    tree = std::make_unique<proof::MerkleTree>(digests_of(math::unsigned_bytes(x_data.records->bytes()), width));
  }
  if (!tree) tree = std::make_unique<proof::MerkleTree>(leaf_digests(table));
  return *tree;
}

proof::OpenedLeaf PlayedBatch::record(std::uint64_t place) {
  const std::size_t width = proof::record_shape(x_description.program()).record_bytes();
  const proof::MerkleTree& records = tree(math::kMemberObject);
  return opened(leaf_of_data(math::unsigned_bytes(x_data.records->bytes()), width, place),
                records.inclusion_path(place));
}

proof::OpenedLeaf PlayedBatch::row_leaf(const proof::OpeningKey& key) {
  if (!x_data.rows) throw DataMissing("a row is not there any more");
  const auto row = static_cast<std::size_t>(key.object - chain::first_row(x_description.program()));
  std::vector<std::byte> scratch(x_data.rows->shapes().at(row).bytes());
  const math::Bytes bytes = math::unsigned_bytes(x_data.rows->read(row, key.record, 0, scratch.size(), scratch));
  const std::size_t leaf_bytes = x_description.leaf_bytes();
  const proof::MerkleTree whole(digests_of(bytes, leaf_bytes));
  return opened(leaf_of_data(bytes, leaf_bytes, key.leaf), whole.inclusion_path(key.leaf));
}

proof::OpenedLeaf PlayedBatch::withheld_leaf(const proof::OpeningKey& key, const RevealedTable& revealed) {
  if (!revealed.leaf || key.leaf > *revealed.leaf) {
    throw DataMissing("a leaf of " + x_description.compiled.names.objects.at(key.object) + " that is withheld");
  }
  proof::InclusionPath path = PartlyKnownTree(revealed, leaf_digests(key.object)).path(key.leaf);
  if (key.leaf == *revealed.leaf) return opened(revealed.bytes, std::move(path));
  return opened(leaf_of_data(math::unsigned_bytes(table_bytes(key.object)), x_description.leaf_bytes(), key.leaf),
                std::move(path));
}

proof::OpenedLeaf PlayedBatch::leaf(const proof::OpeningKey& key) {
  const math::ObjectKind kind = x_description.program().objects.at(key.object).kind;
  switch (kind) {
    case math::ObjectKind::kMember:
    case math::ObjectKind::kNonce:
    case math::ObjectKind::kField:
      return record(key.record);
    case math::ObjectKind::kRow:
      return row_leaf(key);
    case math::ObjectKind::kState:
    case math::ObjectKind::kAdvice:
    case math::ObjectKind::kComputed:
      break;
  }
  const auto revealed = x_revealed.find(key.object);
  if (revealed != x_revealed.end()) return withheld_leaf(key, revealed->second);
  const proof::MerkleTree& table = tree(key.object);
  return opened(leaf_of_data(math::unsigned_bytes(table_bytes(key.object)), x_description.leaf_bytes(), key.leaf),
                table.inclusion_path(key.leaf));
}

}  // namespace tally::verifier
