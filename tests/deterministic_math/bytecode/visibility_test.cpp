#include "deterministic_math/bytecode/visibility.h"

#include <gtest/gtest.h>

#include <map>
#include <tuple>
#include <vector>

#include "tests/support/random_program.h"
#include "tests/support/small_program.h"

namespace tally::math {
namespace {

/// The order of entries as DESIGN section 1 states it: every entry of every item, listed.
std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> positions(const Program& program,
                                                                       const BatchValues& values) {
  using Key = std::tuple<std::size_t, std::uint64_t, std::size_t, std::uint64_t>;  // group, t, item, flattened index
  std::map<Key, std::pair<std::size_t, std::uint64_t>> sorted;
  for (std::size_t item = 0; item < program.items.size(); ++item) {
    const LoopId loop = program.items[item].loop;
    std::size_t group = item;  // a loop counts as the first of its items
    while (loop != kOutside && group > 0 && program.items[group - 1].loop == loop) --group;
    for (std::uint64_t flat = 0; flat < element_count(program.items[item].extents, values); ++flat) {
      const std::uint64_t t = loop == kOutside ? 0 : entry_indices(program.items[item], values, flat)[0];
      sorted[{group, t, item, flat}] = {item, flat};
    }
  }
  std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> numbered;
  for (const auto& [key, entry] : sorted) numbered.emplace(entry, numbered.size());
  return numbered;
}

TEST(Visibility, shows_exactly_the_computed_entries_that_come_before) {
  std::size_t visible = 0;
  std::size_t hidden = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    test::Rng rng(seed);
    const Program program = test::random_program(rng, {.max_items = 6});
    const test::RandomBatch batch(program, rng, {.max_dim = 3});
    const BatchValues& values = batch.values();
    const auto order = positions(program, values);
    for (const auto& [loading, position] : order) {
      for (ObjectId id = 2; id < program.objects.size(); ++id) {
        const Object& object = program.objects[id];
        if (object.kind != ObjectKind::kComputed) continue;
        for (std::uint64_t flat = 0; flat < element_count(object.extents, values); ++flat) {
          Item shape;
          shape.rank = object.rank;
          shape.extents = object.extents;
          const auto indices = entry_indices(shape, values, flat);
          const auto load = resolve_load(program, values, loading.first, loading.second, id,
                                         {static_cast<i128>(indices[0]), static_cast<i128>(indices[1])});
          const bool before = order.at({*owner_item(program, id), flat}) < position;
          ASSERT_EQ(load.element.has_value(), before) << seed;
          ASSERT_EQ(load.element.value_or(flat), flat);
          (before ? visible : hidden) += 1;
        }
      }
    }
  }
  EXPECT_GT(visible, 10000U);
  EXPECT_GT(hidden, 10000U);
}

TEST(Visibility, compares_coordinates_before_flattening) {
  const Program program = test::small_program();
  const BatchValues values{{3, 2, 4}, 1, 0, 0};
  const auto element = [&](i128 k, i128 d) {
    return resolve_load(program, values, 2, 0, test::kUpdates, {k, d}).element;
  };
  EXPECT_EQ(element(2, 3), 11U);
  EXPECT_EQ(element(1, 0), 4U);
  EXPECT_EQ(element(3, 0), std::nullopt);
  EXPECT_EQ(element(0, 4), std::nullopt);  // would be element 4 if it were flattened first
  EXPECT_EQ(element(-1, 0), std::nullopt);
  EXPECT_EQ(element(1, -1), std::nullopt);
  EXPECT_EQ(element(i128{1} << 64, 0), std::nullopt);
  EXPECT_EQ(element(kI128Min, kI128Max), std::nullopt);
}

/// A loop of an advice and two tables.
Program loop_program() {
  const Extent rounds{ExtentKind::kConstant, 3};
  const Extent one{};
  Program program;
  program.dims = {{DimRole::kRecords, 1, 1}};
  const auto object = [&](ObjectKind kind, RangeOrigin origin) {
    program.objects.push_back({kind, ElementType::kI8, 1, {rounds, one}, origin, {-7, 7}});
  };
  object(ObjectKind::kAdvice, RangeOrigin::kDeclared);
  object(ObjectKind::kComputed, RangeOrigin::kProved);
  object(ObjectKind::kComputed, RangeOrigin::kDeclared);
  object(ObjectKind::kComputed, RangeOrigin::kProved);
  object(ObjectKind::kAdvice, RangeOrigin::kDeclared);
  program.loops = {{rounds}};
  for (ObjectId id = 0; id < 5; ++id) {
    const bool advice = program.objects[id].kind == ObjectKind::kAdvice;
    program.items.push_back({advice ? ItemKind::kAdvice : ItemKind::kTable, 0, 1, {rounds, one}, {id}, Body{}});
  }
  return program;
}

TEST(Visibility, follows_the_rounds_of_a_loop) {
  const Program program = loop_program();
  const auto rule = [&](std::size_t item, ObjectId object) { return load_site(program, item, object).rule; };
  EXPECT_EQ(rule(0, 0), LoadRule::kUpToRound);  // an advice's own check
  EXPECT_EQ(rule(1, 0), LoadRule::kUpToRound);
  EXPECT_EQ(rule(1, 1), LoadRule::kSmallerFlat);
  EXPECT_EQ(rule(2, 1), LoadRule::kUpToRound);
  EXPECT_EQ(rule(1, 2), LoadRule::kEarlierRound);
  EXPECT_EQ(rule(1, 4), LoadRule::kEarlierRound);
  const BatchValues values{{1}, 1, 0, 0};
  const auto seen = [&](std::size_t item, std::uint64_t entry, ObjectId object, i128 t) {
    return resolve_load(program, values, item, entry, object, {t, 0}).element.has_value();
  };
  EXPECT_TRUE(seen(0, 1, 0, 1) && !seen(0, 1, 0, 2));
  EXPECT_TRUE(seen(2, 1, 1, 1) && !seen(2, 1, 1, 2));
  EXPECT_TRUE(seen(1, 1, 2, 0) && !seen(1, 1, 2, 1));
  EXPECT_TRUE(seen(1, 1, 1, 0) && !seen(1, 1, 1, 1));
}

TEST(Visibility, clamps_to_the_type_where_a_range_is_not_yet_proved) {
  const Program program = loop_program();
  EXPECT_EQ(load_site(program, 1, 3).clamp, type_range(ElementType::kI8));
  EXPECT_EQ(load_site(program, 1, 2).clamp, (Range{-7, 7}));  // declared
  EXPECT_EQ(load_site(program, 3, 1).clamp, (Range{-7, 7}));  // earlier: proved
  EXPECT_EQ(load_site(program, 1, 1).clamp, (Range{-7, 7}));  // its own
  EXPECT_EQ(load_site(program, 1, 4).clamp, (Range{-7, 7}));
}

TEST(Visibility, hides_later_items_outside_loops_and_shows_an_advice_to_its_check) {
  const Program program = test::small_program();
  EXPECT_EQ(load_site(program, 0, test::kMiddle).rule, LoadRule::kNever);
  EXPECT_EQ(load_site(program, 1, test::kNextModel).rule, LoadRule::kNever);
  EXPECT_EQ(load_site(program, 1, test::kMiddle).rule, LoadRule::kVisible);
  EXPECT_EQ(load_site(program, 2, test::kWalk).rule, LoadRule::kNever);
  EXPECT_EQ(load_site(program, 3, test::kNextModel).rule, LoadRule::kVisible);
}

}  // namespace
}  // namespace tally::math
