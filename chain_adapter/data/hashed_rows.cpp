#include "chain_adapter/data/hashed_rows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/table_commitment.h"
#include "fraud_proof/merkle/tree.h"

namespace tally::chain {

namespace {

// States of a block.
constexpr std::uint8_t kUntouched = 0;
constexpr std::uint8_t kBusy = 1;
constexpr std::uint8_t kHashed = 2;
constexpr std::uint8_t kFailed = 3;

constexpr std::size_t kMaxBlockBytes = math::kRowBlock * 16;

}  // namespace

HashedRows::HashedRows(RowFiles files, math::ObjectId first_row, std::uint32_t leaf_bytes, Work& work)
    : x_files(std::move(files)), x_first_row(first_row), x_leaf_bytes(leaf_bytes), x_work(work) {
  TALLY_ASSERT(proof::is_leaf_size(leaf_bytes));
  std::size_t places = 0;
  for (const RowShape& shape : x_files.shapes()) {
    const std::uint64_t blocks = (shape.length + math::kRowBlock - 1) / math::kRowBlock;
    x_first_place.push_back(places);
    x_row_blocks.push_back(blocks);
    places += blocks * x_files.records();
    x_total_bytes += shape.bytes() * x_files.records();
  }
  x_first_place.push_back(places);
  x_states = std::make_unique<std::atomic<std::uint8_t>[]>(places);
  x_roots.resize(places);
  // Elements of a row have one width, but rows of a program may differ: their blocks then have different sizes.
  for (std::size_t row = 0; row < x_files.shapes().size(); ++row) {
    x_block_roots.push_back(std::make_unique<BlockRoots>(x_roots, leaf_bytes));
  }
}

std::size_t HashedRows::place(const RowBlock& block) const {
  return x_first_place.at(block.row) + block.record * x_row_blocks.at(block.row) + block.first / math::kRowBlock;
}

std::span<const std::byte> HashedRows::stored(const RowBlock& block, std::span<std::byte> scratch) const {
  const std::size_t width = math::element_bytes(x_files.shapes().at(block.row).type);
  return x_files.read(block.row, block.record, block.first * width, block.count * width, scratch);
}

std::span<const std::byte> HashedRows::view(math::ObjectId row, std::uint64_t record, std::uint64_t first,
                                            std::size_t count, std::span<std::byte> scratch) {
  x_work.check();  // a fold may read the same rows for a long time
  TALLY_ASSERT(row >= x_first_row && first % math::kRowBlock == 0);
  const RowBlock block{
      .row = static_cast<std::size_t>(row - x_first_row), .record = record, .first = first, .count = count};
  TALLY_ASSERT(count == std::min<std::uint64_t>(math::kRowBlock, x_files.shapes().at(block.row).length - first));
  return touch(block, scratch);
}

std::span<const std::byte> HashedRows::touch(const RowBlock& block, std::span<std::byte> scratch) {
  const std::size_t at = place(block);
  std::atomic<std::uint8_t>& state = x_states[at];
  std::uint8_t seen = state.load(std::memory_order_acquire);
  if (seen == kUntouched && state.compare_exchange_strong(seen, kBusy, std::memory_order_acquire)) {
    try {
      const std::span<const std::byte> bytes = produce(block, scratch);
      Stopwatch watch(x_work);
      x_block_roots[block.row]->add(
          at, block.count == math::kRowBlock ? BlockRoots::Size::kWhole : BlockRoots::Size::kRest, bytes);
      watch.lap(Activity::kHash);
      keep(block, bytes);
      x_work.advance(bytes.size());
      state.store(kHashed, std::memory_order_release);
      state.notify_all();
      return bytes;
    } catch (...) {
      {
        const std::scoped_lock lock(x_mutex);
        if (!x_failure) x_failure = std::current_exception();
      }
      state.store(kFailed, std::memory_order_release);
      state.notify_all();
      throw;
    }
  }
  while (seen == kBusy) {
    state.wait(kBusy, std::memory_order_acquire);
    seen = state.load(std::memory_order_acquire);
  }
  if (seen == kFailed) {
    const std::scoped_lock lock(x_mutex);
    std::rethrow_exception(x_failure);
  }
  return stored(block, scratch);
}

void HashedRows::complete(math::TaskPool& pool) {
  for (std::size_t row = 0; row < x_files.shapes().size(); ++row) {
    const std::uint64_t length = x_files.shapes()[row].length;
    const std::uint64_t blocks = x_row_blocks[row];
    pool.run(blocks * x_files.records(), [&](std::size_t task) {
      const std::uint64_t first = task % blocks * math::kRowBlock;
      const RowBlock block{.row = row,
                           .record = task / blocks,
                           .first = first,
                           .count = static_cast<std::size_t>(std::min<std::uint64_t>(math::kRowBlock, length - first))};
      if (x_states[place(block)].load(std::memory_order_acquire) == kHashed) return;
      alignas(64) std::array<std::byte, kMaxBlockBytes> scratch;
      static_cast<void>(touch(block, scratch));
    });
    x_block_roots[row]->flush();
  }
}

math::Digest HashedRows::commitment(std::size_t row, std::uint64_t record) const {
  const RowShape& shape = x_files.shapes().at(row);
  const std::size_t first = place({.row = row, .record = record, .first = 0, .count = 0});
  const math::Digest root = proof::tree_root(std::span(x_roots).subspan(first, x_row_blocks[row]));
  const proof::TableShape table{.element_bytes = static_cast<std::uint8_t>(math::element_bytes(shape.type)),
                                .rank = 1,
                                .dim0 = shape.length,
                                .dim1 = 1};
  return proof::table_commitment(table, x_leaf_bytes, root);
}

}  // namespace tally::chain
