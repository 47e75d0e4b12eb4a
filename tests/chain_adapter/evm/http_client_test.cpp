#include "chain_adapter/evm/http_client.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/evm/rpc_client.h"
#include "tests/support/http_server.h"
#include "tests/support/temporary_folder.h"

namespace tally::chain {
namespace {

using test::Answer;
using test::http_answer;
using test::HttpServer;

HttpEndpoint endpoint_of(const HttpServer& server, bool tls = false, const std::string& host = "localhost") {
  return {.tls = tls, .host = host, .port = server.port(), .target = "/"};
}

Answer echo(const std::string& body) { return {.bytes = http_answer(200, body)}; }

TEST(HttpEndpoint, is_read_from_a_url) {
  EXPECT_EQ(parse_endpoint("http://localhost:8545").value(), (HttpEndpoint{false, "localhost", 8545, "/"}));
  EXPECT_EQ(parse_endpoint("https://a.example/v3/secret?x=1").value(),
            (HttpEndpoint{true, "a.example", 443, "/v3/secret?x=1"}));
  EXPECT_EQ(parse_endpoint("http://[::1]:1").value(), (HttpEndpoint{false, "::1", 1, "/"}));
  EXPECT_EQ(describe(parse_endpoint("https://a.example/v3/secret").value()), "https://a.example:443");
  EXPECT_EQ(describe(parse_endpoint("http://[::1]").value()), "http://[::1]:80");
  constexpr std::array kWrong = {"",
                                 "localhost:8545",
                                 "ftp://a",
                                 "http://",
                                 "http://:1",
                                 "http://a:0",
                                 "http://a:65536",
                                 "http://a:1x",
                                 "http://a:",
                                 "http://u@a",
                                 "http://[::1",
                                 "http://[::1]x",
                                 "http://a b/c",
                                 "http://a/\n"};
  for (const char* url : kWrong) EXPECT_FALSE(parse_endpoint(url).has_value()) << url;
}

TEST(HttpEndpoint, is_shown_without_what_may_be_secret) {
  constexpr std::array<std::array<const char*, 2>, 8> kShown = {{
      {"https://a.example:1", "https://a.example:1"},
      {"https://a.example/", "https://a.example"},
      {"https://a.example/v3/secret", "https://a.example/…"},
      {"https://a.example?key=secret", "https://a.example/…"},
      {"https://me:secret@a.example/v3", "https://…@a.example/…"},
      {"https://me:sec/ret@a.example", "https://…"},
      {"a.example:8545", "a.example:8545"},
      {"", ""},
  }};
  for (const auto& [url, shown] : kShown) EXPECT_EQ(shown_url(url), shown);
  try {
    static_cast<void>(http_endpoints("http://a,http://me:secret@b:1/secret"));
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("http://…@b:1/…: ")) << error.what();
  }
}

TEST(HttpClient, posts_and_keeps_the_connection) {
  const HttpServer server(echo);
  HttpClient client(endpoint_of(server));
  for (const char* const body : {"one", "two", "three"}) EXPECT_EQ(client.post(body).body, body);
  EXPECT_EQ(server.connections(), 1U);
}

TEST(HttpClient, connects_again_where_the_server_has_closed) {
  const HttpServer server([](const std::string& body) { return Answer{http_answer(200, body), true}; });
  HttpClient client(endpoint_of(server));
  for (const char* const body : {"one", "two", "three"}) {
    const HttpResponse response = client.post(body);
    EXPECT_EQ(response.body, body);
    EXPECT_EQ(response.repeated, response.body != "one");
  }
  EXPECT_EQ(server.connections(), 3U);
}

TEST(HttpClient, gives_every_status_to_the_caller) {
  const HttpServer server(
      [](const std::string&) { return Answer{"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"}; });
  const HttpResponse response = HttpClient(endpoint_of(server)).post("");
  EXPECT_EQ(response.status, 429U);
  EXPECT_EQ(response.retry_after, "7");
}

TEST(HttpClient, pitfall_27_says_which_host_fails_and_nothing_of_its_path) {
  std::uint16_t free_port = 0;
  {
    const HttpServer server(echo);
    free_port = server.port();
  }
  const auto failure_of = [](HttpEndpoint endpoint, HttpSettings settings = {}) {
    endpoint.target = "/secret";
    try {
      static_cast<void>(HttpClient(std::move(endpoint), std::move(settings)).post("x"));
    } catch (const HttpFailure& failure) {
      EXPECT_EQ(std::string(failure.what()).find("secret"), std::string::npos);
      return std::string(failure.what());
    }
    return std::string("no failure");
  };
  const std::string there = "127.0.0.1:" + std::to_string(free_port);
  for (const bool tls : {false, true}) {
    EXPECT_EQ(failure_of({.tls = tls, .host = "127.0.0.1", .port = free_port, .target = {}}),
              (tls ? "https://" : "http://") + there +
                  ": cannot connect: nothing listens there; start the node, or mend host and port");
  }
  const HttpServer silent([](const std::string&) { return Answer{}; });
  EXPECT_TRUE(failure_of(endpoint_of(silent), {.timeout = std::chrono::milliseconds(50)})
                  .ends_with(": no answer: it takes longer than 50 ms"));
  const HttpServer rude([](const std::string&) { return Answer{"what?\r\n\r\n", true}; });
  EXPECT_NE(failure_of(endpoint_of(rude)).find("no answer: it does not speak HTTP"), std::string::npos);
  const HttpServer talkative([](const std::string&) { return Answer{http_answer(200, std::string(100, 'x'))}; });
  EXPECT_NE(failure_of(endpoint_of(talkative), {.max_response_bytes = 99}).find("no answer"), std::string::npos);
}

TEST(HttpClient, waits_no_longer_when_it_is_told_to_stop) {
  std::stop_source stop;
  const HttpServer silent([&](const std::string&) {
    stop.request_stop();
    return Answer{};
  });
  const HttpSettings settings{.timeout = std::chrono::minutes(10), .stop = stop.get_token()};
  try {
    static_cast<void>(HttpClient(endpoint_of(silent), settings).post("hello"));
    FAIL();
  } catch (const HttpFailure& failure) {
    EXPECT_TRUE(std::string_view(failure.what()).ends_with(": no answer: interrupted")) << failure.what();
  }
  const HttpServer quick(echo);
  EXPECT_EQ(HttpClient(endpoint_of(quick), settings).post("hello").body, "hello") << "what answers at once is heard";
}

TEST(HttpClient, looks_names_up_by_the_system_and_in_no_more_time_than_there_is) {
  EXPECT_EQ(look_up_by_system("127.0.0.1"), std::vector<std::string>({"127.0.0.1"}));
  const HttpServer server(echo);
  const auto post = [&](HttpSettings settings) {
    return HttpClient(endpoint_of(server, false, "node.example"), std::move(settings)).post("hello").body;
  };
  const auto failure_of = [&](HttpSettings settings) {
    try {
      return post(std::move(settings));
    } catch (const HttpFailure& failure) {
      return std::string(failure.what());
    }
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(post({.look_up = [](const std::string&) { return Texts{"127.0.0.1"}; }}), "hello");
  const std::string name = "http://node.example:" + std::to_string(server.port());
  EXPECT_EQ(failure_of({.look_up = [](const std::string&) -> Texts {
              throw boost::system::system_error(boost::asio::error::host_not_found);
            }}),
            name + ": cannot look up the host: there is none of this name; mend it, or this machine's name servers");
  std::promise<void> end;
  const auto is_over = end.get_future().share();
  const auto slow = [=](const std::string&) {
    is_over.wait();
    return Texts{"127.0.0.1"};
  };
  EXPECT_EQ(failure_of({.timeout = std::chrono::milliseconds(20), .look_up = slow}),
            name + ": cannot look up the host: it takes longer than 20 ms");
  end.set_value();
}

// A kept connection that is silent leaves no time for another one.
TEST(HttpClient, has_one_deadline_for_all_that_a_post_takes) {
  bool is_silent = false;
  const HttpServer server([&](const std::string& body) {
    return Answer{.bytes = std::exchange(is_silent, true) ? std::string() : http_answer(200, body)};
  });
  HttpClient client(endpoint_of(server), {.timeout = std::chrono::seconds(1)});
  EXPECT_EQ(client.post("hello").body, "hello");
  EXPECT_THROW(static_cast<void>(client.post("hello?")), HttpFailure);
  EXPECT_EQ(server.connections(), 1U);
}

TEST(HttpClient, speaks_tls_with_a_server_that_is_who_it_should_be_and_no_other) {
  const test::TemporaryFolder folder;
  const test::Certificate right("localhost");
  const test::Certificate other("elsewhere.example");
  right.write_pem(folder.path() / "right.pem");
  other.write_pem(folder.path() / "other.pem");
  const HttpServer server(echo, &right);
  const HttpServer impostor(echo, &other);
  {
    HttpClient client(endpoint_of(server, true), {.authorities = folder.path() / "right.pem"});
    EXPECT_EQ(client.post("hello").body, "hello");
    EXPECT_EQ(client.post("again").body, "again");
  }
  const auto fails = [](const HttpServer& reached, const HttpSettings& settings, const std::string& why) {
    HttpClient refusing(endpoint_of(reached, true), settings);
    try {
      static_cast<void>(refusing.post("hello"));
      ADD_FAILURE() << why;
    } catch (const HttpFailure& failure) {
      EXPECT_NE(std::string(failure.what()).find("its certificate is not taken: " + why), std::string::npos)
          << failure.what();
    }
  };
  fails(server, {}, "self-signed certificate");  // of no authority that the system knows
  fails(server, {.authorities = folder.path() / "other.pem"}, "self-signed certificate");  // of another authority
  fails(impostor, {.authorities = folder.path() / "other.pem"}, "it is of another name");  // of another name
}

}  // namespace
}  // namespace tally::chain
