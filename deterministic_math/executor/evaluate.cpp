#include <algorithm>
#include <mutex>

#include "deterministic_math/executor/executor.h"
#include "deterministic_math/executor/plan.h"
#include "deterministic_math/executor/worker.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

// Entries of a block where rows are streamed: long runs of each row, while the accumulators stay in the second cache.
constexpr std::size_t kStreamBlock = 4 * kRowBlock;
constexpr std::size_t kHeldBytes = std::size_t{512} * 1024;

std::size_t choose_block(const Plan& plan, const EvaluateOptions& options, unsigned threads) {
  std::size_t block = kRowBlock;
  const bool streams =
      std::ranges::any_of(plan.step_code.loads, [](const Load& load) { return load.object.kind == ObjectKind::kRow; });
  if (streams) {
    block = kStreamBlock;
    while (block > kRowBlock && plan.step_code.held_bytes * block > kHeldBytes) block /= 2;
    while (block > kRowBlock && options.count / block < 2 * std::size_t{threads}) block /= 2;
  }
  return options.block == 0 ? block : std::min(block, options.block);
}

// Workers are made on demand, and lent to one task at a time.
class WorkerPool {
 public:
  WorkerPool(const Plan& plan, std::size_t block) : x_plan(plan), x_block(block) {}

  template <class F>
  void use(F&& function) {
    std::unique_ptr<Worker> worker;
    {
      const std::lock_guard lock(x_mutex);
      if (!x_idle.empty()) {
        worker = std::move(x_idle.back());
        x_idle.pop_back();
      }
    }
    if (!worker) worker = make();
    function(*worker);
    const std::lock_guard lock(x_mutex);
    x_idle.push_back(std::move(worker));
  }

 private:
  std::unique_ptr<Worker> make() const {
    const bool over_entries = x_plan.axis == Axis::kEntry || x_plan.axis == Axis::kFlatEntry;
    return over_entries ? make_entry_worker(x_plan, x_block) : make_fold_worker(x_plan);
  }

  const Plan& x_plan;
  std::size_t x_block;
  std::mutex x_mutex;
  std::vector<std::unique_ptr<Worker>> x_idle;
};

// Cuts [first, first + count) at multiples of `block` from the start of each row of `row` entries.
class Cuts {
 public:
  Cuts(std::uint64_t first, std::uint64_t count, std::uint64_t row, std::uint64_t block)
      : x_first(first), x_last(first + count), x_row(row), x_block(block), x_per_row((row + block - 1) / block) {
    x_begin = number(first);
    x_end = count == 0 ? x_begin : number(x_last - 1) + 1;
  }

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(x_end - x_begin); }

  [[nodiscard]] std::pair<std::uint64_t, std::size_t> operator[](std::size_t index) const {
    const std::uint64_t cut = x_begin + index;
    const std::uint64_t row_start = cut / x_per_row * x_row;
    const std::uint64_t start = row_start + cut % x_per_row * x_block;
    const std::uint64_t first = std::max(x_first, start);
    const std::uint64_t last = std::min({x_last, start + x_block, row_start + x_row});
    return {first, static_cast<std::size_t>(last - first)};
  }

 private:
  [[nodiscard]] std::uint64_t number(std::uint64_t entry) const {
    return entry / x_row * x_per_row + entry % x_row / x_block;
  }

  std::uint64_t x_first;
  std::uint64_t x_last;
  std::uint64_t x_row;
  std::uint64_t x_block;
  std::uint64_t x_per_row;
  std::uint64_t x_begin = 0;
  std::uint64_t x_end = 0;
};

void run_parallel(WorkerPool& workers, const Cuts& cuts, TaskPool& pool, EntrySink& sink) {
  pool.run(cuts.size(), [&](std::size_t task) {
    const auto [first, count] = cuts[task];
    workers.use([&](Worker& worker) { worker.evaluate(first, count, sink); });
  });
}

// One entry after the other, each delivered before the next one reads it.
void run_ascending(Plan& plan, const EvaluateOptions& options, EntrySink& sink) {
  const bool lanes = plan.has_fold && choose_axis(plan, 1) == Axis::kFold;
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
  WorkerPool workers(plan, block);
  const std::uint64_t last = options.first + options.count;
  for (std::uint64_t first = options.first; first < last;) {
    const std::uint64_t end = std::min(last, (first / plan.inner_extent + 1) * plan.inner_extent);
    run_parallel(workers, {first, end - first, plan.inner_extent, block}, pool, sink);
    first = end;
  }
}

}  // namespace

void evaluate_along(Plan& plan, Axis axis, const EvaluateOptions& options, TaskPool& pool, EntrySink& sink) {
  schedule_plan(plan, axis);
  std::size_t block = choose_block(plan, options, pool.threads());
  std::uint64_t row = plan.entries;
  if (axis == Axis::kEntry && plan.inner_extent != 0) row = plan.inner_extent;
  if (axis == Axis::kFold || axis == Axis::kScalar) {
    const std::uint64_t share = options.count / (4 * std::uint64_t{pool.threads()}) + 1;
    block = static_cast<std::size_t>(std::min<std::uint64_t>(block, share));
  }
  WorkerPool workers(plan, block);
  run_parallel(workers, {options.first, options.count, row, block}, pool, sink);
}

void evaluate(const Program& program, const BatchValues& values, const Inputs& inputs, std::size_t item,
              const EvaluateOptions& options, TaskPool& pool, EntrySink& sink) {
  Plan plan = analyse(program, values, inputs, item);
  TALLY_ASSERT(options.first <= plan.entries && options.count <= plan.entries - options.first);
  if (options.count == 0) return;
  if (options.self_loads == SelfLoads::kFill) {
    const OwnLoads own = own_loads(plan);
    if (own == OwnLoads::kAny) return run_ascending(plan, options, sink);
    if (own == OwnLoads::kEarlierRows) return run_rows(plan, options, pool, sink);
  }
  evaluate_along(plan, choose_axis(plan, options.count), options, pool, sink);
}

}  // namespace tally::math
