#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <utility>
#include <vector>

#include "sequencer/defender/defender.h"
#include "tests/sequencer/poster/chained_rounds.h"
#include "tests/support/temporary_folder.h"

namespace tally::sequencer {
namespace {

using Kind = Defense::Kind;
using Outcome = Defense::Outcome;
using FateKind = chain::TransactionFate::Kind;

/// A chain with a block every twelve seconds of a time that passes only while somebody waits.
class SlowChain final : public chain::ChainAdapter {
 public:
  static constexpr std::uint64_t kBlockSeconds = 12;

  SlowChain(test::ChainedRounds& rounds, const std::stop_token& stop)
      : ChainAdapter({.stop = stop}), x_rounds(rounds), x_inner(rounds.chain()) {}

  [[nodiscard]] Pace pace() {
    return {.now_s = [this] { return x_now_s; }, .sleep = [this](double seconds) { pass(seconds); }};
  }
  /// Called after each block.
  std::function<void()> after_block;
  /// Called before a transaction is taken.
  std::function<void(const proof::Transaction&)> before_submit;
  [[nodiscard]] const std::vector<proof::Transaction>& submitted() const { return x_submitted; }
  [[nodiscard]] std::size_t blocks() const { return x_blocks; }
  [[nodiscard]] std::size_t most_pending() const { return x_most_pending; }
  /// The next transaction is forgotten on its way.
  void lose_one() { x_loses = true; }
  /// The next transaction is in a block, without effect.
  void fail_one() { x_fails = true; }

  [[nodiscard]] chain::ChainIdentity identity() override { return x_inner.identity(); }
  [[nodiscard]] chain::Head head() override { return x_inner.head(); }
  [[nodiscard]] chain::TransactionId submit(const chain::Submission& submission) override {
    if (before_submit) before_submit(submission.transaction);
    x_submitted.push_back(submission.transaction);
    chain::TransactionId id{};
    id.digest.bytes[0] = static_cast<std::uint8_t>(x_submitted.size());
    id.digest.bytes[1] = static_cast<std::uint8_t>(x_submitted.size() >> 8U);
    if (std::exchange(x_loses, false)) return id;
    if (std::exchange(x_fails, false)) {
      x_fates[id].kind = FateKind::kFailed;
      return id;
    }
    x_pending.push_back({id, &submission.key, submission.transaction});
    x_fates[id].kind = FateKind::kPending;
    x_most_pending = std::max(x_most_pending, x_pending.size());
    return id;
  }
  [[nodiscard]] chain::TransactionFate fate(const chain::TransactionId& id) override { return x_fates[id]; }
  [[nodiscard]] std::vector<chain::LoggedEvent> events(std::uint64_t from, std::size_t limit) override {
    return x_rounds.chain().events(from, limit);  // all that is in blocks: lateness is this chain's own matter
  }
  [[nodiscard]] const proof::StateReader& state() override { return x_inner.state(); }
  [[nodiscard]] proof::Wei balance(const proof::Address& account) override { return x_inner.balance(account); }

 private:
  struct Pending {
    chain::TransactionId id;
    const proof::PrivateKey* key;  // of a party that outlives it
    proof::Transaction transaction;
  };

  void pass(double seconds) {
    x_now_s += seconds;
    while (x_now_s >= static_cast<double>((x_blocks + 1) * kBlockSeconds)) {
      ++x_blocks;
      x_rounds.advance(kBlockSeconds);
      for (const Pending& pending : std::exchange(x_pending, {})) {
        x_fates[pending.id] =
            chain::submit_and_wait(x_inner, {.key = *pending.key, .value = {}, .transaction = pending.transaction});
      }
      if (after_block) after_block();
    }
  }

