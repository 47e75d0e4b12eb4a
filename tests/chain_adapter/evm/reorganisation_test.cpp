// Blocks that are taken back in the middle of what posters, defenders and watchtowers do.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "chain_adapter/chain/event_cursor.h"
#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/rpc_values.h"
#include "sequencer/poster/finaliser.h"
#include "sequencer/task/extend.h"
#include "tests/support/dispute_world.h"
#include "tests/support/node_chain.h"
#include "tests/support/settlement_world.h"
#include "tests/support/test_batch.h"

namespace tally::chain {
namespace {

namespace json = boost::json;
using proof::Wei;
using test::DisputedBatch;
using test::DisputeWorld;
using test::NodeChain;
using Kind = TransactionFate::Kind;

constexpr std::uint64_t kConfirmations = 6;

test::Cheat forge(const DisputeWorld& world) {
  return
      [&world](const std::filesystem::path& batch) { test::forge_table(batch, world.program(), "next_model", 3, 1); };
}

/// Whatever is done is taken back once, by a reorganisation that reaches so many blocks.
class Waves : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  /// In both worlds: the one that is taken back, and the one that stays.
  template <class Step>
  void twice(const Step& step) {
    const std::string mark = node->world().mark();
    step();
    node->world().mine(GetParam());
    look();
    const std::uint64_t before = world->chain().head().block;
    node->world().go_back(mark);
    static_cast<void>(node->world().rpc().call("anvil_dropAllTransactions", {}));
    // The longer chain is the one that stays.
    if (GetParam() > kConfirmations) node->world().mine(before - world->chain().head().block + 1);
    step();
    node->confirm();
  }
  /// The parties see what will be taken back.
  void look() {
    static_cast<void>(world->chain().events(0, 1'000));
    static_cast<void>(world->chain().state());
  }
  void turn() {
    static_cast<void>(world->watch());
    world->defend();
  }

  std::shared_ptr<NodeChain> node = std::make_shared<NodeChain>(kConfirmations);
  std::unique_ptr<DisputeWorld> world = std::make_unique<DisputeWorld>(test::DisputeOptions{.chain = node});
};

INSTANTIATE_TEST_SUITE_P(Reorganisations, Waves,
                         ::testing::Values(0,                    // the transactions' own blocks
                                           2,                    // as deep as is thought possible
                                           kConfirmations + 3),  // deeper
                         [](const auto& one) { return "take_back_" + std::to_string(one.param) + "_more_blocks"; });

/// Pitfall 17, Pitfall 19, Pitfall 29.
TEST_P(Waves, leave_the_right_one_as_the_winner) {
  node->confirm();
  DisputedBatch good;
  DisputedBatch bad;
  std::uint64_t seed = 0;
  twice([&] { good = world->post({}, ++seed); });
  twice([&] { bad = world->post(forge(*world), ++seed); });
  const Wei before = world->watcher_owns();
  for (int turns = 0; turns < 12 && world->status(bad) == proof::BatchStatus::kPending; ++turns) twice([&] { turn(); });
  EXPECT_EQ(world->status(bad), proof::BatchStatus::kInvalid);
  EXPECT_EQ(world->cause_of_loss(bad), proof::LossCause::kEntry);
  for (int turns = 0; turns < 2; ++turns) twice([&] { turn(); });
  EXPECT_GT(world->watcher_owns(), before);
  EXPECT_EQ(proof::read_credit(world->chain().state(), world->watcher().address()), Wei{}) << "withdrawn";

  world->advance(world->settings().challenge_period_s + 1);
  BatchIndex index;
  twice([&] {
    const auto report =
        sequencer::do_due(world->chain(), world->rounds().poster(), index, world->rounds().prepared().id);
    EXPECT_LE(report.finalised.size(), 1U);
  });
  EXPECT_EQ(world->status(good), proof::BatchStatus::kFinal);
}

TEST(Confirmations, are_counted_where_a_batch_is_not_told_of_yet) {
  const auto node = std::make_shared<NodeChain>(kConfirmations);
  DisputeWorld world({.chain = node});
  node->confirm();
  const DisputedBatch batch = world.post({}, 1);
  const auto expect = [&](std::uint64_t has) {
    BatchIndex index;
    index.follow(world.chain());
    EXPECT_EQ(index.find(batch.id), nullptr);
    const auto place = sequencer::place_on(world.chain().state(), index, world.rounds().prepared().id, batch.id);
    ASSERT_FALSE(place.has_value());
    EXPECT_NE(place.error().message.find("has " + std::to_string(has) + " of 6 confirmations"), std::string::npos)
        << place.error().message;
  };
  expect(0);
  node->world().mine(1);
  expect(1);
  node->confirm();
  BatchIndex index;
  index.follow(world.chain());
  EXPECT_NE(index.find(batch.id), nullptr);
  EXPECT_EQ(index.what_is_missing(batch.id), "");
}

/// Two accounts' transactions, by which the order of things shows.
class ReorderedTest : public ::testing::Test {
 protected:
  ReorderedTest() {
    for (const proof::PrivateKey* const key : {&pattern.creator(), &pattern.other()})
      world.give(key->address(), test::kEther);
    EXPECT_FALSE(
        submit_and_wait(*chain, {.key = pattern.creator(), .value = {}, .transaction = pattern.creation()}).refusal);
    world.mine(kConfirmations);
    cursor.pass(chain->events(0, 10).at(0));
    world.hold_blocks();
  }

  TransactionId fund(const proof::PrivateKey& key, std::uint64_t amount) {
    const TransactionId id =
        chain->submit({.key = key, .value = {amount}, .transaction = proof::Fund{.task = pattern.task()}});
    world.mine(1);
    return id;
  }
  std::vector<Wei> funded() {
    std::vector<Wei> amounts;
    for (const LoggedEvent& each : chain->events(cursor.next(), 10))
      amounts.push_back(std::get<proof::Funded>(each.event).amount);
    return amounts;
  }
  std::string raw(const TransactionId& id) {
    return std::string(world.rpc().call("eth_getRawTransactionByHash", {math::to_hex(id.digest.bytes)}).as_string());
  }
  /// The last blocks are replaced by others; the transactions by their place in them.
  void reorganise(std::uint64_t depth, const std::vector<std::pair<std::string, std::uint64_t>>& transactions) {
    json::array placed;
    for (const auto& [bytes, block] : transactions) placed.push_back(json::array{bytes, block});
    static_cast<void>(world.rpc().call("anvil_reorg", {depth, placed}));
  }
  Wei pool() { return proof::read_task_status(chain->state(), pattern.task())->pool; }

  test::EvmWorld world;
  test::SettlementWorld pattern{{.members = 2, .chain = {.contract = settlement_address()}}};
  std::unique_ptr<EvmChain> chain = world.open(kConfirmations);
  EventCursor cursor;
};

TEST_F(ReorderedTest, tells_events_in_the_order_that_stays) {
  const TransactionId first = fund(pattern.creator(), 3);
  const TransactionId second = fund(pattern.other(), 4);
  EXPECT_EQ(pool(), Wei{7});
  EXPECT_TRUE(funded().empty());
  reorganise(2, {{raw(second), 0}, {raw(first), 1}});
  EXPECT_EQ(pool(), Wei{7});
  const TransactionFate late = chain->fate(first);
  const TransactionFate early = chain->fate(second);
  ASSERT_EQ(late.kind, Kind::kApplied);
  ASSERT_EQ(early.kind, Kind::kApplied);
  EXPECT_LT(early.block, late.block);
  world.mine(kConfirmations);
  EXPECT_EQ(funded(), (std::vector<Wei>{{4}, {3}}));
  EXPECT_TRUE(cursor.holds(*chain));
}

TEST_F(ReorderedTest, names_what_took_the_place_of_what_was_taken_back) {
  const TransactionId gone = fund(pattern.creator(), 3);
  EXPECT_EQ(chain->fate(gone).kind, Kind::kApplied);
  const TransactionId waits = fund(pattern.other(), 4);
  // The same account from another machine, with the same nonce.
  reorganise(2, {});
  static_cast<void>(world.rpc().call("anvil_dropAllTransactions", {}));
  test::TemporaryFolder elsewhere;
  const auto other = world.open(kConfirmations, elsewhere.path());
  const TransactionId instead =
      other->submit({.key = pattern.creator(), .value = {5}, .transaction = proof::Fund{.task = pattern.task()}});
  world.mine(1);
  EXPECT_EQ(other->fate(instead).kind, Kind::kApplied);
  EXPECT_EQ(chain->fate(gone).kind, Kind::kPending) << "it may come back yet";
  world.mine(kConfirmations);
  const TransactionFate fate = chain->fate(gone);
  ASSERT_EQ(fate.kind, Kind::kRefused);
  EXPECT_EQ(fate.refusal->reason, proof::Reason::kWrongNonce);
  EXPECT_EQ(funded(), (std::vector<Wei>{{5}}));
  EXPECT_EQ(chain->fate(waits).kind, Kind::kPending) << "nothing took its place";
  EXPECT_TRUE(cursor.holds(*chain));
}

TEST_F(ReorderedTest, goes_on_when_a_shorter_chain_takes_over) {
  static_cast<void>(fund(pattern.creator(), 3));
  world.mine(kConfirmations);
  EXPECT_EQ(funded(), (std::vector<Wei>{{3}}));
  EventCursor behind;
  behind.pass(chain->events(cursor.next(), 1).at(0));
  const std::uint64_t before = chain->head().block;

  constexpr std::uint64_t kDepth = kConfirmations + 1;
  static_cast<void>(world.rpc().call("anvil_rollback", {kDepth}));
  EXPECT_EQ(chain->head().block, before - kDepth);
  EXPECT_NO_THROW(static_cast<void>(chain->state()));
  const TransactionId id = fund(pattern.other(), 4);
  EXPECT_EQ(chain->fate(id).kind, Kind::kApplied);
  world.mine(kConfirmations);
  EXPECT_FALSE(behind.holds(*chain));
  EXPECT_EQ(pool(), Wei{4});
  // All is told anew, and no position names two events.
  const auto events = chain->events(0, 10);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_GT(events.front().position, behind.next());
  EXPECT_EQ(std::get<proof::Funded>(events.back().event).amount, Wei{4});
}

/// A node whose lists of logs lack what the settlement told of some kind.
class LeavesOut final : public HttpPoster {
 public:
  explicit LeavesOut(const std::string& url, const bool& leaves_out)
      : x_inner(*parse_endpoint(url)), x_leaves_out(leaves_out) {}
  HttpResponse post(const std::string& body) override {
    HttpResponse response = x_inner.post(body);
    if (x_leaves_out && body.find("eth_getLogs") != std::string::npos) {
      json::value answer = json::parse(response.body);
      answer.at("result") = json::array();
      response.body = json::serialize(answer);
    }
    return response;
  }
  [[nodiscard]] std::string name() const override { return x_inner.name(); }

 private:
  HttpClient x_inner;
  const bool& x_leaves_out;
};

TEST_F(ReorderedTest, says_what_to_do_where_a_node_leaves_out_logs) {
  bool leaves_out = true;
  std::vector<std::unique_ptr<HttpPoster>> way;
  way.push_back(std::make_unique<LeavesOut>(world.anvil().url(), leaves_out));
  test::TemporaryFolder own;
  EvmChain deceived({std::move(way), {}, [](std::chrono::milliseconds) {}},
                    {.confirmations = kConfirmations, .cache = own.path()});
  world.mine(kConfirmations);
  EXPECT_TRUE(deceived.events(0, 10).empty());
  leaves_out = false;
  static_cast<void>(fund(pattern.creator(), 3));
  world.mine(kConfirmations);
  try {
    static_cast<void>(deceived.events(0, 10));
    FAIL();
  } catch (const ChainDisagrees& error) {
    EXPECT_NE(std::string(error.what()).find("delete " + deceived.file().string() + " and ask another node"),
              std::string::npos)
        << error.what();
  }
  std::filesystem::remove_all(own.path());
  EXPECT_EQ(world.open(kConfirmations, own.path())->events(0, 10).size(), 2U);
}

}  // namespace
}  // namespace tally::chain
