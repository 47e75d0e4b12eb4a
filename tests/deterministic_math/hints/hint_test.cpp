// Hints against brute force: every key by the interpreter, sorted.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "deterministic_math/executor/executor.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/language/compile.h"
#include "tests/support/random_program.h"

namespace tally::math {
namespace {

using test::RandomBatch;
using test::Rng;

class HintOracle {
 public:
  HintOracle(const Program& program, const Hint& hint, const RandomBatch& batch)
      : x_program(program), x_hint(hint), x_batch(batch), x_access({program, batch.values(), batch.inputs()}) {}

  i128 value(std::uint64_t entry) {
    const Object& advice = x_program.objects[x_program.items[x_hint.item].results[0]];
    return advice.range.clamp(chosen_value(entry));
  }

 private:
  struct Key {
    i128 key;
    std::uint64_t v;
  };

  std::array<i128, 2> run(std::span<const Instruction> section, std::uint64_t entry, std::uint64_t v) {
    const SectionContext context{x_program, x_batch.values(),   x_hint.item,     entry,
                                 v,         SectionKind::kHint, x_hint.constants};
    std::array<i128, 2> results{};
    EXPECT_EQ(run_section(context, section, x_access, {}, results), SectionOutcome::kDone);
    return results;
  }

  std::vector<Key> keys(std::uint64_t entry) {
    const bool where =
        std::ranges::any_of(x_hint.keys, [](const Instruction& code) { return code.op == Op::kRet && code.imm == 1; });
    std::vector<Key> result;
    for (std::uint64_t v = 0; v < extent_value(x_hint.over, x_batch.values()); ++v) {
      const auto [key, chosen] = run(x_hint.keys, entry, v);
      if (!where || chosen != 0) result.push_back({key, v});
    }
    return result;
  }

  i128 chosen_value(std::uint64_t entry) {
    const Item& item = x_program.items[x_hint.item];
    const std::uint64_t inner = item.rank == 2 ? extent_value(item.extents[1], x_batch.values()) : 0;
    const bool perm = x_hint.kind == HintKind::kPerm;
    const std::uint64_t row = perm ? (inner == 0 ? 0 : entry - entry % inner) : entry;
    std::vector<Key> all = keys(row);
    if (x_hint.kind == HintKind::kFirst) {
      for (const Key& key : all) {
        if (key.key != 0) return key.v;
      }
      return extent_value(x_hint.over, x_batch.values());
    }
    std::ranges::stable_sort(all, {}, &Key::key);
    if (x_hint.kind == HintKind::kArgmin) return all.empty() ? 0 : all[0].v;
    const i128 rank = perm ? static_cast<i128>(entry - row) : run(x_hint.rank, entry, 0)[0];
    if (rank < 0 || rank >= static_cast<i128>(all.size())) return 0;
    const Key& key = all[static_cast<std::size_t>(rank)];
    return perm ? static_cast<i128>(key.v) : key.key;
  }