  test::ChainedRounds& x_rounds;
  chain::ChainAdapter& x_inner;
  double x_now_s = 0;
  std::size_t x_blocks = 0;
  std::size_t x_most_pending = 0;
  bool x_loses = false;
  bool x_fails = false;
  std::vector<proof::Transaction> x_submitted;
  std::vector<Pending> x_pending;
  std::map<chain::TransactionId, chain::TransactionFate> x_fates;
};

class ManyGames : public testing::Test {
 protected:
  [[nodiscard]] Defender defender() {
    return {x_rounds.world().poster(), x_folder.path() / "data", Doubt::kStaySilent, x_chain.pace()};
  }
  void open(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      x_rounds.open(x_batch, "next_model", i % 5, static_cast<std::uint8_t>(i / 5));
  }
  /// Than are sent before a block is waited for.
  static constexpr std::size_t kMoreThanFit = Defender::kMostSent + 36;
  /// All that it does until nothing waits; each report's defenses.
  std::vector<Defense> defend(Defender& defender) {
    std::vector<Defense> all;
    for (bool goes_on = true; goes_on;) {
      DefenseReport report = defender.defend_once(x_chain);
      std::ranges::move(report.defenses, std::back_inserter(all));
      goes_on = report.unfinished;
    }
    return all;
  }
  [[nodiscard]] static std::optional<proof::GameId> game_of(const proof::Transaction& transaction) {
    const auto* const move = std::get_if<proof::MakeMove>(&transaction);
    return move == nullptr ? std::nullopt : std::optional(move->game.id);
  }

