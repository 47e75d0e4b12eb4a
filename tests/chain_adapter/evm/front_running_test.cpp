// Whatever a party sends is copied by a thief who pays more, and whose copy comes first in the same block.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/fee_transaction.h"
#include "chain_adapter/evm/refusal_of_call.h"
#include "chain_adapter/evm/rpc_values.h"
#include "chain_adapter/keys/development_keys.h"
#include "sequencer/poster/finaliser.h"
#include "tests/support/dispute_world.h"
#include "tests/support/node_chain.h"
#include "tests/support/test_batch.h"

namespace tally::chain {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using proof::Wei;
using test::DisputedBatch;
using test::DisputeWorld;
using test::NodeChain;
using Kind = TransactionFate::Kind;

constexpr Wei kGwei{1'000'000'000};
constexpr std::uint64_t kThiefKey = 3'000'000;
const std::string kTaken = "taken";

/// What became of copies, and of what was copied, by the names of transactions.
struct Loot {
  std::map<std::string, std::set<std::string>> copies{};
  std::map<std::string, std::set<std::string>> victims{};
};

std::string text_of(const TransactionFate& fate) {
  return fate.refusal ? std::string(to_string(fate.refusal->reason)) : kTaken;
}

class Thief {
 public:
  explicit Thief(test::EvmWorld& world)
      : x_world(world), x_node(world.rpc()), x_key(development_key(kThiefKey)), x_eyes(world.open()) {
    world.give(address(), {1'000 * test::kEther.value});
  }

  /// Works while blocks come by its hand alone.
  void begin() {
    x_world.hold_blocks();
    x_works = true;
  }
  void end() {
    static_cast<void>(x_world.rpc().call("evm_setAutomine", {true}));
    x_works = false;
  }
  [[nodiscard]] bool works() const { return x_works; }
  [[nodiscard]] proof::Address address() const { return x_key.address(); }
  [[nodiscard]] Wei owns() {
    return {x_node.balance(address()).value + proof::read_credit(x_eyes->state(), address()).value + x_fees.value};
  }
  [[nodiscard]] const Loot& loot() const { return x_loot; }
  void say(std::string name) { x_name = std::move(name); }

  /// A transaction waits at the node: its copy is put before it.
  void rob(const TransactionId& id) {
    const EvmCall call = x_node.transaction(id).value();
    const TransactionId copy = x_node.send(signed_bytes({.chain_id = x_node.chain_id(),
                                                         .nonce = x_node.next_nonce(address()),
                                                         .priority_fee = {50 * kGwei.value},
                                                         .fee = {500 * kGwei.value},
                                                         .gas = 5'000'000,
                                                         .to = call.to,
                                                         .value = call.value,
                                                         .data = call.data},
                                                        x_key));
    x_world.mine(1);
    const json::value first = receipt_of(copy);
    const json::value second = receipt_of(id);
    ASSERT_EQ(first.at("blockNumber"), second.at("blockNumber"));
    ASSERT_LT(number_of(first.at("transactionIndex")), number_of(second.at("transactionIndex")));
    x_fees.value += number_of(first.at("gasUsed")) * number_of(first.at("effectiveGasPrice"));
    const std::string outcome = outcome_as_the_first(call, number_of(first.at("blockNumber")));
    ASSERT_EQ(outcome == kTaken, first.at("status").as_string() == "0x1");
    x_loot.copies[x_name].insert(outcome);
    x_loot.victims[x_name].insert(text_of(x_eyes->fate(id)));
  }

 private:
  /// A block does not say why it refused something; what it began with does.
  std::string outcome_as_the_first(EvmCall call, std::uint64_t block) {
    call.sender = address();
    try {
      static_cast<void>(x_node.simulate(call, block - 1));
      return kTaken;
    } catch (const RpcError& error) {
      return std::string(to_string(refusal_of_call(error).value().reason));
    }
  }
  json::value receipt_of(const TransactionId& id) {
    return x_world.rpc().call("eth_getTransactionReceipt", {math::to_hex(id.digest.bytes)});
  }

  test::EvmWorld& x_world;
  EvmNode x_node;
  proof::PrivateKey x_key;
  std::unique_ptr<EvmChain> x_eyes;
  Loot x_loot;
  Wei x_fees{};
  std::string x_name;
  bool x_works = false;
};

/// A way to the node that a thief sees into.
class Overheard final : public HttpPoster {
 public:
  Overheard(const std::string& url, Thief*& thief) : x_inner(*parse_endpoint(url)), x_thief(thief) {}
  HttpResponse post(const std::string& body) override {
    HttpResponse response = x_inner.post(body);
    if (x_thief != nullptr && x_thief->works() && body.find("eth_sendRawTransaction") != std::string::npos)
      x_thief->rob({digest_of(json::parse(response.body).at("result"))});
    return response;
  }
  [[nodiscard]] std::string name() const override { return x_inner.name(); }

 private:
  HttpClient x_inner;
  Thief*& x_thief;
};

/// A client that says what it sends.
class Talkative final : public ChainAdapter {
 public:
  Talkative(std::unique_ptr<ChainAdapter> inner, Thief*& thief) : x_inner(std::move(inner)), x_thief(thief) {}
  ChainIdentity identity() override { return x_inner->identity(); }
  Head head() override { return x_inner->head(); }
  TransactionId submit(const Submission& submission) override {
    if (x_thief != nullptr) x_thief->say(std::string(proof::name_of(submission.transaction)));
    return x_inner->submit(submission);
  }
  TransactionFate fate(const TransactionId& id) override { return x_inner->fate(id); }
  std::vector<LoggedEvent> events(std::uint64_t from, std::size_t limit) override {
    return x_inner->events(from, limit);
  }
  const proof::StateReader& state() override { return x_inner->state(); }
  Wei balance(const proof::Address& account) override { return x_inner->balance(account); }

 private:
  std::unique_ptr<ChainAdapter> x_inner;
  Thief*& x_thief;
};

class RobbedChain final : public test::TestChain {
 public:
  [[nodiscard]] NodeChain& node() { return x_node; }
  void meet(Thief& thief) { x_thief = &thief; }

  [[nodiscard]] std::string where() const override { return x_node.where(); }
  [[nodiscard]] std::unique_ptr<ChainAdapter> open() override {
    return std::make_unique<Talkative>(x_node.open(), x_thief);
  }
  void advance(std::uint64_t seconds) override { x_node.advance(seconds); }
  [[nodiscard]] Wei fees(const proof::Address& account) override { return x_node.fees(account); }
  void mark() override { x_node.mark(); }
  void go_back() override { x_node.go_back(); }

 private:
  RpcClient way(const std::string& url) {
    std::vector<std::unique_ptr<HttpPoster>> one;
    one.push_back(std::make_unique<Overheard>(url, x_thief));
    return {std::move(one), {}, [](std::chrono::milliseconds) {}};
  }

  Thief* x_thief = nullptr;
  NodeChain x_node{0, [this](const std::string& url) { return way(url); }};
};

class FrontRunning : public ::testing::Test {
 protected:
  FrontRunning() { chain->meet(thief); }
  sequencer::FinaliserReport finalise() {
    BatchIndex index;
    const auto client = world.open();
    return sequencer::do_due(*client, world.rounds().poster(), index, world.rounds().prepared().id);
  }

  std::shared_ptr<RobbedChain> chain = std::make_shared<RobbedChain>();
  DisputeWorld world{{.chain = chain}};
  Thief thief{chain->node().world()};
};

using Outcomes = std::set<std::string>;

/// Pitfall 16.
TEST_F(FrontRunning, gains_nothing_from_the_moves_of_a_game) {
  const DisputedBatch bad =
      world.post([&](const fs::path& batch) { test::forge_table(batch, world.program(), "next_model", 3, 1); });
  const Wei before = world.watcher_owns();
  const Wei thief_before = thief.owns();
  thief.begin();
  static_cast<void>(world.play());
  thief.end();
  EXPECT_EQ(world.status(bad), proof::BatchStatus::kInvalid);
  EXPECT_GT(world.watcher_owns(), before);
  EXPECT_LE(thief.owns(), thief_before);
  const Loot& loot = thief.loot();
  EXPECT_EQ(loot.copies.at("open_game"), Outcomes{kTaken}) << "a game of its own";
  EXPECT_EQ(loot.copies.at("make_move"), Outcomes{"NotYourMove"});
  EXPECT_EQ(loot.copies.at("withdraw"), Outcomes{"NothingToWithdraw"});
  for (const auto& [name, outcomes] : loot.victims) EXPECT_EQ(outcomes, Outcomes{kTaken}) << name;
}

/// Pitfall 16.
TEST_F(FrontRunning, cannot_show_a_proof_that_another_committed_to) {
  constexpr std::ptrdiff_t kRecordBytes = 20 + 8 + 8 + 32 + 8 + 65;
  const DisputedBatch bad = world.post([&](const fs::path& directory) {
    auto records = test::read_bytes(directory / "records.bin");
    std::swap_ranges(records.begin(), records.begin() + kRecordBytes, records.begin() + kRecordBytes);
    test::write_bytes(directory / "records.bin", records);
  });
  const Wei before = world.watcher_owns();
  const Wei thief_before = thief.owns();
  thief.begin();
  for (int turns = 0; turns < 4; ++turns) static_cast<void>(world.play());
  thief.end();
  EXPECT_EQ(world.status(bad), proof::BatchStatus::kInvalid);
  EXPECT_EQ(world.cause_of_loss(bad), proof::LossCause::kRecordOrder);
  EXPECT_GT(world.watcher_owns(), before);
  EXPECT_LE(thief.owns(), thief_before);
  EXPECT_EQ(thief.loot().copies.at("commit"), Outcomes{kTaken}) << "a commitment that nothing fits";
  EXPECT_EQ(thief.loot().copies.at("show_proof"), Outcomes{"NotCommitted"});
  for (const auto& [name, outcomes] : thief.loot().victims) EXPECT_EQ(outcomes, Outcomes{kTaken}) << name;
}

/// The demand is one for all, and whoever answers it saves the batch.
TEST_F(FrontRunning, of_demands_and_answers_leaves_a_valid_batch_valid) {
  const DisputedBatch good = world.post();
  fs::remove_all(good.watcher / "rows");
  const Wei thief_before = thief.owns();
  thief.begin();
  static_cast<void>(world.play());
  thief.end();
  EXPECT_EQ(world.status(good), proof::BatchStatus::kPending);
  const Loot& loot = thief.loot();
  EXPECT_EQ(loot.copies.at("request_leaf"), Outcomes{kTaken});
  EXPECT_EQ(loot.victims.at("request_leaf"), Outcomes{"RequestExists"});
  EXPECT_EQ(loot.copies.at("answer_request"), Outcomes{kTaken});
  EXPECT_EQ(loot.victims.at("answer_request"), Outcomes{"RequestAnswered"});
  EXPECT_FALSE(loot.copies.contains("claim_withheld"));
  EXPECT_LE(thief.owns(), thief_before);
}

/// Anyone may do these, for whom they are about.
TEST_F(FrontRunning, does_others_a_favour_where_anyone_may_act) {
  const DisputedBatch bad =
      world.post([&](const fs::path& batch) { test::forge_table(batch, world.program(), "next_model", 3, 1); });
  const Wei before = world.watcher_owns();
  static_cast<void>(world.watch());
  world.advance(world.settings().game_clock_s + 1);
  const Wei thief_before = thief.owns();
  thief.begin();
  for (int runs = 0; runs < 3; ++runs) static_cast<void>(world.watch());
  thief.end();
  EXPECT_EQ(world.status(bad), proof::BatchStatus::kInvalid);
  EXPECT_GT(world.watcher_owns(), before);
  EXPECT_LE(thief.owns(), thief_before);
  EXPECT_EQ(thief.loot().copies.at("claim_timeout"), Outcomes{kTaken});
  EXPECT_EQ(thief.loot().victims.at("claim_timeout"), Outcomes{"GameEnded"});
  EXPECT_EQ(thief.loot().victims.at("withdraw"), Outcomes{kTaken});
}

TEST_F(FrontRunning, of_a_post_makes_another_batch_and_leaves_both_bonds_whole) {
  const Wei thief_before = thief.owns();
  thief.begin();
  const DisputedBatch good = world.post();
  thief.end();
  EXPECT_EQ(thief.loot().victims.at("post"), Outcomes{kTaken});
  EXPECT_EQ(thief.loot().copies.at("post"), Outcomes{kTaken});
  world.advance(world.settings().challenge_period_s + 1);
  thief.begin();
  const auto report = finalise();
  thief.end();
  // The first of two valid ones becomes final, and says the same.
  EXPECT_EQ(world.status(good), proof::BatchStatus::kSuperseded);
  EXPECT_TRUE(report.released.empty()) << "the thief did it";
  EXPECT_EQ(thief.loot().copies.at("release_bond"), Outcomes{kTaken});
  EXPECT_EQ(thief.loot().copies.at("finalize"), Outcomes{kTaken});
  EXPECT_EQ(thief.loot().victims.at("finalize"), Outcomes{"BatchFinal"});
  EXPECT_LE(thief.owns(), thief_before);
  EXPECT_GE(world.chain().balance(world.rounds().poster().address()).value +
                proof::read_credit(world.chain().state(), world.rounds().poster().address()).value,
            math::u128{99'999} * test::kEther.value);
}

}  // namespace
}  // namespace tally::chain
