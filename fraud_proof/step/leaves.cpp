#include "fraud_proof/step/leaves.h"

#include <algorithm>

#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/hashing/leaf_hasher.h"

namespace tally::proof {

namespace {

using math::Object;
using math::ObjectId;
using math::ObjectKind;

// A record begins address ‖ member ‖ nonce (records/record.h).
constexpr std::size_t kMemberOffset = 20;
constexpr std::size_t kNonceOffset = 28;
constexpr std::size_t kRowsOffset = 36;

bool in_record(ObjectKind kind) {
  return kind == ObjectKind::kMember || kind == ObjectKind::kNonce || kind == ObjectKind::kField;
}

// How many objects of the same kind stand before it.
std::size_t place_in_kind(const math::Program& program, ObjectId object) {
  const ObjectKind kind = program.objects[object].kind;
  return static_cast<std::size_t>(
      std::ranges::count(program.objects.begin(), program.objects.begin() + object, kind, &Object::kind));
}

math::i128 value_in_record(const CommittedBatch& batch, ObjectId object, math::Bytes record) {
  const auto word = [&](std::size_t offset) { return math::ByteReader(record.subspan(offset, 8)); };
  switch (batch.program.objects[object].kind) {
    case ObjectKind::kMember:
      return word(kMemberOffset).u64be();
    case ObjectKind::kNonce:
      return word(kNonceOffset).u64be();
    case ObjectKind::kField:
      return word(kRowsOffset + sizeof(Digest) * record_shape(batch.program).rows +
                  8 * place_in_kind(batch.program, object))
          .i64be();
    case ObjectKind::kRow:
    case ObjectKind::kState:
    case ObjectKind::kAdvice:
    case ObjectKind::kComputed:
      break;
  }
  TALLY_ASSERT(false);
}

// The element's index within its own data: a row's is that of one record.
std::uint64_t index_in_data(const CommittedBatch& batch, ObjectId object, std::uint64_t element) {
  const Object& loaded = batch.program.objects[object];
  return loaded.kind == ObjectKind::kRow ? element % math::extent_value(loaded.extents[1], batch.values) : element;
}

}  // namespace

std::string describe(const CommittedBatch& batch, const OpeningKey& key) {
  std::string text = "leaf " + std::to_string(key.leaf) + " of object " + std::to_string(key.object);
  const bool row = key.object < batch.program.objects.size() && key.object != math::kMemberObject &&
                   batch.program.objects[key.object].kind == ObjectKind::kRow;
  if (key.object == math::kMemberObject) return "record " + std::to_string(key.record);
  return row ? text + " of record " + std::to_string(key.record) : text;
}

LeafPosition leaf_position(const OpeningKey& key, const LeafLayout& layout) {
  return {.index = key.object == math::kMemberObject ? key.record : key.leaf, .count = layout.leaves()};
}

LeafPosition commitment_position(const CommittedBatch& batch, ObjectId table) {
  const bool state = batch.program.objects[table].kind == ObjectKind::kState;
  const std::vector<ObjectId> ids =
      state ? objects_of(batch.program, ObjectKind::kState) : table_objects(batch.program);
  const auto found = std::ranges::find(ids, table);
  TALLY_ASSERT(found != ids.end());
  return {.index = static_cast<std::uint64_t>(found - ids.begin()), .count = ids.size()};
}

Digest commitment_leaf(const Digest& commitment) { return LeafHasher::best().hash_leaf(commitment.bytes); }

math::Bytes row_commitment(const CommittedBatch& batch, math::Bytes record, ObjectId row) {
  return record.subspan(kRowsOffset + sizeof(Digest) * place_in_kind(batch.program, row), sizeof(Digest));
}

math::i128 value_in_leaf(const CommittedBatch& batch, ObjectId object, std::uint64_t element, math::Bytes leaf) {
  const Object& loaded = batch.program.objects[object];
  if (in_record(loaded.kind)) return value_in_record(batch, object, leaf);
  const std::uint64_t leaf_elements = batch.leaf_bytes / math::element_bytes(loaded.type);
  return math::read_element(std::as_bytes(leaf), loaded.type, index_in_data(batch, object, element) % leaf_elements);
}

std::uint64_t LeafLayout::leaves() const { return leaf_count(data_bytes, leaf_bytes); }

std::size_t LeafLayout::size_of(std::uint64_t leaf) const {
  TALLY_ASSERT(leaf < leaves());
  return static_cast<std::size_t>(std::min(leaf_bytes, data_bytes - leaf * leaf_bytes));
}

LeafLayout leaf_layout(const CommittedBatch& batch, ObjectId object) {
  const Object& laid_out = batch.program.objects[object];
  if (in_record(laid_out.kind)) {
    const std::size_t record_bytes = record_shape(batch.program).record_bytes();
    return {.data_bytes = batch.values.dims[0] * record_bytes, .leaf_bytes = record_bytes};
  }
  const TableShape shape =
      laid_out.kind == ObjectKind::kRow ? row_shape(laid_out, batch.values) : table_shape(laid_out, batch.values);
  return {.data_bytes = shape.data_bytes(), .leaf_bytes = batch.leaf_bytes};
}

OpeningKey leaf_of(const CommittedBatch& batch, ObjectId object, std::uint64_t element) {
  const Object& loaded = batch.program.objects[object];
  if (in_record(loaded.kind)) return {math::kMemberObject, static_cast<std::uint32_t>(element), 0};
  const std::uint64_t leaf_elements = batch.leaf_bytes / math::element_bytes(loaded.type);
  const std::uint64_t leaf = index_in_data(batch, object, element) / leaf_elements;
  if (loaded.kind != ObjectKind::kRow) return {object, 0, leaf};
  return {object, static_cast<std::uint32_t>(element / math::extent_value(loaded.extents[1], batch.values)), leaf};
}

bool has_leaf(const CommittedBatch& batch, const OpeningKey& key) {
  if (key.object >= batch.program.objects.size()) return false;
  const ObjectKind kind = batch.program.objects[key.object].kind;
  if (in_record(kind)) return kind == ObjectKind::kMember && key.record < batch.values.dims[0] && key.leaf == 0;
  if (kind == ObjectKind::kRow ? key.record >= batch.values.dims[0] : key.record != 0) return false;
  return key.leaf < leaf_layout(batch, key.object).leaves();
}

}  // namespace tally::proof
