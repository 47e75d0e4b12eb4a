#include "chain_adapter/evm/rpc_client.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <deque>
#include <string>
#include <vector>

namespace tally::chain {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

/// Gives prepared answers; an empty one is a failure. `$` stands for the id of the call.
struct Script {
  std::deque<HttpResponse> answers{};
  std::vector<std::string> requests{};
  std::string name = "a test";
};

class Scripted final : public HttpPoster {
 public:
  explicit Scripted(Script& script) : x_script(script) {}
  HttpResponse post(const std::string& body) override {
    x_script.requests.push_back(body);
    if (x_script.answers.empty()) throw HttpFailure("nothing is there");
    HttpResponse answer = x_script.answers.front();
    if (x_script.answers.size() > 1) x_script.answers.pop_front();
    const std::size_t place = answer.body.find('$');
    if (place != std::string::npos)
      answer.body.replace(place, 1, std::to_string(json::parse(body).at("id").as_int64()));
    return answer;
  }
  [[nodiscard]] std::string name() const override { return x_script.name; }

 private:
  Script& x_script;
};

HttpResponse good(const std::string& result) {
  return {.status = 200, .retry_after = {}, .body = R"({"jsonrpc":"2.0","id":$,"result":)" + result + "}"};
}
HttpResponse error(const std::string& object, unsigned status = 200) {
  return {.status = status, .retry_after = {}, .body = R"({"jsonrpc":"2.0","id":$,"error":)" + object + "}"};
}

struct Calls {
  explicit Calls(std::vector<Script*> scripts) : client(posters(scripts), {.rounds = 3}, pause()) {}

  static std::vector<std::unique_ptr<HttpPoster>> posters(const std::vector<Script*>& scripts) {
    std::vector<std::unique_ptr<HttpPoster>> made;
    for (Script* const script : scripts) made.push_back(std::make_unique<Scripted>(*script));
    return made;
  }
  RpcClient::Pause pause() {
    return [this](milliseconds time) { pauses.push_back(time); };
  }

