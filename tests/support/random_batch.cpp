#include <algorithm>

#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"
#include "tests/support/random_program.h"

namespace tally::test {

using namespace tally::math;

std::uint64_t pick(Rng& rng, std::uint64_t lo, std::uint64_t hi) {
  return std::uniform_int_distribution<std::uint64_t>(lo, hi)(rng);
}

i128 pick_value(Rng& rng, const Range& range, ValueStyle style) {
  const u128 word = (static_cast<u128>(rng()) << 64) | rng();
  const u128 width = static_cast<u128>(range.hi) - static_cast<u128>(range.lo);
  const auto at = [&](u128 offset) { return static_cast<i128>(static_cast<u128>(range.lo) + offset); };
  if (style == ValueStyle::kExtreme && pick(rng, 0, 7) != 0) {
    switch (pick(rng, 0, 3)) {
      case 0:
        return range.lo;
      case 1:
        return range.hi;
      case 2:
        return range.clamp(static_cast<i128>(pick(rng, 0, 2)) - 1);
      default:
        return pick(rng, 0, 1) == 0 ? at(std::min<u128>(width, 1)) : at(width - std::min<u128>(width, 1));
    }
  }
  if (pick(rng, 0, 2) == 0) return range.clamp(static_cast<i128>(word % 41) - 20);
  return width + 1 == 0 ? static_cast<i128>(word) : at(word % (width + 1));
}

namespace {

i128 pick_element(Rng& rng, const Object& object, ValueStyle style) {
  const bool within = object.kind == ObjectKind::kAdvice || pick(rng, 0, 7) != 0;
  return pick_value(rng, within ? object.range : type_range(object.type), style);
}

}  // namespace

namespace {

BatchValues random_values(const Program& program, Rng& rng, const RandomBatchOptions& options) {
  BatchValues values;
  for (const Dim& dim : program.dims) {
    values.dims.push_back(std::min(dim.hi, pick(rng, dim.lo, std::max(dim.lo, options.max_dim))));
  }
  values.batch = static_cast<std::uint64_t>(pick_value(rng, {1, kMaxBatchNumber}, options.style));
  values.seed_high = pick_value(rng, {kI128Min, kI128Max}, options.style);
  values.seed_low = pick_value(rng, {kI128Min, kI128Max}, options.style);
  return values;
}

}  // namespace

RandomBatch::RandomBatch(const Program& program, Rng& rng, const RandomBatchOptions& options)
    : RandomBatch(program, random_values(program, rng, options), rng, options.style) {}

RandomBatch::RandomBatch(const Program& program, BatchValues values, Rng& rng, ValueStyle style)
    : x_values(std::move(values)) {
  const std::uint64_t records = x_values.dims[0];
  const Range words{0, (i128{1} << 64) - 1};
  for (std::uint64_t k = 0; k < records; ++k) {
    x_members.push_back(static_cast<std::uint64_t>(pick_value(rng, {0, 0xffffffff}, style)));
    x_nonces.push_back(static_cast<std::uint64_t>(pick_value(rng, words, style)));
  }
  x_fields.resize(program.objects.size());
  x_tables.resize(program.objects.size());
  x_row_bytes.resize(program.objects.size());
  x_row_length.resize(program.objects.size());
  x_inputs.fields.resize(program.objects.size());
  x_inputs.tables.resize(program.objects.size());
  for (std::size_t id = kNonceObject + 1; id < program.objects.size(); ++id) {
    const Object& object = program.objects[id];
    const std::uint64_t count = element_count(object.extents, x_values);
    if (object.kind == ObjectKind::kField) {
      for (std::uint64_t i = 0; i < count; ++i) {
        x_fields[id].push_back(static_cast<std::int64_t>(pick_element(rng, object, style)));
      }
      x_inputs.fields[id] = x_fields[id];
      continue;
    }
    x_tables[id].resize(count * element_bytes(object.type));
    x_row_length[id] = extent_value(object.extents[1], x_values);
    x_row_bytes[id] = x_row_length[id] * element_bytes(object.type);
    for (std::uint64_t i = 0; i < count && object.kind != ObjectKind::kComputed; ++i) {
      write_element(x_tables[id], object.type, i, pick_element(rng, object, style));
    }
    if (object.kind != ObjectKind::kRow) x_inputs.tables[id] = x_tables[id];
  }
  x_inputs.members = x_members;
  x_inputs.nonces = x_nonces;
  x_inputs.rows = this;
}

std::span<const std::byte> RandomBatch::view(ObjectId row, std::uint64_t record, std::uint64_t first, std::size_t count,
                                             std::span<std::byte>) {
  TALLY_ASSERT(first % kRowBlock == 0);
  const std::span<const std::byte> all = x_tables[row];
  const std::span<const std::byte> bytes = all.subspan(record * x_row_bytes[row], x_row_bytes[row]);
  const std::size_t width = x_row_bytes[row] / x_row_length[row];
  return bytes.subspan(first * width, count * width);
}

namespace {

std::uint64_t compute_entries(const Program& program, RandomBatch& batch, std::size_t item, std::uint64_t first,
                              std::uint64_t last) {
  std::uint64_t failed = 0;
  const Item& computed = program.items[item];
  for (std::uint64_t entry = first; entry < last; ++entry) {
    const auto results = evaluate_entry({program, batch.values(), batch.inputs()}, item, entry);
    failed += results ? 0U : 1U;
    if (computed.kind != ItemKind::kTable) continue;
    for (std::size_t column = 0; column < computed.results.size(); ++column) {
      const ObjectId object = computed.results[column];
      write_element(batch.table(object), program.objects[object].type, entry, results ? (*results)[column] : 0);
    }
  }
  return failed;
}

}  // namespace

std::uint64_t compute_tables(const Program& program, RandomBatch& batch) {
  std::uint64_t failed = 0;
  for (std::size_t first = 0; first < program.items.size();) {
    const LoopId loop = program.items[first].loop;
    std::size_t last = first + 1;
    while (loop != kOutside && last < program.items.size() && program.items[last].loop == loop) ++last;
    const std::uint64_t rounds = loop == kOutside ? 1 : extent_value(program.loops[loop].extent, batch.values());
    for (std::uint64_t round = 0; round < rounds; ++round) {
      for (std::size_t item = first; item < last; ++item) {
        if (!program.items[item].body) continue;
        const std::uint64_t count = element_count(program.items[item].extents, batch.values()) / rounds;
        failed += compute_entries(program, batch, item, round * count, (round + 1) * count);
      }
    }
    first = last;
  }
  return failed;
}

}  // namespace tally::test
