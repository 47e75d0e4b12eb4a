// The executor against the scalar interpreter, on random programs and batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "deterministic_math/executor/executor.h"
#include "deterministic_math/executor/plan.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/language/compile.h"
#include "tests/support/accumulator_machine.h"
#include "tests/support/entry_collector.h"
#include "tests/support/mutate_program.h"
#include "tests/support/random_program.h"

namespace tally::math {
namespace {

using test::EntryCollector;
using test::RandomBatch;
using test::Rng;

constexpr unsigned kThreads[] = {1, 2, 3, 7};
constexpr std::size_t kBlocks[] = {1, 7, 64, 4096};

TaskPool& pool_of(unsigned threads) {
  static std::map<unsigned, std::unique_ptr<ThreadPool>> pools;
  auto& pool = pools[threads];
  if (!pool) pool = std::make_unique<ThreadPool>(threads);
  return *pool;
}

// Writes tables in place, as a builder does.
class TableWriter final : public EntrySink {
 public:
  TableWriter(const Program& program, RandomBatch& batch) : x_program(program), x_batch(batch) {}
  void accept(const EntryBlock& block) override {
    for (std::size_t c = 0; c < block.columns.size(); ++c) {
      const ObjectId id = x_program.items[block.item].results[c];
      const std::size_t width = element_bytes(x_program.objects[id].type);
      std::ranges::copy(block.columns[c], x_batch.table(id).begin() + static_cast<std::ptrdiff_t>(block.first * width));
    }
  }

