#include "chain_adapter/data/batch_tables.h"

#include <algorithm>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/merkle/tree.h"

namespace tally::chain {

namespace {

using math::ObjectKind;

}  // namespace

std::optional<std::string> check_dims(const math::CompiledProgram& compiled, std::span<const std::uint64_t> dims) {
  const math::Program& program = compiled.program;
  if (dims.size() != program.dims.size()) {
    return std::to_string(dims.size()) + " dims instead of " + std::to_string(program.dims.size());
  }
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const math::Dim& dim = program.dims[i];
    if (dims[i] < dim.lo || dims[i] > dim.hi) {
      return compiled.names.dims.at(i) + " is " + std::to_string(dims[i]) + ", outside " + std::to_string(dim.lo) +
             ".." + std::to_string(dim.hi);
    }
  }
  math::BatchValues values;
  values.dims.assign(dims.begin(), dims.end());
  const auto too_large = [&](const std::array<math::Extent, math::kMaxRank>& extents) {
    return math::element_count(extents, values) >= math::kMaxTableElements;
  };
  for (std::size_t id = 0; id < program.objects.size(); ++id) {
    if (too_large(program.objects[id].extents)) return compiled.names.objects.at(id) + " has 2^40 elements or more";
  }
  for (std::size_t i = 0; i < program.items.size(); ++i) {
    if (too_large(program.items[i].extents)) return compiled.names.items.at(i) + " has 2^40 entries or more";
  }
  return std::nullopt;
}

std::vector<RowShape> row_shapes(const math::CompiledProgram& compiled, const math::BatchValues& values) {
  std::vector<RowShape> shapes;
  for (const math::ObjectId id : proof::objects_of(compiled.program, ObjectKind::kRow)) {
    const math::Object& object = compiled.program.objects[id];
    shapes.push_back({.name = compiled.names.objects.at(id),
                      .type = object.type,
                      .length = math::extent_value(object.extents[1], values)});
  }
  return shapes;
}

math::Digest commit_table(const proof::TableShape& shape, std::uint32_t leaf_bytes, std::span<const std::byte> data,
                          math::TaskPool& pool) {
  TALLY_ASSERT(data.size() == shape.data_bytes());
  return proof::table_commitment(shape, leaf_bytes,
                                 proof::tree_root_of_bytes(math::unsigned_bytes(data), leaf_bytes, pool));
}

void visit_entries(const math::Program& program, const math::BatchValues& values,
                   const std::function<bool(const EntryRange&)>& visit) {
  const auto entries = [&](std::size_t item) { return math::element_count(program.items[item].extents, values); };
  std::size_t item = 0;
  while (item < program.items.size()) {
    const math::LoopId loop = program.items[item].loop;
    if (loop == math::kOutside) {
      if (!visit({.item = item, .first = 0, .count = entries(item)})) return;
      ++item;
      continue;
    }
    std::size_t end = item;
    while (end < program.items.size() && program.items[end].loop == loop) ++end;
    const std::uint64_t rounds = math::extent_value(program.loops.at(loop).extent, values);
    for (std::uint64_t t = 0; t < rounds; ++t) {
      for (std::size_t inner = item; inner < end; ++inner) {
        const std::uint64_t count = entries(inner) / rounds;
        if (!visit({.item = inner, .first = t * count, .count = count})) return;
      }
    }
    item = end;
  }
}

std::vector<std::uint64_t> entry_position(const math::Item& item, const math::BatchValues& values,
                                          std::uint64_t entry) {
  if (item.rank == 0) return {};
  if (item.rank == 1) return {entry};
  const std::uint64_t width = math::extent_value(item.extents[1], values);
  return {entry / width, entry % width};
}

std::string entry_text(const std::string& table, std::span<const std::uint64_t> position) {
  if (position.empty()) return table;
  std::string text = table + "[";
  for (std::size_t i = 0; i < position.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(position[i]);
  return text + "]";
}

bool uses_seed(const math::CompiledProgram& compiled) {
  return proof::reads_seed(compiled.program) || std::ranges::any_of(compiled.hints, [](const math::Hint& hint) {
           return proof::reads_seed(hint.keys) || proof::reads_seed(hint.rank);
         });
}

}  // namespace tally::chain