  std::vector<milliseconds> pauses{};
  RpcClient client;
};

TEST(RpcClient, sends_json_rpc_and_gives_the_result) {
  Script node{.answers = {good("\"0x10\"")}};
  Calls calls({&node});
  EXPECT_EQ(calls.client.call("eth_blockNumber", {}).as_string(), "0x10");
  EXPECT_EQ(calls.client.call("eth_getBalance", {"0xaa", "latest"}).as_string(), "0x10");
  EXPECT_EQ(node.requests.at(1), R"({"jsonrpc":"2.0","id":2,"method":"eth_getBalance","params":["0xaa","latest"]})");
}

TEST(RpcClient, gives_the_nodes_errors_to_the_caller_at_once) {
  for (const unsigned status : {200U, 400U}) {
    Script node{.answers = {error(R"({"code":3,"message":"execution reverted","data":"0x12345678"})", status)}};
    Calls calls({&node});
    try {
      static_cast<void>(calls.client.call("eth_call", {}));
      FAIL();
    } catch (const RpcError& failure) {
      EXPECT_EQ(failure.code(), 3);
      EXPECT_EQ(failure.data().as_string(), "0x12345678");
    }
    EXPECT_TRUE(calls.pauses.empty());
    EXPECT_EQ(node.requests.size(), 1U);
  }
}

TEST(RpcClient, pitfall_27_falls_over_to_the_next_endpoint_and_stays_with_it) {
  Script down{};
  Script up{.answers = {good("1")}};
  Calls calls({&down, &up});
  EXPECT_EQ(calls.client.call("x", {}).as_int64(), 1);
  EXPECT_EQ(calls.client.call("x", {}).as_int64(), 1);
  EXPECT_EQ(down.requests.size(), 1U);
  EXPECT_TRUE(calls.pauses.empty());
}

TEST(RpcClient, tells_once_of_an_endpoint_that_does_not_answer_and_when_it_does_again) {
  Script first{.name = "http://first:80"};
  Script second{.answers = {good("1")}, .name = "http://second:80"};
  std::vector<std::string> told;
  RpcClient client(Calls::posters({&first, &second}), {.rounds = 1}, [](milliseconds) {},
                   {.tell = [&](const std::string& message) { told.push_back(message); }});
  for (int call = 0; call < 3; ++call) static_cast<void>(client.call("x", {}));
  EXPECT_EQ(told, std::vector<std::string>{"nothing is there; another node is asked"});
  second.answers.clear();
  EXPECT_THROW(static_cast<void>(client.call("x", {})), RpcFailure);
  EXPECT_EQ(told.size(), 2U);
  first.answers = {good("1")};
  for (int call = 0; call < 3; ++call) static_cast<void>(client.call("x", {}));
  EXPECT_EQ(told.size(), 3U);
  EXPECT_EQ(told.back(), "http://first:80 answers again");
}

TEST(RpcClient, pitfall_27_waits_longer_each_round_and_then_says_why) {
  Script down{};
  Calls calls({&down, &down});
  try {
    static_cast<void>(calls.client.call("eth_call", {}));
    FAIL();
  } catch (const RpcFailure& failure) {
    EXPECT_STREQ(
        failure.what(),
        "no node answers eth_call (nothing is there; nothing is there): try again later, or name another node");
  }
  EXPECT_EQ(down.requests.size(), 6U);
  EXPECT_EQ(calls.pauses, (std::vector<milliseconds>{milliseconds(250), milliseconds(500)}));
}

TEST(RpcClient, ends_a_pause_when_it_is_told_to_stop) {
  std::stop_source stop;
  Script down{};
  RpcClient client(Calls::posters({&down}), {.rounds = 3}, [&](milliseconds) { stop.request_stop(); },
                   {.stop = stop.get_token()});
  EXPECT_THROW(static_cast<void>(client.call("eth_call", {})), RpcFailure);
  EXPECT_EQ(down.requests.size(), 1U);

  // Nor is another node asked, which may take as long.
  Script second{};
  RpcClient both(Calls::posters({&down, &second}), {.rounds = 3}, [](milliseconds) {}, {.stop = stop.get_token()});
  EXPECT_THROW(static_cast<void>(both.call("eth_call", {})), RpcFailure);
  EXPECT_TRUE(second.requests.empty());
}

TEST(RpcClient, pitfall_27_tries_again_where_a_node_is_busy_or_makes_no_sense) {
  const std::vector<HttpResponse> busy = {
      {.status = 429, .retry_after = {}, .body = "slow down"},
      {.status = 503, .retry_after = {}, .body = "{}"},
      {.status = 200, .retry_after = {}, .body = "<html>"},
      {.status = 200, .retry_after = {}, .body = R"({"jsonrpc":"2.0","id":999,"result":5})"},
      {.status = 200, .retry_after = {}, .body = R"({"jsonrpc":"2.0","id":999,"error":{"code":3,"message":"no"}})"},
      {.status = 200, .retry_after = {}, .body = R"({"jsonrpc":"2.0","id":null,"error":{"code":3,"message":"no"}})"},
      {.status = 200, .retry_after = {}, .body = R"({"jsonrpc":"2.0","error":{"code":3,"message":"no"}})"},
      {.status = 200, .retry_after = {}, .body = R"({"jsonrpc":"2.0","id":999,"error":"no"})"},
      {.status = 200, .retry_after = {}, .body = R"({"jsonrpc":"2.0","id":1})"},
      {.status = 200, .retry_after = {}, .body = std::string(100, '[')},
      error(R"({"code":-32005,"message":"limit exceeded"})"),
      error(R"({"code":429,"message":"too many"})"),
      error("7"),
  };
  for (const HttpResponse& answer : busy) {
    Script node{.answers = {answer, good("8")}};
    Calls calls({&node});
    EXPECT_EQ(calls.client.call("x", {}).as_int64(), 8) << answer.body;
    EXPECT_EQ(calls.pauses.size(), 1U);
  }
}

// Providers say with the code of a limit on rates that there are too many logs: the same again is no use.
TEST(RpcClient, takes_too_many_logs_for_an_answer) {
  Script node{.answers = {error(R"({"code":-32005,"message":"query returned more than 10000 results"})"), good("8")}};
  Calls calls({&node});
  EXPECT_THROW(static_cast<void>(calls.client.call("eth_getLogs", {})), RpcError);
  EXPECT_TRUE(calls.pauses.empty());
}

TEST(RpcClient, pitfall_27_leaves_endpoints_alone_for_as_long_as_all_of_them_ask_for) {
  const auto busy = [](const std::string& asked) {
    return HttpResponse{.status = 429, .retry_after = asked, .body = "slow down"};
  };
  const auto pause_after = [](const HttpResponse& one, const HttpResponse& two) {
    Script first{.answers = {one, good("1")}};
    Script second{.answers = {two, good("2")}};
    Calls calls({&first, &second});
    static_cast<void>(calls.client.call("x", {}));
    return calls.pauses.at(0);
  };
  EXPECT_EQ(pause_after(busy("7"), busy("3")), milliseconds(3'000));
  EXPECT_EQ(pause_after(busy("99999999"), busy("99999999")), milliseconds(30'000));
  EXPECT_EQ(pause_after(busy("7"), busy("")), milliseconds(250));
  EXPECT_EQ(pause_after(busy("7"), busy("Fri, 31 Dec 2026 23:59:59 GMT")), milliseconds(250));
  EXPECT_EQ(pause_after(busy("-7"), busy("7")), milliseconds(250));
}

TEST(RpcClient, says_whether_what_an_error_is_about_may_be_done_all_the_same) {
  const auto may_be_done = [](std::deque<HttpResponse> answers) {
    Script node{.answers = std::move(answers)};
    Calls calls({&node});
    try {
      static_cast<void>(calls.client.call("x", {}));
    } catch (const RpcError& failure) {
      return failure.may_be_done();
    }
    throw std::logic_error("no error");
  };
  const HttpResponse no = error(R"({"code":-32000,"message":"no"})");
  EXPECT_FALSE(may_be_done({no}));
  EXPECT_TRUE(may_be_done({{.status = 503, .retry_after = {}, .body = {}}, no}));
  HttpResponse repeated = no;
  repeated.repeated = true;
  EXPECT_TRUE(may_be_done({repeated}));
}

TEST(RpcClient, asks_each_endpoint_for_its_chain_and_takes_those_of_one) {
  Script one{.answers = {good("\"0x1\"")}};
  Script same{.answers = {good("\"0x1\"")}};
  Calls calls({&one, &same});
  EXPECT_EQ(calls.client.chain_id(), 1U);
  EXPECT_EQ(same.requests.size(), 1U);
  EXPECT_EQ(calls.client.chain_id(), 1U);
  EXPECT_EQ(one.requests.size(), 1U);

  Script other{.answers = {good("\"0x5\"")}, .name = "http://other:80"};
  Calls wrong({&one, &other});
  try {
    static_cast<void>(wrong.client.chain_id());
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "http://other:80 is of chain 5, and a test of chain 1: name nodes of one chain");
  }
}

TEST(RpcClient, asks_an_endpoint_for_its_chain_before_it_falls_over_to_it) {
  Script first{.answers = {good("\"0x1\"")}};
  Script second{.name = "http://second:80"};
  Calls calls({&first, &second});
  EXPECT_EQ(calls.client.chain_id(), 1U);

  first.answers.clear();
  second.answers = {good("\"0x5\"")};
  try {
    static_cast<void>(calls.client.call("x", {}));
    FAIL();
  } catch (const RpcFailure& failure) {
    EXPECT_NE(std::string(failure.what()).find("http://second:80: it is of chain 5, not of chain 1"), std::string::npos)
        << failure.what();
  }
  second.answers = {good("\"0x1\""), good("7")};
  EXPECT_EQ(calls.client.call("x", {}).as_int64(), 7);
  EXPECT_EQ(calls.client.call("x", {}).as_int64(), 7) << "asked once";
  second.answers = {HttpResponse{.status = 503, .retry_after = {}, .body = {}}, good("\"0x5\"")};
  EXPECT_THROW(static_cast<void>(calls.client.call("x", {})), RpcFailure) << "something else may be there by now";
  second.answers = {error(R"({"code":-32601,"message":"no such method"})")};
  EXPECT_THROW(static_cast<void>(calls.client.call("x", {})), RpcFailure);
}

TEST(RpcClient, tells_an_error_that_names_no_call) {
  Script node{
      .answers = {
          {.status = 200, .retry_after = {}, .body = R"({"jsonrpc":"2.0","id":null,"error":{"message":"no key"}})"}}};
  Calls calls({&node});
  try {
    static_cast<void>(calls.client.call("x", {}));
    FAIL();
  } catch (const RpcFailure& failure) {
    EXPECT_STREQ(
        failure.what(),
        "no node answers x (a test: an answer to another call: no key): try again later, or name another node");
  }
}

TEST(RpcClient, takes_urls_apart_at_commas) {
  const auto endpoints = http_endpoints("http://a,https://b/key");
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[0]->name(), "http://a:80");
  EXPECT_EQ(endpoints[1]->name(), "https://b:443");
  EXPECT_THROW(static_cast<void>(http_endpoints("http://a,")), std::invalid_argument);
}

}  // namespace
}  // namespace tally::chain
