// Games over one entry: lies of every kind at every place, against honest and dishonest sides.
#include <gtest/gtest.h>

#include <string>

#include "fraud_proof/game/game.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/game_players.h"

namespace tally::proof {
namespace {

using math::Accumulators;
using test::CommittedMemory;
using test::GameWorld;
using test::Match;
using test::StateAt;
using test::states_of;

// Two accumulators, and a finish that loads. Item 0 is the table `t` of 3 entries.
std::string small_source(std::uint64_t length) {
  return "program small\n"
         "dim K in " +
         std::to_string(length) + ".." + std::to_string(length) +
         "\n"
         "dim N = 3\n"
         "record x: i64 in -100..100\n"
         "state base: i64[N] in 0..1000\n"
         "table t[i in N]: i64 {\n"
         "  fold k in K { s = s + x[k] * (i + 1)  n = n + 1 } from s = 0, n = 0\n"
         "  return base[i] + 3 * s + n\n"
         "}\n";
}

math::ObjectId first_table(const math::Program& program) {
  math::ObjectId id = 0;
  while (program.objects[id].kind != math::ObjectKind::kComputed) ++id;
  return id;
}

Game open(CommittedMemory& committed, std::uint16_t item, std::uint64_t entry) {
  const auto openings = make_result_openings(committed.batch(), item, entry, committed);
  auto game = open_game(committed.batch(), test::start_of(committed), item, entry, openings);
  EXPECT_TRUE(game.has_value()) << game.error().message;
  return std::move(game).value();
}

math::TaskShape shape_of(const CommittedBatch& batch) { return {batch.values.dims, batch.leaf_bytes}; }

StateAt wrong_from(StateAt truth, std::uint64_t first_wrong) {
  return [truth = std::move(truth), first_wrong](std::uint64_t number) {
    Accumulators state = truth(number);
    if (number >= first_wrong) state[0] += 1;
    return state;
  };
}

// Lies at each of the states that `mask` names.
StateAt wrong_at(StateAt truth, std::uint64_t mask) {
  return [truth = std::move(truth), mask](std::uint64_t number) {
    Accumulators state = truth(number);
    if ((mask >> number) % 2 == 1) state[0] += 1;
    return state;
  };
}

TEST(Bisection, boundaries_stand_where_the_design_says) {
  EXPECT_TRUE(boundary_positions(4, 5, 32).empty());
  EXPECT_EQ(boundary_positions(0, 2, 32), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(boundary_positions(0, 7, 3), (std::vector<std::uint64_t>{2, 4}));
  EXPECT_EQ(boundary_positions(10, 15, 2), (std::vector<std::uint64_t>{12}));
  EXPECT_EQ(boundary_positions(3, 14, 4), (std::vector<std::uint64_t>{5, 8, 11}));
  const auto many = boundary_positions(0, (std::uint64_t{1} << 28) + 1, 64);
  ASSERT_EQ(many.size(), 63U);
  EXPECT_EQ(many.front(), (std::uint64_t{1} << 22));
  EXPECT_EQ(boundary_positions(~std::uint64_t{0} - 64, ~std::uint64_t{0}, 64).back(), ~std::uint64_t{0} - 1);
}

TEST(Bisection, every_small_game_against_every_pattern_of_lies_is_won) {
  for (const std::uint16_t arity : {std::uint16_t{2}, std::uint16_t{3}}) {
    for (std::uint64_t length = 0; length <= 6; ++length) {
      GameWorld world(small_source(length));
      const StateAt truth = states_of(world.states(0, 1));
      const math::ObjectId table = first_table(world.program());
      world.set(table, 1, world.value(table, 1) + 1);
      CommittedMemory& committed = world.commit();
      const std::uint64_t most = most_moves(world.program(), shape_of(committed.batch()), arity);
      for (std::uint64_t mask = 0; mask < (std::uint64_t{2} << length); ++mask) {
        const Match match =
            test::play(committed.batch(), arity, open(committed, 0, 1), wrong_at(truth, mask), truth, committed);
        EXPECT_TRUE(match.poster_lost) << "arity " << arity << " length " << length << " lies " << mask;
        EXPECT_LE(match.poster_moves, most);
        EXPECT_LE(match.challenger_moves, most);
      }
    }
  }
}

// Every choice that a challenger has, to the bottom of the game; each proof must be refused.
void expect_never_lost(const MoveContext& base, const Game& game, const StateAt& truth, LeafSource& source) {
  MoveContext context = base;
  context.now_s = game.moved_at_s + 1;
  switch (game.phase) {
    case Phase::kRespond: {
      context.sender = test::kPosterAddress;
      const auto next = apply_move(context, game, test::respond_with(context, game, truth));
      ASSERT_TRUE(next.has_value()) << next.error().message;
      expect_never_lost(base, std::get<Game>(*next), truth, source);
      return;
    }
    case Phase::kNarrow: {
      context.sender = test::kChallengerAddress;
      const std::size_t segments = boundary_positions(game.low, game.high, context.arity).size() + 1;
      for (std::uint8_t segment = 0; segment < segments; ++segment) {
        const auto next = apply_move(context, game, Narrow{segment});
        ASSERT_TRUE(next.has_value()) << next.error().message;
        expect_never_lost(base, std::get<Game>(*next), truth, source);
      }
      return;
    }
    case Phase::kProve: {
      context.sender = test::kChallengerAddress;
      const Transition transition{game.item, game.entry, game.low};
      const auto witness = make_witness(context.batch, transition, game.at_low, source);
      const auto next = apply_move(context, game, Prove{witness});
      ASSERT_FALSE(next.has_value());
      EXPECT_EQ(next.error().reason, Reason::kNotDisproved);
      return;
    }
    case Phase::kReveal:
    case Phase::kDescend:
    case Phase::kChoose:
      FAIL();
  }
}

TEST(Bisection, no_challenger_wins_any_small_game_against_an_honest_poster) {
  for (const std::uint16_t arity : {std::uint16_t{2}, std::uint16_t{3}}) {
    for (std::uint64_t length = 0; length <= 6; ++length) {
      GameWorld world(small_source(length));
      const StateAt truth = states_of(world.states(0, 2));
      CommittedMemory& committed = world.commit();
      expect_never_lost({.batch = committed.batch(), .arity = arity}, open(committed, 0, 2), truth, committed);
    }
  }
}

TEST(Bisection, folds_of_all_lengths_are_won_within_the_computed_moves_at_every_arity) {
  for (const std::uint16_t arity : {std::uint16_t{2}, std::uint16_t{3}, std::uint16_t{32}, std::uint16_t{64}}) {
    for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{arity} - 1,
                                       std::uint64_t{arity}, std::uint64_t{arity} + 1}) {
      GameWorld world(small_source(length));
      const StateAt truth = states_of(world.states(0, 0));
      const math::ObjectId table = first_table(world.program());
      world.set(table, 0, world.value(table, 0) - 1);
      CommittedMemory& committed = world.commit();
      const std::uint64_t most = most_moves(world.program(), shape_of(committed.batch()), arity);
      for (std::uint64_t first_wrong = 0; first_wrong <= length + 1; ++first_wrong) {
        const Match match = test::play(committed.batch(), arity, open(committed, 0, 0), wrong_from(truth, first_wrong),
                                       truth, committed);
        EXPECT_TRUE(match.poster_lost) << "arity " << arity << " length " << length << " from " << first_wrong;
        EXPECT_LE(match.poster_moves, most);
        EXPECT_LE(match.challenger_moves, most);
      }
    }
  }
}

// s = 1 + 2 + … + L without a load: a state is a formula.
TEST(Bisection, a_fold_of_2_to_the_28_is_won_within_the_computed_moves_at_every_arity) {
  GameWorld world(
      "program long\n"
      "dim K in 1..1\n"
      "dim L <= 1 << 28\n"
      "table t: i64 { fold l in L { s = s + l + 1 } from s = 0  return s }\n");
  const std::uint64_t length = std::uint64_t{1} << 28;
  const StateAt truth = [](std::uint64_t number) {
    return Accumulators{static_cast<math::i128>(number) * (number + 1) / 2};
  };
  world.set(first_table(world.program()), 0, truth(length)[0] + 1);
  CommittedMemory& committed = world.commit();
  CommittedBatch batch = committed.batch();
  batch.values.dims[1] = length;
  for (const std::uint16_t arity : {std::uint16_t{2}, std::uint16_t{3}, std::uint16_t{32}, std::uint16_t{64}}) {
    const std::uint64_t most = most_moves(world.program(), shape_of(batch), arity);
    for (const std::uint64_t first_wrong : {std::uint64_t{0}, std::uint64_t{1}, length / 3, length, length + 1}) {
      const auto openings = make_result_openings(batch, 0, 0, committed);
      const Game game = open_game(batch, test::start_of(committed), 0, 0, openings).value();
      EXPECT_EQ(game.high, length + 1);
      const Match match = test::play(batch, arity, game, wrong_from(truth, first_wrong), truth, committed);
      EXPECT_TRUE(match.poster_lost) << "arity " << arity << " from " << first_wrong;
      EXPECT_LE(match.challenger_moves, most);
    }
  }
  // 2^28 + 1 transitions: 29 halvings, with 32 segments 6 rounds; then the proof, and choosing the one leaf.
  EXPECT_EQ(most_moves(world.program(), shape_of(batch), 2), 29U + 1 + 1);
  EXPECT_EQ(most_moves(world.program(), shape_of(batch), 32), 6U + 1 + 1);
}

TEST(Bisection, a_thousand_clients_at_arity_32_take_five_transactions) {
  GameWorld world(small_source(1000));
  const StateAt truth = states_of(world.states(0, 0));
  const math::ObjectId table = first_table(world.program());
  world.set(table, 0, world.value(table, 0) + 1);
  CommittedMemory& committed = world.commit();
  const Match match =
      test::play(committed.batch(), 32, open(committed, 0, 0), wrong_from(truth, 400), truth, committed);
  EXPECT_TRUE(match.poster_lost);
  EXPECT_EQ(1 + match.poster_moves + match.challenger_moves, 5U);
}

TEST(Bisection, a_check_is_lost_by_fail_alone) {
  const std::string source =
      "program checked\n"
      "dim K in 5..5\n"
      "record x: i64 in 0..100\n"
      "state limit: i64 in 0..1000\n"
      "check { fold k in K { s = s + x[k] } from s = 0  require s <= limit }\n";
  GameWorld world(source);
  const math::ObjectId limit = 3;
  for (const math::i128 bound : {math::i128{0}, math::i128{1000}}) {
    world.set(limit, 0, bound);
    CommittedMemory& committed = world.commit();
    const StateAt truth = states_of(world.states(0, 0));
    EXPECT_TRUE(make_result_openings(committed.batch(), 0, 0, committed).empty());
    const Match match = test::play(committed.batch(), 2, open(committed, 0, 0), truth, truth, committed);
    EXPECT_EQ(match.poster_lost, bound == 0);
    if (bound != 0) {
      EXPECT_EQ(match.refused, Reason::kNotDisproved);
    }
  }
}

TEST(Bisection, a_table_of_several_columns_is_lost_by_any_of_them) {
  GameWorld world(
      "program columns\n"
      "dim K in 4..4\n"
      "record x: i64 in 0..100\n"
      "table a[i in 3]: i64, b: i32 {\n"
      "  fold k in K { s = s + x[k]  m = max(m, x[k]) } from s = 0, m = 0\n"
      "  return s, m\n"
      "}\n");
  const StateAt truth = states_of(world.states(0, 1));
  const math::ObjectId first = first_table(world.program());
  for (const math::ObjectId table : {first, static_cast<math::ObjectId>(first + 1)}) {
    const math::i128 value = world.value(table, 1);
    world.set(table, 1, value + 1);
    CommittedMemory& committed = world.commit();
    EXPECT_TRUE(test::play(committed.batch(), 3, open(committed, 0, 1), truth, truth, committed).poster_lost);
    world.set(table, 1, value);
  }
  CommittedMemory& committed = world.commit();
  const Match honest = test::play(committed.batch(), 3, open(committed, 0, 1), truth, truth, committed);
  EXPECT_EQ(honest.refused, Reason::kNotDisproved);
}

// Claims at the ends of their widths, outside any proved range, are claims like others.
TEST(Bisection, claims_outside_the_proved_range_lose_like_others) {
  GameWorld world(small_source(6));
  const StateAt truth = states_of(world.states(0, 1));
  const math::ObjectId table = first_table(world.program());
  world.set(table, 1, world.value(table, 1) + 1);
  CommittedMemory& committed = world.commit();
  for (const math::i128 wild : {math::kI128Min, math::kI128Max, math::i128{1} << 100, math::i128{-1}}) {
    for (std::uint64_t first_wrong = 1; first_wrong <= 6; ++first_wrong) {
      const StateAt claim = [&](std::uint64_t number) {
        return number >= first_wrong ? Accumulators{wild, wild} : truth(number);
      };
      EXPECT_TRUE(test::play(committed.batch(), 3, open(committed, 0, 1), claim, truth, committed).poster_lost);
    }
  }
}

}  // namespace
}  // namespace tally::proof
