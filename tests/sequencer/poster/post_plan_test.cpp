#include "sequencer/poster/post_plan.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "sequencer/task/extend.h"
#include "tests/sequencer/poster/chained_rounds.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_batch.h"

namespace tally::sequencer {
namespace {

using test::ChainedRounds;
using test::RoundWorld;
using test::TemporaryFolder;

TEST(PostPlan, makes_the_chain_build_the_header_of_the_directory_round_after_round) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  const math::u128 before = rounds.owned_by(rounds.world().poster().address()).value;
  test::RoundStart start = rounds.world().genesis();
  for (std::uint64_t number = 1; number <= 3; ++number) {
    const BuiltBatch batch = rounds.posted(start, number);
    const proof::BatchId id = proof::batch_id(batch.manifest.header);
    ASSERT_NE(rounds.index().find(id), nullptr);
    EXPECT_EQ(rounds.index().find(id)->posted.header, batch.manifest.header);
    EXPECT_EQ(rounds.index().batches(rounds.task()).size(), number);
    EXPECT_EQ(latest_batch(rounds.chain().state(), rounds.world().store(), rounds.task()).value(), id);
    const Extension next = extend(rounds.chain().state(), rounds.index(), rounds.task(), id).value();
    start = RoundWorld::after(batch);
    EXPECT_EQ(next.place.number, start.number);
    EXPECT_EQ(next.place.state, start.state);
  }
  EXPECT_EQ(before - rounds.owned_by(rounds.world().poster().address()).value,
            3 * rounds.settings().sequencer_bond.value);
}

TEST(PostPlan, refuses_a_directory_whose_data_are_not_what_its_header_says) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  const BuiltBatch batch = rounds.built(rounds.world().genesis());
  const std::filesystem::path& directory = batch.directory;
  for (const char* const file : {"tables/next_model.bin", "tables/total.bin"}) {
    const auto bytes = test::read_bytes(directory / file);
    test::write_byte(directory / file, 0, bytes[0] ^ 1U);
    const auto plan = rounds.plan(directory);
    ASSERT_FALSE(plan.has_value()) << file;
    EXPECT_EQ(plan.error().reason, PostReason::kHeader) << file;
    test::write_bytes(directory / file, bytes);
  }
  const auto records = test::read_bytes(directory / "records.bin");
  test::write_byte(directory / "records.bin", 3, records[3] ^ 1U);
  EXPECT_EQ(rounds.plan(directory).error().reason, PostReason::kHeader);
  test::write_bytes(directory / "records.bin", records);

  const auto state = test::read_bytes(directory / "state/model.bin");
  test::write_byte(directory / "state/model.bin", 0, state[0] ^ 1U);
  const auto other_state = rounds.plan(directory);
  ASSERT_FALSE(other_state.has_value());
  EXPECT_EQ(other_state.error().chain, proof::Reason::kParentState);
  test::write_bytes(directory / "state/model.bin", state);

  auto shorter = state;
  shorter.pop_back();
  test::write_bytes(directory / "state/model.bin", shorter);
  EXPECT_EQ(rounds.plan(directory).error().reason, PostReason::kDirectory);
  test::write_bytes(directory / "state/model.bin", state);

  const auto header = test::read_bytes(directory / "header.bin");
  test::write_byte(directory / "header.bin", 200, header[200] ^ 1U);
  EXPECT_EQ(rounds.plan(directory).error().reason, PostReason::kDirectory);
  test::write_bytes(directory / "header.bin", header);
  EXPECT_TRUE(rounds.plan(directory).has_value());
  EXPECT_EQ(rounds.plan(folder.path() / "nowhere").error().reason, PostReason::kDirectory);
}

TEST(PostPlan, refuses_a_cheats_records_unless_it_is_told_not_to_look) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  const BuiltBatch batch = rounds.built(rounds.world().genesis());
  // A byte of the first signature, committed to.
  constexpr std::size_t kPlace = 20 + 8 + 8 + 32 + 8 + 5;
  const std::uint8_t byte = test::read_bytes(batch.directory / "records.bin").at(kPlace);
  test::write_byte(batch.directory / "records.bin", kPlace, byte ^ 1U);
  test::recommit(batch.directory, rounds.world().task().program);
  const auto plan = rounds.plan(batch.directory);
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().reason, PostReason::kRecord) << plan.error().message;
  EXPECT_TRUE(rounds.plan(batch.directory, {.records = RecordChecks::kNone}).has_value());
}

