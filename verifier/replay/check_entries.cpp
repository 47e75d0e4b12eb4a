#include "verifier/replay/check_entries.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_tables.h"
#include "deterministic_math/executor/executor.h"
#include "verifier/replay/compare_sink.h"

namespace tally::verifier {

namespace {

constexpr std::uint64_t kElementsPerTask = std::uint64_t{1} << 16;

class EntryChecker {
 public:
  EntryChecker(const Description& batch, const math::Inputs& inputs, math::TaskPool& pool, const chain::Work& work,
               FindingList& findings, const EntryEvaluator& scalar)
      : x_batch(batch), x_inputs(inputs), x_pool(pool), x_work(work), x_findings(findings), x_scalar(scalar) {}

  /// Entries of an item that follow those of all ranges checked before.
  void check(const chain::EntryRange& range) {
    const math::Item& item = x_batch.program().items[range.item];
    if (range.count == 0) return;
    if (item.kind == math::ItemKind::kAdvice) check_advice_range(range);
    if (item.body && !x_findings.full()) compare(range);
  }

 private:
  [[nodiscard]] const math::Item& item(const chain::EntryRange& range) const {
    return x_batch.program().items[range.item];
  }
  [[nodiscard]] math::i128 committed(math::ObjectId table, std::uint64_t entry) const {
    return math::read_element(x_inputs.tables[table], x_batch.program().objects[table].type, entry);
  }

  void check_advice_range(const chain::EntryRange& range);
  void compare(const chain::EntryRange& range);
  void add_wrong(const chain::EntryRange& range, std::uint64_t entry, const WrongEntry& wrong);
  /// The finding, or the alarm that takes its place where the interpreter does not confirm it.
  [[nodiscard]] Finding confirmed(const chain::EntryRange& range, const WrongEntry& wrong, Finding finding) const;

  const Description& x_batch;
  const math::Inputs& x_inputs;
  math::TaskPool& x_pool;
  const chain::Work& x_work;
  FindingList& x_findings;
  const EntryEvaluator& x_scalar;
  bool x_confirmed_one = false;
};

void EntryChecker::check_advice_range(const chain::EntryRange& range) {
  const math::ObjectId table = item(range).results.front();
  const math::Object& object = x_batch.program().objects[table];
  const std::set<std::uint64_t> outside =
      entries_outside(object, x_inputs.tables[table], range, x_findings.room(), x_pool);
  for (const std::uint64_t entry : outside) {
    Finding finding;
    finding.kind = FindingKind::kAdviceRange;
    finding.name = x_batch.compiled.names.objects[table];
    finding.index = chain::entry_position(item(range), x_batch.values, entry);
    finding.entry = entry;
    finding.committed = committed(table, entry);
    finding.message = chain::entry_text(finding.name, finding.index) + " is " + math::to_string(*finding.committed) +
                      ", outside its range " + math::to_string(object.range.lo) + ".." +
                      math::to_string(object.range.hi);
    x_findings.add(std::move(finding));
  }
}

void EntryChecker::compare(const chain::EntryRange& range) {
  std::vector<CompareSink::Column> columns;
  if (item(range).kind == math::ItemKind::kTable) {
    for (const math::ObjectId table : item(range).results) {
      columns.push_back({x_batch.program().objects[table].type, x_inputs.tables[table]});
    }
  }
  CompareSink sink(std::move(columns), x_findings.room());
  const math::EvaluateOptions options{
      .first = range.first, .count = range.count, .self_loads = math::SelfLoads::kCompare};
  math::evaluate(x_batch.program(), x_batch.values, x_inputs, range.item, options, x_pool, sink);
  for (const auto& [entry, wrong] : sink.wrong()) add_wrong(range, entry, wrong);
  if (sink.dropped()) x_findings.mark_truncated();
}

void EntryChecker::add_wrong(const chain::EntryRange& range, std::uint64_t entry, const WrongEntry& wrong) {
  const std::vector<math::ObjectId>& results = item(range).results;
  Finding finding;
  finding.kind = FindingKind::kEntry;
  finding.name = results.empty() ? x_batch.compiled.names.items[range.item]
                                 : x_batch.compiled.names.objects[results[wrong.column]];
  finding.index = chain::entry_position(item(range), x_batch.values, entry);
  finding.entry = entry;
  if (!results.empty()) finding.committed = committed(results[wrong.column], entry);
  if (!wrong.fails) finding.right = wrong.right;
  finding.message = chain::entry_text(finding.name, finding.index);
  if (finding.committed) finding.message += " is " + math::to_string(*finding.committed) + ", but";
  finding.message += wrong.fails ? " its fold is FAIL" : " its fold gives " + math::to_string(wrong.right);
  // One entry's confirmation may take a long fold; the first finding is the one that counts.
  if (!std::exchange(x_confirmed_one, true)) finding = confirmed(range, wrong, std::move(finding));
  x_findings.add(std::move(finding));
}

Finding EntryChecker::confirmed(const chain::EntryRange& range, const WrongEntry& wrong, Finding finding) const {
  const std::function<void()> check = [this] { x_work.check(); };
  const math::Evaluation evaluation{
      .program = x_batch.program(), .values = x_batch.values, .inputs = x_inputs, .between_steps = &check};
  const auto results = x_scalar(evaluation, range.item, finding.entry);
  if (wrong.fails ? !results : results && results->at(wrong.column) == wrong.right) return finding;
  finding.kind = FindingKind::kAlarm;
  finding.message = "executor and interpreter disagree, which is a bug of this program: the executor says that " +
                    finding.message + "; the interpreter says " +
                    (results ? math::to_string(results->at(wrong.column)) : "FAIL");
  return finding;
}

}  // namespace

std::set<std::uint64_t> entries_outside(const math::Object& object, std::span<const std::byte> data,
                                        const chain::EntryRange& range, std::size_t limit, math::TaskPool& pool) {
  std::set<std::uint64_t> outside;
  if (object.range.contains(math::type_range(object.type))) return outside;
  std::mutex mutex;
  const std::size_t tasks = (range.count + kElementsPerTask - 1) / kElementsPerTask;
  pool.run(tasks, [&](std::size_t task) {
    const std::uint64_t first = range.first + task * kElementsPerTask;
    const std::uint64_t end = std::min(range.first + range.count, first + kElementsPerTask);
    for (std::uint64_t entry = first; entry < end; ++entry) {
      if (object.range.contains(math::read_element(data, object.type, entry))) continue;
      const std::scoped_lock lock(mutex);
      outside.insert(entry);
      if (outside.size() > limit) outside.erase(std::prev(outside.end()));
    }
  });
  return outside;
}

std::uint64_t check_entries(const Description& batch, const math::Inputs& inputs, math::TaskPool& pool,
                            const chain::Work& work, FindingList& findings, const EntryEvaluator& scalar) {
  EntryChecker checker(batch, inputs, pool, work, findings, scalar);
  std::uint64_t entries = 0;
  chain::visit_entries(batch.program(), batch.values, [&](const chain::EntryRange& range) {
    work.check();
    checker.check(range);
    entries += range.count;
    return !findings.full();
  });
  return entries;
}

}  // namespace tally::verifier
