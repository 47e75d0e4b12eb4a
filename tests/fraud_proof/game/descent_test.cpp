// Games that begin at the roots of withheld tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "fraud_proof/game/game.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/game_players.h"
#include "tests/support/memory_world.h"

namespace tally::proof {
namespace {

using math::ObjectId;
using test::CommittedMemory;
using test::GameWorld;
using test::StateAt;
using test::states_of;

// Tables of one, two and sixteen bytes an element; then a loop of two items with tables of other sizes.
std::string source_of(std::uint64_t entries) {
  return "program withheld\n"
         "dim K in 3..3\n"
         "dim D = " +
         std::to_string(entries) +
         "\n"
         "record x: i64 in 0..3\n"
         "state m: i8[D] in -100..100\n"
         "table t[d in D]: i8, u: i16, v: i128 {\n"
         "  fold k in K { s = s + x[k] } from s = 0\n"
         "  return m[d] + s, m[d] - s, s * d\n"
         "}\n"
         "loop r in 3 {\n"
         "  table a[d in 40]: i32 { return clamp(a[r, d - 1] + r, 0, 1000) }\n"
         "  check { require a[r, 0] >= 0 }\n"
         "  table b: i64 { return clamp(a[r, 7] + b[r - 1], 0, 1000) }\n"
         "}\n"
         "table after: i64 { return b[2] }\n";
}

constexpr ObjectId kT = 4;
constexpr ObjectId kU = 5;
constexpr ObjectId kV = 6;
constexpr ObjectId kA = 7;
constexpr ObjectId kB = 8;
constexpr ObjectId kAfter = 9;

OrRefused<Game> open(CommittedMemory& posted, std::uint16_t item, const std::vector<ObjectId>& tables) {
  std::vector<Digest> roots;
  for (const ObjectId table : tables) roots.push_back(posted.tree_root(table));
  const auto bytes = make_roots(posted.batch(), tables, roots, posted.table_commitments());
  return open_descent(posted.batch(), test::start_of(posted), item, tables, bytes);
}

struct Walk {
  Game game;
  std::uint64_t poster_moves = 0;
  std::uint64_t challenger_moves = 0;
};

MoveContext context_of(const CommittedBatch& batch, const Game& game) {
  return {.batch = batch,
          .arity = 32,
          .sender = to_move(game.phase) == Side::kPoster ? test::kPosterAddress : test::kChallengerAddress,
          .now_s = game.moved_at_s + 1};
}

/// Reveals and descends until everything is located.
Walk locate(Game game, CommittedMemory& posted, CommittedMemory& own) {
  Walk walk{.game = std::move(game)};
  while (walk.game.phase != Phase::kChoose) {
    const bool poster = walk.game.phase == Phase::kReveal;
    ++(poster ? walk.poster_moves : walk.challenger_moves);
    const Move move = poster ? test::reveal_with(walk.game, posted) : test::descend_with(walk.game, own);
    auto next = apply_move(context_of(posted.batch(), walk.game), walk.game, move);
    EXPECT_TRUE(next.has_value()) << next.error().message;
    if (!next) break;
    walk.game = std::get<Game>(std::move(*next));
    EXPECT_TRUE(decode_game(encode(walk.game)).has_value());
  }
  return walk;
}

std::optional<Reason> reason(const auto& result) {
  return result ? std::nullopt : std::optional(result.error().reason);
}

TEST(Descent, blocks_are_sixteen_or_fewer_and_all_but_the_last_of_one_size) {
  EXPECT_EQ(reveal_block(1), 1U);
  EXPECT_EQ(reveal_block(2), 1U);
  EXPECT_EQ(reveal_block(16), 1U);
  EXPECT_EQ(reveal_block(17), 2U);
  EXPECT_EQ(reveal_block(32), 2U);
  EXPECT_EQ(reveal_block(33), 4U);
  EXPECT_EQ(reveal_block((std::uint64_t{1} << 38) + 1), std::uint64_t{1} << 35);
  for (std::uint64_t leaves = 2; leaves <= 600; ++leaves) {
    const std::uint64_t count = (leaves + reveal_block(leaves) - 1) / reveal_block(leaves);
    EXPECT_LE(count, kMaxChildren);
    EXPECT_GE(count, 2U);
  }
}

TEST(Descent, revealed_nodes_have_the_root_of_what_they_reveal) {
  std::vector<Digest> leaves;
  for (std::size_t count = 1; count <= 300; ++count) {
    leaves.push_back(math::sha256(std::array{static_cast<std::uint8_t>(count), static_cast<std::uint8_t>(count >> 8)}));
    EXPECT_EQ(tree_root(reveal_nodes(leaves)), tree_root(leaves)) << count;
  }
}

// Trees of all shapes: the challenger comes to the leaf that is not its own, opens the entry there, and wins.
TEST(Descent, a_forged_element_is_found_in_trees_of_all_shapes) {
  for (const std::uint64_t leaves : {1U, 2U, 3U, 15U, 16U, 17U, 33U, 257U, 4097U}) {
    GameWorld own_world(source_of(64 * leaves - 3));
    CommittedMemory& own = own_world.commit();
    const std::uint64_t last = 64 * leaves - 4;
    for (const std::uint64_t entry : {std::uint64_t{0}, last / 2, last}) {
      GameWorld world(source_of(64 * leaves - 3));
      world.set(kT, entry, world.value(kT, entry) ^ 1);
      CommittedMemory& posted = world.commit();
      Walk walk = locate(open(posted, 0, {kT}).value(), posted, own);
      ASSERT_EQ(walk.game.phase, Phase::kChoose) << leaves;
      ASSERT_EQ(walk.game.descents.size(), 1U);
      EXPECT_EQ(walk.game.descents[0].first_leaf, entry / 64);

      const Choose choice{0, entry, make_result_openings(posted.batch(), 0, entry, posted)};
      const auto chosen = apply_move(context_of(posted.batch(), walk.game), walk.game, choice);
      ASSERT_TRUE(chosen.has_value()) << chosen.error().message;
      const Game game = std::get<Game>(*chosen);
      EXPECT_EQ(game.phase, Phase::kRespond);
      EXPECT_EQ(game.entry, entry);
      EXPECT_TRUE(game.descents.empty());
      const StateAt truth = states_of(world.states(0, entry));
      const test::Match match = test::play(posted.batch(), 32, game, truth, truth, posted);
      EXPECT_TRUE(match.poster_lost);

      const std::uint64_t most =
          most_moves(world.program(), {posted.batch().values.dims, posted.batch().leaf_bytes}, 32);
      EXPECT_LE(walk.poster_moves + match.poster_moves, most);
      EXPECT_LE(walk.challenger_moves + 1 + match.challenger_moves, most);
    }
  }
}

TEST(Descent, the_deepest_descent_takes_exactly_the_most_moves) {
  GameWorld own_world(source_of(4000));
  CommittedMemory& own = own_world.commit();
  GameWorld world(source_of(4000));
  world.set(kV, 2000, 7);
  CommittedMemory& posted = world.commit();
  const math::TaskShape shape{posted.batch().values.dims, posted.batch().leaf_bytes};
  // 4000 elements of 16 bytes are 1000 leaves of 64: ten levels, so three descents; four reveals; with arity 2 the four
  // transitions take two rounds.
  Walk walk = locate(open(posted, 0, {kT, kU, kV}).value(), posted, own);
  EXPECT_EQ(walk.challenger_moves, 3U);
  EXPECT_EQ(walk.poster_moves, 4U);
  EXPECT_EQ(most_moves(world.program(), shape, 2), 3U + 1 + 2 + 1);
  EXPECT_EQ(most_moves(world.program(), shape, 64), 3U + 1 + 1 + 1);
}

TEST(Descent, several_tables_descend_at_once_and_wait_for_the_deepest) {
  GameWorld own_world(source_of(1000));
  CommittedMemory& own = own_world.commit();
  GameWorld world(source_of(1000));
  world.set(kT, 999, world.value(kT, 999) ^ 1);
  world.set(kU, 17, world.value(kU, 17) ^ 1);
  world.set(kV, 500, world.value(kV, 500) + 1);
  CommittedMemory& posted = world.commit();
  const Walk walk = locate(open(posted, 0, {kT, kU, kV}).value(), posted, own);
  ASSERT_EQ(walk.game.descents.size(), 3U);
  EXPECT_EQ(walk.game.descents[0].first_leaf, 999U / 64);
  EXPECT_EQ(walk.game.descents[1].first_leaf, 17U * 2 / 64);
  EXPECT_EQ(walk.game.descents[2].first_leaf, 500U * 16 / 64);
  for (const Descent& descent : walk.game.descents) EXPECT_TRUE(descent.located);
}

TEST(Descent, a_loop_is_descended_as_one_and_any_of_its_items_chosen) {
  GameWorld own_world(source_of(10));
  CommittedMemory& own = own_world.commit();
  GameWorld world(source_of(10));
  world.set(kB, 1, world.value(kB, 1) + 1);
  CommittedMemory& posted = world.commit();
  for (const std::uint16_t item : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{3}}) {
    const Walk walk = locate(open(posted, item, {kA, kB}).value(), posted, own);
    const MoveContext context = context_of(posted.batch(), walk.game);
    const auto choose = [&](std::uint16_t chosen, std::uint64_t entry) {
      return apply_move(context, walk.game,
                        Choose{chosen, entry, make_result_openings(posted.batch(), chosen, entry, posted)});
    };
    EXPECT_EQ(std::get<Game>(choose(3, 1).value()).phase, Phase::kProve);
    EXPECT_EQ(std::get<Game>(choose(1, 7).value()).item, 1U);
    EXPECT_EQ(std::get<Game>(choose(2, 2).value()).item, 2U);
    EXPECT_EQ(reason(choose(0, 1)), Reason::kNoSuchEntry);
    EXPECT_EQ(reason(choose(4, 0)), Reason::kNoSuchEntry);
    EXPECT_EQ(reason(apply_move(context, walk.game, Choose{9, 0, {}})), Reason::kNoSuchEntry);
    EXPECT_EQ(reason(apply_move(context, walk.game, Choose{3, 3, {}})), Reason::kNoSuchEntry);
    EXPECT_EQ(reason(apply_move(context, walk.game, Choose{3, 1, {}})), Reason::kOpeningMissing);

    const Game proving = std::get<Game>(choose(3, 1).value());
    const auto proof = make_witness(posted.batch(), {3, 1, 0}, {}, posted);
    EXPECT_TRUE(std::holds_alternative<PosterLost>(
        apply_move(context_of(posted.batch(), proving), proving, Prove{proof}).value()));
  }
}

TEST(Descent, tables_that_cannot_be_descended_are_refused) {
  GameWorld world(source_of(10));
  CommittedMemory& posted = world.commit();
  const auto opened = [&](std::uint16_t item, const std::vector<ObjectId>& tables) {
    return reason(open_descent(posted.batch(), test::start_of(posted), item, tables, {}));
  };
  EXPECT_EQ(opened(0, {}), Reason::kDescentTables);
  EXPECT_EQ(opened(0, {kU, kT}), Reason::kDescentTables);
  EXPECT_EQ(opened(0, {kT, kT}), Reason::kDescentTables);
  EXPECT_EQ(opened(0, {kA}), Reason::kDescentTables);
  EXPECT_EQ(opened(1, {kA, kAfter}), Reason::kDescentTables);
  EXPECT_EQ(opened(4, {kB}), Reason::kDescentTables);
  EXPECT_EQ(opened(0, {3}), Reason::kDescentTables);  // a state
  EXPECT_EQ(opened(0, {999}), Reason::kDescentTables);
  EXPECT_EQ(opened(0, std::vector<ObjectId>(kMaxDescents + 1, kT)), Reason::kDescentTables);
  EXPECT_EQ(opened(5, {kT}), Reason::kNoSuchEntry);
  EXPECT_EQ(opened(0, {kT}), Reason::kOpeningMissing);

  GameWorld advised(test::compile_text("program advised\ndim K in 1..1\nadvice free[i in 4]: i64 in 0..9\n"
                                       "table empty[k in K]: i64 { return free[k] }\n")
                        .program);
  CommittedMemory& other = advised.commit();
  EXPECT_EQ(reason(open(other, 1, {3})), std::nullopt);
  EXPECT_EQ(reason(open_descent(other.batch(), test::start_of(other), 0, std::vector<ObjectId>{2}, {})),
            Reason::kNoBody);
  EXPECT_EQ(reason(open_descent(other.batch(), test::start_of(other), 1, std::vector<ObjectId>{2}, {})),
            Reason::kDescentTables);  // advice is an input: its leaves can be requested
  CommittedBatch none = other.batch();
  none.values.dims[0] = 0;
  EXPECT_EQ(reason(open_descent(none, test::start_of(other), 1, std::vector<ObjectId>{3}, {})),
            Reason::kDescentTables);  // no entries, no leaves
}

TEST(Descent, every_byte_of_the_roots_matters) {
  GameWorld world(source_of(100));
  CommittedMemory& posted = world.commit();
  const std::vector<ObjectId> tables{kT, kV};
  const std::vector<Digest> roots{posted.tree_root(kT), posted.tree_root(kV)};
  const auto good = make_roots(posted.batch(), tables, roots, posted.table_commitments());
  const auto opened = [&](math::Bytes bytes) {
    return reason(open_descent(posted.batch(), test::start_of(posted), 0, tables, bytes));
  };
  EXPECT_EQ(opened(good), std::nullopt);
  for (std::size_t place = 0; place < good.size(); ++place) {
    auto bad = good;
    bad[place] ^= 1;
    EXPECT_EQ(opened(bad), Reason::kOpeningTable) << place;
    EXPECT_NE(opened(math::Bytes(good).first(place)), std::nullopt) << place;
  }
  EXPECT_EQ(opened(math::Bytes(good).first(good.size() - 1)), Reason::kOpeningMissing);
  auto longer = good;
  longer.push_back(0);
  EXPECT_EQ(opened(longer), Reason::kOpeningTrailing);
}

TEST(Descent, reveals_that_are_not_what_stands_below_are_refused) {
  GameWorld world(source_of(1000));
  CommittedMemory& posted = world.commit();
  Game game = open(posted, 0, {kT, kV}).value();
  const auto revealed = [&](const Reveal& move) {
    return reason(apply_move(context_of(posted.batch(), game), game, move));
  };
  const auto good = std::get<Reveal>(test::reveal_with(game, posted));
  ASSERT_EQ(revealed(good), std::nullopt);
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t node = 0; node < good.answers[i].nodes.size(); ++node) {
      Reveal bad = good;
      bad.answers[i].nodes[node].bytes[node] ^= 1;
      EXPECT_EQ(revealed(bad), Reason::kRevealMismatch);
    }
    Reveal bad = good;
    bad.answers[i].nodes.pop_back();
    EXPECT_EQ(revealed(bad), Reason::kRevealCount);
    bad.answers[i].nodes = {game.descents[i].node};
    EXPECT_EQ(revealed(bad), Reason::kRevealCount);
    bad = good;
    bad.answers[i].leaf = {1};
    EXPECT_EQ(revealed(bad), Reason::kRevealCount);
    bad = good;
    std::swap(bad.answers[i].nodes.front(), bad.answers[i].nodes.back());
    EXPECT_EQ(revealed(bad), Reason::kRevealMismatch);
  }
  Reveal one = good;
  one.answers.pop_back();
  EXPECT_EQ(revealed(one), Reason::kRevealCount);
  Reveal three = good;
  three.answers.push_back(good.answers.front());
  EXPECT_EQ(revealed(three), Reason::kRevealCount);
  EXPECT_EQ(revealed(Reveal{}), Reason::kRevealCount);
}

