// Small worlds completely: every game over folds of up to six steps, in two and in three segments a round, with the
// committed entry true or false in several ways, with the tables open and withheld. Where the entry is false, the
// honest challenger wins every game that there is; where it is true, the honest poster does; and between two liars each
// game still ends within the moves that the clocks hold, in states that never come again.
#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

#include "fraud_proof/step/one_step.h"
#include "tests/fraud_proof/game/every_game.h"

namespace tally::proof {
namespace {

using math::i128;
using math::ObjectId;
using test::Arena;
using test::CommittedMemory;
using test::EveryGame;
using test::GameCount;
using test::GameWorld;
using test::Liars;
using test::Place;

constexpr std::uint64_t kLongestFold = 6;

std::string program_of(std::uint64_t steps, const std::string& items) {
  const std::string length = std::to_string(steps);
  return "program small\ndim K in " + length + ".." + length + "\nrecord x: i64 in 0..3\nstate base: i64[2] in 0..9\n" +
         items;
}

const std::vector<std::string> kTables = {
    // one sum
    "table t: i64 { fold k in K { s = s + x[k] } from s = 0  return s + base[1] }\n",
    // two accumulators and two results, and steps that are the identity
    "table t[d in 2]: i64, u: i64 { fold k in K where x[k] > d { s = s + x[k]  n = n + 1 } from s = 0, n = 0\n"
    "  return s + base[d], n }\n",
    // an entry that reads the ones before it
    "table t[d in 3]: i64 in 0..1000 { fold k in K { s = s + x[k] } from s = 1  return min(t[d - 1] + s, 1000) }\n",
    // FAIL, whatever is claimed
    "table t: i64 { fold k in K { s = s + x[k] } from s = 0  require s > 100  return s }\n",
};

const std::vector<std::string> kChecks = {
    "check { fold k in K { s = s + x[k] } from s = 0  require s > 100 }\n",
    "check { fold k in K { s = s + x[k] } from s = 0  require s < 100 }\n",
};

/// A batch as it would be computed, and perhaps changed; its games, over any entry.
class SmallWorld {
 public:
  explicit SmallWorld(const std::string& source) : x_own(source), x_posted(source) { x_own_trees = &x_own.commit(); }

  GameWorld& posted() { return x_posted; }
  [[nodiscard]] const math::Program& program() const { return x_posted.program(); }

  [[nodiscard]] std::uint64_t entries(std::size_t item) const {
    return math::element_count(program().items[item].extents, x_posted.evaluation().values);
  }
  [[nodiscard]] bool is_false(const Place& place) {
    const auto right = math::evaluate_entry(x_posted.evaluation(), place.item, place.entry);
    if (!right) return true;
    const math::Item& item = program().items[place.item];
    for (std::size_t column = 0; item.kind == math::ItemKind::kTable && column < item.results.size(); ++column) {
      if ((*right)[column] != x_posted.value(item.results[column], place.entry)) return true;
    }
    return false;
  }

  /// Every game over one entry, with each side lying that has a reason to, and with both.
  GameCount games_over(const Place& place, std::uint16_t arity) {
    CommittedMemory& trees = x_posted.commit();
    const Game game = open_game(trees.batch(), start(trees, arity), place.item, place.entry,
                                make_result_openings(trees.batch(), place.item, place.entry, trees))
                          .value();
    Arena arena = arena_of(trees, arity);
    arena.target = place;
    GameCount count = EveryGame(arena, is_false(place) ? Liars::kPoster : Liars::kChallenger).play(game);
    return count += EveryGame(arena, Liars::kBoth).play(game);
  }

  /// Every game that begins at the roots of withheld tables; the challenger of a false batch disputes `target`.
  GameCount games_below(const std::vector<ObjectId>& tables, const Place& target, const std::vector<Place>& choices,
                        std::uint16_t arity) {
    CommittedMemory& trees = x_posted.commit();
    std::vector<Digest> roots;
    for (const ObjectId table : tables) roots.push_back(trees.tree_root(table));
    const Game game = open_descent(trees.batch(), start(trees, arity), target.item, tables,
                                   make_roots(trees.batch(), tables, roots, trees.table_commitments()))
                          .value();
    Arena arena = arena_of(trees, arity);
    arena.target = target;
    arena.choices = choices;
    return EveryGame(arena, is_false(target) ? Liars::kPoster : Liars::kChallenger).play(game);
  }

 private:
  // The clocks hold just the moves that a side may have to make, of a second each.
  [[nodiscard]] GameStart start(const CommittedMemory& trees, std::uint16_t arity) const {
    const auto& batch = trees.batch();
    return test::start_of(trees, most_moves(program(), {batch.values.dims, batch.leaf_bytes}, arity));
  }
  Arena arena_of(CommittedMemory& trees, std::uint16_t arity) {
    return {.posted = trees, .own = *x_own_trees, .arity = arity, .truth = [this](const Place& place) {
              return test::states_of(x_posted.states(place.item, place.entry));
            }};
  }

