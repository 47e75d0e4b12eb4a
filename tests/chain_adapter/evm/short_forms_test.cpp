// What is left out on the way to the contract is put in again, and what events tell.
#include "chain_adapter/evm/short_forms.h"

#include <gtest/gtest.h>

#include <array>

#include "fraud_proof/commitments/ids.h"
#include "tests/support/batch_life.h"
#include "tests/support/evm_mirror.h"
#include "tests/support/games_on_chain.h"
#include "tests/support/settlement_samples.h"

namespace tally::chain {
namespace {

using proof::Reason;
using proof::Transaction;
using test::EvmMirror;
using test::SettlementWorld;
using test::WorldBatch;

using Bytes = std::vector<std::uint8_t>;

/// Of the game's batch.
proof::MakeMove move_over_its_batch(proof::MakeMove make) {
  make.game.task = make.header.task;
  make.game.batch = batch_id(make.header);
  return make;
}

TEST(ShortForms, moves_that_show_nothing_go_without_the_header_and_get_it_back) {
  std::size_t shorter = 0;
  for (const Transaction& sample : test::sample_transactions()) {
    const auto* const make = std::get_if<proof::MakeMove>(&sample);
    const Transaction whole = make == nullptr ? sample : Transaction(move_over_its_batch(*make));
    const Bytes bytes = encode(whole);
    const Bytes call = shortened(bytes);
    if (call != bytes) ++shorter;
    const auto again = decode_call(call, [&](const proof::BatchId& batch) -> std::optional<proof::BatchHeader> {
      EXPECT_EQ(batch, batch_id(std::get<proof::MakeMove>(whole).header));
      return std::get<proof::MakeMove>(whole).header;
    });
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(encode(*again), bytes);
  }
  EXPECT_EQ(shorter, 3U);  // descend, respond, narrow
}

TEST(ShortForms, a_header_of_another_batch_is_sent_as_it_is) {
  for (const Transaction& sample : test::sample_transactions()) EXPECT_EQ(shortened(encode(sample)), encode(sample));
}

TEST(ShortForms, bytes_that_are_no_move_without_a_header_are_refused) {
  const FindHeader nobody = [](const proof::BatchId&) { return std::nullopt; };
  for (const Transaction& sample : test::sample_transactions()) {
    const auto* const make = std::get_if<proof::MakeMove>(&sample);
    if (make == nullptr) continue;
    Bytes call = encode(sample);
    call.erase(call.begin(), call.begin() + proof::kHeaderBytes);
    call.front() = 0;
    const auto decoded = decode_call(call, nobody);
    const bool shows = !std::holds_alternative<proof::Descend>(make->move) &&
                       !std::holds_alternative<proof::Respond>(make->move) &&
                       !std::holds_alternative<proof::Narrow>(make->move);
    EXPECT_EQ(decoded.has_value(), !shows);
    if (decoded) {
      EXPECT_EQ(std::get<proof::MakeMove>(*decoded).header.task, make->game.task);
    }
    call.push_back(0);
    EXPECT_EQ(decode_call(call, nobody).error().reason, Reason::kMalformed);
    call.resize(20);
    EXPECT_EQ(decode_call(call, nobody).error().reason, Reason::kMalformed);
  }
}

Bytes joined(std::uint8_t kind, const std::array<std::uint8_t, 32>& first, math::Bytes second) {
  Bytes all = {kind};
  all.insert(all.end(), first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

TEST(ShortForms, events_of_games_tell_their_states_hash) {
  std::size_t games = 0;
  for (const proof::Event& event : test::sample_events()) {
    const auto* const opened = std::get_if<proof::GameOpened>(&event);
    const auto* const moved = std::get_if<proof::GameMoved>(&event);
    if (opened == nullptr && moved == nullptr) continue;
    const proof::Game& game = opened != nullptr ? opened->game : moved->game;
    EXPECT_EQ(log_bytes(event), joined(opened != nullptr ? 13 : 14, game.id.digest.bytes, game_hash(game).bytes));
    ++games;
  }
  EXPECT_GE(games, 2U);
}

TEST(ShortForms, the_end_of_a_game_tells_the_kind_of_the_move) {
  std::size_t ends = 0;
  for (const Transaction& sample : test::sample_transactions()) {
    const auto* const make = std::get_if<proof::MakeMove>(&sample);
    if (make == nullptr) continue;
    const proof::GameEnded ended{.game = make->game.id, .batch = make->game.batch, .move = make->move};
    const Bytes whole = encode(proof::Event(ended));
    const Bytes log = log_bytes(ended);
    EXPECT_EQ(log, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(log.size())));
    EXPECT_EQ(log.back(), make->move.index());
    ++ends;
  }
  EXPECT_EQ(ends, 7U);
  const proof::Event timeout = proof::GameEnded{.outcome = proof::GameOutcome::kPosterTimeout};
  EXPECT_EQ(log_bytes(timeout), encode(timeout));
}

TEST(ShortForms, events_of_posts_tell_the_batch_and_all_others_everything) {
  for (const proof::Event& event : test::sample_events()) {
    if (const auto* const posted = std::get_if<proof::Posted>(&event)) {
      EXPECT_EQ(log_bytes(event), joined(9, posted->batch.digest.bytes, {}));
    } else if (!std::holds_alternative<proof::GameOpened>(event) && !std::holds_alternative<proof::GameMoved>(event) &&
               !std::holds_alternative<proof::GameEnded>(event)) {
      EXPECT_EQ(log_bytes(event), encode(event));
    }
  }
}

/// A game over a forged batch, before the poster's response.
class MovesWithoutHeaderTest : public ::testing::Test {
 protected:
  std::string says(const proof::MakeMove& make) {
    Bytes call = encode(make);
    call.erase(call.begin(), call.begin() + proof::kHeaderBytes);
    call.front() = 0;
    return mirror->refusal_of(call);
  }
  static Bytes encode(const Transaction& transaction) { return proof::encode(transaction); }

  std::shared_ptr<EvmMirror> mirror = std::make_shared<EvmMirror>();
  SettlementWorld world{{.chain = mirrored(mirror)}};
  WorldBatch batch = world.posted(test::forged());
};

TEST_F(MovesWithoutHeaderTest, the_contract_takes_no_others) {
  const auto opened = world.send(world.challenger(), world.settings().challenger_bond, test::opening(batch, 0, 0));
  const proof::Game game = test::game_after(opened);
  const std::string malformed = EvmMirror::error_of(Reason::kMalformed);
  for (const proof::Move& move : {proof::Move(proof::Reveal{}), proof::Move(proof::Choose{}),
                                  proof::Move(proof::Prove{}), proof::Move(proof::NarrowAndProve{})}) {
    EXPECT_EQ(says({.header = batch.header(), .game = game, .move = move}), malformed);
  }
  // Those that it takes are judged: nobody asks here.
  EXPECT_EQ(says({.header = batch.header(), .game = game, .move = proof::Narrow{}}),
            EvmMirror::error_of(Reason::kWrongPhase));
  EXPECT_EQ(says({.header = batch.header(), .game = game, .move = proof::Descend{}}),
            EvmMirror::error_of(Reason::kNotYourMove));
  proof::Game other = game;
  other.batch = proof::BatchId{};
  EXPECT_EQ(says({.header = batch.header(), .game = other, .move = proof::Narrow{}}),
            EvmMirror::error_of(Reason::kStaleMove));
}

}  // namespace
}  // namespace tally::chain
