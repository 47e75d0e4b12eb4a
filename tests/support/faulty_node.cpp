#include "tests/support/faulty_node.h"

#include <stdexcept>
#include <utility>

namespace tally::test {

FaultyNode::FaultyNode(const std::string& url, Plan plan)
    : x_node(*chain::parse_endpoint(url), {.timeout = std::chrono::minutes(2)}),
      x_plan(std::move(plan)),
      x_server([this](const std::string& body) { return answer(body); }) {}

Answer FaultyNode::answer(const std::string& body) {
  const Fault fault = x_plan(x_requests++, body);
  if (fault != Fault::kNone) ++x_faults;
  const auto hand_on = [&] {
    const chain::HttpResponse response = x_node.post(body);
    return http_answer(response.status, response.body);
  };
  switch (fault) {
    case Fault::kNone:
      return {.bytes = hand_on()};
    case Fault::kTooMany:
      return {.bytes = http_answer(429, "slow down")};
    case Fault::kTooManyAsks:
      return {.bytes = "HTTP/1.1 429 Told\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"};
    case Fault::kUnavailable:
      return {.bytes = http_answer(503, "<html>later</html>"), .closes = true};
    case Fault::kDeaf:
      return {.bytes = {}, .closes = true};
    case Fault::kMute:
      static_cast<void>(hand_on());
      return {.bytes = {}, .closes = true};
    case Fault::kGarbage:
      static_cast<void>(hand_on());
      return {.bytes = http_answer(200, "{\"jsonrpc\":\"2.0\",\"result\":")};
    case Fault::kSilent:
      static_cast<void>(hand_on());
      return {.bytes = {}};
    case Fault::kOtherAnswer:
      return {.bytes = http_answer(200, R"({"jsonrpc":"2.0","id":0,"result":"0x0"})")};
  }
  throw std::logic_error("no such fault");
}

}  // namespace tally::test
