// Rows that are hashed when a fold first reads them.
//
// Hashing is the dominant cost of a batch, and the data must pass through the processor's caches for it anyway. So the
// source that folds read from hashes each block on its first touch, just before the fold uses it. Blocks that no fold
// touches are hashed by complete(). Builder and verifier differ only in what a first touch brings: the one quantises an
// update and writes the block to a file, the other looks at the file.
//
// Of each block only the root of its leaves is kept, 32 bytes. A block holds a power of two of whole leaves, so the
// tree over the blocks' roots has the root of the tree over all leaves (RFC 9162 section 2.1).
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "chain_adapter/data/block_roots.h"
#include "chain_adapter/data/row_files.h"
#include "chain_adapter/data/work.h"
#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/numbers/digest.h"

namespace tally::chain {

struct RowBlock {
  std::size_t row = 0;  // among the program's rows
  std::uint64_t record = 0;
  std::uint64_t first = 0;  // element
  std::size_t count = 0;
};

class HashedRows : public math::RowSource {
 public:
  ~HashedRows() override = default;
  HashedRows(const HashedRows&) = delete;
  HashedRows& operator=(const HashedRows&) = delete;

  [[nodiscard]] std::span<const std::byte> view(math::ObjectId row, std::uint64_t record, std::uint64_t first,
                                                std::size_t count, std::span<std::byte> scratch) final;

  /// Hashes all blocks that were not touched.
  void complete(math::TaskPool& pool);
  /// Of the row as a table of rank 1, once all its blocks are hashed.
  [[nodiscard]] math::Digest commitment(std::size_t row, std::uint64_t record) const;
  /// Of all blocks, by row, record and block: once all are hashed.
  [[nodiscard]] std::span<const math::Digest> block_roots() const { return x_roots; }
  [[nodiscard]] std::uint64_t total_bytes() const { return x_total_bytes; }

 protected:
  /// `first_row` is the object id of the program's first row; the others follow it.
  HashedRows(RowFiles files, math::ObjectId first_row, std::uint32_t leaf_bytes, Work& work);

  /// The block's bytes at its first touch, in `scratch` or in memory that lasts. Called once for each block.
  [[nodiscard]] virtual std::span<const std::byte> produce(const RowBlock& block, std::span<std::byte> scratch) = 0;
  /// Called with the bytes after they were hashed, before anyone else sees the block.
  virtual void keep(const RowBlock& block, std::span<const std::byte> bytes) = 0;

  [[nodiscard]] const RowFiles& files() const { return x_files; }
  [[nodiscard]] std::span<const std::byte> stored(const RowBlock& block, std::span<std::byte> scratch) const;
  [[nodiscard]] Work& work() { return x_work; }

 private:
  [[nodiscard]] std::size_t place(const RowBlock& block) const;
  [[nodiscard]] std::span<const std::byte> touch(const RowBlock& block, std::span<std::byte> scratch);

  RowFiles x_files;
  math::ObjectId x_first_row;
  std::uint32_t x_leaf_bytes;
  Work& x_work;
  std::uint64_t x_total_bytes = 0;
  std::vector<std::size_t> x_first_place;   // of each row; then the total
  std::vector<std::uint64_t> x_row_blocks;  // blocks of one record's row
  std::unique_ptr<std::atomic<std::uint8_t>[]> x_states;
  std::vector<math::Digest> x_roots;
  std::vector<std::unique_ptr<BlockRoots>> x_block_roots;  // of each row
  std::mutex x_mutex;
  std::exception_ptr x_failure;  // what the first touch that failed threw; later views of the block throw it too
};

}  // namespace tally::chain
