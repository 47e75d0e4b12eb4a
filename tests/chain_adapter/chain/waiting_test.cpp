#include "chain_adapter/chain/waiting.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "tests/support/settlement_samples.h"
#include "tests/support/settlement_world.h"

namespace tally::chain {
namespace {

/// Takes a transaction, and has it in a block after so many looks; or fails to answer.
class Slow final : public ChainAdapter {
 public:
  explicit Slow(Waiting waiting) : ChainAdapter(std::move(waiting)) {}

  [[nodiscard]] ChainIdentity identity() override { return {}; }
  [[nodiscard]] Head head() override { return {}; }
  [[nodiscard]] TransactionId submit(const Submission& /*submission*/) override {
    ++sent;
    return kId;
  }
  [[nodiscard]] TransactionFate fate(const TransactionId& id) override {
    EXPECT_EQ(id, kId);
    ++looks;
    if (at_look) at_look();
    if (looks <= looks_needed) return {.kind = TransactionFate::Kind::kPending};
    return {.kind = sent > failures ? TransactionFate::Kind::kApplied : TransactionFate::Kind::kFailed};
  }
  [[nodiscard]] std::vector<LoggedEvent> events(std::uint64_t /*from*/, std::size_t /*limit*/) override { return {}; }
  [[nodiscard]] const proof::StateReader& state() override { return x_records; }
  [[nodiscard]] proof::Wei balance(const proof::Address& /*account*/) override { return {}; }

  static constexpr TransactionId kId{{{{0xab}}}};
  int looks = 0;
  int looks_needed = 0;
  int sent = 0;
  int failures = 0;
  std::function<void()> at_look;

 private:
  test::SettlementWorld x_world;
  const proof::StateReader& x_records = x_world.state();
};

TransactionFate fund(ChainAdapter& chain) {
  return submit_and_wait(chain, {.key = test::small_key(1), .value = {}, .transaction = proof::Fund{}});
}

std::string interruption_of(ChainAdapter& chain) {
  try {
    static_cast<void>(fund(chain));
  } catch (const Interrupted& interrupted) {
    return interrupted.what();
  }
  return {};
}

TEST(Waiting, ends_when_it_is_told_to_and_says_what_may_still_happen) {
  std::stop_source stop;
  Slow chain({.stop = stop.get_token()});
  chain.looks_needed = 1'000'000;
  chain.at_look = [&] {
    if (chain.looks == 3) stop.request_stop();
  };
  const std::string said = interruption_of(chain);
  EXPECT_EQ(chain.looks, 3);
  EXPECT_NE(said.find("fund, transaction " + to_hex(Slow::kId)), std::string::npos) << said;
  EXPECT_NE(said.find("may still get into a block"), std::string::npos) << said;
  EXPECT_NE(said.find("the same again"), std::string::npos) << said;
}

TEST(Waiting, ends_so_too_where_nobody_answers_when_it_is_told_to) {
  std::stop_source stop;
  Slow chain({.stop = stop.get_token()});
  chain.at_look = [&] {
    stop.request_stop();
    throw std::runtime_error("out of reach");
  };
  EXPECT_NE(interruption_of(chain).find(to_hex(Slow::kId)), std::string::npos);
}

TEST(Waiting, looks_once_before_it_ends) {
  std::stop_source stop;
  stop.request_stop();
  Slow chain({.stop = stop.get_token()});
  EXPECT_EQ(fund(chain).kind, TransactionFate::Kind::kApplied);
}

TEST(Waiting, sends_again_what_failed_but_not_for_ever) {
  Slow chain({});
  chain.failures = 2;
  EXPECT_EQ(fund(chain).kind, TransactionFate::Kind::kApplied);
  EXPECT_EQ(chain.sent, 3);
  chain.failures = 1'000;
  EXPECT_THROW(static_cast<void>(fund(chain)), std::runtime_error);
  EXPECT_EQ(chain.sent, 6);
}

TEST(Waiting, tells_once_of_what_takes_long) {
  for (const auto& [after, times] : {std::pair(std::chrono::milliseconds(0), 1U), {std::chrono::hours(1), 0U}}) {
    std::vector<std::string> told;
    Slow chain({.tell = [&](const std::string& message) { told.push_back(message); }, .tell_after = after});
    chain.looks_needed = 3;
    static_cast<void>(fund(chain));
    ASSERT_EQ(told.size(), times);
    if (times > 0) {
      EXPECT_EQ(told.front(), "fund, transaction " + to_hex(Slow::kId) + ", waits for a block");
    }
  }
}

}  // namespace
}  // namespace tally::chain
