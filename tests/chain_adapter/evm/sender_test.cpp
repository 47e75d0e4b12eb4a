// Transactions that hang, are forgotten, are overtaken by others of the same key, or outlive the process that sent
// them.
#include "chain_adapter/evm/sender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <cstdlib>
#include <string>
#include <thread>

#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/rpc_values.h"
#include "tests/support/edited_node.h"
#include "tests/support/evm_world.h"
#include "tests/support/settlement_world.h"

namespace tally::chain {
namespace {

namespace json = boost::json;

using proof::Reason;
using proof::Wei;
using test::EvmWorld;
using Kind = TransactionFate::Kind;

constexpr Wei kEther{1'000'000'000'000'000'000};
constexpr Wei kGwei{1'000'000'000};
constexpr std::uint64_t kPatience = 3;

Wei gwei(std::uint64_t number) { return {number * kGwei.value}; }

/// What waits at the node.
struct Pooled {
  std::uint64_t nonce = 0;
  TransactionId hash{};
  Wei tip{};
  Wei fee{};
};

/// A way to a node on which something happens just before a method is asked for.
class HookedPoster final : public HttpPoster {
 public:
  HookedPoster(const std::string& url, std::string method, std::function<void()> hook)
      : x_inner(*parse_endpoint(url)), x_method(std::move(method)), x_hook(std::move(hook)) {}
  HttpResponse post(const std::string& body) override {
    if (x_hook && body.find(x_method) != std::string::npos) std::exchange(x_hook, {})();
    return x_inner.post(body);
  }
  [[nodiscard]] std::string name() const override { return x_inner.name(); }

 private:
  HttpClient x_inner;
  std::string x_method;
  std::function<void()> x_hook;
};

class SenderTest : public ::testing::Test {
 protected:
  SenderTest() {
    static EvmWorld one_for_all;
    static std::string clean = one_for_all.mark();
    x_world = &one_for_all;
    one_for_all.go_back(clean);
    clean = one_for_all.mark();
    call("anvil_dropAllTransactions", {});
    call("evm_setAutomine", {true});
    call("anvil_setNextBlockBaseFeePerGas", {quantity(kGwei.value)});
    for (std::uint8_t number = 1; number < 10; ++number) world().give(test::small_key(number).address(), kEther);
    chain = open();
    if (send(*chain, pattern.creator(), {}, pattern.creation()).kind != Kind::kApplied) std::abort();
    world().hold_blocks();
  }

  EvmWorld& world() { return *x_world; }
  void call(std::string_view method, json::array parameters) {
    static_cast<void>(world().rpc().call(method, std::move(parameters)));
  }

  std::unique_ptr<EvmChain> open(std::optional<std::filesystem::path> cache = {}, Wei max_fee = gwei(500)) {
    return world().open_with(
        {.confirmations = 0,
         .cache = cache.value_or(folder.path()),
         .sending = {
             .tip = kGwei, .max_fee = max_fee, .patience_blocks = kPatience, .patience_s = 1'000, .now_s = [this] {
               return now_s;
             }}});
  }
  TransactionFate send(ChainAdapter& to, const proof::PrivateKey& key, const Wei& value,
                       const proof::Transaction& transaction) {
    return submit_and_wait(to, {.key = key, .value = value, .transaction = transaction});
  }
  TransactionId fund(ChainAdapter& to, std::uint64_t amount) {
    return to.submit({.key = pattern.creator(), .value = {amount}, .transaction = proof::Fund{.task = pattern.task()}});
  }
  Wei pool_of_task() { return proof::read_task_status(open()->state(), pattern.task())->pool; }

  void mine(const Wei& base_fee = kGwei) {
    call("anvil_setNextBlockBaseFeePerGas", {quantity(base_fee.value)});
    world().mine(1);
  }
  /// Blocks that take nothing in; it goes on waiting.
  void mine_empty_blocks(std::uint64_t count) {
    call("evm_setBlockGasLimit", {quantity(21'000)});
    for (std::uint64_t i = 0; i < count; ++i) mine();
    call("evm_setBlockGasLimit", {quantity(1'000'000'000'000)});
  }
  /// A node forgets what it was sent.
  void drop(const TransactionId& id) { call("anvil_dropTransaction", {math::to_hex(id.digest.bytes)}); }

  std::vector<Pooled> pooled() {
    std::vector<Pooled> found;
    const json::value content = world().rpc().call("txpool_content", {});
    for (const char* const list : {"pending", "queued"}) {
      for (const auto& [sender, transactions] : content.at(list).as_object()) {
        std::string text(sender);
        std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
        if (text != math::to_hex(pattern.creator().address().bytes)) continue;
        for (const auto& [nonce, each] : transactions.as_object()) {
          found.push_back({.nonce = number_of(each.at("nonce")),
                           .hash = {digest_of(each.at("hash"))},
                           .tip = wei_of(each.at("maxPriorityFeePerGas")),
                           .fee = wei_of(each.at("maxFeePerGas"))});
        }
      }
    }
    std::ranges::sort(found, {}, &Pooled::nonce);
    return found;
  }

  test::TemporaryFolder folder;
  std::uint64_t now_s = 1'000'000;
  test::SettlementWorld pattern{{.members = 2, .chain = {.contract = settlement_address()}}};
  std::unique_ptr<EvmChain> chain;

 private:
  EvmWorld* x_world = nullptr;
};

/// Pitfall 29: nonces stick.
TEST_F(SenderTest, replaces_what_hangs_for_a_higher_fee_under_the_same_id) {
  const TransactionId id = fund(*chain, 7);
  mine_empty_blocks(kPatience - 1);
  EXPECT_EQ(chain->fate(id).kind, Kind::kPending);
  ASSERT_EQ(pooled().size(), 1U);
  const Pooled before = pooled().front();
  EXPECT_EQ(before.hash, id);

  mine_empty_blocks(1);
  EXPECT_EQ(chain->fate(id).kind, Kind::kPending);
  ASSERT_EQ(pooled().size(), 1U);
  const Pooled after = pooled().front();
  EXPECT_EQ(after.nonce, before.nonce);
  EXPECT_NE(after.hash, id);
  EXPECT_GE(after.tip.value * 8, before.tip.value * 9);
  EXPECT_GE(after.fee.value * 8, before.fee.value * 9);
  EXPECT_EQ(chain->fate(id).kind, Kind::kPending);
  EXPECT_EQ(pooled().front().hash, after.hash) << "once for each wait";

  mine();
  const TransactionFate fate = chain->fate(id);
  EXPECT_EQ(fate.kind, Kind::kApplied);
  EXPECT_EQ(fate.events.size(), 1U);
  EXPECT_EQ(chain->fate(after.hash).kind, Kind::kApplied);
  EXPECT_EQ(pool_of_task(), Wei{7});
}

TEST_F(SenderTest, replaces_as_often_as_needed_and_where_no_block_comes) {
  const TransactionId id = fund(*chain, 7);
  Wei last = pooled().front().fee;
  for (int time = 0; time < 4; ++time) {
    now_s += 1'000;
    EXPECT_EQ(chain->fate(id).kind, Kind::kPending);
    EXPECT_GE(pooled().front().fee.value * 8, last.value * 9);
    last = pooled().front().fee;
  }
  world().mine(1);
  EXPECT_EQ(chain->fate(id).kind, Kind::kApplied);
}

TEST_F(SenderTest, stops_waiting_when_it_is_told_to_and_goes_on_with_the_same_later) {
  std::stop_source stop;
  stop.request_stop();
  EvmChain stopped(
      rpc_client(world().anvil().url()),
      {.confirmations = 0, .cache = folder.path(), .sending = {.tip = kGwei}, .waiting = {.stop = stop.get_token()}});
  try {
    static_cast<void>(send(stopped, pattern.creator(), {7}, proof::Fund{.task = pattern.task()}));
    FAIL();
  } catch (const Interrupted& interrupted) {
    ASSERT_EQ(pooled().size(), 1U);
    EXPECT_NE(std::string(interrupted.what()).find(to_hex(pooled().front().hash)), std::string::npos)
        << interrupted.what();
  }
  const TransactionId id = fund(*chain, 7);
  EXPECT_EQ(id, pooled().front().hash);
  mine();
  EXPECT_EQ(chain->fate(id).kind, Kind::kApplied);
  EXPECT_EQ(pool_of_task(), Wei{7});
}

/// Pitfall 29: fees spike. The node forgets what pays too little, and takes it no more.
TEST_F(SenderTest, follows_the_base_fee_up) {
  const TransactionId id = fund(*chain, 7);
  for (std::uint64_t block = 0; block < kPatience; ++block) {
    mine(gwei(50));
    EXPECT_TRUE(pooled().empty());
    EXPECT_EQ(chain->fate(id).kind, Kind::kPending);
  }
  ASSERT_EQ(pooled().size(), 1U);
  EXPECT_NE(pooled().front().hash, id);
  EXPECT_GE(pooled().front().fee, gwei(100)) << "twice the base fee of now";
  mine(gwei(50));
  EXPECT_EQ(chain->fate(id).kind, Kind::kApplied);
}

TEST_F(SenderTest, gives_no_nonce_away_that_waits_for_a_better_price) {
  const TransactionId first = fund(*chain, 7);
  mine(gwei(50));
  ASSERT_TRUE(pooled().empty());
  const TransactionId second = fund(*chain, 8);
  ASSERT_EQ(pooled().size(), 1U);
  EXPECT_EQ(pooled().front().hash, second);
  for (std::uint64_t block = 0; block < kPatience; ++block) mine(gwei(50));
  EXPECT_EQ(chain->fate(first).kind, Kind::kPending);
  EXPECT_EQ(pooled().size(), 2U);
  mine(gwei(50));
  EXPECT_EQ(chain->fate(first).kind, Kind::kApplied);
  EXPECT_EQ(chain->fate(second).kind, Kind::kApplied);
  EXPECT_EQ(pool_of_task(), Wei{15});
}

TEST_F(SenderTest, goes_on_with_what_waits_whatever_a_new_one_would_cost) {
  const auto careful = open({}, gwei(4));
  const TransactionId id = fund(*careful, 7);
  mine(gwei(50));
  EXPECT_EQ(fund(*careful, 7), id);
  EXPECT_THROW(static_cast<void>(fund(*careful, 8)), FeeAboveLimit);
}

TEST_F(SenderTest, pays_no_more_than_the_limit_and_says_what_to_do) {
  const auto expect_limit = [](const auto& work) {
    try {
      work();
      FAIL();
    } catch (const FeeAboveLimit& error) {
      EXPECT_NE(std::string(error.what()).find("TALLY_MAX_FEE allows 4 gwei"), std::string::npos) << error.what();
    }
  };
  const auto careful = open({}, gwei(4));
  const TransactionId id = fund(*careful, 7);
  Wei last{};
  for (int replaced = 0; replaced < 2; ++replaced) {
    mine_empty_blocks(kPatience);
    EXPECT_EQ(careful->fate(id).kind, Kind::kPending);
    EXPECT_GT(pooled().front().fee, last);
    last = pooled().front().fee;
  }
  EXPECT_LE(last, gwei(4));
  mine_empty_blocks(kPatience);
  expect_limit([&] { static_cast<void>(careful->fate(id)); });
  expect_limit([&] { static_cast<void>(fund(*open({}, gwei(4)), 8)); });
  ASSERT_EQ(pooled().size(), 1U);
  EXPECT_EQ(pooled().front().fee, last);

  // Whoever raises it goes on with what hangs.
  const auto richer = open();
  EXPECT_EQ(fund(*richer, 7), id);
  EXPECT_GT(pooled().front().fee, gwei(4));
  mine(gwei(4));
  EXPECT_EQ(richer->fate(id).kind, Kind::kApplied);
  EXPECT_EQ(pool_of_task(), Wei{7});
  expect_limit([&] { static_cast<void>(fund(*careful, 8)); });
  EXPECT_TRUE(pooled().empty()) << "nothing was sent";
}

TEST_F(SenderTest, sends_what_the_node_has_forgotten_again_byte_for_byte) {
  const TransactionId first = fund(*chain, 7);
  const TransactionId second = fund(*chain, 8);
  drop(second);
  drop(first);
  ASSERT_TRUE(pooled().empty());
  mine();
  EXPECT_EQ(chain->fate(second).kind, Kind::kPending);
  ASSERT_EQ(pooled().size(), 2U) << "and what it waits for";
  EXPECT_EQ(pooled()[0].hash, first);
  EXPECT_EQ(pooled()[1].hash, second);
  mine();
  EXPECT_EQ(chain->fate(first).kind, Kind::kApplied);
  EXPECT_EQ(chain->fate(second).kind, Kind::kApplied);
  EXPECT_EQ(pool_of_task(), Wei{15});
}

TEST_F(SenderTest, says_that_another_transaction_of_the_key_took_the_nonce) {
  const TransactionId id = fund(*chain, 7);
  drop(id);
  test::TemporaryFolder of_another_machine;
  const auto other = open(of_another_machine.path());
  const TransactionId faster = fund(*other, 9);
  mine();
  EXPECT_EQ(other->fate(faster).kind, Kind::kApplied);
  const TransactionFate fate = chain->fate(id);
  ASSERT_EQ(fate.kind, Kind::kRefused);
  EXPECT_EQ(fate.refusal->reason, Reason::kWrongNonce);
  EXPECT_NE(fate.refusal->message.find(to_hex(faster)), std::string::npos) << fate.refusal->message;
  EXPECT_EQ(chain->fate(id).kind, Kind::kRefused);
  EXPECT_EQ(pool_of_task(), Wei{9});

  const TransactionId again = fund(*chain, 7);
  EXPECT_NE(again, id);
  mine();
  EXPECT_EQ(chain->fate(again).kind, Kind::kApplied);
  EXPECT_EQ(pool_of_task(), Wei{16});
}

/// Nodes behind one URL are not at the same block: one counts the nonce, another has no receipt yet.
TEST_F(SenderTest, gives_up_nothing_that_only_lacks_its_receipt) {
  bool lacks_receipts = false;
  bool lacks_blocks = false;
  EvmChain own(
      test::edited(world().anvil().url(),
                   [&](std::string_view method, const json::array& /*parameters*/, json::object& answer) {
                     const bool is_lacking = (lacks_receipts && method == "eth_getTransactionReceipt") ||
                                             (lacks_blocks && method == "eth_getBlockByHash");
                     if (is_lacking) answer["result"] = nullptr;
                   }),
      {.confirmations = 0, .cache = folder.path(), .sending = {.tip = kGwei, .now_s = [this] { return now_s; }}});
  const TransactionId id = fund(own, 7);
  lacks_receipts = true;
  mine();
  EXPECT_EQ(own.fate(id).kind, Kind::kPending);
  lacks_blocks = true;
  mine();
  EXPECT_EQ(own.fate(id).kind, Kind::kPending);
  lacks_receipts = lacks_blocks = false;
  EXPECT_EQ(own.fate(id).kind, Kind::kApplied);
  EXPECT_EQ(pool_of_task(), Wei{7});

  // Where nobody says which one it was, so many blocks behind it do.
  const TransactionId lost = fund(own, 8);
  lacks_receipts = lacks_blocks = true;
  mine();
  EXPECT_EQ(own.fate(lost).kind, Kind::kPending);
  world().mine(64);
  EXPECT_EQ(own.fate(lost).kind, Kind::kRefused);
}

TEST_F(SenderTest, finds_whose_nonce_was_used_many_blocks_later) {
  const TransactionId id = fund(*chain, 7);
  drop(id);
  test::TemporaryFolder of_another_machine;
  const TransactionId faster = fund(*open(of_another_machine.path()), 9);
  world().mine(21);
  const TransactionFate fate = chain->fate(id);
  ASSERT_EQ(fate.kind, Kind::kRefused);
  EXPECT_NE(fate.refusal->message.find(to_hex(faster)), std::string::npos) << fate.refusal->message;
}

TEST_F(SenderTest, pays_no_tip_beyond_the_limit_whatever_a_node_suggests) {
  for (const Wei suggested : {gwei(400), Wei{~math::u128{0}}}) {
    EvmChain own(test::edited(world().anvil().url(),
                              [&](std::string_view method, const json::array& /*parameters*/, json::object& answer) {
                                if (method == "eth_maxPriorityFeePerGas") answer["result"] = quantity(suggested.value);
                              }),
                 {.confirmations = 0, .cache = folder.path(), .sending = {.max_tip = gwei(3)}});
    const TransactionId id = fund(own, 7);
    ASSERT_EQ(pooled().size(), 1U);
    EXPECT_EQ(pooled().front().tip, gwei(3));
    mine();
    EXPECT_EQ(own.fate(id).kind, Kind::kApplied);
  }
}

TEST_F(SenderTest, raises_the_tip_of_what_hangs_no_further_than_the_limit) {
  const auto careful =
      world().open_with({.confirmations = 0,
                         .cache = folder.path(),
                         .sending = {.tip = kGwei, .max_tip = {kGwei.value * 12 / 10}, .patience_blocks = kPatience}});
  const TransactionId id = fund(*careful, 7);
  mine_empty_blocks(kPatience);
  EXPECT_EQ(careful->fate(id).kind, Kind::kPending);
  mine_empty_blocks(kPatience);
  try {
    static_cast<void>(careful->fate(id));
    FAIL();
  } catch (const FeeAboveLimit& error) {
    EXPECT_NE(std::string(error.what()).find("TALLY_MAX_TIP allows 1.2 gwei"), std::string::npos) << error.what();
  }
  mine();
  EXPECT_EQ(careful->fate(id).kind, Kind::kApplied);
}

TEST_F(SenderTest, gives_up_what_the_node_has_forgotten_and_does_not_take_any_more) {
  const TransactionId id = fund(*chain, 7);
  drop(id);
  world().give(pattern.creator().address(), {});
  mine();
  EXPECT_THROW(static_cast<void>(chain->fate(id)), RpcError);
  EXPECT_EQ(chain->fate(id).kind, Kind::kUnknown);
  world().give(pattern.creator().address(), kEther);
  const TransactionId other = fund(*chain, 8);
  mine();
  EXPECT_EQ(chain->fate(other).kind, Kind::kApplied);
  EXPECT_EQ(pool_of_task(), Wei{8});
}

TEST_F(SenderTest, waits_no_longer_for_what_nobody_knows_any_more) {
  std::vector<std::unique_ptr<HttpPoster>> way;
  way.push_back(std::make_unique<HookedPoster>(world().anvil().url(), "eth_getTransactionReceipt", [&] {
    drop(pooled().front().hash);
    EvmNode node(world().rpc());
    Outbox outbox(folder.path(), 31'337, node.first_block());
    outbox.forget(outbox.on_the_way(pattern.creator().address()).front().id);
  }));
  EvmChain own({std::move(way), {}, [](std::chrono::milliseconds) {}},
               {.confirmations = 0, .cache = folder.path(), .sending = {.tip = kGwei}});
  EXPECT_THROW(static_cast<void>(send(own, pattern.creator(), {7}, proof::Fund{.task = pattern.task()})),
               std::runtime_error);
}

TEST_F(SenderTest, does_nothing_twice_after_a_restart_while_the_first_hangs) {
  const TransactionId id = fund(*chain, 7);
  drop(id);
  chain.reset();
  chain = open();
  EXPECT_EQ(fund(*chain, 7), id);
  ASSERT_EQ(pooled().size(), 1U) << "it was sent again";
  drop(id);
  chain = open();
  const TransactionId other = fund(*chain, 8);
  EXPECT_NE(other, id);
  const std::vector<Pooled> both = pooled();
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].hash, id);
  EXPECT_EQ(both[1].hash, other);
  mine();
  EXPECT_EQ(chain->fate(id).kind, Kind::kApplied);
  EXPECT_EQ(chain->fate(other).kind, Kind::kApplied);
  EXPECT_NE(fund(*chain, 7), id) << "that one is done";
}

TEST_F(SenderTest, replaces_after_a_restart_what_an_earlier_process_left) {
  const TransactionId id = fund(*chain, 7);
  mine_empty_blocks(kPatience);
  chain = open();
  const TransactionId other = fund(*chain, 8);
  const std::vector<Pooled> both = pooled();
  ASSERT_EQ(both.size(), 2U);
  EXPECT_NE(both[0].hash, id);
  EXPECT_EQ(both[1].hash, other);
  mine();
  EXPECT_EQ(chain->fate(id).kind, Kind::kApplied);
  EXPECT_EQ(chain->fate(other).kind, Kind::kApplied);
}

/// The outbox may be deleted, and knows nothing better than the chain.
TEST_F(SenderTest, takes_the_nodes_count_where_the_outbox_is_lost_or_of_another_chain) {
  const TransactionId id = fund(*chain, 7);
  test::TemporaryFolder empty;
  const auto without = open(empty.path());
  const TransactionId other = fund(*without, 8);
  EXPECT_EQ(pooled().size(), 2U);
  EXPECT_EQ(without->fate(id).kind, Kind::kPending) << "the node knows it";
  mine();
  EXPECT_EQ(without->fate(id).kind, Kind::kApplied);
  EXPECT_EQ(without->fate(other).kind, Kind::kApplied);

  const TransactionId hangs = fund(*without, 9);
  drop(hangs);
  EvmWorld began_anew;
  began_anew.give(pattern.creator().address(), kEther);
  const auto elsewhere = began_anew.open(0, empty.path());
  EXPECT_EQ(send(*elsewhere, pattern.creator(), {}, pattern.creation()).kind, Kind::kApplied);
  EXPECT_EQ(number_of(began_anew.rpc().call("txpool_status", {}).at("queued")), 0U);
}

/// What was taken back is the caller's to decide anew, unless something waits behind it.
TEST_F(SenderTest, fills_the_gap_that_a_reorganisation_leaves_before_what_waits) {
  const std::string mark = world().mark();
  const TransactionId first = fund(*chain, 7);
  mine();
  ASSERT_EQ(chain->fate(first).kind, Kind::kApplied);
  const TransactionId second = fund(*chain, 8);
  world().go_back(mark);
  call("anvil_dropAllTransactions", {});
  mine();
  EXPECT_EQ(chain->fate(second).kind, Kind::kPending);
  mine();
  EXPECT_EQ(chain->fate(second).kind, Kind::kApplied);
  EXPECT_EQ(pool_of_task(), Wei{15});
}

/// Processes of one machine share an outbox, others only the chain.
TEST_F(SenderTest, gives_each_nonce_once_to_processes_that_send_at_the_same_time) {
  call("evm_setAutomine", {true});
  test::TemporaryFolder elsewhere;
  constexpr std::uint64_t kEach = 8;
  const auto work = [&](const std::filesystem::path& cache, std::uint64_t first) {
    const auto own = open(cache);
    for (std::uint64_t i = 0; i < kEach; ++i) {
      TransactionFate fate;
      do {
        fate = send(*own, pattern.creator(), {first + i}, proof::Fund{.task = pattern.task()});
      } while (fate.refusal && fate.refusal->reason == Reason::kWrongNonce);
      EXPECT_EQ(fate.kind, Kind::kApplied);
    }
  };
  {
    const std::jthread one([&] { work(folder.path(), 100); });
    const std::jthread two([&] { work(folder.path(), 200); });
    const std::jthread three([&] { work(elsewhere.path(), 300); });
  }
  EXPECT_EQ(pool_of_task(), Wei{kEach * (100 + 200 + 300) + 3 * kEach * (kEach - 1) / 2});
}

TEST_F(SenderTest, joins_a_process_that_does_the_same_at_the_same_time) {
  TransactionId first{};
  std::vector<std::unique_ptr<HttpPoster>> way;
  way.push_back(
      std::make_unique<HookedPoster>(world().anvil().url(), "eth_estimateGas", [&] { first = fund(*chain, 7); }));
  EvmChain second({std::move(way), {}, [](std::chrono::milliseconds) {}},
                  {.confirmations = 0, .cache = folder.path(), .sending = {.tip = kGwei}});
  EXPECT_EQ(fund(second, 7), first);
  EXPECT_EQ(pooled().size(), 1U);
}

TEST_F(SenderTest, takes_the_limit_from_the_environment) {
  ::setenv("TALLY_CACHE", folder.path().c_str(), 1);  // NOLINT(concurrency-mt-unsafe): no other thread runs
  ::setenv("TALLY_MAX_FEE", "70 gwei", 1);            // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(evm_settings_of_environment().sending.max_fee, gwei(70));
  ::setenv("TALLY_MAX_FEE", "much", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_THROW(static_cast<void>(evm_settings_of_environment()), std::invalid_argument);
  ::unsetenv("TALLY_MAX_FEE");             // NOLINT(concurrency-mt-unsafe)
  ::setenv("TALLY_MAX_TIP", "2 gwei", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_EQ(evm_settings_of_environment().sending.max_tip, gwei(2));
  ::unsetenv("TALLY_MAX_TIP");  // NOLINT(concurrency-mt-unsafe)
  ::unsetenv("TALLY_CACHE");    // NOLINT(concurrency-mt-unsafe)
}

}  // namespace
}  // namespace tally::chain
