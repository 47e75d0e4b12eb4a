#include "verifier/challenger/played_batch.h"

#include <algorithm>
#include <bit>

#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/table_commitment.h"
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
                         const Verdict& verdict, std::function<void()> between_steps)
    : x_posted(batch.posted),
      x_description(describe_posted(batch, paths)),
      x_committed(committed_batch(x_description)),
      x_commitments(chain::posted_commitments(x_committed, batch.posted.state_commitments, batch.posted.table_roots)),
      x_data(find_data(x_description, paths)),
      x_between_steps(std::move(between_steps)) {
  const math::Program& program = x_description.program();
  for (const ComputedTable& computed : verdict.computed) {
    const std::uint64_t bytes =
        proof::table_shape(program.objects.at(computed.table), x_description.values).data_bytes();
    auto file = chain::MappedFile::open(scratch_table(scratch, computed.table), bytes);
    if (!file) throw DataMissing(file.error().message);
    x_data.tables[computed.table] = *std::move(file);
    x_computed[computed.table] = computed.commitment;
  }
  if (!x_data.records) return;
  const math::Bytes records = math::unsigned_bytes(x_data.records->bytes());
  x_records.assign(records.begin(), records.end());
  x_record_tree =
      std::make_unique<proof::MerkleTree>(digests_of(x_records, proof::record_shape(program).record_bytes()));
  if (x_record_tree->root() != x_description.header().records_root) {
    throw DataMissing("records.bin is not what the batch commits to");
  }
  x_columns = chain::record_columns(program, x_records);
  if (!x_data.rows) return;
  x_rows.emplace(*x_data.rows, x_columns, chain::first_row(program), x_description.leaf_bytes(),
                 scratch_row_roots(scratch));
  x_inputs = chain::batch_inputs(program, x_columns, {}, *x_rows);
}

math::Evaluation PlayedBatch::evaluation(std::size_t item) {
  if (!x_rows) throw DataMissing("records or rows are not there any more");
  const math::Program& program = x_description.program();
  if (const std::optional<math::Body>& body = program.items.at(item).body) {
    for (const math::ObjectId object : math::loaded_objects(*body)) {
      if (proof::is_table(program.objects.at(object).kind)) x_inputs.tables[object] = table_bytes(object);
    }
  }
  return {.program = program,
          .values = x_description.values,
          .inputs = x_inputs,
          .between_steps = x_between_steps ? &x_between_steps : nullptr};
}

const std::string& PlayedBatch::name_of(math::ObjectId object) const {
  return x_description.compiled.names.objects.at(object);
}

const math::Digest& PlayedBatch::commitment_of(math::ObjectId table) const {
  const auto computed = x_computed.find(table);
  if (computed != x_computed.end()) return computed->second;
  return x_commitments.of(x_description.program(), table);
}

PlayedBatch::CheckedTable& PlayedBatch::checked(math::ObjectId table) {
  const auto known = x_tables.find(table);
  if (known != x_tables.end()) return known->second;
  const auto file = x_data.tables.find(table);
  if (file == x_data.tables.end()) throw DataMissing(name_of(table) + " is not there");
  CheckedTable made;
  made.bytes.assign(file->second.bytes().begin(), file->second.bytes().end());
  made.digests = digests_of(math::unsigned_bytes(made.bytes), x_description.leaf_bytes());
  const proof::TableShape shape = proof::table_shape(x_description.program().objects[table], x_description.values);
  const math::Digest commitment =
      proof::table_commitment(shape, x_description.leaf_bytes(), proof::tree_root(made.digests));
  if (commitment != commitment_of(table)) {
    throw DataMissing(name_of(table) + " is not the table that was " +
                      (x_computed.contains(table) ? "computed here" : "committed to"));
  }
  return x_tables.emplace(table, std::move(made)).first->second;
}

std::span<const std::byte> PlayedBatch::table_bytes(math::ObjectId table) { return checked(table).bytes; }

std::span<const math::Digest> PlayedBatch::leaf_digests(math::ObjectId table) { return checked(table).digests; }

void PlayedBatch::reveal(std::map<math::ObjectId, RevealedTable> tables) { x_revealed = std::move(tables); }

const math::Digest& PlayedBatch::posted_root(math::ObjectId table) const {
  const std::vector<math::ObjectId> ids = proof::table_objects(x_description.program());
  const auto place = static_cast<std::size_t>(std::ranges::find(ids, table) - ids.begin());
  return x_posted.table_roots.at(place);
}

proof::OpenedLeaf PlayedBatch::record(std::uint64_t place) {
  if (!x_record_tree) throw DataMissing("records.bin is not there");
  const std::size_t width = proof::record_shape(x_description.program()).record_bytes();
  return opened(leaf_of_data(x_records, width, place), x_record_tree->inclusion_path(place));
}

proof::OpenedLeaf PlayedBatch::row_leaf(const proof::OpeningKey& key) {
  if (!x_rows) throw DataMissing("a row is not there any more");
  const std::vector<std::byte> row = x_rows->row(key.object, key.record);
  const math::Bytes bytes = math::unsigned_bytes(row);
  const std::size_t leaf_bytes = x_description.leaf_bytes();
  const proof::MerkleTree whole(digests_of(bytes, leaf_bytes));
  return opened(leaf_of_data(bytes, leaf_bytes, key.leaf), whole.inclusion_path(key.leaf));
}

proof::OpenedLeaf PlayedBatch::withheld_leaf(const proof::OpeningKey& key, const RevealedTable& revealed) {
  if (!revealed.leaf || key.leaf > *revealed.leaf) {
    throw DataMissing("a leaf of " + name_of(key.object) + " that is withheld");
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
  CheckedTable& table = checked(key.object);
  if (!table.tree) table.tree = std::make_unique<proof::MerkleTree>(table.digests);
  return opened(leaf_of_data(math::unsigned_bytes(table.bytes), x_description.leaf_bytes(), key.leaf),
                table.tree->inclusion_path(key.leaf));
}

}  // namespace tally::verifier
