#include "tests/support/committed_memory.h"

#include <algorithm>

#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/records/record.h"

namespace tally::test {

using namespace tally::proof;
using math::Object;
using math::ObjectId;
using math::ObjectKind;

namespace {

std::vector<std::uint8_t> copy_bytes(std::span<const std::byte> data) {
  std::vector<std::uint8_t> bytes(data.size());
  std::ranges::transform(data, bytes.begin(), [](std::byte byte) { return static_cast<std::uint8_t>(byte); });
  return bytes;
}

std::vector<std::uint8_t> copy_row(const math::Inputs& inputs, ObjectId row, std::uint64_t record, std::uint64_t length,
                                   std::size_t width) {
  std::vector<std::uint8_t> bytes;
  std::vector<std::byte> scratch(math::kRowBlock * width);
  for (std::uint64_t first = 0; first < length; first += math::kRowBlock) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(math::kRowBlock, length - first));
    const auto block = copy_bytes(inputs.rows->view(row, record, first, count, scratch));
    bytes.insert(bytes.end(), block.begin(), block.end());
  }
  return bytes;
}

}  // namespace

CommittedMemory::CommittedMemory(const math::Program& program, const math::BatchValues& values,
                                 const math::Inputs& inputs, std::uint32_t leaf_bytes, const RecordSigners* signers)
    : x_batch{program, x_header, leaf_bytes, values} {
  x_header.number = values.batch;
  x_header.record_count = values.dims[0];
  commit_tables(inputs);
  x_header.prev_state_root = state_root(x_states);
  commit_rows(inputs);
  commit_records(inputs, signers);
  x_header.tables_root = tables_root(x_tables);
  x_header.next_state_root = state_root(next_state(program, x_states, x_tables));
}

CommittedMemory::Data CommittedMemory::commit(std::vector<std::uint8_t> bytes, std::uint64_t leaf_bytes) const {
  LeafDigests digests(bytes.size(), leaf_bytes);
  digests.hash_block(0, bytes);
  return {std::move(bytes), MerkleTree(digests.digests())};
}

void CommittedMemory::commit_rows(const math::Inputs& inputs) {
  for (const ObjectId row : objects_of(x_batch.program, ObjectKind::kRow)) {
    const Object& object = x_batch.program.objects[row];
    const std::uint64_t length = math::extent_value(object.extents[1], x_batch.values);
    for (std::uint32_t k = 0; k < x_header.record_count; ++k) {
      x_data.emplace(Place{row, k},
                     commit(copy_row(inputs, row, k, length, math::element_bytes(object.type)), x_batch.leaf_bytes));
    }
  }
}

void CommittedMemory::commit_records(const math::Inputs& inputs, const RecordSigners* signers) {
  std::vector<std::uint8_t> bytes;
  for (std::uint32_t k = 0; k < x_header.record_count; ++k) {
    Record record;
    for (std::size_t i = 0; i < 4; ++i) record.address.bytes[i] = static_cast<std::uint8_t>(k >> (24 - 8 * i));
    record.member = inputs.members[k];
    record.nonce = inputs.nonces[k];
    for (const ObjectId row : objects_of(x_batch.program, ObjectKind::kRow)) {
      const TableShape shape = row_shape(x_batch.program.objects[row], x_batch.values);
      record.rows.push_back(table_commitment(shape, x_batch.leaf_bytes, x_data.at({row, k}).tree.root()));
    }
    for (const ObjectId field : objects_of(x_batch.program, ObjectKind::kField)) {
      record.fields.push_back(inputs.fields[field][k]);
    }
    if (signers != nullptr) {
      sign_record(record,
                  {.domain = signers->domain,
                   .task = signers->task,
                   .batch = x_header.number,
                   .state = x_header.prev_state_root},
                  *signers->keys[k]);
    }
    const auto encoded = encode(record);
    bytes.insert(bytes.end(), encoded.begin(), encoded.end());
  }
  Data records = commit(std::move(bytes), record_shape(x_batch.program).record_bytes());
  x_header.records_root = records.tree.root();
  x_data.emplace(Place{math::kMemberObject, 0}, std::move(records));
}

void CommittedMemory::commit_tables(const math::Inputs& inputs) {
  for (std::size_t id = 0; id < x_batch.program.objects.size(); ++id) {
    const Object& object = x_batch.program.objects[id];
    const auto table = static_cast<ObjectId>(id);
    if (object.kind < ObjectKind::kState) continue;
    Data data = commit(copy_bytes(inputs.tables[table]), x_batch.leaf_bytes);
    const Digest commitment =
        table_commitment(table_shape(object, x_batch.values), x_batch.leaf_bytes, data.tree.root());
    (object.kind == ObjectKind::kState ? x_states : x_tables).push_back(commitment);
    x_data.emplace(Place{table, 0}, std::move(data));
  }
}

OpenedLeaf CommittedMemory::leaf(const OpeningKey& key) {
  const LeafLayout layout = leaf_layout(x_batch, key.object);
  const bool is_record = key.object == math::kMemberObject;
  const std::uint64_t index = is_record ? key.record : key.leaf;
  const Data& data = x_data.at({key.object, is_record ? 0 : key.record});
  const auto first = data.bytes.begin() + static_cast<std::ptrdiff_t>(index * layout.leaf_bytes);
  return {{first, first + static_cast<std::ptrdiff_t>(layout.size_of(index))}, data.tree.inclusion_path(index)};
}

std::span<const Digest> CommittedMemory::leaf_digests(ObjectId table) const {
  const MerkleTree& tree = x_data.at({table, 0}).tree;
  return tree.leaves() == 0 ? std::span<const Digest>{} : tree.level(0);
}

Digest CommittedMemory::tree_root(ObjectId table) const { return x_data.at({table, 0}).tree.root(); }

}  // namespace tally::test