  test::TemporaryFolder x_folder;
  test::ChainedRounds x_rounds{x_folder.path() / "data"};
  BuiltBatch x_batch = x_rounds.posted(x_rounds.world().genesis());
  std::stop_source x_stop;
  SlowChain x_chain{x_rounds, x_stop.get_token()};
};

TEST_F(ManyGames, are_all_answered_within_a_clock_that_answers_one_after_the_other_would_use_up) {
  // On a node they take seconds to open.
  const std::size_t games = test::on_evm() ? 170 : 300;
  ASSERT_GT(games * SlowChain::kBlockSeconds, x_rounds.settings().game_clock_s);
  open(games);
  Defender defender = this->defender();
  const std::vector<Defense> defenses = defend(defender);
  std::size_t done = 0;
  for (const Defense& defense : defenses) done += defense.outcome == Outcome::kDone ? 1U : 0U;
  EXPECT_EQ(done, games);
  EXPECT_EQ(x_chain.submitted().size(), games) << "nothing is sent twice";
  EXPECT_EQ(x_chain.most_pending(), 64U);
  EXPECT_LE(x_chain.blocks(), 6U);
  // The challenger has all the turns, and says nothing; nobody can claim the poster's bond.
  x_rounds.advance(x_rounds.settings().game_clock_s + 1);
  EXPECT_EQ(defend(defender).size(), games);
  EXPECT_EQ(x_rounds.status(x_batch), proof::BatchStatus::kPending);
  EXPECT_EQ(
      proof::read_node(x_rounds.chain().state(), x_rounds.task(), proof::batch_id(x_batch.manifest.header))->open_games,
      0U);
}

TEST_F(ManyGames, wait_for_what_becomes_more_urgent_meanwhile) {
  open(kMoreThanFit);
  const proof::OpeningKey leaf{.object = 0, .record = 0, .leaf = 0};
  std::size_t sent_before = 0;
  x_chain.after_block = [&] {
    if (x_chain.blocks() != 1) return;
    x_rounds.request(x_batch, leaf);
    sent_before = x_chain.submitted().size();
  };
  Defender defender = this->defender();
  static_cast<void>(defend(defender));
  ASSERT_GT(sent_before, 0U);
  ASSERT_GT(x_chain.submitted().size(), sent_before + 1);
  EXPECT_TRUE(std::holds_alternative<proof::AnswerRequest>(x_chain.submitted()[sent_before]));
}

TEST_F(ManyGames, do_not_wait_in_front_of_an_urgent_one_whose_first_try_failed) {
  const proof::Game urgent = x_rounds.open(x_batch, "next_model", 0, 255);
  x_rounds.advance(10);
  open(kMoreThanFit);
  bool failed = false;
  x_chain.before_submit = [&](const proof::Transaction& transaction) {
    if (game_of(transaction) == urgent.id && !std::exchange(failed, true)) throw std::runtime_error("out of reach");
  };
  Defender defender = this->defender();
  static_cast<void>(defend(defender));
  const auto place = std::ranges::find(x_chain.submitted(), std::optional(urgent.id), game_of);
  EXPECT_EQ(place - x_chain.submitted().begin(), static_cast<std::ptrdiff_t>(Defender::kMostSent));
}

TEST_F(ManyGames, are_answered_beside_one_that_fails_every_time) {
  const proof::Game failing = x_rounds.open(x_batch, "next_model", 0, 255);
  open(kMoreThanFit);
  std::size_t tries = 0;
  x_chain.before_submit = [&](const proof::Transaction& transaction) {
    if (game_of(transaction) != failing.id) return;
    ++tries;
    throw std::runtime_error("out of reach");
  };
  Defender defender = this->defender();
  static_cast<void>(defend(defender));
  EXPECT_EQ(x_chain.submitted().size(), kMoreThanFit);
  // Each look has one try, and looks are a second apart where nothing is told.
  EXPECT_GT(tries, 2U);
  EXPECT_LE(tries, (x_chain.blocks() + 1) * (SlowChain::kBlockSeconds + 2));
}

TEST_F(ManyGames, come_again_where_a_transaction_was_lost_or_failed_and_would_be_taken_now) {
  std::uint64_t entry = 0;
  for (const auto mishap : {&SlowChain::lose_one, &SlowChain::fail_one}) {
    const std::size_t before = x_chain.submitted().size();
    const proof::Game game = x_rounds.open(x_batch, "next_model", entry++);
    (x_chain.*mishap)();
    Defender defender = this->defender();
    const std::vector<Defense> defenses = defend(defender);
    ASSERT_FALSE(defenses.empty());
    EXPECT_EQ(defenses.back().outcome, Outcome::kDone) << defenses.back().message;
    EXPECT_EQ(x_chain.submitted().size(), before + 2);
    EXPECT_NE(proof::read_game(x_rounds.chain().state(), game.id)->hash, proof::game_hash(game));
  }
}

TEST_F(ManyGames, are_left_when_it_is_told_to_stop) {
  static_cast<void>(x_rounds.open(x_batch, "next_model", 0));
  Defender defender = this->defender();
  x_stop.request_stop();
  const DefenseReport report = defender.defend_once(x_chain);
  EXPECT_TRUE(report.unfinished);
  EXPECT_EQ(report.sent, 1U);
  EXPECT_EQ(x_chain.submitted().size(), 1U);
  EXPECT_EQ(x_chain.blocks(), 0U) << "it waited";
}

TEST_F(ManyGames, get_no_transaction_when_it_is_too_late) {
  x_rounds.request(x_batch, {.object = 0, .record = 0, .leaf = 0});
  const proof::Game game = x_rounds.open(x_batch, "next_model", 0);
  x_rounds.advance(game.poster_clock_s + 1);
  Defender defender = this->defender();
  const std::vector<Defense> defenses = defend(defender);
  ASSERT_EQ(defenses.size(), 2U);
  EXPECT_TRUE(defenses[0].message.starts_with("AnswerTooLate")) << defenses[0].message;
  EXPECT_TRUE(defenses[1].message.starts_with("ClockExpired")) << defenses[1].message;
  for (const Defense& defense : defenses) EXPECT_EQ(defense.outcome, Outcome::kRefused);
  EXPECT_TRUE(x_chain.submitted().empty());
}

TEST_F(ManyGames, of_strangers_that_name_the_key_as_their_delegate_are_left_alone) {
  const proof::PrivateKey& delegate = x_rounds.world().key(0);
  const BuiltBatch batch = x_rounds.built(x_rounds.world().genesis(), 2);
  PostOptions options;
  options.delegate = delegate.address();
  const auto plan = x_rounds.plan(batch.directory, std::move(options));
  ASSERT_TRUE(plan.has_value());
  ASSERT_FALSE(post_batch(x_rounds.chain(), x_rounds.world().poster(), *plan).refusal);
  x_rounds.open(batch, "next_model", 0);
  x_rounds.request(batch, {.object = 0, .record = 0, .leaf = 0});
  Defender unasked(delegate, x_folder.path() / "data", Doubt::kStaySilent, x_chain.pace());
  EXPECT_TRUE(defend(unasked).empty());
  Defender asked(delegate, x_folder.path() / "data", Doubt::kStaySilent, x_chain.pace(),
                 {x_rounds.world().poster().address()});
  const std::vector<Defense> defenses = defend(asked);
  EXPECT_EQ(defenses.size(), 2U);
  for (const Defense& defense : defenses) EXPECT_EQ(defense.outcome, Outcome::kDone) << defense.message;
}

}  // namespace
}  // namespace tally::sequencer