TEST(Descent, a_leaf_is_revealed_whole_and_exact) {
  GameWorld world(source_of(70));  // two leaves of t: 64 bytes and 6
  CommittedMemory& posted = world.commit();
  const Game root = open(posted, 0, {kT}).value();
  const auto apply = [&](const Game& game, const Move& move) {
    return apply_move(context_of(posted.batch(), game), game, move);
  };
  const Game below = std::get<Game>(apply(root, test::reveal_with(root, posted)).value());
  EXPECT_EQ(reason(apply(below, Descend{{2}})), Reason::kNoSuchChild);
  EXPECT_EQ(reason(apply(below, Descend{{255}})), Reason::kNoSuchChild);
  EXPECT_EQ(reason(apply(below, Descend{{}})), Reason::kNoSuchChild);
  EXPECT_EQ(reason(apply(below, Descend{{0, 0}})), Reason::kNoSuchChild);
  const Game leaf = std::get<Game>(apply(below, Descend{{1}}).value());
  const auto good = std::get<Reveal>(test::reveal_with(leaf, posted));
  ASSERT_EQ(good.answers[0].leaf.size(), 6U);
  EXPECT_EQ(std::get<Game>(apply(leaf, good).value()).phase, Phase::kChoose);
  Reveal bad = good;
  bad.answers[0].leaf[5] ^= 1;
  EXPECT_EQ(reason(apply(leaf, bad)), Reason::kRevealMismatch);
  bad = good;
  bad.answers[0].leaf.push_back(0);
  EXPECT_EQ(reason(apply(leaf, bad)), Reason::kRevealSize);
  bad.answers[0].leaf.resize(5);
  EXPECT_EQ(reason(apply(leaf, bad)), Reason::kRevealSize);
  bad = good;
  bad.answers[0].nodes = {leaf.descents[0].node};
  EXPECT_EQ(reason(apply(leaf, bad)), Reason::kRevealCount);
}

