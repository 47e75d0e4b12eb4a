#include "verifier/lab/column_batch.h"

#include <algorithm>

#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/hashing/leaf_hasher.h"
#include "fraud_proof/records/record.h"
#include "verifier/lab/zero_tree.h"

namespace tally::verifier {

namespace {

using math::ObjectId;
using proof::Digest;
using proof::OpenedLeaf;
using proof::OpeningKey;

// The objects of fedavg.
constexpr ObjectId kUpdates = 3;
constexpr ObjectId kModel = 4;
constexpr ObjectId kTotal = 5;
constexpr ObjectId kNextModel = 6;

constexpr math::i128 kModelValue = 1 << 20;

// Made up, the same each time, and of both signs.
std::int64_t examples_of(std::uint64_t client) { return 1 + static_cast<std::int64_t>(client * 37 % 1000); }
std::uint8_t made_up(std::uint64_t place) { return static_cast<std::uint8_t>(1 + place * 37 % 255); }
math::i128 update_of(std::uint64_t client) {
  return static_cast<math::i128>(client * 2'654'435'761 % (1U << 25)) - (1 << 24);
}

}  // namespace

ColumnBatch::ColumnBatch(const math::Program& program, const ColumnShape& shape)
    : x_parameter(shape.parameters / 2),
      x_committed{program, x_header, shape.leaf_bytes, {.dims = {shape.clients, shape.parameters}}} {
  TALLY_ASSERT(program.objects.size() == kNextModel + 1 && program.objects[kUpdates].kind == math::ObjectKind::kRow);
  x_header.record_count = shape.clients;
  x_path = zero_path(leaf_layout(x_committed, kModel), leaf_of(x_committed, kModel, x_parameter).leaf);
  make_records();
  math::i128 total = 0;
  for (std::uint64_t k = 0; k < shape.clients; ++k) total += examples_of(k);
  x_trees.emplace(kModel, plant(kModel, x_parameter, kModelValue));
  x_trees.emplace(kTotal, plant(kTotal, 0, total));
  x_trees.emplace(kNextModel, plant(kNextModel, x_parameter, 0));
  commit_tables();
}

ColumnBatch::Tree ColumnBatch::plant(ObjectId object, std::uint64_t element, math::i128 value) const {
  const math::ElementType type = x_committed.program.objects[object].type;
  const proof::LeafLayout layout = leaf_layout(x_committed, object);
  const OpeningKey key = leaf_of(x_committed, object, element);
  std::vector<std::byte> bytes(layout.size_of(key.leaf));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte{made_up(i + 7 * element + object)};
  const std::uint64_t row_element = object == kUpdates ? x_parameter : element;
  math::write_element(bytes, type, row_element % (x_committed.leaf_bytes / math::element_bytes(type)), value);
  Tree tree;
  for (const std::byte byte : bytes) tree.leaf.bytes.push_back(static_cast<std::uint8_t>(byte));
  if (layout.leaves() > 1) tree.leaf.path = x_path;
  tree.root = proof::inclusion_root({.index = key.leaf, .count = layout.leaves()},
                                    proof::LeafHasher::best().hash_leaf(tree.leaf.bytes), tree.leaf.path);
  return tree;
}

void ColumnBatch::make_records() {
  const std::uint64_t parameters = x_committed.values.dims[1];
  const proof::TableShape row = proof::row_shape(x_committed.program.objects[kUpdates], x_committed.values);
  std::vector<Digest> leaves;
  for (std::uint64_t k = 0; k < x_header.record_count; ++k) {
    x_updates.push_back(update_of(k));
    const Tree tree = plant(kUpdates, k * parameters + x_parameter, x_updates.back());
    proof::Record record;
    for (std::size_t i = 8; i < record.address.bytes.size(); ++i) record.address.bytes[i] = made_up(k + i);
    for (std::size_t i = 0; i < record.signature.bytes.size(); ++i) record.signature.bytes[i] = made_up(k + 2 * i);
    for (std::size_t i = 0; i < 8; ++i) record.address.bytes[i] = static_cast<std::uint8_t>(k >> (56 - 8 * i));
    record.member = k;
    record.rows = {table_commitment(row, x_committed.leaf_bytes, tree.root)};
    record.fields = {examples_of(k)};
    x_records.push_back(encode(record));
    leaves.push_back(proof::LeafHasher::best().hash_leaf(x_records.back()));
  }
  x_record_tree = proof::MerkleTree(leaves);
  x_header.records_root = x_record_tree.root();
}

void ColumnBatch::commit_tables() {
  const auto commitment = [&](ObjectId object) {
    const proof::TableShape shape = proof::table_shape(x_committed.program.objects[object], x_committed.values);
    return table_commitment(shape, x_committed.leaf_bytes, x_trees.at(object).root);
  };
  x_states = {commitment(kModel)};
  x_tables = {commitment(kTotal), commitment(kNextModel)};
  x_header.prev_state_root = proof::state_root(x_states);
  x_header.tables_root = proof::tables_root(x_tables);
  x_header.next_state_root = proof::state_root(proof::next_state(x_committed.program, x_states, x_tables));
}

void ColumnBatch::set_next(math::i128 value) {
  x_trees.insert_or_assign(kNextModel, plant(kNextModel, x_parameter, value));
  commit_tables();
}

const Digest& ColumnBatch::model_root() const { return x_trees.at(kModel).root; }

std::vector<Digest> ColumnBatch::table_roots() const { return {x_trees.at(kTotal).root, x_trees.at(kNextModel).root}; }

OpenedLeaf ColumnBatch::leaf(const OpeningKey& key) {
  if (key.object == math::kMemberObject) return {x_records[key.record], x_record_tree.inclusion_path(key.record)};
  if (key.object == kUpdates) {
    return plant(kUpdates, key.record * x_committed.values.dims[1] + x_parameter, x_updates[key.record]).leaf;
  }
  return x_trees.at(key.object).leaf;
}

}  // namespace tally::verifier
