// The main property of disputes at random programs: where one stored entry is changed, the honest challenger wins
// whatever the poster claims; where none is, no challenger does.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "deterministic_math/bytecode/visibility.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/game_players.h"

namespace tally::proof {
namespace {

using math::Accumulators;
using math::ObjectId;
using test::CommittedMemory;
using test::GameWorld;
using test::pick;
using test::Rng;
using test::StateAt;

constexpr std::uint64_t kPrograms = 250;

std::uint16_t pick_arity(Rng& rng) {
  constexpr std::array<std::uint16_t, 5> kArities = {2, 3, 5, 32, 64};
  return kArities[pick(rng, 0, kArities.size() - 1)];
}

std::uint32_t pick_leaf_bytes(Rng& rng) { return std::uint32_t{64} << pick(rng, 0, 2); }

/// A body and one of its entries in the batch; absent where the program has no entry at all.
struct Place {
  std::uint16_t item = 0;
  std::uint64_t entry = 0;
};

std::optional<Place> pick_entry(Rng& rng, const GameWorld& world, bool of_a_table) {
  const math::Program& program = world.program();
  std::vector<Place> places;
  for (std::size_t item = 0; item < program.items.size(); ++item) {
    const math::Item& candidate = program.items[item];
    const std::uint64_t entries = math::element_count(candidate.extents, world.evaluation().values);
    if (!candidate.body || entries == 0 || (of_a_table && candidate.kind != math::ItemKind::kTable)) continue;
    places.push_back({static_cast<std::uint16_t>(item), pick(rng, 0, entries - 1)});
  }
  if (places.empty()) return std::nullopt;
  return places[pick(rng, 0, places.size() - 1)];
}

/// True states, but for lies at a share of the numbers, which are the same each time that they are asked for.
StateAt lying(StateAt truth, std::uint64_t seed, std::uint64_t share) {
  return [truth = std::move(truth), seed, share](std::uint64_t number) {
    Rng rng(seed + number);
    Accumulators state = truth(number);
    if (pick(rng, 0, 99) < share) {
      const std::uint64_t j = pick(rng, 0, math::kMaxAccumulators - 1);
      state[j] = test::pick_value(rng, {math::kI128Min, math::kI128Max}, test::ValueStyle::kExtreme);
    }
    return state;
  };
}

Game open(CommittedMemory& committed, const Place& place) {
  const auto openings = make_result_openings(committed.batch(), place.item, place.entry, committed);
  return open_game(committed.batch(), test::start_of(committed, 1U << 20), place.item, place.entry, openings).value();
}

TEST(RandomGames, a_changed_entry_loses_whatever_the_poster_claims) {
  std::uint64_t played = 0;
  for (std::uint64_t seed = 1; seed <= kPrograms; ++seed) {
    Rng rng(seed);
    GameWorld world(test::random_program(rng, {.max_items = 6}), seed, pick(rng, 1, 9));
    const auto place = pick_entry(rng, world, true);
    if (!place) continue;
    const math::Item& item = world.program().items[place->item];
    const ObjectId table = item.results[pick(rng, 0, item.results.size() - 1)];
    const math::i128 changed =
        test::pick_value(rng, math::type_range(world.program().objects[table].type), test::ValueStyle::kUniform);
    if (changed == world.value(table, place->entry)) continue;
    world.set(table, place->entry, changed);
    CommittedMemory& committed = world.commit(pick_leaf_bytes(rng));
    const std::uint16_t arity = pick_arity(rng);
    const StateAt truth = test::states_of(world.states(place->item, place->entry));
    const StateAt claim = lying(truth, seed, pick(rng, 0, 1) == 0 ? 0 : pick(rng, 1, 99));
    const test::Match match = test::play(committed.batch(), arity, open(committed, *place), claim, truth, committed);
    EXPECT_TRUE(match.poster_lost) << "seed " << seed;
    const std::uint64_t most =
        most_moves(world.program(), {committed.batch().values.dims, committed.batch().leaf_bytes}, arity);
    EXPECT_LE(match.challenger_moves, most);
    EXPECT_LE(match.poster_moves, most);
    ++played;
  }
  EXPECT_GT(played, kPrograms / 2);
}

/// A challenger that picks any segment, and proves what it comes to.
bool wins_blindly(Rng& rng, const MoveContext& base, Game game, const StateAt& truth, LeafSource& source) {
  while (true) {
    MoveContext context = base;
    context.now_s = game.moved_at_s;
    context.sender = to_move(game.phase) == Side::kPoster ? test::kPosterAddress : test::kChallengerAddress;
    Move move = Narrow{};
    if (game.phase == Phase::kRespond) {
      move = test::respond_with(context, game, truth);
    } else if (game.phase == Phase::kNarrow) {
      move =
          Narrow{static_cast<std::uint8_t>(pick(rng, 0, boundary_positions(game.low, game.high, base.arity).size()))};
    } else {
      move = Prove{make_witness(base.batch, {game.item, game.entry, game.low}, game.at_low, source)};
    }
    auto result = apply_move(context, game, move);
    if (!result) {
      EXPECT_EQ(result.error().reason, Reason::kNotDisproved) << result.error().message;
      return false;
    }
    if (std::holds_alternative<PosterLost>(*result)) return true;
    game = std::get<Game>(std::move(*result));
  }
}

TEST(RandomGames, an_entry_that_is_its_fold_wins_against_every_challenger_and_a_fail_against_none) {
  std::uint64_t right = 0;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = 1; seed <= kPrograms; ++seed) {
    Rng rng(seed);
    GameWorld world(test::random_program(rng, {.max_items = 6}), seed, pick(rng, 1, 9));
    CommittedMemory& committed = world.commit(pick_leaf_bytes(rng));
    for (int games = 0; games < 6; ++games) {
      const auto place = pick_entry(rng, world, false);
      if (!place) break;
      const bool is_fail = !math::evaluate_entry(world.evaluation(), place->item, place->entry).has_value();
      const StateAt truth = test::states_of(world.states(place->item, place->entry));
      const MoveContext context{.batch = committed.batch(), .arity = pick_arity(rng)};
      if (is_fail) {
        const test::Match match =
            test::play(committed.batch(), context.arity, open(committed, *place), truth, truth, committed);
        EXPECT_TRUE(match.poster_lost) << "seed " << seed;
        ++failed;
      } else {
        EXPECT_FALSE(wins_blindly(rng, context, open(committed, *place), truth, committed)) << "seed " << seed;
        ++right;
      }
    }
  }
  EXPECT_GT(right, 300U);
  EXPECT_GT(failed, 20U);
}

/// A computed table is committed with one change, and withheld: the descent ends at the leaf that was changed.
TEST(RandomGames, a_withheld_table_is_descended_to_a_leaf_that_differs) {
  std::uint64_t played = 0;
  for (std::uint64_t seed = 1; seed <= kPrograms; ++seed) {
    Rng rng(seed);
    GameWorld world(test::random_program(rng, {.max_items = 6}), seed, 24);
    const auto place = pick_entry(rng, world, true);
    if (!place) continue;
    CommittedMemory& own = world.commit();
    const ObjectId table = world.program().items[place->item].results[0];
    std::vector<std::byte> changed = world.data().table(table);
    math::write_element(changed, world.program().objects[table].type, place->entry, ~world.value(table, place->entry));
    math::Inputs inputs = world.data().inputs();
    inputs.tables[table] = changed;
    CommittedMemory posted(world.program(), world.data().values(), inputs, 64);

    const std::vector<ObjectId> tables{table};
    const auto roots =
        make_roots(posted.batch(), tables, std::vector{posted.tree_root(table)}, posted.table_commitments());
    Game game = open_descent(posted.batch(), test::start_of(posted), place->item, tables, roots).value();
    while (game.phase != Phase::kChoose) {
      const bool poster = game.phase == Phase::kReveal;
      const MoveContext context{.batch = posted.batch(),
                                .sender = poster ? test::kPosterAddress : test::kChallengerAddress,
                                .now_s = game.moved_at_s};
      auto next = apply_move(context, game, poster ? test::reveal_with(game, posted) : test::descend_with(game, own));
      ASSERT_TRUE(next.has_value()) << next.error().message;
      game = std::get<Game>(std::move(*next));
    }
    EXPECT_EQ(game.descents[0].first_leaf, leaf_of(posted.batch(), table, place->entry).leaf) << "seed " << seed;
    ++played;
  }
  EXPECT_GT(played, kPrograms / 2);
}

}  // namespace
}  // namespace tally::proof
