#include "verifier/lab/made_up_batch.h"

#include <utility>

#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/hashing/leaf_hasher.h"

namespace tally::verifier {

namespace {

using math::i128;
using math::ObjectId;
using math::ObjectKind;
using math::u128;
using proof::Digest;
using proof::LeafHasher;
using proof::OpeningKey;

std::uint8_t byte_of(std::uint64_t place) { return static_cast<std::uint8_t>(1 + place * 37 % 255); }

/// splitmix64, by which equal places hold equal numbers each time.
std::uint64_t mixed(std::uint64_t place) {
  place += 0x9e37'79b9'7f4a'7c15;
  place = (place ^ (place >> 30)) * 0xbf58'476d'1ce4'e5b9;
  place = (place ^ (place >> 27)) * 0x94d0'49bb'1331'11eb;
  return place ^ (place >> 31);
}

/// Numbers of models and updates: up to 1.0 with 24 fractional bits, where that is within the range.
constexpr math::Range kOrdinary{-(i128{1} << 24), i128{1} << 24};

i128 number_within(math::Range range, std::uint64_t place) {
  if (range.lo <= kOrdinary.lo && range.hi >= kOrdinary.hi) range = kOrdinary;
  const u128 drawn = static_cast<u128>(mixed(2 * place)) << 64 | mixed(2 * place + 1);
  const u128 last = static_cast<u128>(range.hi) - static_cast<u128>(range.lo);
  const u128 offset = last == ~u128{0} ? drawn : drawn % (last + 1);
  return static_cast<i128>(static_cast<u128>(range.lo) + offset);
}

bool is_in_record(ObjectKind kind) {
  return kind == ObjectKind::kMember || kind == ObjectKind::kNonce || kind == ObjectKind::kField;
}

/// Where an element stands within its leaf.
std::size_t place_in_leaf(const proof::CommittedBatch& batch, ObjectId id, std::uint64_t element) {
  const math::Object& object = batch.program.objects[id];
  const std::uint64_t index =
      object.kind == ObjectKind::kRow ? element % extent_value(object.extents[1], batch.values) : element;
  return index % (batch.leaf_bytes / math::element_bytes(object.type));
}

}  // namespace

MadeUpBatch::MadeUpBatch(const math::Program& program, std::vector<std::uint64_t> dims, std::uint32_t leaf_bytes)
    : x_header{.record_count = dims.front()}, x_committed{program, x_header, leaf_bytes, {.dims = std::move(dims)}} {}

i128 MadeUpBatch::made_up(ObjectId id, std::uint64_t element) const {
  if (id == math::kMemberObject || id == math::kNonceObject) return static_cast<i128>(element);
  // Around the middle of a model of any size stand the same numbers.
  const std::uint64_t length = object(id).kind == ObjectKind::kRow
                                   ? extent_value(object(id).extents[1], x_committed.values)
                                   : element_count(object(id).extents, x_committed.values);
  const std::uint64_t record = object(id).kind == ObjectKind::kRow ? element / length : 0;
  return number_within(object(id).range, mixed(mixed(element % length - length / 2) + record) + id);
}

i128 MadeUpBatch::load(ObjectId id, std::uint64_t element) {
  const OpeningKey key = leaf_of(x_committed, id, element);
  Values& values = x_opened[key];
  if (is_in_record(object(id).kind)) return made_up(id, element);
  if (object(id).kind == ObjectKind::kRow) x_opened[{math::kMemberObject, key.record, 0}];
  return values.emplace(element, made_up(id, element)).first->second;
}

void MadeUpBatch::set(ObjectId id, std::uint64_t element, i128 value) {
  static_cast<void>(load(id, element));
  x_opened[leaf_of(x_committed, id, element)][element] = value;
}

ZeroNodes& MadeUpBatch::zeros_of(ObjectId id) {
  return x_zeros.try_emplace(id, leaf_layout(x_committed, id)).first->second;
}

SparseTree MadeUpBatch::tree_of(ObjectId id, std::uint32_t record) {
  std::map<std::uint64_t, Digest> leaves;
  for (auto opened = x_opened.lower_bound({id, record, 0});
       opened != x_opened.end() && opened->first.object == id && opened->first.record == record; ++opened)
    leaves[opened->first.leaf] = LeafHasher::best().hash_leaf(bytes_of(opened->first));
  return {zeros_of(id), std::move(leaves)};
}

proof::Record MadeUpBatch::record(std::uint32_t number) {
  proof::Record record{.member = number, .nonce = number};
  for (std::size_t i = 0; i < record.address.bytes.size(); ++i)
    record.address.bytes[i] = i < 4 ? static_cast<std::uint8_t>(number >> (24 - 8 * i)) : byte_of(number + i);
  for (std::size_t i = 0; i < record.signature.bytes.size(); ++i) record.signature.bytes[i] = byte_of(number + 2 * i);
  for (ObjectId id = 0; id < x_committed.program.objects.size(); ++id) {
    if (object(id).kind == ObjectKind::kRow)
      record.rows.push_back(table_commitment(proof::row_shape(object(id), x_committed.values), x_committed.leaf_bytes,
                                             tree_of(id, number).root()));
    if (object(id).kind == ObjectKind::kField) record.fields.push_back(static_cast<std::int64_t>(made_up(id, number)));
  }
  return record;
}

std::vector<std::uint8_t> MadeUpBatch::bytes_of(const OpeningKey& key) {
  if (key.object == math::kMemberObject) return encode(record(key.record));
  std::vector<std::byte> bytes(leaf_layout(x_committed, key.object).size_of(key.leaf));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte{byte_of(i + 7 * key.leaf + key.record)};
  for (const auto& [element, value] : x_opened.at(key))
    math::write_element(bytes, object(key.object).type, place_in_leaf(x_committed, key.object, element), value);
  std::vector<std::uint8_t> plain;
  for (const std::byte byte : bytes) plain.push_back(static_cast<std::uint8_t>(byte));
  return plain;
}

Digest MadeUpBatch::root_of(ObjectId id) { return tree_of(id, 0).root(); }

void MadeUpBatch::commit() {
  std::map<std::uint64_t, Digest> records;
  for (const auto& [key, values] : x_opened) {
    if (key.object == math::kMemberObject) records[key.record] = LeafHasher::best().hash_leaf(bytes_of(key));
  }
  x_record_tree.emplace(zeros_of(math::kMemberObject), std::move(records));
  x_header.records_root = x_record_tree->root();
  x_state_roots.clear();
  x_table_roots.clear();
  x_states.clear();
  x_tables.clear();
  for (ObjectId id = 0; id < x_committed.program.objects.size(); ++id) {
    if (!proof::is_table(object(id).kind)) continue;
    const Digest root = root_of(id);
    const bool is_state = object(id).kind == ObjectKind::kState;
    (is_state ? x_state_roots : x_table_roots).push_back(root);
    (is_state ? x_states : x_tables)
        .push_back(table_commitment(proof::table_shape(object(id), x_committed.values), x_committed.leaf_bytes, root));
  }
  x_header.prev_state_root = proof::state_root(x_states);
  x_header.tables_root = proof::tables_root(x_tables);
  x_header.next_state_root = proof::state_root(proof::next_state(x_committed.program, x_states, x_tables));
}

proof::OpenedLeaf MadeUpBatch::leaf(const OpeningKey& key) {
  if (key.object == math::kMemberObject) return {bytes_of(key), x_record_tree->path(key.record)};
  return {bytes_of(key), tree_of(key.object, key.record).path(key.leaf)};
}

}  // namespace tally::verifier
