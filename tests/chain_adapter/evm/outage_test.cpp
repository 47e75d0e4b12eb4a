// Nodes that are busy, break off, make no sense, fall silent, lag behind or are of another chain, below everything that
// a poster, a defender and a watchtower do.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <boost/json.hpp>
#include <string>
#include <vector>

#include "chain_adapter/chain/event_cursor.h"
#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/rpc_values.h"
#include "sequencer/poster/finaliser.h"
#include "tests/support/dispute_world.h"
#include "tests/support/faulty_node.h"
#include "tests/support/node_chain.h"
#include "tests/support/settlement_world.h"
#include "tests/support/test_batch.h"

namespace tally::chain {
namespace {

namespace json = boost::json;
using test::DisputedBatch;
using test::DisputeWorld;
using test::Fault;
using test::FaultyNode;
using test::NodeChain;

/// Long enough for everything that the node does, and short enough to wait for what never comes.
constexpr std::chrono::milliseconds kShort(1'000);

RpcClient without_pauses(std::string_view urls) {
  return {http_endpoints(urls, {.timeout = kShort}), {}, [](std::chrono::milliseconds) {}};
}

test::Cheat forge(const DisputeWorld& world) {
  return
      [&world](const std::filesystem::path& batch) { test::forge_table(batch, world.program(), "next_model", 3, 1); };
}

/// What came of a whole life: a valid and a forged batch, the dispute of the one, the end of the other.
struct Story {
  std::vector<std::string> events;
  NodeChain::Count transactions;
  bool operator==(const Story&) const = default;
};

Story live(const std::shared_ptr<NodeChain>& node) {
  DisputeWorld world({.chain = node});
  const DisputedBatch good = world.post({}, 1);
  const DisputedBatch bad = world.post(forge(world), 2);
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(bad), proof::BatchStatus::kInvalid);
  world.advance(world.settings().challenge_period_s + 1);
  BatchIndex index;
  const auto client = world.open();
  const auto report = sequencer::do_due(*client, world.rounds().poster(), index, world.rounds().prepared().id);
  EXPECT_EQ(report.finalised, std::vector{good.id});
  Story story{.events = {}, .transactions = node->count()};
  for (const LoggedEvent& each : client->events(0, 1'000)) story.events.emplace_back(proof::name_of(each.event));
  return story;
}

/// Pitfall 27.
TEST(Outages, lose_nothing_and_send_nothing_twice) {
  const Story undisturbed = live(std::make_shared<NodeChain>());
  EXPECT_EQ(undisturbed.transactions.taken, undisturbed.transactions.all);
  EXPECT_GE(undisturbed.events.size(), 10U);

  constexpr std::array kFaults = {Fault::kTooMany, Fault::kMute,    Fault::kUnavailable, Fault::kDeaf,
                                  Fault::kGarbage, Fault::kMute,    Fault::kTooManyAsks, Fault::kOtherAnswer,
                                  Fault::kMute,    Fault::kGarbage, Fault::kDeaf};
  constexpr std::uint64_t kFirstSilence = 400;
  std::vector<std::unique_ptr<FaultyNode>> nodes;
  std::atomic<std::uint64_t> requests = 0;
  const auto plan = [&](std::uint64_t, const std::string& body) {
    const std::uint64_t number = ++requests;
    if (number % kFirstSilence == 0) return Fault::kSilent;
    // What is sent is what may be sent twice.
    if (body.find("eth_sendRawTransaction") != std::string::npos && number % 2 == 0) return Fault::kMute;
    return number % 3 == 0 ? kFaults.at(number / 3 % kFaults.size()) : Fault::kNone;
  };
  const auto disturbed = std::make_shared<NodeChain>(0, [&](const std::string& url) {
    nodes.push_back(std::make_unique<FaultyNode>(url, plan));
    return without_pauses(nodes.back()->url());
  });
  EXPECT_EQ(live(disturbed), undisturbed);
  std::uint64_t faults = 0;
  for (const auto& node : nodes) faults += node->faults();
  EXPECT_GT(faults, 100U);
}

/// Pitfall 27.
TEST(Outages, pass_from_a_node_that_goes_down_to_one_that_is_up) {
  std::atomic<bool> is_down = false;
  std::vector<std::unique_ptr<FaultyNode>> nodes;
  const auto plan = [&](std::uint64_t, const std::string&) { return is_down ? Fault::kDeaf : Fault::kNone; };
  const auto node = std::make_shared<NodeChain>(0, [&](const std::string& url) {
    nodes.push_back(std::make_unique<FaultyNode>(url, plan));
    return without_pauses("http://127.0.0.1:1," + nodes.back()->url() + "," + url);
  });
  DisputeWorld world({.chain = node});
  const DisputedBatch bad = world.post(forge(world));
  static_cast<void>(world.watch());
  is_down = true;
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(bad), proof::BatchStatus::kInvalid);
  const NodeChain::Count count = node->count();
  EXPECT_EQ(count.taken, count.all);
}

TEST(Outages, name_every_endpoint_and_what_is_to_be_done_when_all_are_down) {
  std::atomic<bool> is_down = false;
  std::vector<std::unique_ptr<FaultyNode>> nodes;
  NodeChain node(0, [&](const std::string& url) {
    nodes.push_back(std::make_unique<FaultyNode>(
        url, [&](std::uint64_t, const std::string&) { return is_down ? Fault::kUnavailable : Fault::kNone; }));
    return without_pauses("http://127.0.0.1:1," + nodes.back()->url());
  });
  const auto client = node.open();
  is_down = true;
  try {
    static_cast<void>(client->head());
    FAIL();
  } catch (const RpcFailure& failure) {
    const std::string said = failure.what();
    EXPECT_NE(said.find("http://127.0.0.1:1: cannot connect"), std::string::npos) << said;
    EXPECT_NE(said.find(nodes.back()->url() + ": HTTP status 503"), std::string::npos) << said;
    EXPECT_NE(said.find("name another node"), std::string::npos) << said;
  }
  is_down = false;
  EXPECT_GT(client->head().block, 0U);
}

TEST(Outages, say_what_may_be_done_and_go_on_with_what_waits) {
  enum class Way : std::uint8_t { kUp, kDownOnceSent, kDown };
  std::atomic<Way> way = Way::kUp;
  std::unique_ptr<FaultyNode> front;
  test::EvmWorld world;
  front = std::make_unique<FaultyNode>(world.anvil().url(), [&](std::uint64_t, const std::string& body) {
    if (way == Way::kDownOnceSent && body.find("eth_sendRawTransaction") != std::string::npos) {
      way = Way::kDown;
      return Fault::kMute;
    }
    return way == Way::kDown ? Fault::kUnavailable : Fault::kNone;
  });
  const test::SettlementWorld pattern{{.members = 2, .chain = {.contract = settlement_address()}}};
  world.give(pattern.creator().address(), test::kEther);
  EvmChain chain(without_pauses(front->url()), {.confirmations = 0, .cache = world.cache()});
  EXPECT_FALSE(
      submit_and_wait(chain, {.key = pattern.creator(), .value = {}, .transaction = pattern.creation()}).refusal);
  world.hold_blocks();
  const auto fund = [&] {
    return chain.submit({.key = pattern.creator(), .value = {7}, .transaction = proof::Fund{.task = pattern.task()}});
  };
  const auto expect_failure = [](const auto& work, const std::string& what) {
    try {
      work();
      ADD_FAILURE();
    } catch (const RpcFailure& failure) {
      EXPECT_NE(std::string(failure.what()).find(what), std::string::npos) << failure.what();
    }
  };
  way = Way::kDownOnceSent;
  expect_failure([&] { static_cast<void>(fund()); }, " may be on its way or done: no node answers");
  way = Way::kUp;
  const TransactionId id = fund();
  EXPECT_EQ(number_of(world.rpc().call("txpool_status", {}).at("pending")), 1U);
  way = Way::kDown;
  expect_failure([&] { static_cast<void>(chain.fate(id)); },
                 "the transaction " + to_hex(id) + " was sent, and its fate is not known: no node answers");
  way = Way::kUp;
  world.mine(1);
  EXPECT_EQ(chain.fate(id).kind, TransactionFate::Kind::kApplied);
  EXPECT_EQ(proof::read_task_status(chain.state(), pattern.task())->pool, proof::Wei{7});
}

/// A way to a node that makes blocks only while somebody asks for a receipt, and forgets each transaction at first,
/// since fees have gone up.
class Spiky final : public HttpPoster {
 public:
  Spiky(test::EvmWorld& world, const bool& begins)
      : x_world(world), x_begins(begins), x_inner(*parse_endpoint(world.anvil().url())) {}
  HttpResponse post(const std::string& body) override {
    if (x_begins && body.find("eth_getTransactionReceipt") != std::string::npos) mine(kHigh);
    HttpResponse response = x_inner.post(body);
    const bool is_sent = body.find("eth_sendRawTransaction") != std::string::npos;
    if (is_sent) ++sent;
    const bool is_taken = body.find("eth_getTransactionReceipt") != std::string::npos &&
                          json::parse(response.body).at("result").is_object();
    if (x_begins && is_taken) mine(kLow);
    return response;
  }
  [[nodiscard]] std::string name() const override { return x_inner.name(); }

  static inline std::uint64_t sent = 0;

 private:
  void mine(std::uint64_t base_fee) {
    static_cast<void>(x_world.rpc().call("anvil_setNextBlockBaseFeePerGas", {quantity(base_fee)}));
    x_world.mine(1);
  }

  static constexpr std::uint64_t kLow = 1'000'000'000;
  static constexpr std::uint64_t kHigh = 50'000'000'000;
  test::EvmWorld& x_world;
  const bool& x_begins;
  HttpClient x_inner;
};

TEST(FeeSpikes, hold_up_disputes_and_do_not_end_them) {
  bool begins = false;
  NodeChain* node = nullptr;
  const auto chain = std::make_shared<NodeChain>(0, [&](const std::string&) {
    std::vector<std::unique_ptr<HttpPoster>> way;
    way.push_back(std::make_unique<Spiky>(node->world(), begins));
    return RpcClient(std::move(way), {}, [](std::chrono::milliseconds) {});
  });
  node = chain.get();
  DisputeWorld world({.chain = chain});
  const DisputedBatch bad = world.post(forge(world));
  const NodeChain::Count before = chain->count();
  chain->world().hold_blocks();
  begins = true;
  Spiky::sent = 0;
  static_cast<void>(world.play());
  EXPECT_EQ(world.status(bad), proof::BatchStatus::kInvalid);
  const NodeChain::Count after = chain->count();
  EXPECT_EQ(after.taken, after.all);
  EXPECT_GE(after.all - before.all, 4U);
  EXPECT_GE(Spiky::sent, 2 * (after.all - before.all)) << "each was signed again";
}

/// A node that is down from the first try on.
class Down final : public HttpPoster {
 public:
  explicit Down(std::string url, const std::atomic<bool>& is_down)
      : x_inner(*parse_endpoint(url)), x_is_down(is_down) {}
  HttpResponse post(const std::string& body) override {
    if (x_is_down) throw HttpFailure("it is down");
    return x_inner.post(body);
  }
  [[nodiscard]] std::string name() const override { return x_inner.name(); }

 private:
  HttpClient x_inner;
  const std::atomic<bool>& x_is_down;
};

/// A node that is some blocks behind.
class Behind final : public HttpPoster {
 public:
  Behind(test::EvmWorld& world, std::uint64_t lag)
      : x_world(world), x_lag(lag), x_inner(*parse_endpoint(world.anvil().url())) {}

  HttpResponse post(const std::string& body) override {
    const std::uint64_t latest = number_of(x_world.rpc().call("eth_blockNumber", {})) - x_lag;
    json::value request = json::parse(body);
    json::array& parameters = request.at("params").as_array();
    for (json::value& each : parameters) {
      if (each.is_string() && (each.as_string() == "latest" || each.as_string() == "pending")) each = quantity(latest);
    }
    if (request.at("method").as_string() == "eth_getBlockByNumber" && number_of(parameters.at(0)) > latest)
      parameters.at(0) = quantity(~std::uint64_t{0} >> 1);
    HttpResponse response = x_inner.post(json::serialize(request));
    if (request.at("method").as_string() == "eth_getTransactionReceipt") {
      json::value answer = json::parse(response.body);
      json::value& result = answer.at("result");
      if (!result.is_null() && number_of(result.at("blockNumber")) > latest) result = nullptr;
      response.body = json::serialize(answer);
    }
    return response;
  }
  [[nodiscard]] std::string name() const override { return "a node that is behind"; }

 private:
  test::EvmWorld& x_world;
  std::uint64_t x_lag;
  HttpClient x_inner;
};

TEST(Outages, take_nothing_back_where_the_next_node_is_behind) {
  constexpr std::uint64_t kConfirmations = 4;
  constexpr std::uint64_t kLag = 3;
  test::EvmWorld world;
  const test::SettlementWorld pattern{{.members = 2, .chain = {.contract = settlement_address()}}};
  world.give(pattern.creator().address(), test::kEther);
  std::atomic<bool> is_down = false;
  std::vector<std::unique_ptr<HttpPoster>> ways;
  ways.push_back(std::make_unique<Down>(world.anvil().url(), is_down));
  ways.push_back(std::make_unique<Behind>(world, kLag));
  EvmChain chain({std::move(ways), {}, [](std::chrono::milliseconds) {}},
                 {.confirmations = kConfirmations, .cache = world.cache()});
  const auto fund = [&](std::uint64_t amount) {
    return chain.submit(
        {.key = pattern.creator(), .value = {amount}, .transaction = proof::Fund{.task = pattern.task()}});
  };
  EXPECT_FALSE(
      submit_and_wait(chain, {.key = pattern.creator(), .value = {}, .transaction = pattern.creation()}).refusal);
  world.mine(kConfirmations);
  EventCursor cursor;
  cursor.pass(chain.events(0, 10).at(0));
  const TransactionId id = fund(7);
  static_cast<void>(world.anvil().receipt(json::value(to_hex(id))));
  const std::uint64_t head = chain.head().block;

  is_down = true;
  EXPECT_EQ(chain.head().block, head - kLag);
  EXPECT_TRUE(cursor.holds(chain));
  EXPECT_EQ(chain.fate(id).kind, TransactionFate::Kind::kPending);
  world.mine(1);
  EXPECT_EQ(chain.fate(id).kind, TransactionFate::Kind::kPending);
  world.mine(kLag);
  EXPECT_EQ(chain.fate(id).kind, TransactionFate::Kind::kApplied);
  is_down = false;
  world.mine(kLag);
  EXPECT_TRUE(cursor.holds(chain));
  EXPECT_EQ(chain.events(0, 10).size(), 2U);
  EXPECT_EQ(proof::read_task_status(chain.state(), pattern.task())->pool, proof::Wei{7});
}

}  // namespace
}  // namespace tally::chain
