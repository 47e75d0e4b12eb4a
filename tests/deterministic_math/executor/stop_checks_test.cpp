#include "deterministic_math/executor/stop_checks.h"

#include <gtest/gtest.h>

#include <string>

#include "deterministic_math/executor/executor.h"
#include "deterministic_math/language/compile.h"
#include "tests/support/random_program.h"

namespace tally::math {
namespace {

struct TakenBack {};

/// Threads that are taken back when they are asked about for the n-th time.
class ShortLoan final : public TaskPool {
 public:
  explicit ShortLoan(int last) : x_last(last) {}
  [[nodiscard]] unsigned threads() const override { return 1; }
  void run(std::size_t tasks, const std::function<void(std::size_t task)>& function) override {
    for (std::size_t task = 0; task < tasks; ++task) {
      function(task);
      ++x_done;
    }
  }
  void check() const override {
    if (++x_asked == x_last) throw TakenBack{};
  }
  [[nodiscard]] int asked() const { return x_asked; }
  [[nodiscard]] std::size_t tasks_done() const { return x_done; }

 private:
  int x_last;
  mutable int x_asked = 0;
  std::size_t x_done = 0;
};

class Nowhere final : public EntrySink {
 public:
  void accept(const EntryBlock& /*block*/) override {}
};

struct Work {
  std::string what;
  std::string dims;
  std::string item;
  int times = 2;  // that a whole run asks
  SelfLoads self_loads = SelfLoads::kCompare;
};

// Each way in which the executor goes through a fold, at a size that is one task.
TEST(StopChecks, end_a_task_in_the_middle_of_each_plan) {
  const std::string counts = "record x: i64 in 0..9\n";
  const std::string row = "row u: i32[D]\n";
  const std::vector<Work> works = {
      {.what = "lanes over entries",
       .dims = "dim K in 900..900\ndim D = 600\n",
       .item = counts + "table t[d in D]: i64 { fold k in K { s = max(s, mod(x[k] + d, 9)) } from s = 0 return s }\n"},
      {.what = "columns",
       .dims = "dim K in 70..70\ndim D = 8192\n",
       .item = row + "table t[d in D]: i64 { fold k in K { s = s + u[k, d] } from s = 0 return s }\n",
       .times = 4},
      {.what = "pairs",
       .dims = "dim K in 8..8\ndim D = 16384\n",
       .item = row + "table t[i in K, j in K]: i64 { fold d in D { s = s + (u[i, d] - u[j, d]) * (u[i, d] - u[j, d]) } "
                     "from s = 0 return mod(s, 9) }\n"},
      {.what = "lanes along the fold",
       .dims = "dim K in 600000..600000\n",
       .item = counts + "table t: i64 { fold k in K { s = s + x[k] } from s = 0 return s }\n"},
      {.what = "entries that read their own smaller ones",
       .dims = "dim K in 600000..600000\n",
       .item = counts + "table t[k in K]: i64 { return mod(t[k - 1] + x[k], 9) }\n",
       .self_loads = SelfLoads::kFill},
      {.what = "keys of buckets",
       .dims = "dim K in 600000..600000\n",
       .item = counts + "table t[m in 300]: i64 { fold k in K where x[k] == m { s = s + 1 } from s = 0 return s }\n",
       .times = 4},
  };
  for (const Work& work : works) {
    SCOPED_TRACE(work.what);
    const auto program = compile("program p\n" + work.dims + work.item, {});
    ASSERT_TRUE(program.has_value()) << program.error().listing;
    test::Rng rng(7);
    const test::RandomBatch batch(program->program, rng, {.max_dim = std::uint64_t{1} << 20});
    const std::uint64_t entries = element_count(program->program.items[0].extents, batch.values());
    const EvaluateOptions options{.count = entries, .self_loads = work.self_loads};
    Nowhere sink;
    for (const int last : {1, 2}) {
      ShortLoan loan(last);
      EXPECT_THROW(evaluate(program->program, batch.values(), batch.inputs(), 0, options, loan, sink), TakenBack);
      EXPECT_EQ(loan.tasks_done(), 0U);
    }
    ShortLoan long_loan(1000);
    evaluate(program->program, batch.values(), batch.inputs(), 0, options, long_loan, sink);
    EXPECT_EQ(long_loan.asked(), work.times);
  }
}

}  // namespace
}  // namespace tally::math
