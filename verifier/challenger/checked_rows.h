// Rows as a dispute reads them: nothing is given that does not hash to what its record commits to.
//
// A batch's files may be other people's, and change while they are read. So a block is copied before it is hashed, and
// the copy is what is given. A row is known by the roots of its blocks (data/hashed_rows.h): those that the judgment
// left in a file, where they lead to the record's commitment, or else those of the row as it is now.
#pragma once

#include <filesystem>
#include <list>
#include <map>
#include <span>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_files.h"
#include "chain_adapter/data/row_files.h"
#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/numbers/digest.h"

namespace tally::verifier {

/// Data that a move needs and that is not there any more, or is not what the batch commits to.
class DataMissing : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class CheckedRows final : public math::RowSource {
 public:
  /// Blocks that are kept. A view lives until as many others were taken.
  static constexpr std::size_t kBlocks = 64;

  /// Files and columns outlive it. `roots` is where the judgment left the blocks' roots, and need not be there.
  CheckedRows(const chain::RowFiles& files, const chain::RecordColumns& columns, math::ObjectId first_row,
              std::uint32_t leaf_bytes, const std::filesystem::path& roots);

  /// Throws DataMissing where the block is not the one that was committed to. From one thread.
  [[nodiscard]] std::span<const std::byte> view(math::ObjectId row, std::uint64_t record, std::uint64_t first,
                                                std::size_t count, std::span<std::byte> scratch) override;
  /// A whole row. Throws as view() does.
  [[nodiscard]] std::vector<std::byte> row(math::ObjectId row, std::uint64_t record) const;

 private:
  using Place = std::tuple<std::size_t, std::uint64_t, std::uint64_t>;  // row, record, block
  struct Block {
    Place place;
    std::vector<std::byte> bytes;
  };

  [[nodiscard]] std::uint64_t blocks(std::size_t row) const;
  [[nodiscard]] std::vector<std::byte> copy(std::size_t row, std::uint64_t record, std::uint64_t offset,
                                            std::size_t size) const;
  /// Whether blocks with these roots are the row that the record commits to.
  [[nodiscard]] bool is_row(std::size_t row, std::uint64_t record, std::span<const math::Digest> roots) const;
  [[nodiscard]] std::span<const math::Digest> roots(std::size_t row, std::uint64_t record);
  [[noreturn]] void refuse(std::size_t row, std::uint64_t record) const;

  const chain::RowFiles& x_files;
  const chain::RecordColumns& x_columns;
  math::ObjectId x_first_row;
  std::uint32_t x_leaf_bytes;
  std::vector<std::uint8_t> x_left;         // by the judgment: 32 bytes for each block
  std::vector<std::uint64_t> x_first_root;  // of each row, among them
  std::map<std::pair<std::size_t, std::uint64_t>, std::vector<math::Digest>> x_roots;
  std::list<Block> x_kept;  // the last used first
};

}  // namespace tally::verifier
