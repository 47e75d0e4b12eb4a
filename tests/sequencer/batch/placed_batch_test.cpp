#include <gtest/gtest.h>

#include <functional>

#include "chain_adapter/keys/development_keys.h"
#include "sequencer/batch/batch_builder.h"
#include "tests/support/round_world.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_batch.h"

namespace tally::sequencer {
namespace {

using test::RoundWorld;
using test::TemporaryFolder;

TEST(PlacedBatch, carries_the_state_from_batch_to_batch_and_verifies) {
  const TemporaryFolder folder;
  const RoundWorld world(folder.path() / "data");
  test::RoundStart start = world.genesis();
  for (std::uint64_t number = 1; number <= 3; ++number) {
    const auto built = world.build(world.inputs(start, number));
    ASSERT_TRUE(built.has_value()) << built.error().message;
    const proof::BatchHeader& header = built->manifest.header;
    EXPECT_EQ(header.number, number);
    EXPECT_EQ(header.parent, start.parent);
    EXPECT_EQ(header.prev_state_root, start.state);
    EXPECT_EQ(header.task, world.prepared().id);
    EXPECT_EQ(built->directory, world.store().batch(proof::batch_id(header)));
    EXPECT_TRUE(world.store().holds(proof::batch_id(header)));
    const verifier::VerifyReport report = test::verify(built->directory);
    EXPECT_TRUE(report.findings.empty()) << report.findings.front().message;
    start = RoundWorld::after(*built);
  }
}

TEST(PlacedBatch, keeps_the_state_that_no_table_replaces) {
  const TemporaryFolder folder;
  const RoundWorld world(folder.path() / "data", {.program = R"(
program kept
dim K in 1..8
dim D <= 64
row u: i32[D] in -1000..1000
state scale: i32[D] in 1..9
state sum: i64[D] in 0-1000000..1000000
table next_sum[d in D]: i64 in 0-1000000..1000000 {
  fold k in K { s = s + u[k, d] } from s = 0
  return clamp(sum[d] + s * scale[d], 0-1000000, 1000000)
}
next sum = next_sum
)"});
  const auto first = world.build(world.inputs(world.genesis(), 1));
  ASSERT_TRUE(first.has_value()) << first.error().message;
  const auto second = world.build(world.inputs(RoundWorld::after(*first), 2));
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(test::read_bytes(second->directory / "state/scale.bin"),
            test::read_bytes(first->directory / "state/scale.bin"));
  EXPECT_EQ(test::read_bytes(second->directory / "state/sum.bin"),
            test::read_bytes(first->directory / "tables/next_sum.bin"));
}

TEST(PlacedBatch, is_the_same_whatever_the_order_of_the_contributions) {
  const TemporaryFolder folder;
  const RoundWorld world(folder.path() / "data", {.members = 5});
  const auto one = world.build(world.inputs(world.genesis()));
  ASSERT_TRUE(one.has_value()) << one.error().message;
  BatchInputs inputs = world.inputs(world.genesis());
  std::ranges::reverse(inputs.records);
  math::ThreadPool pool(3);
  BuildOptions options;
  options.target = folder.path() / "again";
  options.pool = &pool;
  const auto two = build_batch(std::move(inputs), options);
  ASSERT_TRUE(two.has_value()) << two.error().message;
  EXPECT_EQ(test::read_folder(one->directory), test::read_folder(two->directory));
}

TEST(PlacedBatch, orders_records_by_member_where_a_member_has_one) {
  const TemporaryFolder folder;
  const RoundWorld world(folder.path() / "data", {.program = R"(
program votes
dim K in 1..8
dim M in 1..8
one record per member
record vote: i64 in 0..1
state yes: i64 in 0..1000000
table next_yes: i64 in 0..1000000 {
  fold k in K { n = n + vote[k] } from n = 0
  return clamp(yes + n, 0, 1000000)
}
next yes = next_yes
)",
                                                  .dims = {8},
                                                  .members = 6});
  BatchInputs inputs = world.inputs(world.genesis());
  std::ranges::reverse(inputs.records);
  const auto built = world.build(std::move(inputs));
  ASSERT_TRUE(built.has_value()) << built.error().message;
  EXPECT_TRUE(test::verify(built->directory).findings.empty());

  BatchInputs doubled = world.inputs(world.genesis());
  doubled.records[1].signed_record = make_record({.program = world.task().program.program,
                                                  .task = world.prepared().preimage,
                                                  .place = {world.prepared().id, 1, world.genesis().state},
                                                  .key = world.key(1),
                                                  .member = 0,
                                                  .nonce = 0,
                                                  .rows = {},
                                                  .fields = {1}})
                                         .value();
  const auto refused = world.build(std::move(doubled));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, BuildReason::kDuplicateSigner);
  EXPECT_EQ(refused.error().message, "update 0 and update 1 are signed for the same member, 0");
}

TEST(PlacedBatch, refuses_what_does_not_belong_to_its_place) {
  const TemporaryFolder folder;
  const RoundWorld world(folder.path() / "data");
  const auto first = world.build(world.inputs(world.genesis(), 1));
  ASSERT_TRUE(first.has_value()) << first.error().message;
  struct Case {
    const char* what;
    std::function<void(BatchInputs&)> change;
    BuildReason reason;
  };
  const std::vector<Case> cases = {
      {"an old update",
       [&](BatchInputs& in) { in.records[1] = std::move(world.inputs(world.genesis(), 1).records[1]); },
       BuildReason::kSignature},
      {"another's signature",
       [](BatchInputs& in) { in.records[0].signed_record->signature = in.records[1].signed_record->signature; },
       BuildReason::kSignature},
      {"a field changed after signing", [](BatchInputs& in) { in.records[0].signed_record->fields[0] ^= 1; },
       BuildReason::kSignature},
      {"another's rows", [](BatchInputs& in) { std::swap(in.records[0].rows, in.records[1].rows); },
       BuildReason::kRowCommitment},
      {"the same record twice",
       [&](BatchInputs& in) { in.records[2] = std::move(world.inputs(RoundWorld::after(*first), 2).records[1]); },
       BuildReason::kDuplicateSigner},
      {"the genesis's states",
       [&](BatchInputs& in) {
         in.states = previous_states(world.task(), world.store(), proof::kGenesisParent).value();
       },
       BuildReason::kState},
      {"another number", [](BatchInputs& in) { in.place->number += 1; }, BuildReason::kSignature},
      {"number 0", [](BatchInputs& in) { in.place->number = 0; }, BuildReason::kTask},
      {"other settings", [](BatchInputs& in) { in.settings.leaf_bytes = 128; }, BuildReason::kTask},
      {"other fraction bits", [](BatchInputs& in) { in.frac_bits = 20; }, BuildReason::kTask},
      {"another program hash", [](BatchInputs& in) { in.place->task.program_hash.bytes[0] ^= 1; }, BuildReason::kTask},
      {"other dims", [](BatchInputs& in) { in.place->task.dims[0] += 1; }, BuildReason::kTask},
      {"a field missing", [](BatchInputs& in) { in.records[0].signed_record->fields.clear(); }, BuildReason::kRowCount},
      {"a commitment missing", [](BatchInputs& in) { in.records[0].signed_record->rows.clear(); },
       BuildReason::kRowCount},
      {"a field out of range", [](BatchInputs& in) { in.records[0].signed_record->fields[0] = 0; },
       BuildReason::kFieldRange},
  };
  for (const Case& c : cases) {
    BatchInputs inputs = world.inputs(RoundWorld::after(*first), 2);
    c.change(inputs);
    const auto refused = world.build(std::move(inputs));
    ASSERT_FALSE(refused.has_value()) << c.what;
    EXPECT_EQ(refused.error().reason, c.reason) << c.what << ": " << refused.error().message;
  }
  EXPECT_FALSE(std::filesystem::exists(world.store().folder() / "building"));
}

}  // namespace
}  // namespace tally::sequencer