TEST(PostPlan, refuses_records_of_strangers_and_of_members_who_leave) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  const BuiltBatch batch = rounds.built(rounds.world().genesis());
  rounds.send(rounds.world().key(1), {}, proof::RequestExit{.task = rounds.task(), .member = 1});
  EXPECT_TRUE(rounds.plan(batch.directory).has_value()) << "the exit is far away";
  rounds.advance(rounds.settings().exit_delay_s - 300);
  const auto soon = rounds.plan(batch.directory);
  ASSERT_FALSE(soon.has_value());
  EXPECT_EQ(soon.error().reason, PostReason::kSigner);
  EXPECT_NE(soon.error().message.find("leaves within 600 s"), std::string::npos) << soon.error().message;
  EXPECT_TRUE(rounds.plan(batch.directory, {.inclusion_s = 10}).has_value());
  rounds.advance(300);
  EXPECT_EQ(rounds.plan(batch.directory, {.inclusion_s = 0}).error().reason, PostReason::kSigner);
}

TEST(PostPlan, refuses_members_who_leave_while_a_post_may_be_held_up) {
  const TemporaryFolder folder;
  test::RoundOptions options{.settings = test::quick_settings()};
  options.settings.censorship_budget_s = 1'000;
  options.settings.window_s = 1'100;
  options.settings.request_period_s = 2'400;
  options.settings.game_clock_s = 2'000;
  options.settings.challenge_period_s = 5'000;
  options.settings.exit_delay_s = 12'000;
  ChainedRounds rounds(folder.path() / "data", options);
  const BuiltBatch batch = rounds.built(rounds.world().genesis());
  rounds.send(rounds.world().key(1), {}, proof::RequestExit{.task = rounds.task(), .member = 1});
  rounds.advance(rounds.settings().exit_delay_s - 1'100);
  EXPECT_TRUE(rounds.plan(batch.directory).has_value());
  rounds.advance(200);
  const auto soon = rounds.plan(batch.directory);
  ASSERT_FALSE(soon.has_value());
  EXPECT_EQ(soon.error().reason, PostReason::kSigner);
  EXPECT_NE(soon.error().message.find("leaves within 1000 s"), std::string::npos) << soon.error().message;
}

TEST(PostPlan, says_what_else_stands_in_the_way) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data");
  const BuiltBatch first = rounds.built(rounds.world().genesis());
  EXPECT_EQ(rounds.plan(first.directory, rounds.world().key(0).address()).error().reason, PostReason::kNotThePoster);
  const BuiltBatch second = rounds.built(RoundWorld::after(first), 2);
  EXPECT_EQ(rounds.plan(second.directory).error().reason, PostReason::kNoSuchParent);
  const auto posted = post_batch(rounds.chain(), rounds.world().poster(), rounds.plan(first.directory).value());
  EXPECT_EQ(posted.kind, chain::TransactionFate::Kind::kApplied);
  EXPECT_EQ(rounds.plan(first.directory).error().chain, proof::Reason::kBatchExists);
  EXPECT_TRUE(rounds.plan(second.directory).has_value());

  const TemporaryFolder elsewhere;
  ChainedRounds other(elsewhere.path() / "data", {.program = "median", .settings = test::quick_settings()});
  EXPECT_EQ(other.plan(first.directory).error().reason, PostReason::kNoSuchTask);
}

