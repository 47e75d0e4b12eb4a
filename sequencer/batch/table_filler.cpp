#include "sequencer/batch/table_filler.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "chain_adapter/data/batch_tables.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"
#include "sequencer/batch/build_failure.h"

namespace tally::sequencer {

namespace {

// Supplied advice is copied in pieces of this many elements.
constexpr std::uint64_t kCopyElements = std::uint64_t{1} << 16;

/// Stores the results of an item, and remembers the first entry that is FAIL.
class StoringSink final : public math::EntrySink {
 public:
  explicit StoringSink(std::vector<std::span<std::byte>> columns) : x_columns(std::move(columns)) {}

  void accept(const math::EntryBlock& block) override {
    for (std::size_t c = 0; c < x_columns.size(); ++c) {
      const std::size_t width = block.columns[c].size() / block.count;
      std::ranges::copy(block.columns[c], x_columns[c].subspan(block.first * width, block.count * width).begin());
    }
    const auto failed = std::ranges::find(block.failed, std::uint8_t{1});
    if (failed == block.failed.end()) return;
    const std::uint64_t entry = block.first + static_cast<std::uint64_t>(failed - block.failed.begin());
    const std::scoped_lock lock(x_mutex);
    x_first_failed = std::min(entry, x_first_failed.value_or(entry));
  }

  [[nodiscard]] std::optional<std::uint64_t> first_failed() const { return x_first_failed; }

 private:
  std::vector<std::span<std::byte>> x_columns;
  std::mutex x_mutex;
  std::optional<std::uint64_t> x_first_failed;
};

}  // namespace

TableFiller::TableFiller(const math::CompiledProgram& program, const math::BatchValues& values,
                         const chain::BatchPaths& paths, math::Inputs& inputs)
    : x_program(program), x_values(values), x_inputs(inputs) {
  for (const math::ObjectId id : chain::table_objects(program.program)) {
    const std::uint64_t bytes = chain::table_shape(program.program.objects[id], values).data_bytes();
    const auto placed = x_files.emplace(id, chain::MappedFile::create(paths.table(program.names.objects[id]), bytes));
    inputs.tables.at(id) = placed.first->second.bytes();
  }
}

void TableFiller::fill(const std::vector<SuppliedAdvice>& advice, math::TaskPool& pool, const chain::Work& work) {
  for (const SuppliedAdvice& supplied : advice) supply(supplied);
  const math::Program& program = x_program.program;
  // What was supplied is used even where there is a hint, so that it is never ignored in silence.
  const auto is_supplied = [&](std::size_t item) {
    const std::string& table = x_program.names.objects[program.items[item].results.front()];
    return std::ranges::find(advice, table, &SuppliedAdvice::table) != advice.end();
  };
  chain::visit_entries(program, x_values, [&](const chain::EntryRange& range) {
    work.check();
    const math::Item& item = program.items[range.item];
    if (item.kind == math::ItemKind::kAdvice && !is_supplied(range.item)) {
      advise(range.item, range.first, range.count, pool);
    }
    if (!item.body || range.count == 0) return true;
    std::vector<std::span<std::byte>> columns;
    if (item.kind == math::ItemKind::kTable) {
      for (const math::ObjectId id : item.results) columns.push_back(x_files.at(id).writable());
    }
    StoringSink sink(std::move(columns));
    const math::EvaluateOptions options{
        .first = range.first, .count = range.count, .self_loads = math::SelfLoads::kFill};
    math::evaluate(program, x_values, x_inputs, range.item, options, pool, sink);
    if (const auto entry = sink.first_failed()) {
      const std::string& name = x_program.names.items[range.item];
      const std::string text = chain::entry_text(name, chain::entry_position(item, x_values, *entry));
      if (item.kind == math::ItemKind::kAdvice) {
        fail_build(BuildReason::kNoPassingAdvice, text + ": no advice was found that passes its own check", name,
                   entry);
      }
      fail_build(BuildReason::kEntryFails, text + " is FAIL: a require does not hold, or the value is out of range",
                 name, entry);
    }
    return true;
  });
}

void TableFiller::supply(const SuppliedAdvice& advice) {
  const auto name = std::ranges::find(x_program.names.objects, advice.table);
  const auto id = static_cast<math::ObjectId>(name - x_program.names.objects.begin());
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

void TableFiller::advise(std::size_t item, std::uint64_t first, std::uint64_t count, math::TaskPool& pool) {
  const auto hint = std::ranges::find(x_program.hints, item, &math::Hint::item);
  if (hint == x_program.hints.end() || hint->kind == math::HintKind::kInput || count == 0) return;
  const math::ObjectId id = x_program.program.items[item].results.front();
  const std::size_t width = math::element_bytes(x_program.program.objects[id].type);
  math::evaluate_hint(x_program.program, *hint, x_values, x_inputs, first, count, pool,
                      x_files.at(id).writable().subspan(first * width, count * width));
}

}  // namespace tally::sequencer
