#include "sequencer/admission/program_refusals.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "chain_adapter/data/storing_sink.h"
#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "fraud_proof/commitments/batch_shape.h"

namespace tally::sequencer {

namespace {

using math::ObjectId;
using math::ObjectKind;

const math::Hint* hint_of(const math::CompiledProgram& compiled, std::size_t item) {
  const auto hint = std::ranges::find(compiled.hints, item, &math::Hint::item);
  return hint == compiled.hints.end() || hint->kind == math::HintKind::kInput ? nullptr : &*hint;
}

/// What an item needs: the loads of its body and of its hint.
std::set<ObjectId> needs(const math::CompiledProgram& compiled, std::size_t item) {
  const auto& body = compiled.program.items[item].body;
  std::set<ObjectId> objects = body ? math::loaded_objects(*body) : std::set<ObjectId>{};
  if (const math::Hint* const hint = hint_of(compiled, item)) {
    math::Body sections;
    sections.step = hint->keys;
    sections.finish = hint->rank;
    objects.merge(math::loaded_objects(sections));
  }
  return objects;
}

/// For each item, whether fields, members, nonces and states tell it.
std::vector<bool> tellable(const math::CompiledProgram& compiled) {
  const math::Program& program = compiled.program;
  std::vector<bool> told(program.items.size());
  for (std::size_t item = 0; item < told.size(); ++item) {
    const bool advice = program.items[item].kind == math::ItemKind::kAdvice;
    told[item] = program.items[item].loop == math::kOutside && (!advice || hint_of(compiled, item) != nullptr) &&
                 std::ranges::all_of(needs(compiled, item), [&](ObjectId id) {
                   if (program.objects[id].kind == ObjectKind::kRow) return false;
                   const auto owner = math::owner_item(program, id);
                   return !owner || *owner == item || told[*owner];
                 });
  }
  return told;
}

struct RefusalTable {
  std::size_t item = 0;
  ObjectId table = 0;
};

std::vector<RefusalTable> refusal_tables(const math::CompiledProgram& compiled) {
  const math::Program& program = compiled.program;
  const std::vector<bool> told = tellable(compiled);
  std::vector<RefusalTable> tables;
  for (std::size_t item = 0; item < program.items.size(); ++item) {
    const math::Item& each = program.items[item];
    const bool of_records = each.rank == 1 && each.extents[0] == math::Extent{math::ExtentKind::kDim, 0};
    if (each.kind != math::ItemKind::kTable || !of_records || !told[item]) continue;
    for (const ObjectId id : each.results) {
      if (compiled.names.objects[id].starts_with(kRefusedPrefix)) tables.push_back({item, id});
    }
  }
  return tables;
}

/// Items that the tables rest on, themselves included.
std::set<std::size_t> foundations(const math::CompiledProgram& compiled, const std::vector<RefusalTable>& tables) {
  std::set<std::size_t> items;
  for (const RefusalTable& table : tables) items.insert(table.item);
  // What an item needs stands before it.
  for (std::size_t item = compiled.program.items.size(); item-- > 0;) {
    if (!items.contains(item)) continue;
    for (const ObjectId id : needs(compiled, item)) {
      if (const auto owner = math::owner_item(compiled.program, id)) items.insert(*owner);
    }
  }
  return items;
}

/// Tables in memory, filled item by item.
class Evaluation {
 public:
  Evaluation(const math::CompiledProgram& compiled, const math::BatchValues& values, math::Inputs inputs,
             math::TaskPool& pool)
      : x_compiled(compiled),
        x_values(values),
        x_inputs(std::move(inputs)),
        x_pool(pool),
        x_tables(compiled.program.objects.size()) {}

  /// False where an entry is FAIL.
  [[nodiscard]] bool run(std::size_t index) {
    const math::Program& program = x_compiled.program;
    const math::Item& item = program.items[index];
    const std::uint64_t entries = math::element_count(item.extents, x_values);
    std::vector<std::span<std::byte>> columns;
    for (const ObjectId id : item.results) {
      x_tables[id].resize(entries * math::element_bytes(program.objects[id].type));
      x_inputs.tables[id] = x_tables[id];
      columns.emplace_back(x_tables[id]);
    }
    if (item.kind == math::ItemKind::kAdvice) {
      math::evaluate_hint(program, *hint_of(x_compiled, index), x_values, x_inputs, 0, entries, x_pool, columns[0]);
      columns.clear();
    }
    if (!item.body) return true;
    chain::StoringSink sink(std::move(columns));
    math::evaluate(program, x_values, x_inputs, index,
                   {.first = 0, .count = entries, .self_loads = math::SelfLoads::kFill}, x_pool, sink);
    return !sink.first_failed();
  }

  [[nodiscard]] bool refuses(ObjectId table, std::uint64_t record) const {
    return math::read_element(x_tables[table], x_compiled.program.objects[table].type, record) != 0;
  }

 private:
  const math::CompiledProgram& x_compiled;
  const math::BatchValues& x_values;
  math::Inputs x_inputs;
  math::TaskPool& x_pool;
  std::vector<std::vector<std::byte>> x_tables;  // by object id
};

}  // namespace

bool has_refusals(const math::CompiledProgram& compiled) { return !refusal_tables(compiled).empty(); }

std::vector<ProgramRefusal> program_refusals(const math::CompiledProgram& compiled, const math::BatchValues& values,
                                             math::Inputs inputs, math::TaskPool& pool) {
  const std::vector<RefusalTable> tables = refusal_tables(compiled);
  Evaluation evaluation(compiled, values, std::move(inputs), pool);
  for (const std::size_t item : foundations(compiled, tables)) {
    if (!evaluation.run(item)) return {};
  }
  std::vector<ProgramRefusal> refusals;
  for (std::uint64_t record = 0; record < values.dims.front(); ++record) {
    for (const RefusalTable& table : tables) {
      if (evaluation.refuses(table.table, record)) refusals.push_back({record, compiled.names.objects[table.table]});
    }
  }
  return refusals;
}

std::string refused_field(const math::CompiledProgram& compiled, std::string_view table) {
  table.remove_prefix(kRefusedPrefix.size());
  std::string longest;
  const auto consider = [&](const std::string& name) {
    if (name.size() > longest.size() && (table == name || table.starts_with(name + "_"))) longest = name;
  };
  consider(compiled.names.objects[math::kMemberObject]);
  for (const ObjectId id : proof::objects_of(compiled.program, ObjectKind::kField)) {
    consider(compiled.names.objects[id]);
  }
  return longest;
}

}  // namespace tally::sequencer