 private:
  const Program& x_program;
  RandomBatch& x_batch;
};

void expect_same_entries(const Program& program, RandomBatch& batch, std::size_t item, Rng& rng) {
  const std::uint64_t entries = element_count(program.items[item].extents, batch.values());
  const std::uint64_t first = entries == 0 ? 0 : test::pick(rng, 0, entries - 1);
  const std::uint64_t count = test::pick(rng, 0, entries - first);
  const bool all = test::pick(rng, 0, 2) != 0;
  EvaluateOptions options{all ? 0 : first, all ? entries : count, SelfLoads::kCompare, 0};
  const Item& source = program.items[item];
  std::vector<std::optional<ResultValues>> expected;
  for (std::uint64_t i = 0; i < options.count; ++i) {
    expected.push_back(evaluate_entry({program, batch.values(), batch.inputs()}, item, options.first + i));
  }
  std::vector<std::optional<Axis>> axes{std::nullopt, Axis::kEntry, Axis::kScalar};
  if (source.rank == 2) axes.push_back(Axis::kFlatEntry);
  if (source.body->fold == FoldKind::kFold) axes.push_back(Axis::kFold);
  for (const std::optional<Axis> axis : axes) {
    const unsigned threads = kThreads[test::pick(rng, 0, 3)];
    options.block = test::pick(rng, 0, 1) == 0 ? 0 : kBlocks[test::pick(rng, 0, 3)];
    EntryCollector sink(program, item, options.first, options.count);
    if (axis && options.count > 0) {
      Plan plan = analyse(program, batch.values(), batch.inputs(), item);
      evaluate_along(plan, *axis, options, pool_of(threads), sink);
    } else {
      evaluate(program, batch.values(), batch.inputs(), item, options, pool_of(threads), sink);
    }
    ASSERT_FALSE(sink.repeated);
    for (std::size_t i = 0; i < options.count; ++i) {
      ASSERT_EQ(sink.failed()[i], expected[i] ? 0 : 1) << "item " << item << " entry " << options.first + i;
      for (std::size_t c = 0; source.kind == ItemKind::kTable && c < source.results.size(); ++c) {
        const ElementType type = program.objects[source.results[c]].type;
        ASSERT_EQ(to_string(read_element(sink.column(c), type, i)), to_string(expected[i] ? (*expected[i])[c] : 0))
            << "item " << item << " entry " << options.first + i << " column " << c << " threads " << threads
            << " block " << options.block << " axis " << (axis ? static_cast<int>(*axis) : -1);
      }
    }
  }
}

void fill_tables(const Program& program, RandomBatch& batch, Rng& rng) {
  TableWriter writer(program, batch);
  for (std::size_t first = 0; first < program.items.size();) {
    const LoopId loop = program.items[first].loop;
    std::size_t last = first + 1;
    while (loop != kOutside && last < program.items.size() && program.items[last].loop == loop) ++last;
    const std::uint64_t rounds = loop == kOutside ? 1 : extent_value(program.loops[loop].extent, batch.values());
    for (std::uint64_t round = 0; round < rounds; ++round) {
      for (std::size_t item = first; item < last; ++item) {
        if (!program.items[item].body) continue;
        const std::uint64_t count = element_count(program.items[item].extents, batch.values()) / rounds;
        const std::size_t block = test::pick(rng, 0, 1) == 0 ? 0 : kBlocks[test::pick(rng, 0, 3)];
        evaluate(program, batch.values(), batch.inputs(), item, {round * count, count, SelfLoads::kFill, block},
                 pool_of(kThreads[test::pick(rng, 0, 3)]), writer);
      }
    }
    first = last;
  }
}

void check_program(const Program& program, RandomBatch& batch, Rng& rng) {
  test::compute_tables(program, batch);
  for (std::size_t item = 0; item < program.items.size(); ++item) {
    if (program.items[item].body) expect_same_entries(program, batch, item, rng);
    if (testing::Test::HasFatalFailure()) return;
  }
  std::map<ObjectId, std::vector<std::byte>> expected;
  for (ObjectId id = 0; id < program.objects.size(); ++id) {
    if (program.objects[id].kind != ObjectKind::kComputed) continue;
    expected[id] = batch.table(id);
    std::ranges::fill(batch.table(id), std::byte{0});
  }
  fill_tables(program, batch, rng);
  for (const auto& [id, table] : expected) ASSERT_EQ(batch.table(id), table) << "object " << id;
}

void check_seed(std::uint64_t seed, const test::RandomBatchOptions& options) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Rng rng(seed);
  const Program program = test::random_program(rng, {.max_items = 6});
  RandomBatch batch(program, rng, options);
  check_program(program, batch, rng);
}

test::ValueStyle style_of(std::uint64_t seed) {
  return seed % 2 == 0 ? test::ValueStyle::kUniform : test::ValueStyle::kExtreme;
}

// What a hostile author might write by hand: several skips, registers written over, code that nothing uses.
TEST(RandomExecution, equals_the_interpreter_on_crafted_bytecode) {
  std::size_t checked = 0;
  for (std::uint64_t seed = 20000; seed < 26000 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    Program program = test::random_program(rng, {.max_items = 3});
    for (std::uint64_t i = test::pick(rng, 1, 6); i > 0; --i) {
      Program mutant = program;
      test::mutate_body(mutant, rng);
      if (test::settle(mutant)) program = std::move(mutant);
    }
    RandomBatch batch(program, rng, {.style = style_of(seed), .max_dim = 6});
    check_program(program, batch, rng);
    ++checked;
  }
  EXPECT_GT(checked, 1000U);
}

TEST(RandomExecution, equals_the_interpreter_where_accumulators_feed_on_one_another) {
  for (std::uint64_t seed = 0; seed < 4000 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    const auto program = test::accumulator_machine(rng);
    if (!program) continue;
    RandomBatch batch(*program, rng, {.style = style_of(seed)});
    check_program(*program, batch, rng);
  }
}

TEST(RandomExecution, skipped_lanes_take_no_part_in_a_minimum_or_maximum) {
  const auto compiled = compile(
      "program p\ndim K in 300..300\nrecord a: i64 in 5..1000\nrecord b: i64 in -1000..-5\nrecord g: i64 in 0..1\n"
      "table least: i64, most: i64, sum: i64 {\n  fold k in K where g[k] == 1 {\n    l = min(l, a[k])\n"
      "    m = max(m, b[k])\n    s = s + a[k]\n  } from l = 2000, m = -2000, s = 0\n  return l, m, s\n}\n",
      CompileOptions{});
  ASSERT_TRUE(compiled.has_value());
  for (std::uint64_t seed = 0; seed < 10 && !HasFatalFailure(); ++seed) {
    Rng rng(seed);
    RandomBatch batch(compiled->program, rng, {.style = style_of(seed)});
    check_program(compiled->program, batch, rng);
  }
}

// Rows of several blocks, and records that do not fill the executor's groups of them.
TEST(RandomExecution, equals_the_interpreter_on_long_rows) {
  const auto compiled = compile(
      "program p\ndim K in 21..21\ndim D in 9000..9000\nrow u: i32[D]\nrecord w: i64 in -1000..1000\n"
      "state a: i32[D]\nstate b: i32[D]\n"
      "table s[d in D]: i64, n: i64, t: i64 {\n  fold k in K where w[k] != 0 {\n    let x = u[k, d]\n"
      "    s = s + x*w[k]\n    n = n + (x < a[d])\n    t = t + select(a[d] < x and x < b[d], x, 0)\n"
      "  } from s = 0, n = 0, t = 0\n  return s, n, t\n}\n"
      "table m[d in D]: i32, above: i32, least: i32 {\n  fold k in K {\n    let x = u[k, d]\n"
      "    m = m + (x <= a[d])\n    p = p + (a[d] < x)\n    q = q + (b[d] <= x)\n"
      "  } from m = 0, p = 0, q = 0\n  return m, p, q\n}\n"
      "table other[d in D]: i64 {\n  fold k in K {\n    let x = u[k, d]\n"
      "    t = t + select(a[d] < x and x < b[d], x, 7)\n  } from t = 0\n  return t\n}\n",
      CompileOptions{});
  ASSERT_TRUE(compiled.has_value()) << compiled.error().listing;
  for (std::uint64_t seed = 0; seed < 2 && !HasFatalFailure(); ++seed) {
    Rng rng(seed);
    RandomBatch batch(compiled->program, rng, {.style = style_of(seed), .max_dim = 9000});
    check_program(compiled->program, batch, rng);
  }
}

TEST(RandomExecution, equals_the_interpreter_on_small_batches) {
  for (std::uint64_t seed = 0; seed < 3000 && !HasFatalFailure(); ++seed) {
    check_seed(seed, {.style = style_of(seed), .max_dim = 8});
  }
}

TEST(RandomExecution, equals_the_interpreter_where_lanes_are_full) {
  for (std::uint64_t seed = 10000; seed < 10300 && !HasFatalFailure(); ++seed) {
    check_seed(seed, {.style = style_of(seed), .max_dim = 70});
  }
}

}  // namespace
}  // namespace tally::math
