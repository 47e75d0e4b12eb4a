#include "verifier/replay/replay_items.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "chain_adapter/data/batch_leaves.h"
#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/data/storing_sink.h"
#include "deterministic_math/bytecode/visibility.h"
#include "fraud_proof/commitments/batch_shape.h"

namespace tally::verifier {

namespace {

// What an interpreter may spend on comparing withheld tables with what the executor made of them.
constexpr std::uint64_t kSampledEntries = 64;
constexpr std::uint64_t kSampledSteps = std::uint64_t{1} << 20;

/// Executor and interpreter disagree about an item: the replay begins again, with that item interpreted.
struct Disagreement {};

class BothSinks final : public math::EntrySink {
 public:
  BothSinks(CompareSink& compare, chain::StoringSink& store) : x_compare(compare), x_store(store) {}
  void accept(const math::EntryBlock& block) override {
    x_store.accept(block);
    x_compare.accept(block);
  }

 private:
  CompareSink& x_compare;
  chain::StoringSink& x_store;
};

}  // namespace

void ReplayItems::run(Verdict& verdict) {
  for (;;) {
    try {
      bool valid = true;
      for (const Group& group : groups()) {
        valid = check_group(group, verdict);
        if (!valid) break;
      }
      if (valid) verdict.kind = VerdictKind::kValid;
      for (const auto& [table, commitment] : x_commitments) verdict.computed.push_back({table, commitment});
      verdict.alarms = std::move(x_alarms);
      return;
    } catch (const Disagreement&) {
      // x_by_scalar has grown by the item.
      for (const auto& computed : x_computed) x_parts.inputs.tables[computed.first] = {};
      x_computed.clear();
      x_computed_bytes = 0;
      x_commitments.clear();
    }
  }
}

std::vector<ReplayItems::Group> ReplayItems::groups() const {
  std::vector<Group> groups;
  const std::vector<math::Item>& items = program().items;
  std::size_t first = 0;
  while (first < items.size()) {
    Group group{.first = first, .end = first + 1, .rounds = 1};
    const math::LoopId loop = items[first].loop;
    if (loop != math::kOutside) {
      while (group.end < items.size() && items[group.end].loop == loop) ++group.end;
      group.rounds = math::extent_value(program().loops.at(loop).extent, x_parts.batch.values);
    }
    groups.push_back(group);
    first = group.end;
  }
  return groups;
}

std::vector<math::ObjectId> ReplayItems::withheld(const Group& group) const {
  std::vector<math::ObjectId> ids;
  for (std::size_t item = group.first; item < group.end; ++item) {
    if (program().items[item].kind != math::ItemKind::kTable) continue;
    for (const math::ObjectId id : program().items[item].results) {
      if (!x_parts.available.contains(id)) ids.push_back(id);
    }
  }
  std::ranges::sort(ids);
  return ids;
}

bool ReplayItems::check_group(const Group& group, Verdict& verdict) {
  const std::vector<math::ObjectId> own = withheld(group);
  make_scratch(own);
  x_wrong.reset();
  scan(group, own.empty());
  verdict.descend = differing(own);
  if (!verdict.descend.empty()) sample(verdict.descend);
  verdict.entry = x_wrong;
  if (!verdict.descend.empty()) {
    verdict.kind = VerdictKind::kDescent;
    verdict.item = static_cast<std::uint16_t>(math::owner_item(program(), verdict.descend.front()).value());
    verdict.message = x_parts.batch.compiled.names.objects[verdict.descend.front()] +
                      " is withheld, and its root is not that of the table computed here";
    return false;
  }
  if (!x_wrong) return true;
  verdict.kind = VerdictKind::kEntry;
  verdict.message = x_message;
  return false;
}

void ReplayItems::scan(const Group& group, bool stop_early) {
  for (std::uint64_t t = 0; t < group.rounds; ++t) {
    for (std::size_t item = group.first; item < group.end; ++item) {
      x_work.check();
      const std::uint64_t count =
          math::element_count(program().items[item].extents, x_parts.batch.values) / group.rounds;
      if (count != 0 && program().items[item].body) evaluate({.item = item, .first = t * count, .count = count});
      if (stop_early && x_wrong) return;
    }
  }
}

void ReplayItems::evaluate(const chain::EntryRange& range) {
  const math::Item& item = program().items[range.item];
  std::vector<CompareSink::Column> columns;
  std::vector<std::span<std::byte>> stored;
  bool fills = false;
  if (item.kind == math::ItemKind::kTable) {
    for (const math::ObjectId id : item.results) {
      const auto there = x_parts.available.find(id);
      const bool is_there = there != x_parts.available.end();
      columns.push_back({program().objects[id].type, is_there ? there->second : std::span<const std::byte>{}});
      stored.push_back(is_there ? std::span<std::byte>{} : x_computed.at(id).writable());
      fills = fills || !is_there;
    }
  }
  CompareSink compare(std::move(columns), 1);
  chain::StoringSink store(std::move(stored));
  BothSinks sink(compare, store);
  if (x_by_scalar.contains(range.item)) {
    evaluate_by_scalar(range, sink);
  } else {
    const math::EvaluateOptions options{.first = range.first,
                                        .count = range.count,
                                        .self_loads = fills ? math::SelfLoads::kFill : math::SelfLoads::kCompare};
    math::evaluate(program(), x_parts.batch.values, x_parts.inputs, range.item, options, x_pool, sink);
  }
  if (x_wrong || compare.wrong().empty()) return;
  const auto& [entry, wrong] = *compare.wrong().begin();
  const auto results = x_scalar(evaluation(), range.item, entry);
  const bool confirmed = wrong.fails ? !results : results && results->at(wrong.column) == wrong.right;
  if (!confirmed) disagree(range.item, entry);
  x_wrong = EntryTarget{.item = static_cast<std::uint16_t>(range.item), .entry = entry};
  describe(range, entry, wrong);
}

math::Evaluation ReplayItems::evaluation() const {
  return {.program = program(), .values = x_parts.batch.values, .inputs = x_parts.inputs, .between_steps = &x_check};
}

void ReplayItems::evaluate_by_scalar(const chain::EntryRange& range, math::EntrySink& sink) {
  const math::Item& item = program().items[range.item];
  const std::size_t results = item.kind == math::ItemKind::kTable ? item.results.size() : 0;
  using Element = std::array<std::byte, sizeof(math::i128)>;
  for (std::uint64_t entry = range.first; entry < range.first + range.count; ++entry) {
    x_work.check();
    const auto values = x_scalar(evaluation(), range.item, entry);
    const std::uint8_t failed = values ? 0 : 1;
    std::vector<Element> elements(results);
    std::vector<std::span<const std::byte>> columns;
    for (std::size_t c = 0; c < results; ++c) {
      const math::ElementType type = program().objects[item.results[c]].type;
      const std::span<std::byte> bytes = std::span(elements[c]).first(math::element_bytes(type));
      if (values) math::write_element(bytes, type, 0, values->at(c));
      columns.emplace_back(bytes);
    }
    sink.accept({.item = range.item, .first = entry, .count = 1, .columns = columns, .failed = {&failed, 1}});
  }
}

void ReplayItems::make_scratch(std::span<const math::ObjectId> tables) {
  if (tables.empty()) return;
  try {
    if (x_computed.empty()) {
      std::filesystem::remove_all(x_parts.scratch);
      std::filesystem::create_directories(x_parts.scratch);
    }
    for (const math::ObjectId id : tables) make_table(id);
  } catch (const std::system_error& error) {
    throw NoScratchRoom(error.what());
  }
}

void ReplayItems::make_table(math::ObjectId id) {
  const std::uint64_t bytes = proof::table_shape(program().objects[id], x_parts.batch.values).data_bytes();
  if (bytes > x_parts.scratch_limit_bytes - x_computed_bytes) {
    throw NoScratchRoom("tables that are missing would take more than the " +
                        std::to_string(x_parts.scratch_limit_bytes) + " bytes there are for them");
  }
  x_computed_bytes += bytes;
  const auto placed = x_computed.emplace(id, chain::MappedFile::create(scratch_table(x_parts.scratch, id), bytes));
  x_parts.inputs.tables[id] = placed.first->second.bytes();
}

std::vector<math::ObjectId> ReplayItems::differing(std::span<const math::ObjectId> tables) {
  const std::vector<math::ObjectId> ids = proof::table_objects(program());
  const std::vector<math::Digest> posted =
      chain::posted_commitments(committed_batch(x_parts.batch), {}, x_parts.table_roots).tables;
  std::vector<math::ObjectId> different;
  for (const math::ObjectId id : tables) {
    const proof::TableShape shape = proof::table_shape(program().objects[id], x_parts.batch.values);
    const auto place = static_cast<std::size_t>(std::ranges::find(ids, id) - ids.begin());
    const math::Digest computed =
        chain::commit_table(shape, x_parts.batch.leaf_bytes(), x_computed.at(id).bytes(), x_pool);
    x_commitments[id] = computed;
    if (computed != posted.at(place)) different.push_back(id);
  }
  return different;
}

void ReplayItems::sample(std::span<const math::ObjectId> tables) {
  for (const math::ObjectId id : tables) {
    const std::size_t item = math::owner_item(program(), id).value();
    if (x_by_scalar.contains(item)) continue;
    const math::Item& owner = program().items[item];
    const auto column = static_cast<std::size_t>(std::ranges::find(owner.results, id) - owner.results.begin());
    const std::uint64_t entries = math::element_count(owner.extents, x_parts.batch.values);
    const std::uint64_t steps = math::fold_length(program(), x_parts.batch.values, item) + 1;
    const std::uint64_t samples =
        std::min({entries, kSampledEntries, std::max<std::uint64_t>(1, kSampledSteps / steps)});
    for (std::uint64_t i = 0; i < samples; ++i) {
      const std::uint64_t entry = i * (entries / samples);
      // What comes behind a FAIL was computed from a value that does not exist.
      if (x_wrong &&
          !comes_before(x_parts.batch, {.item = static_cast<std::uint16_t>(item), .entry = entry}, *x_wrong)) {
        continue;
      }
      const auto results = x_scalar(evaluation(), item, entry);
      const math::i128 made = math::read_element(x_computed.at(id).bytes(), program().objects[id].type, entry);
      if (!results || results->at(column) != made) disagree(item, entry);
    }
  }
}

void ReplayItems::disagree(std::size_t item, std::uint64_t entry) {
  const auto position = chain::entry_position(program().items[item], x_parts.batch.values, entry);
  x_alarms.push_back("executor and interpreter disagree about " +
                     chain::entry_text(x_parts.batch.compiled.names.items[item], position) +
                     ", which is a bug of this program; the item is replayed by the interpreter");
  // Only data that changes under both can do that.
  if (!x_by_scalar.insert(item).second) throw std::runtime_error("the data changed while it was judged");
  throw Disagreement{};
}

void ReplayItems::describe(const chain::EntryRange& range, std::uint64_t entry, const WrongEntry& wrong) {
  const math::Item& item = program().items[range.item];
  const bool has_results = item.kind == math::ItemKind::kTable && !item.results.empty();
  const std::string& name = has_results ? x_parts.batch.compiled.names.objects[item.results.at(wrong.column)]
                                        : x_parts.batch.compiled.names.items[range.item];
  x_message = chain::entry_text(name, chain::entry_position(item, x_parts.batch.values, entry));
  const auto there = has_results ? x_parts.available.find(item.results.at(wrong.column)) : x_parts.available.end();
  if (there != x_parts.available.end()) {
    const math::ElementType type = program().objects[there->first].type;
    x_message += " is " + math::to_string(math::read_element(there->second, type, entry)) + ", but";
  }
  x_message += wrong.fails ? " its fold is FAIL" : " its fold gives " + math::to_string(wrong.right);
}

}  // namespace tally::verifier
