#include "sequencer/batch/quantised_rows.h"

#include <utility>

#include "sequencer/batch/build_failure.h"

namespace tally::sequencer {

std::span<const std::byte> QuantisedRows::produce(const chain::RowBlock& block, std::span<std::byte> scratch) {
  const ElementSource& source = *x_records[block.record].rows[block.row];
  const std::size_t width = math::element_bytes(files().shapes()[block.row].type);
  const std::span<std::byte> bytes = scratch.first(block.count * width);
  chain::Stopwatch watch(work());
  source.prefetch(block.first, block.count);
  watch.lap(chain::Activity::kRead);
  auto read = source.read(block.first, bytes);
  watch.lap(chain::Activity::kQuantise);
  if (!read) fail_build(BuildReason::kRowValue, std::move(read.error()), files().shapes()[block.row].name);
  return bytes;
}

void QuantisedRows::keep(const chain::RowBlock& block, std::span<const std::byte> bytes) {
  chain::Stopwatch watch(work());
  const std::size_t width = math::element_bytes(files().shapes()[block.row].type);
  files().write(block.row, block.record, block.first * width, bytes);
  watch.lap(chain::Activity::kWrite);
}

}  // namespace tally::sequencer
