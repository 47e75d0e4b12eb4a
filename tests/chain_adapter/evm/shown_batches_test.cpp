// Transactions that rest on batches which they do not name: the contract wants their headers, and takes no others for
// them.
#include "chain_adapter/evm/shown_batches.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "chain_adapter/evm/abi.h"
#include "fraud_proof/signing/keccak.h"
#include "tests/support/batch_life.h"
#include "tests/support/evm_mirror.h"
#include "tests/support/memory_world.h"

namespace tally::chain {
namespace {

using proof::BatchHeader;
using proof::Reason;
using proof::Transaction;
using test::EvmMirror;
using test::SettlementWorld;
using test::WorldBatch;
using Bytes = std::vector<std::uint8_t>;
using Headers = std::vector<BatchHeader>;

const std::string kTaken = "taken";
const std::string kNotShown = math::to_hex(selector_of("HeaderNotShown()"));

/// Two children of genesis, of which the first is lost, and a child and a grandchild of the second.
class ShownBatchesTest : public ::testing::Test {
 protected:
  ShownBatchesTest() { test::disprove(world, lost); }

  std::string says(const Transaction& transaction, const Headers& shown) {
    return mirror->refusal_of(encode(transaction), shown);
  }
  Headers wanted(const Transaction& transaction) {
    Headers headers;
    for (const proof::BatchId& batch : batches_to_show(world.state(), transaction)) {
      for (WorldBatch* const known : {&lost, &second, &child, &grandchild})
        if (known->id() == batch) headers.push_back(known->header());
    }
    return headers;
  }
  /// Without any one of the headers that it rests on, and with another in its place, it is not judged.
  void needs(const Transaction& transaction, const Headers& headers, const std::string& verdict) {
    SCOPED_TRACE(name_of(transaction));
    EXPECT_EQ(wanted(transaction), headers);
    EXPECT_EQ(says(transaction, headers), verdict);
    for (std::size_t i = 0; i < headers.size(); ++i) {
      Headers shown = headers;
      shown[i].record_count += 1;
      EXPECT_EQ(says(transaction, shown), kNotShown) << i;
      shown.erase(shown.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_EQ(says(transaction, shown), kNotShown) << i;
    }
  }
  static std::string error(Reason reason) { return EvmMirror::error_of(reason); }

  std::shared_ptr<EvmMirror> mirror = std::make_shared<EvmMirror>();
  SettlementWorld world{{.chain = mirrored(mirror)}};
  WorldBatch lost = world.posted(test::forged());
  WorldBatch second = world.posted();
  WorldBatch child = world.posted({.parent = &second});
  WorldBatch grandchild = world.posted({.parent = &child});
};

TEST_F(ShownBatchesTest, pending_ancestors_are_shown_up_to_the_first_that_is_not) {
  const Headers ancestors = {child.header(), second.header()};
  needs(proof::Finalize{.header = grandchild.header()}, ancestors, error(Reason::kPeriodRunning));
  needs(proof::ReleaseBond{.header = grandchild.header()}, ancestors, error(Reason::kNotReleasable));
  needs(proof::OpenGame{.header = grandchild.header()}, ancestors, error(Reason::kWrongValue));
  needs(proof::OpenDescent{.header = grandchild.header()}, ancestors, error(Reason::kWrongValue));
  needs(proof::RequestLeaf{.header = grandchild.header()}, ancestors, error(Reason::kWrongValue));
  needs(proof::ShowProof{.header = grandchild.header(), .proof = proof::RecordOrderProof{}}, ancestors,
        error(Reason::kNotCommitted));
  needs(proof::Post{.task = world.task(), .parent = grandchild.header()}, ancestors, error(Reason::kWrongValue));
}

TEST_F(ShownBatchesTest, siblings_are_shown_in_the_order_of_their_posts) {
  const proof::Finalize finalize{.header = second.header()};
  world.chain().advance(world.settings().challenge_period_s);
  ASSERT_TRUE(world.send(world.other(), proof::Commit{}).has_value());
  needs(proof::SkipInvalid{.task = world.task()}, {lost.header(), second.header()}, kTaken);
  EXPECT_EQ(says(finalize, {lost.header()}), kTaken);
  EXPECT_EQ(says(finalize, {}), kNotShown);
  EXPECT_EQ(says(finalize, {second.header()}), kNotShown);
}

TEST_F(ShownBatchesTest, a_parent_named_by_its_id_is_shown_and_is_of_its_task) {
  const proof::SealSeed seal{.task = world.task(), .parent = second.id()};
  needs(seal, {second.header()}, kTaken);
  needs(proof::SkipInvalid{.task = world.task(), .parent = second.id()}, {second.header(), child.header()},
        error(Reason::kNothingToSkip));
  proof::CreateTask creation = world.creation();
  creation.salt.fill(9);
  const auto created = world.send(world.creator(), creation);
  ASSERT_TRUE(created.has_value());
  const proof::TaskId other = std::get<proof::TaskCreated>(created->events.front()).task;
  EXPECT_EQ(says(proof::SealSeed{.task = other, .parent = second.id()}, {second.header()}),
            error(Reason::kNoSuchBatch));
}

TEST_F(ShownBatchesTest, others_between_them_are_passed_over) {
  const Transaction finalize = proof::Finalize{.header = grandchild.header()};
  EXPECT_EQ(says(finalize, {lost.header(), child.header(), grandchild.header(), second.header(), child.header()}),
            error(Reason::kPeriodRunning));
}

/// Where the contract looks for the code of what is named so (contracts/CodeStore.sol).
std::string place_of_code(const proof::Digest& name) {
  const auto last_20 = [](const proof::KeccakDigest& hash) { return Bytes(hash.bytes.end() - 20, hash.bytes.end()); };
  const Bytes maker = {0x67, 0x36, 0x5f, 0x5f, 0x37, 0x36, 0x5f, 0x5f, 0xf0, 0x5f, 0x52, 0x60, 0x08, 0x60, 0x18, 0xf3};
  math::ByteWriter made_by_name;
  made_by_name.u8(0xff);
  made_by_name.raw(test::MemoryChainOptions{}.contract.bytes);
  made_by_name.raw(name.bytes);
  made_by_name.raw(proof::keccak256(maker).bytes);
  const proof::KeccakDigest by_name = proof::keccak256(made_by_name.view());
  math::ByteWriter made_first;
  made_first.u16be(0xd694);
  made_first.raw(last_20(by_name));
  made_first.u8(1);
  return math::to_hex(last_20(proof::keccak256(made_first.view())));
}

// Who finds a batch whose id leads to a contract of its own would have a task whose words it can change.
TEST_F(ShownBatchesTest, a_batch_is_no_task_whatever_code_is_where_its_own_would_be) {
  chain::RpcClient& node = mirror->node().rpc();
  const auto code = node.call("eth_getCode", {place_of_code(world.task().digest), "latest"});
  ASSERT_GT(code.as_string().size(), 1000U);
  static_cast<void>(node.call("anvil_setCode", {place_of_code(second.id().digest), code}));
  const proof::TaskId fake{second.id().digest};
  proof::Post post = world.make_batch().post();
  EXPECT_NE(mirror->refusal_of(encode(Transaction(post)), {}, {}, world.settings().sequencer_bond),
            error(Reason::kNoSuchTask));
  post.task = fake;
  EXPECT_EQ(mirror->refusal_of(encode(Transaction(post)), {}, {}, world.settings().sequencer_bond),
            error(Reason::kNoSuchTask));
  EXPECT_EQ(says(proof::SealSeed{.task = fake}, {}), error(Reason::kNoSuchTask));
  EXPECT_EQ(says(proof::SkipInvalid{.task = fake}, {}), error(Reason::kNoSuchTask));
}

TEST(ShownSeedTest, a_post_shows_the_seed_that_it_means) {
  const auto mirror = std::make_shared<EvmMirror>();
  SettlementWorld world({.program = test::compile_text(R"(program seeded
dim K in 1..8
record x: i64 in 0..100
table draw: i64 {
  fold k in K { s = s + x[k] * prf(seed[0], seed[1], k) } from s = 0
  return s
}
)")
                                        .program,
                         .dims = {},
                         .chain = mirrored(mirror)});
  world.chain().mine(5);
  ASSERT_TRUE(world.send(world.other(), proof::SealSeed{.task = world.task()}).has_value());
  WorldBatch batch = world.make_batch();
  const Bytes post = encode(Transaction(batch.post()));
  const auto says = [&](const std::optional<proof::Digest>& seed) {
    return mirror->refusal_of(post, {}, seed, world.settings().sequencer_bond);
  };
  const auto seed = proof::read_seed(world.state(), world.task(), proof::kGenesisParent);
  ASSERT_TRUE(seed.has_value());
  proof::Digest other = *seed;
  other.bytes.back() ^= 1;
  const std::string not_shown = math::to_hex(selector_of("SeedNotShown()"));
  EXPECT_EQ(says(std::nullopt), not_shown);
  EXPECT_EQ(says(other), not_shown);
  EXPECT_EQ(says(seed), kTaken);
  EXPECT_TRUE(world.post(batch).has_value());
}

}  // namespace
}  // namespace tally::chain