  GameWorld x_own;
  GameWorld x_posted;
  CommittedMemory* x_own_trees = nullptr;
};

void print(const GameCount& count) {
  std::uint64_t refusals = 0;
  for (const auto& [reason, times] : count.refusals) refusals += times;
  std::cout << count.states << " states, " << count.won << " ends by proof, " << count.clock << " by the clock, "
            << refusals << " refusals of " << count.refusals.size() << " kinds\n";
}

/// Every entry of the batch as it is.
GameCount all_entries(SmallWorld& world, std::uint16_t arity) {
  GameCount count;
  for (std::uint64_t entry = 0; entry < world.entries(0); ++entry) count += world.games_over({0, entry}, arity);
  return count;
}

TEST(SmallWorlds, a_false_entry_loses_every_game_and_a_true_one_none) {
  GameCount count;
  for (std::uint64_t steps = 0; steps <= kLongestFold; ++steps) {
    for (const std::uint16_t arity : {std::uint16_t{2}, std::uint16_t{3}}) {
      for (const std::string& table : kTables) {
        SmallWorld world(program_of(steps, table));
        count += all_entries(world, arity);
        for (const ObjectId result : world.program().items[0].results) {
          for (std::uint64_t entry = 0; entry < world.entries(0); ++entry) {
            const i128 right = world.posted().value(result, entry);
            for (const i128 wrong : {right + 1, right - 1, right == 77 ? i128{78} : i128{77}}) {
              world.posted().set(result, entry, wrong);
              count += all_entries(world, arity);
            }
            world.posted().set(result, entry, right);
          }
        }
      }
    }
  }
  print(count);
  EXPECT_GT(count.won, 1000U);
  EXPECT_GT(count.clock, 1000U);
}

TEST(SmallWorlds, a_check_loses_every_game_where_it_fails_and_none_where_it_does_not) {
  GameCount count;
  for (std::uint64_t steps = 0; steps <= kLongestFold; ++steps) {
    for (const std::uint16_t arity : {std::uint16_t{2}, std::uint16_t{3}}) {
      for (const std::string& check : kChecks) {
        SmallWorld world(program_of(steps, check));
        count += all_entries(world, arity);
      }
    }
  }
  print(count);
  EXPECT_GT(count.won, 10U);
}

// Two tables of a loop, of several leaves each; b also of levels that the first reveal does not reach.
constexpr std::uint64_t kRounds = 2;
constexpr std::uint64_t kWidthA = 9;
constexpr std::uint64_t kWidthB = 68;
constexpr std::uint16_t kItemA = 0;
constexpr std::uint16_t kItemB = 1;

std::string loop_of(std::uint64_t steps) {
  return program_of(steps,
                    "loop r in 2 {\n"
                    "  table a[d in 9]: i64 in 0..1000 { fold k in K { s = s + x[k] } from s = 1\n"
                    "    return min(a[r - 1, d] + b[r - 1, d] + s + d, 1000) }\n"
                    "  table b[d in 68]: i64 in 0..1000 { return min(a[r, mod(d, 9)] + d, 1000) }\n"
                    "}\n");
}

std::vector<Place> all_places() {
  std::vector<Place> places;
  for (std::uint64_t entry = 0; entry < kRounds * kWidthA; ++entry) places.push_back({kItemA, entry});
  for (std::uint64_t entry = 0; entry < kRounds * kWidthB; ++entry) places.push_back({kItemB, entry});
  return places;
}

ObjectId result_of(SmallWorld& world, const Place& place) { return world.program().items[place.item].results[0]; }

TEST(SmallWorlds, a_false_entry_of_a_withheld_loop_is_found_and_loses_every_game) {
  GameCount count;
  for (const std::uint16_t arity : {std::uint16_t{2}, std::uint16_t{3}}) {
    SmallWorld world(loop_of(3));
    const ObjectId a = world.program().items[kItemA].results[0];
    const ObjectId b = world.program().items[kItemB].results[0];
    for (const Place& place : all_places()) {
      const ObjectId table = result_of(world, place);
      const i128 right = world.posted().value(table, place.entry);
      world.posted().set(table, place.entry, right + 1);
      count += world.games_below({a, b}, place, {}, arity);
      count += world.games_below({table}, place, {}, arity);
      world.posted().set(table, place.entry, right);
    }
  }
  print(count);
  EXPECT_GT(count.won, 500U);
}

TEST(SmallWorlds, a_true_withheld_loop_wins_every_game_that_descends_into_it) {
  GameCount count;
  SmallWorld world(loop_of(2));
  const ObjectId a = world.program().items[kItemA].results[0];
  const ObjectId b = world.program().items[kItemB].results[0];
  for (const std::uint16_t arity : {std::uint16_t{2}, std::uint16_t{3}}) {
    count += world.games_below({a, b}, {kItemA, 0}, all_places(), arity);
  }
  print(count);
  EXPECT_EQ(count.won, 0U);
  EXPECT_GT(count.states, 500U);
}

}  // namespace
}  // namespace tally::proof
