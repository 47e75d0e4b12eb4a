#include "sequencer/training/program_rule.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

#include "deterministic_math/executor/executor.h"
#include "deterministic_math/language/compile.h"
#include "deterministic_math/programs/program_library.h"

namespace tally::sequencer::training {
namespace {

using math::ObjectId;
using math::ObjectKind;

class DeltaRows : public math::RowSource {
 public:
  explicit DeltaRows(std::span<const std::vector<std::int32_t>> deltas) : x_deltas(deltas) {}
  std::span<const std::byte> view(ObjectId, std::uint64_t record, std::uint64_t first, std::size_t count,
                                  std::span<std::byte>) override {
    return std::as_bytes(std::span(x_deltas[record]).subspan(first, count));
  }

 private:
  std::span<const std::vector<std::int32_t>> x_deltas;
};

/// Stores results where Inputs::tables looks for them.
class TableSink : public math::EntrySink {
 public:
  TableSink(const math::Program& program, std::vector<std::vector<std::byte>>& tables)
      : x_program(program), x_tables(tables) {}
  void accept(const math::EntryBlock& block) override {
    const math::Item& item = x_program.items[block.item];
    if (std::ranges::find(block.failed, 1) != block.failed.end())
      throw std::invalid_argument("the rule fails on this round");
    for (std::size_t c = 0; c < item.results.size(); ++c) {
      const std::size_t width = math::element_bytes(x_program.objects[item.results[c]].type);
      std::ranges::copy(block.columns[c],
                        x_tables[item.results[c]].begin() + static_cast<std::ptrdiff_t>(block.first * width));
    }
  }

 private:
  const math::Program& x_program;
  std::vector<std::vector<std::byte>>& x_tables;
};

std::vector<std::int32_t> run(const math::CompiledProgram& compiled, const FixedRound& round) {
  const math::Program& program = compiled.program;
  const math::BatchValues values{.dims = {round.deltas.size(), round.model.size()}, .batch = 1};
  std::vector<std::vector<std::byte>> tables(program.objects.size());
  DeltaRows rows(round.deltas);
  math::Inputs inputs;
  inputs.rows = &rows;
  inputs.fields.resize(program.objects.size());
  inputs.tables.resize(program.objects.size());
  ObjectId next_model = 0;
  for (ObjectId id = 0; id < program.objects.size(); ++id) {
    const math::Object& object = program.objects[id];
    if (object.kind == ObjectKind::kField) inputs.fields[id] = round.examples;
    if (object.kind == ObjectKind::kState) inputs.tables[id] = std::as_bytes(round.model);
    if (object.kind != ObjectKind::kComputed) continue;
    tables[id].resize(math::element_count(object.extents, values) * math::element_bytes(object.type));
    inputs.tables[id] = tables[id];
    if (compiled.names.objects[id] == "next_model") next_model = id;
  }
  math::ThreadPool pool(1);
  TableSink sink(program, tables);
  for (std::size_t item = 0; item < program.items.size(); ++item) {
    const std::uint64_t entries = math::element_count(program.items[item].extents, values);
    math::evaluate(program, values, inputs, item, {0, entries, math::SelfLoads::kFill}, pool, sink);
  }
  std::vector<std::int32_t> result(round.model.size());
  std::ranges::copy(tables[next_model], std::as_writable_bytes(std::span(result)).begin());
  return result;
}

}  // namespace

FixedRule program_rule(std::string_view name) {
  const auto text = math::find_library_program(name);
  if (!text) throw std::invalid_argument("no program " + std::string(name) + " in the library");
  math::CompileOptions options;
  options.template_library = math::template_library();
  auto compiled = math::compile(text->text, options);
  if (!compiled) throw std::invalid_argument(compiled.error().listing);
  const auto bodiless = [](const math::Item& item) { return !item.body.has_value(); };
  if (std::ranges::any_of(compiled->program.items, bodiless) || !compiled->hints.empty()) {
    throw std::invalid_argument(std::string(name) + " needs advice");
  }
  return [shared = std::make_shared<const math::CompiledProgram>(*std::move(compiled))](const FixedRound& round) {
    return run(*shared, round);
  };
}

}  // namespace tally::sequencer::training
