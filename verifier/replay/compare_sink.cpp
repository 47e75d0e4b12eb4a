#include "verifier/replay/compare_sink.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "deterministic_math/interpreter/interpreter.h"

namespace tally::verifier {

void CompareSink::accept(const math::EntryBlock& block) {
  bool same = std::ranges::find(block.failed, std::uint8_t{1}) == block.failed.end();
  for (std::size_t c = 0; c < x_columns.size() && same; ++c) {
    if (x_columns[c].committed.empty()) continue;
    const std::size_t width = math::element_bytes(x_columns[c].type);
    const std::span<const std::byte> committed = x_columns[c].committed.subspan(block.first * width);
    same = std::memcmp(block.columns[c].data(), committed.data(), block.count * width) == 0;
  }
  if (same) return;
  for (std::size_t i = 0; i < block.count; ++i) compare_entry(block, i);
}

void CompareSink::compare_entry(const math::EntryBlock& block, std::size_t i) {
  const std::uint64_t entry = block.first + i;
  if (block.failed[i] != 0) {
    keep(entry, {.column = 0, .fails = true, .right = 0});
    return;
  }
  for (std::size_t c = 0; c < x_columns.size(); ++c) {
    if (x_columns[c].committed.empty()) continue;
    const math::i128 right = math::read_element(block.columns[c], x_columns[c].type, i);
    if (right == math::read_element(x_columns[c].committed, x_columns[c].type, entry)) continue;
    keep(entry, {.column = c, .fails = false, .right = right});
    return;
  }
}

void CompareSink::keep(std::uint64_t entry, const WrongEntry& wrong) {
  const std::scoped_lock lock(x_mutex);
  x_wrong.emplace(entry, wrong);
  if (x_wrong.size() <= x_limit) return;
  x_wrong.erase(std::prev(x_wrong.end()));
  x_dropped = true;
}

}  // namespace tally::verifier