TEST(PostPlan, asks_for_the_turn_the_keepers_and_few_enough_leaves) {
  const auto refused = [](const std::function<void(proof::TaskSettings&)>& change) {
    const TemporaryFolder folder;
    test::RoundOptions options{.settings = test::quick_settings()};
    change(options.settings);
    ChainedRounds rounds(folder.path() / "data", options);
    return rounds.plan(rounds.built(rounds.world().genesis()).directory).error().chain;
  };
  EXPECT_EQ(refused([](proof::TaskSettings& settings) {
              settings.proposer_rule =
                  proof::ProposerRotation{.slot_s = 100, .grace_s = 50, .proposers = {proof::Address{.bytes = {1}}}};
            }),
            proof::Reason::kNotAProposer);
  EXPECT_EQ(refused([](proof::TaskSettings& settings) {
              settings.availability = proof::KeeperQuorum{.threshold = 1, .keepers = {proof::Address{.bytes = {1}}}};
            }),
            proof::Reason::kKeeperCount);
  EXPECT_EQ(refused([](proof::TaskSettings& settings) {
              settings.availability = proof::LeafRequests{.max_requests = 6, .request_bond = {1'000}};
            }),
            proof::Reason::kTooManyLeaves);
}

class VerifyAndPost : public testing::Test {
 protected:
  std::expected<Posting, PostRefusal> post(const BuiltBatch& batch, const Verify& verify) {
    math::ThreadPool pool(1);
    PostOptions options;
    options.pool = &pool;
    return verify_and_post(rounds.chain(), rounds.world().poster(), batch.directory, options, verify);
  }
  /// A verification that takes its time.
  Verify while_verifying(const BuiltBatch& batch, std::function<void()> happens) {
    return [header = batch.manifest.header, happens = std::move(happens)] {
      happens();
      return header;
    };
  }

  TemporaryFolder folder;
  ChainedRounds rounds{folder.path() / "data"};
};

TEST_F(VerifyAndPost, posts_what_was_verified) {
  const BuiltBatch batch = rounds.built(rounds.world().genesis());
  const auto posted = post(batch, while_verifying(batch, [] {}));
  ASSERT_TRUE(posted.has_value()) << posted.error().message;
  EXPECT_EQ(posted->fate.kind, chain::TransactionFate::Kind::kApplied);
  EXPECT_EQ(rounds.status(batch), proof::BatchStatus::kPending);
}

TEST_F(VerifyAndPost, looks_at_the_chain_again_once_the_batch_is_verified) {
  const BuiltBatch batch = rounds.built(rounds.world().genesis());
  const auto overtaken = post(batch, while_verifying(batch, [&] {
                                const auto plan = rounds.plan(batch.directory);
                                EXPECT_FALSE(post_batch(rounds.chain(), rounds.world().poster(), *plan).refusal);
                              }));
  ASSERT_FALSE(overtaken.has_value());
  EXPECT_EQ(overtaken.error().chain, proof::Reason::kBatchExists) << overtaken.error().message;

  const BuiltBatch next = rounds.built(RoundWorld::after(batch), 2);
  const auto left =
      post(next, while_verifying(next, [&] {
             rounds.send(rounds.world().key(1), {}, proof::RequestExit{.task = rounds.task(), .member = 1});
             rounds.advance(rounds.settings().exit_delay_s);
           }));
  ASSERT_FALSE(left.has_value()) << "a record of a member that has left costs the bond";
  EXPECT_EQ(left.error().reason, PostReason::kSigner) << left.error().message;
}

TEST_F(VerifyAndPost, refuses_another_batch_than_the_one_that_was_verified) {
  const BuiltBatch batch = rounds.built(rounds.world().genesis(), 1);
  const BuiltBatch other = rounds.built(rounds.world().genesis(), 2);
  const auto swapped = post(batch, while_verifying(batch, [&] {
                              std::filesystem::remove_all(batch.directory);
                              std::filesystem::rename(other.directory, batch.directory);
                            }));
  ASSERT_FALSE(swapped.has_value());
  EXPECT_EQ(swapped.error().reason, PostReason::kHeader) << swapped.error().message;
  EXPECT_TRUE(rounds.index().batches(rounds.task()).empty()) << "nothing was posted";
}

TEST_F(VerifyAndPost, verifies_nothing_that_the_chain_would_refuse_anyway) {
  const BuiltBatch batch = rounds.posted(rounds.world().genesis());
  bool verified = false;
  EXPECT_FALSE(post(batch, while_verifying(batch, [&] { verified = true; })).has_value());
  EXPECT_FALSE(verified);
}

TEST(Poster, seals_the_seed_that_a_program_reads) {
  const TemporaryFolder folder;
  ChainedRounds rounds(folder.path() / "data", {.program = R"(
program drawn
dim K in 1..8
dim D <= 64
row u: i32[D] in -1000..1000
state sum: i64[D] in -1000000..1000000
table next_sum[d in D]: i64 in -1000000..1000000 {
  fold k in K { s = s + u[k, d] * mod(prf(seed[0], seed[1], k), 100) } from s = 0
  return clamp(sum[d] + s, -1000000, 1000000)
}
next sum = next_sum
)",
                                                .settings = test::quick_settings()});
  chain::ChainAdapter& chain = rounds.chain();
  const proof::PrivateKey& key = rounds.world().poster();
  const auto early = extend(chain.state(), rounds.index(), rounds.task(), proof::kGenesisParent);
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().reason, ExtendReason::kNoSeed);
  const auto sealed = seal_seed(chain, key, rounds.task(), proof::kGenesisParent);
  ASSERT_FALSE(sealed.refusal.has_value()) << sealed.refusal->message;
  EXPECT_EQ(seal_seed(chain, key, rounds.task(), proof::kGenesisParent).kind, chain::TransactionFate::Kind::kApplied);
  const Extension first = extend(chain.state(), rounds.index(), rounds.task(), proof::kGenesisParent).value();
  EXPECT_NE(first.seed, math::Digest{});

  BatchInputs unseeded = rounds.world().inputs(rounds.world().genesis());
  const auto other = rounds.world().build(std::move(unseeded));
  ASSERT_TRUE(other.has_value()) << other.error().message;
  EXPECT_EQ(rounds.plan(other->directory).error().reason, PostReason::kSeed);

  BatchInputs inputs = rounds.world().inputs(rounds.world().genesis());
  inputs.seed = first.seed;
  const auto built = rounds.world().build(std::move(inputs));
  ASSERT_TRUE(built.has_value()) << built.error().message;
  const auto plan = rounds.plan(built->directory);
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  PostPlan of_another_fork = *plan;
  of_another_fork.seed.bytes.back() ^= 1;
  EXPECT_EQ(post_batch(chain, key, of_another_fork).refusal.value().reason, proof::Reason::kSeedNotSealed);
  const auto fate = post_batch(chain, key, *plan);
  EXPECT_EQ(fate.kind, chain::TransactionFate::Kind::kApplied);
}

}  // namespace
}  // namespace tally::sequencer
