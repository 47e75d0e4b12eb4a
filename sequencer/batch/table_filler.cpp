#include "sequencer/batch/table_filler.h"

#include <algorithm>
#include <optional>

#include "chain_adapter/data/storing_sink.h"
#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/executor/fusion.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "sequencer/batch/build_failure.h"

namespace tally::sequencer {

namespace {

// Supplied advice is copied in pieces of this many elements.
constexpr std::uint64_t kCopyElements = std::uint64_t{1} << 16;

}  // namespace

TableFiller::TableFiller(const math::CompiledProgram& program, const math::BatchValues& values,
                         const chain::BatchPaths& paths, math::Inputs& inputs)
    : x_program(program), x_values(values), x_inputs(inputs) {
  for (const math::ObjectId id : proof::table_objects(program.program)) {
    const std::uint64_t bytes = proof::table_shape(program.program.objects[id], values).data_bytes();
    const auto placed = x_files.emplace(id, chain::MappedFile::create(paths.table(program.names.objects[id]), bytes));
    inputs.tables.at(id) = placed.first->second.bytes();
  }
}

void TableFiller::fill(const std::vector<SuppliedAdvice>& advice, math::TaskPool& pool, const chain::Work& work) {
  for (const SuppliedAdvice& supplied : advice) supply(supplied);
  std::size_t done = 0;  // items outside loops before this one are filled
  chain::visit_entries(x_program.program, x_values, [&](const chain::EntryRange& range) {
    const bool in_loop = x_program.program.items[range.item].loop != math::kOutside;
    if (!in_loop && range.item < done) return true;
    const std::size_t end = in_loop ? range.item + 1 : math::fused_end(x_program, range.item);
    const std::uint64_t part = end > range.item + 1 ? math::kFusedEntries : std::max<std::uint64_t>(range.count, 1);
    for (std::uint64_t at = 0; at < range.count; at += part) {
      work.check();
      fill_items({range.item, range.first + at, std::min(part, range.count - at)}, end, pool);
    }
    if (!in_loop) done = end;
    return true;
  });
}

void TableFiller::fill_items(const chain::EntryRange& range, std::size_t end, math::TaskPool& pool) {
  std::size_t advised = range.item;  // advice of items before this one is found
  for (std::size_t item = range.item; item < end; ++item) {
    const chain::EntryRange own{item, range.first, range.count};
    const bool is_advice = x_program.program.items[item].kind == math::ItemKind::kAdvice;
    if (is_advice && item >= advised && !x_supplied.contains(item)) advised = advise(own, end, pool);
    if (x_program.program.items[item].body) evaluate(own, pool);
  }
}

void TableFiller::evaluate(const chain::EntryRange& range, math::TaskPool& pool) {
  const math::Item& item = x_program.program.items[range.item];
  std::vector<std::span<std::byte>> columns;
  if (item.kind == math::ItemKind::kTable) {
    for (const math::ObjectId id : item.results) columns.push_back(x_files.at(id).writable());
  }
  chain::StoringSink sink(std::move(columns));
  const math::EvaluateOptions options{.first = range.first, .count = range.count, .self_loads = math::SelfLoads::kFill};
  math::evaluate(x_program.program, x_values, x_inputs, range.item, options, pool, sink);
  const auto entry = sink.first_failed();
  if (!entry) return;
  const std::string& name = x_program.names.items[range.item];
  const std::string text = chain::entry_text(name, chain::entry_position(item, x_values, *entry));
  if (item.kind == math::ItemKind::kAdvice) {
    fail_build(BuildReason::kNoPassingAdvice, text + ": no advice was found that passes its own check", name, entry);
  }
  fail_build(BuildReason::kEntryFails, text + " is FAIL: a require does not hold, or the value is out of range", name,
             entry);
}

void TableFiller::supply(const SuppliedAdvice& advice) {
  const auto name = std::ranges::find(x_program.names.objects, advice.table);
  const auto id = static_cast<math::ObjectId>(name - x_program.names.objects.begin());
  // What was supplied is used even where there is a hint, so that it is never ignored in silence.
  x_supplied.insert(math::owner_item(x_program.program, id).value());
  const math::Object& object = x_program.program.objects[id];
  const std::span<std::byte> data = x_files.at(id).writable();
  const std::size_t width = math::element_bytes(object.type);
  const std::uint64_t count = data.size() / width;
  for (std::uint64_t first = 0; first < count; first += kCopyElements) {
    const std::uint64_t part = std::min(kCopyElements, count - first);
    auto read = advice.values->read(first, data.subspan(first * width, part * width));
    if (!read) fail_build(BuildReason::kRowValue, std::move(read.error()), advice.table);
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const math::i128 value = math::read_element(data, object.type, i);
    if (object.range.contains(value)) continue;
    fail_build(BuildReason::kRowValue,
               advice.values->name() + ": element " + std::to_string(i) + " is " + math::to_string(value) +
                   ", outside the range of " + advice.table,
               advice.table, i);
  }
}

const math::Hint* TableFiller::usable_hint(std::size_t item) const {
  const auto hint = std::ranges::find(x_program.hints, item, &math::Hint::item);
  return hint == x_program.hints.end() || hint->kind == math::HintKind::kInput ? nullptr : &*hint;
}

std::size_t TableFiller::advise(const chain::EntryRange& range, std::size_t limit, math::TaskPool& pool) {
  const math::Program& program = x_program.program;
  const math::Hint* const first = usable_hint(range.item);
  std::size_t end = range.item + 1;
  if (first == nullptr) return end;
  std::vector<const math::Hint*> hints = {first};
  // Advice that follows and selects from the same keys comes out of the same pass over the rows.
  while (end < limit && !x_supplied.contains(end)) {
    const math::Hint* const next = usable_hint(end);
    if (next == nullptr || !math::share_keys(program, *first, *next)) break;
    hints.push_back(next);
    ++end;
  }
  std::vector<std::span<std::byte>> outs;
  for (const math::Hint* const hint : hints) {
    const math::ObjectId id = program.items[hint->item].results.front();
    const std::size_t width = math::element_bytes(program.objects[id].type);
    outs.push_back(x_files.at(id).writable().subspan(range.first * width, range.count * width));
  }
  math::evaluate_hints(program, hints, x_values, x_inputs, range.first, range.count, pool, outs);
  return end;
}

}  // namespace tally::sequencer
