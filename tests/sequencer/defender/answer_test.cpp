#include "sequencer/defender/answer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fraud_proof/step/one_step.h"
#include "tests/support/game_players.h"

namespace tally::sequencer {
namespace {

using test::GameWorld;

constexpr const char* kText = R"(
program disputed
dim K in 9..9
dim D = 40
record weight: i64 in 1..100
row updates: i32[D]
state model: i32[D]
advice middle[d in D]: i32 { require middle[d] <= model[d] + (1 << 40) }
table total: i64 { fold k in K { n = n + weight[k] } from n = 0 return n }
table next_model[d in D]: i32, seen: i64 {
  fold k in K { s = s + updates[k, d] * weight[k]  c = c + weight[k] } from s = 0, c = 0
  return clamp(model[d] + div_round(s, max(total, 1)), i32), c
}
)";

/// A poster that has what it posted, right or wrong.
class Answer : public testing::Test {
 protected:
  [[nodiscard]] PosterData data() {
    return {.batch = x_committed.batch(),
            .inputs = x_world.data().inputs(),
            .leaves = x_committed,
            .leaf_digests = [this](math::ObjectId table) { return x_committed.leaf_digests(table); }};
  }
  [[nodiscard]] proof::Game open(std::uint16_t item, std::uint64_t entry) {
    const auto openings = proof::make_result_openings(x_committed.batch(), item, entry, x_committed);
    return proof::open_game(x_committed.batch(), test::start_of(x_committed), item, entry, openings).value();
  }
  [[nodiscard]] proof::MoveContext context(const proof::Game& game, std::uint16_t arity) {
    const bool poster = to_move(game.phase) == proof::Side::kPoster;
    return {.batch = x_committed.batch(),
            .arity = arity,
            .sender = poster ? test::kPosterAddress : test::kChallengerAddress,
            .now_s = game.moved_at_s + 1};
  }
  [[nodiscard]] proof::Game after(const proof::MoveContext& context, const proof::Game& game, const proof::Move& move) {
    auto result = proof::apply_move(context, game, move);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return std::get<proof::Game>(result.value());
  }

  GameWorld x_world{std::string(kText)};
  test::CommittedMemory& x_committed = x_world.commit();
};

TEST_F(Answer, gives_the_states_of_the_fold_and_no_challenger_can_prove_against_them) {
  for (std::uint16_t item = 0; item < x_world.program().items.size(); ++item) {
    const std::uint64_t entries = math::element_count(x_world.program().items[item].extents, x_world.data().values());
    for (std::uint64_t entry = 0; entry < entries; ++entry) {
      const auto truth = x_world.states(item, entry);
      const std::uint16_t arity = entry % 2 == 0 ? 2 : 4;
      // Down to each of the segments in turn.
      for (std::uint8_t aim = 0; aim < 4; ++aim) {
        proof::Game game = open(item, entry);
        while (game.high - game.low > 1) {
          const auto move = answer(data(), game, arity);
          ASSERT_TRUE(move.has_value());
          const auto positions = proof::boundary_positions(game.low, game.high, arity);
          EXPECT_TRUE(move->agrees);
          game = after(context(game, arity), game, move->move);
          const auto claims =
              proof::decode_claims(*x_world.program().items[item].body, positions.size(), game.claims).value();
          for (std::size_t i = 0; i < positions.size(); ++i) EXPECT_EQ(claims[i], truth[positions[i]]);
          EXPECT_FALSE(answer(data(), game, arity).has_value());
          const auto segment = static_cast<std::uint8_t>(std::min<std::size_t>(aim, positions.size()));
          game = after(context(game, arity), game, proof::Narrow{.segment = segment});
        }
        EXPECT_FALSE(answer(data(), game, arity).has_value());
        const auto witness =
            proof::make_witness(x_committed.batch(), {item, entry, game.low}, truth[game.low], x_committed);
        const auto proved = proof::apply_move(context(game, arity), game, proof::Prove{.witness = witness});
        ASSERT_FALSE(proved.has_value());
        EXPECT_EQ(proved.error().reason, proof::Reason::kNotDisproved);
      }
    }
  }
}

TEST_F(Answer, survives_states_that_no_honest_poster_claimed) {
  proof::Game game = open(2, 5);
  for (const math::i128 state : {math::kI128Min, math::kI128Max, math::i128{1} << 100}) {
    game.at_low = {state, state};
    const auto move = answer(data(), game, 4);
    ASSERT_TRUE(move.has_value());
    EXPECT_TRUE(proof::apply_move(context(game, 4), game, move->move).has_value());
    EXPECT_FALSE(move->agrees);
  }
}

TEST_F(Answer, tells_when_the_data_lead_elsewhere_than_was_claimed) {
  proof::Game game = open(2, 5);
  ASSERT_TRUE(answer(data(), game, 4)->agrees);
  game.results[1] += 1;
  EXPECT_FALSE(answer(data(), game, 4)->agrees);
  game = open(2, 5);
  game = after(context(game, 4), game, answer(data(), game, 4)->move);
  game = after(context(game, 4), game, proof::Narrow{.segment = 1});
  ASSERT_TRUE(answer(data(), game, 4)->agrees);
  game.at_high[0] -= 1;
  EXPECT_FALSE(answer(data(), game, 4)->agrees);
}

TEST_F(Answer, reveals_what_lies_below_down_to_each_leaf) {
  const math::ObjectId first = x_world.program().items[2].results[0];
  const math::ObjectId second = x_world.program().items[2].results[1];
  const std::vector<math::ObjectId> tables = {first, second};
  const std::vector<math::Digest> roots = {x_committed.tree_root(first), x_committed.tree_root(second)};
  const auto bytes = proof::make_roots(x_committed.batch(), tables, roots, x_committed.table_commitments());
  for (std::uint8_t child = 0; child < 3; ++child) {
    proof::Game game = proof::open_descent(x_committed.batch(), test::start_of(x_committed), 2, tables, bytes).value();
    while (game.phase != proof::Phase::kChoose) {
      if (game.phase == proof::Phase::kReveal) {
        const auto move = answer(data(), game, 4);
        ASSERT_TRUE(move.has_value());
        game = after(context(game, 4), game, move->move);
        continue;
      }
      EXPECT_FALSE(answer(data(), game, 4).has_value());
      proof::Descend descend;
      for (const proof::Descent& descent : game.descents) {
        if (descent.located) continue;
        descend.children.push_back(
            std::min<std::uint8_t>(child, static_cast<std::uint8_t>(descent.children.size() - 1)));
      }
      game = after(context(game, 4), game, descend);
    }
    EXPECT_FALSE(answer(data(), game, 4).has_value());
  }
}

TEST_F(Answer, opens_requested_leaves) {
  for (const proof::OpeningKey key :
       {proof::OpeningKey{0, 3, 0}, proof::OpeningKey{3, 8, 2}, proof::OpeningKey{4, 0, 1}}) {
    const auto openings = answer(data(), key);
    proof::OpeningReader reader(x_committed.batch(), openings);
    EXPECT_TRUE(reader.open(key).has_value());
    EXPECT_TRUE(reader.finish().has_value());
  }
}

}  // namespace
}  // namespace tally::sequencer