// A root with nothing behind it: no reveal is accepted, and the poster's clock runs out.
TEST(Descent, a_poster_with_nothing_behind_its_root_loses_by_its_clock) {
  GameWorld world(source_of(1000));
  CommittedMemory& posted = world.commit();
  std::vector<Digest> commitments(posted.table_commitments().begin(), posted.table_commitments().end());
  const Digest nothing = math::sha256({});
  const TableShape shape{.element_bytes = 1, .rank = 1, .dim0 = 1000, .dim1 = 1};
  commitments[0] = table_commitment(shape, 64, nothing);
  std::vector<Digest> leaves;
  for (const Digest& commitment : commitments) {
    std::vector<std::uint8_t> leaf{0};
    leaf.insert(leaf.end(), commitment.bytes.begin(), commitment.bytes.end());
    leaves.push_back(math::sha256(leaf));
  }
  posted.header().tables_root = tree_root(leaves);
  const std::vector<ObjectId> tables{kT};
  const auto roots = make_roots(posted.batch(), tables, std::vector{nothing}, commitments);
  const Game game = open_descent(posted.batch(), test::start_of(posted), 0, tables, roots).value();
  EXPECT_EQ(reason(apply_move(context_of(posted.batch(), game), game, test::reveal_with(game, posted))),
            Reason::kRevealMismatch);
  EXPECT_EQ(reason(claim_timeout(game, game.moved_at_s + game.poster_clock_s)), Reason::kClockRunning);
  EXPECT_EQ(claim_timeout(game, game.moved_at_s + game.poster_clock_s + 1).value(), Side::kPoster);
}

