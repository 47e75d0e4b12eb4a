// Each native plan on a program of its shape, against the scalar interpreter, at sizes around its blocks.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "deterministic_math/bytecode/cost.h"
#include "deterministic_math/executor/bucket.h"
#include "deterministic_math/executor/executor.h"
#include "deterministic_math/executor/plan.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/language/compile.h"
#include "tests/support/entry_collector.h"
#include "tests/support/random_program.h"

namespace tally::math {
namespace {

using test::EntryCollector;
using test::RandomBatch;
using test::Rng;

// Counts how often each block of each row is asked for.
class CountingRows final : public RowSource {
 public:
  explicit CountingRows(RowSource& inner) : x_inner(inner) {}
  std::span<const std::byte> view(ObjectId row, std::uint64_t record, std::uint64_t first, std::size_t count,
                                  std::span<std::byte> scratch) override {
    const std::lock_guard lock(x_mutex);
    ++asked[{row, record, first}];
    // From scratch memory, as a source that decodes gives it.
    const std::span<const std::byte> data = x_inner.view(row, record, first, count, {});
    std::ranges::copy(data, scratch.begin());
    return scratch.first(data.size());
  }
  std::map<std::tuple<ObjectId, std::uint64_t, std::uint64_t>, int> asked;

 private:
  RowSource& x_inner;
  std::mutex x_mutex;
};

CompiledProgram compiled(const std::string& source) {
  auto program = compile(source, {});
  if (!program) {
    ADD_FAILURE() << program.error().listing;
    return {};
  }
  return *std::move(program);
}

void expect_equal(const Program& program, RandomBatch& batch, std::size_t item, unsigned threads, std::size_t block) {
  const std::uint64_t entries = element_count(program.items[item].extents, batch.values());
  CountingRows rows(batch);
  Inputs inputs = batch.inputs();
  // With an even number of threads rows are read in place.
  if (threads % 2 == 1) inputs.rows = &rows;
  ThreadPool pool(threads);
  EntryCollector sink(program, item, 0, entries);
  evaluate(program, batch.values(), inputs, item, {0, entries, SelfLoads::kCompare, block}, pool, sink);
  for (std::uint64_t entry = 0; entry < entries; ++entry) {
    const auto expected = evaluate_entry({program, batch.values(), batch.inputs()}, item, entry);
    ASSERT_EQ(sink.failed()[entry], expected ? 0 : 1) << "entry " << entry;
    for (std::size_t c = 0; program.items[item].kind == ItemKind::kTable && c < program.items[item].results.size();
         ++c) {
      const ElementType type = program.objects[program.items[item].results[c]].type;
      ASSERT_EQ(to_string(read_element(sink.column(c), type, entry)), to_string(expected ? (*expected)[c] : 0))
          << "entry " << entry << " threads " << threads << " block " << block;
    }
  }
}

enum class Shape { kColumn, kPairs, kAny };

// The last item with a body, on extreme and plain values, for several numbers of threads and blocks.
void check(const std::string& source, Shape shape = Shape::kAny) {
  SCOPED_TRACE(source);
  const CompiledProgram program = compiled(source);
  if (program.program.items.empty()) return;
  const std::size_t item = program.program.items.size() - 1;
  for (const test::ValueStyle style : {test::ValueStyle::kUniform, test::ValueStyle::kExtreme}) {
    Rng rng(11);
    RandomBatch batch(program.program, rng, {.style = style, .max_dim = std::uint64_t{1} << 20});
    Plan plan = analyse(program.program, batch.values(), batch.inputs(), item);
    if (plan.entries > 0) schedule_plan(plan, choose_axis(plan, plan.entries));
    if (shape == Shape::kColumn) {
      EXPECT_TRUE(plan.column.has_value());
    }
    if (shape == Shape::kPairs) {
      EXPECT_TRUE(plan.pairs.has_value());
    }
    for (const auto& [threads, block] : {std::pair<unsigned, std::size_t>{1, 0}, {2, 0}, {2, 64}, {7, 4096}}) {
      expect_equal(program.program, batch, item, threads, block);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

std::string sized(std::size_t k, std::size_t d, const std::string& rest) {
  return "program p\ndim K in " + std::to_string(k) + ".." + std::to_string(k) + "\ndim D = " + std::to_string(d) +
         "\n" + rest;
}

constexpr const char* kWeighted =
    "record w: i64 in -40000..40000\nrow u: i32[D]\n"
    "table t[d in D]: i64 { fold k in K { s = s + u[k, d]*w[k] } from s = 7 return s }\n";

TEST(ColumnPlan, weighted_sums_at_every_number_of_rows_around_its_passes) {
  for (const std::size_t k : {0U, 1U, 7U, 8U, 9U, 17U})
    check(sized(k, 65, kWeighted), k < 7 ? Shape::kAny : Shape::kColumn);
}

TEST(ColumnPlan, weighted_sums_at_lengths_around_its_blocks) {
  for (const std::size_t d : {1U, 63U, 64U, 1023U, 1025U, 4095U, 4096U, 4097U, 16385U}) {
    check(sized(9, d, kWeighted), d < 64 ? Shape::kAny : Shape::kColumn);
  }
}

TEST(ColumnPlan, declared_narrow_rows_are_clamped) {
  check(sized(9, 4100,
              "row u: i32[D] in -5..9\ntable t[d in D]: i64 { fold k in K { s = s + u[k, d]*(k + 1) n = n + u[k, d] } "
              "from s = 0, n = 0 return s + n }\n"));
  check(sized(9, 400,
              "record w: i64 in 0..1000000000\nrow u: i32[D] in -1000..900000000\ntable t[d in D]: i64 { fold k in K { "
              "s = s + u[k, d]*w[k] } from s = 0 return mod(s, 1<<60) }\n"),
        Shape::kAny);
}

TEST(ColumnPlan, counts_and_trimmed_sums) {
  const std::string median =
      "row u: i32[D]\nadvice a[d in D]: i32\nadvice b[d in D]: i32\n"
      "table t[d in D]: i32, c: i64 {\n let x1 = a[d]\n let x2 = b[d]\n fold k in K { let x = u[k, d] lt = lt + (x < "
      "x1) "
      "le = le + (x <= x1) gt = gt + (x > x2) ge = ge + (x >= x2) } from lt = 0, le = 0, gt = 0, ge = 3\n"
      " require lt <= div(K, 2)\n return clamp(lt + le*16 + gt*256, i32), ge }\n";
  const std::string trimmed =
      "row u: i32[D]\nadvice a[d in D]: i32\nadvice b[d in D]: i32\n"
      "table t[d in D]: i64 {\n let x1 = a[d]\n let x2 = b[d]\n fold k in K { let x = u[k, d] lt = lt + (x < x1) "
      "s = s + select(x1 < x and x < x2, x, 0) } from lt = 0, s = 0\n return s + lt }\n";
  for (const std::size_t k : {1U, 8U, 21U}) {
    check(sized(k, 1100, median), k < 8 ? Shape::kAny : Shape::kColumn);
    check(sized(k, 1100, trimmed), k < 8 ? Shape::kAny : Shape::kColumn);
  }
}

TEST(ColumnPlan, asks_once_for_each_block_and_never_for_skipped_records) {
  const CompiledProgram program = compiled(sized(30, 9000,
                                                 "record on: i64 in 0..1\nrow u: i32[D]\ntable t[d in D]: i64 { fold k "
                                                 "in K where on[k] == 1 { s = s + u[k, d] } from s = 0 return s }\n"));
  Rng rng(3);
  RandomBatch batch(program.program, rng, {.max_dim = std::uint64_t{1} << 20});
  for (const unsigned threads : {1U, 2U, 7U}) {
    CountingRows rows(batch);
    Inputs inputs = batch.inputs();
    inputs.rows = &rows;
    ThreadPool pool(threads);
    EntryCollector sink(program.program, 0, 0, 9000);
    evaluate(program.program, batch.values(), inputs, 0, {.first = 0, .count = 9000}, pool, sink);
    std::size_t chosen = 0;
    const std::span<const std::int64_t> on = inputs.fields[2];
    for (std::size_t k = 0; k < 30; ++k) chosen += std::clamp<std::int64_t>(on[k], 0, 1) == 1 ? 1U : 0U;
    ASSERT_GT(chosen, 0U);
    ASSERT_LT(chosen, 30U);
    EXPECT_EQ(rows.asked.size(), chosen * ((9000 + kRowBlock - 1) / kRowBlock));
    for (const auto& [block, times] : rows.asked) {
      EXPECT_EQ(times, 1);
      EXPECT_EQ(std::clamp<std::int64_t>(on[std::get<1>(block)], 0, 1), 1);
    }
  }
}

TEST(PairPlan, squared_differences_of_full_range_rows) {
  for (const std::size_t k : {1U, 2U, 15U, 16U, 17U, 33U}) {
    check(sized(k, 70,
                "row u: i32[D]\ntable t[i in K, j in K]: i128 { fold d in D where i < j { s = s + sq(u[i, d] - u[j, "
                "d]) } from s = 0 return s }\n"),
          k < 2 ? Shape::kAny : Shape::kPairs);
  }
  for (const std::size_t d : {1U, 511U, 513U, 4096U, 4097U}) {
    check(sized(4, d,
                "row u: i32[D]\ntable t[i in K, j in K]: i128 { fold d in D where i < j { s = s + sq(u[i, d] - u[j, "
                "d]) } from s = 5 return s }\n"));
  }
}

TEST(PairPlan, products_and_narrow_rows) {
  check(sized(18, 600,
              "row u: i32[D]\ntable t[i in K, j in K]: i128 { fold d in D { s = s + u[j, d]*u[i, d] } from s = 0 "
              "return s }\n"),
        Shape::kPairs);
  check(sized(18, 600,
              "row u: i32[D] in -30..4000\ntable t[i in K, j in K]: i64 { fold d in D where i != j { s = s + sq(u[i, "
              "d] - u[j, d]) } from s = 0 return s }\n"),
        Shape::kPairs);
}

TEST(PairPlan, rows_of_tables) {
  check(sized(3, 9000,
              "row u: i32[D]\ntable v[i in K, d in D]: i32 { return max(u[i, d], -30) }\ntable t[i in K, j in K]: i128 "
              "{ fold d in D where i < j { s = s + sq(v[i, d] - v[j, d]) } from s = 0 return s }\n"),
        Shape::kPairs);
  // Rows of a state beside rows of records; and rows that must be widened, so that they are not read in place.
  check(sized(17, 100,
              "row u: i32[D]\nstate c: i32[18, D]\ntable t[i in K, j in 18]: i128 { fold d in D { s = s + sq(u[i, d] - "
              "c[j, d]) } from s = 0 return s }\n"),
        Shape::kPairs);
  check(
      sized(1, 100,
            "state c: i16[18, D]\ntable t[i in 18, j in 18]: i64 { fold d in D { s = s + c[i, d]*c[j, d] } from s = 0 "
            "return s }\n"),
      Shape::kPairs);
  // A table's own rows, which are not all there.
  check(sized(18, 18,
              "row u: i32[D]\ntable t[i in K, j in K]: i32 { fold d in D { s = s + t[i, d]*t[j, d] } from s = 0 return "
              "wrap(s + u[i, j], 20) }\n"));
}

TEST(Folds, along_parameters_and_over_records) {
  check(sized(5, 9000,
              "row u: i32[D]\ntable t[k in K]: i128, m: i32, n: i32 { fold d in D { let x = u[k, d] s = s + sq(x) a = "
              "max(a, x) b = min(b, x) } from s = 0, a = 0, b = 0 return s, a, b }\n"));
  check(sized(5000, 3,
              "record w: i64\ntable t: i128 { fold k in K where k > 3 { s = s - w[k] } from s = 1 return s }\n"));
}

TEST(Folds, guards_that_depend_on_accumulators_are_sequential) {
  check(sized(
      900, 3,
      "record w: i64 in 0..9\ntable t: i64 { fold k in K where n < 100 { n = n + w[k] } from n = 0 return n }\n"));
  check(sized(900, 3,
              "record w: i64 in 0..9\ntable t: i64 { fold k in K { n = select(w[k] == 0, 0, n + w[k]) m = max(m, n) } "
              "from n = 0, m = 0 return m }\n"));
}

TEST(Buckets, group_by_an_own_index) {
  const std::string sums =
      "dim M = 300\nrecord who: i64 in 0..299\nrecord w: i64 in -1000..1000\ntable t[m in M]: i64, n: i64 "
      "{ fold e in K where who[e] == m { s = s + w[e] last = e } from s = 0, last = 0 - 1 return s, last }\n";
  for (const std::size_t k : {0U, 1U, 700U}) check(sized(k, 3, sums));
}

TEST(Buckets, keep_order_and_other_guards_within_rows_of_entries) {
  const std::string rows =
      "dim M = 40\nrecord who: i64 in 0..50\nrecord w: i64 in -1000..1000\ntable t[i in D, m in M]: i64 "
      "{ fold e in K where m == who[e] and w[e] > i { s = s*0 + e + w[e]*i n = n + 1 } from s = 0, n = 0 return s + n "
      "}\n";
  const std::string guards =
      "dim M = 40\nrecord who: i64 in 0..50\nrecord w: i64 in -1000..1000\ntable t[m in M]: i64 "
      "{ fold e in K where who[e] == m { s = select(w[e] > s, w[e], s) } from s = 0 require s < 990 return s }\n";
  check(sized(500, 3, rows));
  check(sized(500, 3, guards));
}

TEST(Buckets, cost_entries_and_steps_not_their_product) {
  const CompiledProgram program =
      compiled(sized(1 << 17, 3,
                     "dim M = 1<<17\nrecord who: i64 in 0..(1<<17)-1\nrecord w: i64 in 0..9\ntable t[m in M]: i64 { "
                     "fold e in K where who[e] == m { s = s + w[e] } from s = 0 return s }\n"));
  Rng rng(3);
  RandomBatch batch(program.program, rng, {.max_dim = std::uint64_t{1} << 20});
  ThreadPool pool(2);
  EntryCollector sink(program.program, 0, 0, 1 << 17);
  evaluate(program.program, batch.values(), batch.inputs(), 0, {.first = 0, .count = 1 << 17}, pool, sink);
  std::vector<std::int64_t> expected(1 << 17, 0);
  for (std::size_t e = 0; e < expected.size(); ++e) {
    const auto who = static_cast<std::size_t>(std::clamp<std::int64_t>(batch.inputs().fields[2][e], 0, (1 << 17) - 1));
    expected[who] += std::clamp<std::int64_t>(batch.inputs().fields[3][e], 0, 9);
  }
  for (std::size_t m = 0; m < expected.size(); ++m) {
    ASSERT_EQ(read_element(sink.column(0), ElementType::kI64, m), expected[m]);
  }
}

// Whoever accepts a task has accepted its work, which counts a bucket as entries and steps: so every such item must
// find its plan, and in a builder too.
TEST(Buckets, pitfall_9_are_found_wherever_work_counts_one) {
  const std::string start = "dim M = 300\nrecord who: i64 in 0..299\nstate target: i64 in 0..299\n";
  for (const char* const key : {"who[e]", "7", "target", "min(batch, 9)", "K", "who[target]", "mod(e*e, 300)"}) {
    const CompiledProgram program = compiled(sized(400, 3,
                                                   start + "table t[m in M]: i64 { fold e in K where " + key +
                                                       " == m { s = s + e + who[e] } from s = 0 return s }\n"));
    Rng rng(5);
    RandomBatch batch(program.program, rng, {.max_dim = 1000});
    EXPECT_TRUE(find_bucket(program.program, 0).has_value()) << key;
    EXPECT_TRUE(match_bucket(analyse(program.program, batch.values(), batch.inputs(), 0)).has_value()) << key;
    expect_equal(program.program, batch, 0, 2, 0);
  }
}

TEST(Buckets, pitfall_9_serve_a_builder_of_an_item_that_reads_itself) {
  const CompiledProgram program =
      compiled(sized(200, 3,
                     "dim M = 300\nrow u: i32[D] in 0..299\ntable t[m in M]: i64 { fold e in K where u[e, 0] == m "
                     "{ s = s + e } from s = 0 return s + t[m - 1] }\n"));
  ASSERT_TRUE(find_bucket(program.program, 0).has_value());
  Rng rng(5);
  RandomBatch batch(program.program, rng, {.max_dim = 1000});
  CountingRows rows(batch);
  Inputs inputs = batch.inputs();
  inputs.rows = &rows;
  class Writer final : public EntrySink {
   public:
    explicit Writer(std::vector<std::byte>& table) : x_table(table) {}
    void accept(const EntryBlock& block) override {
      std::ranges::copy(block.columns[0], x_table.begin() + static_cast<std::ptrdiff_t>(block.first * 8));
    }

   private:
    std::vector<std::byte>& x_table;
  };
  const ObjectId table = program.program.items[0].results[0];
  Writer sink(batch.table(table));
  ThreadPool pool(2);
  evaluate(program.program, batch.values(), inputs, 0, {.count = 300, .self_loads = SelfLoads::kFill}, pool, sink);
  int asked = 0;
  for (const auto& [block, times] : rows.asked) asked += times;
  EXPECT_LE(asked, 2 * 200);
  const std::vector<std::byte> filled = batch.table(table);
  test::compute_tables(program.program, batch);
  EXPECT_EQ(filled, batch.table(table));
}

TEST(Scans, read_their_own_smaller_entries) {
  check(sized(700, 3, "record w: i64 in 0..1000\ntable t[i in K]: i64 { return t[i - 1] + w[i] }\n"));
}

TEST(Lanes, divisions_by_one_divisor_for_all_lanes) {
  for (const char* const divisor : {"1", "2", "3", "7", "64", "1000003", "(1<<31) - 1", "(1<<40) + 1", "(1<<62) + 1"}) {
    const std::string d = divisor;
    for (const char* const type : {"i32", "i64"}) {
      check(sized(3, 500,
                  "state s: " + std::string(type) +
                      "[D]\ntable a[i in D]: i64, b: i64, c: i64 { let q = max(batch, 0)*0 + " + d +
                      " return div(s[i], q), mod(s[i], q), div_round(s[i], q) }\n"));
    }
  }
}

}  // namespace
}  // namespace tally::math
