#include "sequencer/trainer/payout.h"

#include <gtest/gtest.h>

#include "sequencer/defender/stored_batch.h"
#include "tests/sequencer/poster/chained_rounds.h"
#include "tests/support/hooked_chain.h"
#include "tests/support/temporary_folder.h"

namespace tally::sequencer {
namespace {

constexpr const char* kTwoWages = R"(
program two_wages
dim K in 1..8
dim M in 2..32
record examples: i64 in 1..1000
state wages: i64[M] in 0..1000
state tips: i64[M] in 0..1000
table next_wages[m in M]: i64 in 0..1000 { return 10 }
table next_tips[m in M]: i64 in 0..1000 { return 3 }
next wages = next_wages
next tips = next_tips
payable wages to member
payable tips to member
)";

TEST(Payout, counts_what_was_credited_though_the_wallet_withdraws_in_between) {
  const test::TemporaryFolder folder;
  test::ChainedRounds rounds(folder.path() / "data",
                             {.program = kTwoWages, .dims = {4}, .settings = test::quick_settings()});
  chain::ChainAdapter& chain = rounds.chain();
  const proof::PrivateKey& key = rounds.world().key(0);
  const proof::Wei unit = rounds.settings().payout_unit;
  rounds.send(key, {100 * unit.value}, proof::Fund{.task = rounds.task()});
  const BuiltBatch batch = rounds.posted(rounds.world().genesis());
  rounds.advance(100'000);
  chain::BatchIndex index;
  ASSERT_EQ(do_due(rounds.chain(), key, index, rounds.task()).finalised.size(), 1U);
  const proof::TaskPreimage& task = rounds.world().prepared().preimage;
  const auto program = proof::read_program(chain.state(), task.program_hash);
  const auto stored = StoredBatch::open(task, program.value(),
                                        index.find(proof::batch_id(batch.manifest.header))->posted, batch.directory)
                          .value();

  std::size_t withdrawals = 0;
  test::HookedChain withdrawing(chain, [&](const proof::Transaction& /*transaction*/) {
    const auto fate = chain::submit_and_wait(chain, {.key = key, .value = {}, .transaction = proof::Withdraw{}});
    if (!fate.refusal) ++withdrawals;
  });
  const Payout payout = pay_out(withdrawing, key, stored->data(), 0);
  EXPECT_EQ(payout.paid.value, 13 * unit.value);
  EXPECT_FALSE(payout.refusal.has_value());
  EXPECT_EQ(withdrawals, 1U);

  const Payout again = pay_out(withdrawing, key, stored->data(), 0);
  EXPECT_EQ(again.paid, proof::Wei{});
  EXPECT_EQ(again.refusal.value().reason, proof::Reason::kNothingToPay);
}

}  // namespace
}  // namespace tally::sequencer
