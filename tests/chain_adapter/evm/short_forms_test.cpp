// What is left out on the way to the contract and back is put in again, and nothing else.
#include "chain_adapter/evm/short_forms.h"

#include <gtest/gtest.h>

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

TEST(ShortForms, events_tell_a_moves_kind_and_the_call_has_the_rest) {
  std::size_t shorter = 0;
  for (const Transaction& sample : test::sample_transactions()) {
    const auto* const make = std::get_if<proof::MakeMove>(&sample);
    if (make == nullptr) continue;
    const proof::GameMoved moved{.move = make->move, .by = {{7}}, .game = make->game};
    const proof::GameEnded ended{.game = make->game.id, .batch = make->game.batch, .move = make->move};
    for (const proof::Event& event : {proof::Event(moved), proof::Event(ended)}) {
      const Bytes log = log_bytes(event);
      if (log.size() < encode(event).size()) ++shorter;
      EXPECT_EQ(event_bytes(log, encode(sample)), encode(event));
      EXPECT_EQ(event_bytes(log, shortened(encode(move_over_its_batch(*make)))), encode(event));
      EXPECT_EQ(event_bytes(log, {}), log);
    }
  }
  EXPECT_EQ(shorter, 14U);
  for (const proof::Event& event : test::sample_events()) {
    if (std::holds_alternative<proof::GameMoved>(event) || std::holds_alternative<proof::GameEnded>(event) ||
        std::holds_alternative<proof::Posted>(event))
      continue;
    EXPECT_EQ(log_bytes(event), encode(event));
    EXPECT_EQ(event_bytes(encode(event), encode(test::sample_transactions().front())), encode(event));
  }
}

TEST(ShortForms, events_of_posts_are_without_what_was_posted) {
  std::size_t posts = 0;
  for (const Transaction& sample : test::sample_transactions()) {
    const auto* const post = std::get_if<proof::Post>(&sample);
    if (post == nullptr) continue;
    ++posts;
    const proof::Event event =
        proof::Posted{.state_commitments = post->state_commitments, .table_roots = post->table_roots};
    const Bytes log = log_bytes(event);
    EXPECT_EQ(log.size(), 1U + 32 + proof::kHeaderBytes + 32);
    EXPECT_EQ(event_bytes(log, encode(sample)), encode(event));
    EXPECT_EQ(event_bytes(log, math::Bytes(encode(sample)).first(40)), log);
  }
  EXPECT_EQ(posts, 2U);
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