  const Program& x_program;
  const Hint& x_hint;
  const RandomBatch& x_batch;
  InputsAccess x_access;
};

CompiledProgram compiled(const std::string& source) {
  auto program = compile(source, {});
  if (!program) {
    ADD_FAILURE() << program.error().listing;
    return {};
  }
  return *std::move(program);
}

void check_hints(const std::string& source, std::uint64_t seed, test::ValueStyle style) {
  SCOPED_TRACE(source);
  const CompiledProgram program = compiled(source);
  Rng rng(seed);
  RandomBatch batch(program.program, rng, {.style = style, .max_dim = std::uint64_t{1} << 20});
  for (const Hint& hint : program.hints) {
    const Item& item = program.program.items[hint.item];
    const std::uint64_t entries = element_count(item.extents, batch.values());
    const ElementType type = program.program.objects[item.results[0]].type;
    HintOracle oracle(program.program, hint, batch);
    std::vector<i128> expected;
    for (std::uint64_t i = 0; i < entries; ++i) expected.push_back(oracle.value(i));
    for (const unsigned threads : {1U, 2U, 7U}) {
      ThreadPool pool(threads);
      const std::uint64_t first = threads == 1 ? 0 : test::pick(rng, 0, entries);
      std::vector<std::byte> out((entries - first) * element_bytes(type));
      evaluate_hint(program.program, hint, batch.values(), batch.inputs(), first, entries - first, pool, out);
      for (std::uint64_t i = first; i < entries; ++i) {
        ASSERT_EQ(to_string(read_element(out, type, i - first)), to_string(expected[i])) << "entry " << i;
      }
    }
  }
}

void check_both_styles(const std::string& source) {
  check_hints(source, 1, test::ValueStyle::kUniform);
  check_hints(source, 2, test::ValueStyle::kExtreme);
}

std::string records(std::size_t k, const std::string& rest) {
  return "program p\ndim K in " + std::to_string(k) + ".." + std::to_string(k) + "\n" + rest;
}

TEST(Hints, kth_of_rows_is_the_sorted_one_for_every_number_of_rows) {
  for (const std::size_t k : {0U, 1U, 2U, 3U, 15U, 16U, 17U, 31U, 32U, 33U, 63U, 64U, 65U, 100U}) {
    for (const char* const type : {"i8", "i32", "i64", "i128"}) {
      const std::string t = type;
      check_both_styles(records(k, "dim D = 70\nrow u: " + t + "[D]\nadvice a[d in D]: " + t +
                                       " hint kth(k in K: u[k, d], div(K - 1, 2))\nadvice b[d in D]: " + t +
                                       " hint kth(k in K: u[k, d], div(K, 2))\nadvice c[d in D]: " + t +
                                       " hint kth(k in K: u[k, d], K - 1)\n"));
    }
  }
}

TEST(Hints, kth_reads_rows_in_place_where_lanes_are_full) {
  for (const std::size_t k : {5U, 32U, 70U}) {
    check_both_styles(
        records(k,
                "dim D = 4160\nrow u: i32[D]\nadvice a[d in D]: i32 hint kth(k in K: u[k, d], div(K, 2))\n"
                "advice b[d in D]: i16 hint kth(k in K where k != 3: u[k, d], 1)\n"));
  }
}

TEST(Hints, kth_takes_a_rank_for_each_entry_and_gives_0_beyond) {
  for (const std::size_t k : {1U, 20U, 70U}) {
    check_both_styles(
        records(k, "dim D = 90\nrow u: i32[D]\nadvice a[d in D]: i32 hint kth(k in K: u[k, d], d - 5)\n"));
    check_both_styles(records(k, "dim D = 90\nrow u: i64[D]\nadvice a[d in D]: i8 hint kth(k in K: u[k, d], d - 5)\n"));
  }
}

TEST(Hints, kth_leaves_out_what_where_excludes) {
  for (const std::size_t k : {1U, 20U, 70U}) {
    const std::string start =
        "dim D = 90\nrow u: i32[D]\nrecord w: i64 in 0..1\nadvice a[d in D]: i32 hint kth(k in K where ";
    check_both_styles(records(k, start + "w[k] == 1: u[k, d], 3)\n"));
    check_both_styles(records(k, start + "u[k, d] > 0: u[k, d], 3)\n"));
    check_both_styles(records(k, start + "u[k, d] > 0 and w[k] == 1: u[k, d], mod(d, 9))\n"));
  }
}

TEST(Hints, kth_of_wide_computed_keys) {
  check_both_styles(records(9, "record w: i64\nadvice a: i128 hint kth(k in K: -(w[k]*K + k), K - 2)\n"));
  check_both_styles(records(30, "record w: i64\nadvice a[i in K]: i128 hint kth(k in K where k != i: w[k]*w[i], 4)\n"));
}

TEST(Hints, kth_of_two_indices) {
  check_both_styles(records(
      21, "dim D = 7\nrow u: i32[D]\nadvice a[i in K, d in D]: i32 hint kth(k in K where k < i: u[k, d], 2)\n"));
  check_both_styles(records(
      5, "dim D = 80\nrow u: i32[D]\nadvice a[i in K, d in D]: i32 hint kth(k in K where k < i: u[k, d], 1)\n"));
}

TEST(Hints, perm_sorts_stably) {
  for (const std::size_t k : {0U, 1U, 2U, 50U, 700U}) {
    check_both_styles(
        records(k,
                "record w: i64 in 0..9\nrecord x: i64\nadvice a[i in K]: i32 hint perm(k in K: w[k])\n"
                "advice b[i in K]: i32 hint perm(k in K: x[k])\nadvice c[i in K]: i8 hint perm(k in K: x[k]*x[k])\n"));
  }
}

TEST(Hints, perm_sorts_each_row_along_the_last_index) {
  check_both_styles(
      records(12, "dim D = 30\nrow u: i32[D]\nadvice a[i in K, j in D]: i32 hint perm(d in D: u[i, d])\n"));
  check_both_styles(
      records(12, "dim D = 30\nrow u: i8[D]\nadvice a[i in K, j in D]: i32 hint perm(d in D: u[i, d])\n"));
}

TEST(Hints, first_is_the_smallest_that_holds) {
  check_both_styles(records(
      40,
      "dim D = 100\nrow u: i32[D]\nadvice a[d in D]: i32 hint first(k in K: u[k, d] > 0)\n"
      "advice b: i64 hint first(k in K: u[k, 0] > 5)\nadvice c[i in K]: i32 hint first(d in D: u[i, d] == 1)\n"));
}

TEST(Hints, argmin_is_the_smallest_that_attains_the_minimum) {
  for (const std::size_t k : {0U, 1U, 40U}) {
    check_both_styles(records(
        k,
        "dim D = 100\nrow u: i32[D]\nrecord w: i64\nadvice a[d in D]: i32 hint argmin(k in K: u[k, d])\n"
        "advice b: i64 hint argmin(k in K: w[k]*w[k])\nadvice c[i in K]: i32 hint argmin(d in D: abs(u[i, d]))\n"));
  }
}

TEST(Hints, that_share_keys_are_found_in_one_pass) {
  const CompiledProgram program = compiled(records(
      32,
      "dim D = 5000\nrow u: i32[D]\nadvice a[d in D]: i32 hint kth(k in K: u[k, d], 15)\n"
      "advice b[d in D]: i32 hint kth(k in K: u[k, d], 16)\nadvice c[d in D]: i32 hint kth(k in K: u[k, d] + 1, 16)\n"
      "advice e[d in D]: i32 hint kth(k in K: u[k, d], a[d])\n"));
  ASSERT_EQ(program.hints.size(), 4U);
  EXPECT_TRUE(share_keys(program.program, program.hints[0], program.hints[1]));
  EXPECT_FALSE(share_keys(program.program, program.hints[0], program.hints[2]));
  EXPECT_FALSE(share_keys(program.program, program.hints[0], program.hints[3]));
  Rng rng(5);
  RandomBatch batch(program.program, rng, {.max_dim = 5000});
  ThreadPool pool(2);
  std::vector<std::vector<std::byte>> apart(2, std::vector<std::byte>(5000 * 4));
  std::vector<std::vector<std::byte>> together = apart;
  for (std::size_t h = 0; h < 2; ++h) {
    evaluate_hint(program.program, program.hints[h], batch.values(), batch.inputs(), 0, 5000, pool, apart[h]);
  }
  const Hint* const hints[] = {&program.hints[0], &program.hints[1]};
  const std::span<std::byte> outs[] = {together[0], together[1]};
  evaluate_hints(program.program, hints, batch.values(), batch.inputs(), 0, 5000, pool, outs);
  EXPECT_EQ(apart, together);
}

}  // namespace
}  // namespace tally::math