TEST(Descent, every_reveal_of_an_accepted_program_fits_a_transaction) {
  GameWorld world(source_of(1000));
  const math::TaskShape shape{world.data().values().dims, 1024};
  // Three tables of a thousand elements: leaves of 1000, 1024 and 1024 bytes, all above 512.
  EXPECT_EQ(most_reveal_bytes(world.program(), shape), 1000U + 1024 + 1024);
  const math::TaskShape small{world.data().values().dims, 64};
  EXPECT_EQ(most_reveal_bytes(world.program(), small), 3U * 512);
  EXPECT_LE(kMaxRevealBytes / (kMaxChildren * 32), kMaxDescents);
}

TEST(Descent, of_a_game_over_another_batch_is_malformed) {
  const auto changed_game = [](CommittedMemory& posted, const Game& game, const std::function<void(Game&)>& change) {
    Game changed = game;
    const Move move = test::reveal_with(game, posted);
    change(changed);
    return reason(apply_move(context_of(posted.batch(), changed), changed, move));
  };
  GameWorld advised(
      "program advised\ndim K in 3..3\nrecord x: i64 in 0..3\nadvice a: i64 in 0..5\n"
      "table t: i64 { fold k in K { s = s + x[k] } from s = 0  return s + a }\n");
  CommittedMemory& committed = advised.commit();
  const Game under_table = open(committed, 1, {4}).value();
  EXPECT_EQ(changed_game(committed, under_table, [](Game&) {}), std::nullopt);
  EXPECT_EQ(changed_game(committed, under_table, [](Game& state) { state.item = 0; }), Reason::kMalformed);

  GameWorld world(source_of(300));
  CommittedMemory& posted = world.commit();
  const Game game = open(posted, 0, {kT, kV}).value();
  const auto revealed = [&](const std::function<void(Game&)>& change) { return changed_game(posted, game, change); };
  EXPECT_EQ(revealed([](Game&) {}), std::nullopt);
  EXPECT_EQ(revealed([](Game& state) { state.item = 99; }), Reason::kMalformed);
  EXPECT_EQ(revealed([](Game& state) { state.item = 1; }), Reason::kMalformed);  // another's tables
  EXPECT_EQ(revealed([](Game& state) { state.descents[0].object = kAfter; }), Reason::kMalformed);
  EXPECT_EQ(revealed([](Game& state) { state.descents[0].leaves += 1; }), Reason::kMalformed);
  EXPECT_EQ(revealed([](Game& state) { state.descents[1].first_leaf = 1; }), Reason::kMalformed);
}

}  // namespace
}  // namespace tally::proof
