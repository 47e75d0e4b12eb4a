#include <algorithm>

#include "deterministic_math/executor/executor.h"
#include "deterministic_math/executor/plan.h"
#include "deterministic_math/executor/tasks.h"
#include "deterministic_math/executor/worker.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

// Entries of a block where rows are streamed: long runs of each row, while the accumulators stay in the second cache.
constexpr std::size_t kStreamBlock = 4 * kRowBlock;
// With fewer entries or steps, lanes are as good as buckets.
constexpr std::uint64_t kFewBuckets = 16;
constexpr std::size_t kHeldBytes = std::size_t{512} * 1024;

std::size_t choose_block(const Plan& plan, const EvaluateOptions& options, unsigned threads) {
  std::size_t block = kRowBlock;
  const bool streams =
      std::ranges::any_of(plan.step_code.loads, [](const Load& load) { return load.object.kind == ObjectKind::kRow; });
  // The column plan goes through a row block at a time by itself.
  if (streams && !plan.column) {
    block = kStreamBlock;
    while (block > kRowBlock && plan.step_code.held_bytes * block > kHeldBytes) block /= 2;
    while (block > kRowBlock && options.count / block < 2 * std::size_t{threads}) block /= 2;
  }
  return options.block == 0 ? block : std::min(block, options.block);
}

using Workers = LentWorkers<Worker>;

void run_parallel(const Plan& plan, Workers& workers, std::size_t block, const Cuts& cuts, TaskPool& pool,
                  EntrySink& sink) {
  const bool over_entries = plan.axis == Axis::kEntry || plan.axis == Axis::kFlatEntry;
  const auto make = [&] {
    if (plan.pairs) return make_pairs_worker(plan);
    return over_entries ? make_entry_worker(plan, block) : make_fold_worker(plan);
  };
  pool.run(cuts.size(), [&](std::size_t task) {
    const auto cut = cuts[task];
    workers.use(make, [&](Worker& worker) { worker.evaluate(cut.first, cut.second, sink); });
  });
}

// One entry after the other, each delivered before the next one reads it.
void run_ascending(Plan& plan, const EvaluateOptions& options, EntrySink& sink) {
  const bool lanes = plan.has_fold && !plan.buckets && choose_axis(plan, 1) == Axis::kFold;
  schedule_plan(plan, lanes ? Axis::kFold : Axis::kScalar);
  const std::unique_ptr<Worker> worker = make_fold_worker(plan);
  for (std::uint64_t entry = options.first; entry < options.first + options.count; ++entry) {
    worker->evaluate(entry, 1, sink);
  }
}

// Rows of entries in ascending order, each on all threads.
void run_rows(Plan& plan, const EvaluateOptions& options, TaskPool& pool, EntrySink& sink) {
  schedule_plan(plan, choose_axis(plan, std::min(options.count, plan.inner_extent)));
  const std::size_t block = choose_block(plan, options, pool.threads());
  Workers workers;
  const std::uint64_t last = options.first + options.count;
  for (std::uint64_t first = options.first; first < last;) {
    const std::uint64_t end = std::min(last, (first / plan.inner_extent + 1) * plan.inner_extent);
    run_parallel(plan, workers, block, {first, end - first, plan.inner_extent, block}, pool, sink);
    first = end;
  }
}

}  // namespace

void evaluate_along(Plan& plan, Axis axis, const EvaluateOptions& options, TaskPool& pool, EntrySink& sink) {
  plan.pool = &pool;
  schedule_plan(plan, axis);
  std::size_t block = choose_block(plan, options, pool.threads());
  std::uint64_t row = plan.entries;
  if (axis == Axis::kEntry && plan.inner_extent != 0) row = plan.inner_extent;
  if (axis == Axis::kFold || axis == Axis::kScalar) {
    const std::uint64_t share = options.count / (4 * std::uint64_t{pool.threads()}) + 1;
    block = static_cast<std::size_t>(std::min<std::uint64_t>(block, share));
  }
  if (plan.pairs) {
    // A task is one band of tiles: kPairRows rows of entries, unless a test asks for less.
    const std::uint64_t band = kPairRows * plan.inner_extent;
    block = static_cast<std::size_t>(options.block == 0 ? band : std::min<std::uint64_t>(band, options.block));
  }
  Workers workers;
  run_parallel(plan, workers, block, {options.first, options.count, row, block}, pool, sink);
}

void evaluate(const Program& program, const BatchValues& values, const Inputs& inputs, std::size_t item,
              const EvaluateOptions& options, TaskPool& pool, EntrySink& sink) {
  Plan plan = analyse(program, values, inputs, item);
  plan.pool = &pool;
  TALLY_ASSERT(options.first <= plan.entries && options.count <= plan.entries - options.first);
  if (options.count == 0) return;
  const OwnLoads own = options.self_loads == SelfLoads::kFill ? own_loads(plan) : OwnLoads::kNone;
  if (own == OwnLoads::kEarlierRows) return run_rows(plan, options, pool, sink);
  const std::optional<NodeId> key = match_bucket(plan);
  if (key && options.count >= kFewBuckets && plan.fold_length >= kFewBuckets) {
    const bool one_index = plan.inner_extent == 0;
    plan.buckets = std::make_shared<const Buckets>(plan, *key, one_index ? options.first : 0,
                                                   one_index ? options.count : plan.inner_extent);
  }
  if (own == OwnLoads::kAny) return run_ascending(plan, options, sink);
  if (plan.buckets) return evaluate_along(plan, Axis::kScalar, options, pool, sink);
  evaluate_along(plan, choose_axis(plan, options.count), options, pool, sink);
}

}  // namespace tally::math
