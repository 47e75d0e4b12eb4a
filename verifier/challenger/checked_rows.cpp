#include "verifier/challenger/checked_rows.h"

#include <algorithm>
#include <string>

#include "chain_adapter/files/atomic_file.h"
#include "fraud_proof/commitments/table_commitment.h"
#include "fraud_proof/merkle/tree.h"

namespace tally::verifier {

CheckedRows::CheckedRows(const chain::RowFiles& files, const chain::RecordColumns& columns, math::ObjectId first_row,
                         std::uint32_t leaf_bytes, const std::filesystem::path& roots)
    : x_files(files), x_columns(columns), x_first_row(first_row), x_leaf_bytes(leaf_bytes) {
  std::uint64_t places = 0;
  for (std::size_t row = 0; row < files.shapes().size(); ++row) {
    x_first_root.push_back(places);
    places += blocks(row) * files.records();
  }
  const std::size_t bytes = places * sizeof(math::Digest);
  if (auto left = chain::read_file(roots, bytes); left && left->size() == bytes) x_left = *std::move(left);
}

std::uint64_t CheckedRows::blocks(std::size_t row) const {
  return (x_files.shapes().at(row).length + math::kRowBlock - 1) / math::kRowBlock;
}

void CheckedRows::refuse(std::size_t row, std::uint64_t record) const {
  throw DataMissing(x_files.shapes().at(row).name + " of record " + std::to_string(record) +
                    " is not what the record commits to");
}

std::vector<std::byte> CheckedRows::copy(std::size_t row, std::uint64_t record, std::uint64_t offset,
                                         std::size_t size) const {
  std::vector<std::byte> bytes(size);
  const std::span<const std::byte> there = x_files.read(row, record, offset, size, bytes);
  if (there.data() != bytes.data()) std::ranges::copy(there, bytes.begin());
  return bytes;
}

bool CheckedRows::is_row(std::size_t row, std::uint64_t record, std::span<const math::Digest> roots) const {
  const chain::RowShape& shape = x_files.shapes().at(row);
  const proof::TableShape table{.element_bytes = static_cast<std::uint8_t>(math::element_bytes(shape.type)),
                                .rank = 1,
                                .dim0 = shape.length,
                                .dim1 = 1};
  return proof::table_commitment(table, x_leaf_bytes, proof::tree_root(roots)) == x_columns.rows.at(row).at(record);
}

std::span<const math::Digest> CheckedRows::roots(std::size_t row, std::uint64_t record) {
  const auto known = x_roots.find({row, record});
  if (known != x_roots.end()) return known->second;
  std::vector<math::Digest> roots(blocks(row));
  if (!x_left.empty()) {
    const math::Bytes left = math::Bytes(x_left).subspan(
        (x_first_root[row] + record * roots.size()) * sizeof(math::Digest), roots.size() * sizeof(math::Digest));
    for (std::size_t i = 0; i < roots.size(); ++i) {
      std::ranges::copy(left.subspan(i * sizeof(math::Digest), sizeof(math::Digest)), roots[i].bytes.begin());
    }
  }
  if (x_left.empty() || !is_row(row, record, roots)) {
    const chain::RowShape& shape = x_files.shapes().at(row);
    const std::uint64_t block_bytes = math::kRowBlock * math::element_bytes(shape.type);
    for (std::size_t i = 0; i < roots.size(); ++i) {
      const std::uint64_t offset = i * block_bytes;
      const auto block =
          copy(row, record, offset, static_cast<std::size_t>(std::min(block_bytes, shape.bytes() - offset)));
      roots[i] = proof::tree_root_of_bytes(math::unsigned_bytes(block), x_leaf_bytes);
    }
    if (!is_row(row, record, roots)) refuse(row, record);
  }
  return x_roots.emplace(std::pair{row, record}, std::move(roots)).first->second;
}

std::span<const std::byte> CheckedRows::view(math::ObjectId object, std::uint64_t record, std::uint64_t first,
                                             std::size_t count, std::span<std::byte> /*scratch*/) {
  const auto row = static_cast<std::size_t>(object - x_first_row);
  const std::uint64_t block = first / math::kRowBlock;
  const Place place{row, record, block};
  const auto kept = std::ranges::find(x_kept, place, &Block::place);
  if (kept != x_kept.end()) {
    x_kept.splice(x_kept.begin(), x_kept, kept);
    return x_kept.front().bytes;
  }
  const std::size_t width = math::element_bytes(x_files.shapes().at(row).type);
  std::vector<std::byte> bytes = copy(row, record, first * width, count * width);
  if (proof::tree_root_of_bytes(math::unsigned_bytes(bytes), x_leaf_bytes) != roots(row, record)[block]) {
    refuse(row, record);
  }
  x_kept.push_front({place, std::move(bytes)});
  if (x_kept.size() > kBlocks) x_kept.pop_back();
  return x_kept.front().bytes;
}

std::vector<std::byte> CheckedRows::row(math::ObjectId object, std::uint64_t record) const {
  const auto row = static_cast<std::size_t>(object - x_first_row);
  std::vector<std::byte> bytes = copy(row, record, 0, static_cast<std::size_t>(x_files.shapes().at(row).bytes()));
  const math::Digest root = proof::tree_root_of_bytes(math::unsigned_bytes(bytes), x_leaf_bytes);
  // The tree over all leaves has the root of the tree over whole blocks.
  if (!is_row(row, record, std::span(&root, 1))) refuse(row, record);
  return bytes;
}

}  // namespace tally::verifier
