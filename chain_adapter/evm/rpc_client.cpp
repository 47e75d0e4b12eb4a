#include "chain_adapter/evm/rpc_client.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <optional>
#include <utility>

#include "chain_adapter/evm/rpc_values.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr unsigned kOk = 200;
// Codes that nodes and providers use where HTTP says 429: EIP-1474's "limit exceeded", and its older forms.
constexpr std::int64_t kLimitExceeded = -32005;
constexpr std::int64_t kTooManyRequests = 429;
constexpr std::size_t kMaxDepth = 32;

/// This endpoint gave no answer; another may.
class NoAnswer : public std::runtime_error {
 public:
  explicit NoAnswer(const std::string& why, milliseconds asks_for = {})
      : std::runtime_error(why), x_asks_for(asks_for) {}
  /// To be left alone for so long.
  [[nodiscard]] milliseconds asks_for() const { return x_asks_for; }

 private:
  milliseconds x_asks_for;
};

/// RFC 9110, section 10.2.3; of its two forms the number of seconds.
milliseconds asked_for(const std::string& retry_after) {
  constexpr std::uint32_t kMostSeconds = 86'400;
  std::uint32_t seconds = 0;
  const char* const end = retry_after.data() + retry_after.size();
  const auto [read, error] = std::from_chars(retry_after.data(), end, seconds);
  if (error != std::errc{} || read != end) return {};
  return std::chrono::seconds(std::min(seconds, kMostSeconds));
}

std::string text_of(const json::value* value) {
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// A limit on how much may be asked is said under the code of one on how often.
[[noreturn]] void raise(const json::value& error, bool is_of_size) {
  const json::object* object = error.if_object();
  if (object == nullptr) throw NoAnswer("an error that is no object");
  const json::value* code = object->if_contains("code");
  const std::int64_t number = code != nullptr && code->is_int64() ? code->get_int64() : 0;
  const std::string message = text_of(object->if_contains("message"));
  if ((number == kLimitExceeded && !is_of_size) || number == kTooManyRequests) throw NoAnswer(message);
  const json::value* data = object->if_contains("data");
  throw RpcError(number, message, data == nullptr ? json::value(nullptr) : *data);
}

json::value result_of(const HttpResponse& response, std::uint64_t id, bool may_be_too_much) {
  json::error_code fault;
  json::parse_options options;
  options.max_depth = kMaxDepth;
  const json::value answer = json::parse(response.body, fault, {}, options);
  const json::object* object = fault ? nullptr : answer.if_object();
  // Some nodes answer calls that revert with another status than 200; a body that is JSON-RPC is taken as one.
  if (object == nullptr || !object->contains("jsonrpc")) {
    if (response.status != kOk)
      throw NoAnswer("HTTP status " + std::to_string(response.status), asked_for(response.retry_after));
    throw NoAnswer("an answer that is not JSON-RPC");
  }
  if (response.status == kTooManyRequests)
    throw NoAnswer("it limits the rate of calls", asked_for(response.retry_after));
  const json::value* error = object->if_contains("error");
  if (error != nullptr && error->is_null()) error = nullptr;
  const json::value* found = object->if_contains("id");
  if (found == nullptr || !found->is_int64() || std::cmp_not_equal(found->get_int64(), id)) {
    const json::object* told = error != nullptr ? error->if_object() : nullptr;
    const std::string message = told != nullptr ? text_of(told->if_contains("message")) : std::string();
    throw NoAnswer("an answer to another call" + (message.empty() ? message : ": " + message));
  }
  if (error != nullptr) raise(*error, may_be_too_much);
  const json::value* result = object->if_contains("result");
  if (result == nullptr) throw NoAnswer("an answer without a result");
  return *result;
}

}  // namespace

RpcClient::RpcClient(std::vector<std::unique_ptr<HttpPoster>> endpoints, RpcPolicy policy, Pause pause, Waiting waiting)
    : x_policy(policy), x_pause(std::move(pause)), x_waiting(std::move(waiting)) {
  TALLY_ASSERT(!endpoints.empty() && x_policy.rounds > 0);
  for (auto& each : endpoints) x_endpoints.push_back({.poster = std::move(each)});
}

json::value RpcClient::ask(Endpoint& endpoint, std::string_view method, const json::array& parameters) {
  const std::uint64_t id = x_next_id++;
  const json::object request{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", parameters}};
  bool repeated = false;
  milliseconds asks_for{};
  try {
    const HttpResponse response = endpoint.poster->post(json::serialize(request));
    repeated = response.repeated;
    return result_of(response, id, method == "eth_getLogs");
  } catch (const RpcError& error) {
    throw RpcError(error, repeated);
  } catch (const HttpFailure& failure) {
    endpoint.failure = failure.what();
  } catch (const NoAnswer& failure) {
    endpoint.failure = endpoint.poster->name() + ": " + failure.what();
    asks_for = failure.asks_for();
  }
  endpoint.is_of_the_chain = false;
  throw NoAnswer(endpoint.failure, asks_for);
}

std::uint64_t RpcClient::ask_chain(Endpoint& endpoint) {
  try {
    return number_of(ask(endpoint, "eth_chainId", {}));
  } catch (const NoAnswer&) {
    throw;
  } catch (const std::runtime_error& error) {
    endpoint.failure = endpoint.poster->name() + ": it does not say its chain's id: " + error.what();
  }
  throw NoAnswer(endpoint.failure);
}

void RpcClient::check_chain(Endpoint& endpoint) {
  if (!x_chain || endpoint.is_of_the_chain) return;
  const std::uint64_t chain = ask_chain(endpoint);
  if (chain != *x_chain) {
    endpoint.failure = endpoint.poster->name() + ": it is of chain " + std::to_string(chain) + ", not of chain " +
                       std::to_string(*x_chain);
    throw NoAnswer(endpoint.failure);
  }
  endpoint.is_of_the_chain = true;
}

std::uint64_t RpcClient::chain_id() {
  if (x_chain) return *x_chain;
  const std::uint64_t chain = number_of(call("eth_chainId", {}));
  for (Endpoint& endpoint : x_endpoints) {
    std::uint64_t found = chain;
    try {
      if (&endpoint != &x_endpoints[x_first]) found = ask_chain(endpoint);
    } catch (const NoAnswer&) {
      continue;  // it is asked when it is needed
    }
    if (found != chain) {
      throw std::invalid_argument(endpoint.poster->name() + " is of chain " + std::to_string(found) + ", and " +
                                  x_endpoints[x_first].poster->name() + " of chain " + std::to_string(chain) +
                                  ": name nodes of one chain");
    }
    endpoint.is_of_the_chain = true;
  }
  x_chain = chain;
  return chain;
}

json::value RpcClient::call(std::string_view method, const json::array& parameters) {
  bool may_be_done = false;
  milliseconds pause = x_policy.first_pause;
  for (unsigned round = 0;; ++round) {
    milliseconds all_ask_for = x_policy.longest_asked;
    for (std::size_t tried = 0; tried < x_endpoints.size(); ++tried) {
      if (tried > 0 && x_waiting.stop.stop_requested()) give_up(method);
      const std::size_t at = (x_first + tried) % x_endpoints.size();
      try {
        check_chain(x_endpoints[at]);
        json::value result = ask(x_endpoints[at], method, parameters);
        x_first = at;
        note(x_endpoints[at], false);
        return result;
      } catch (const NoAnswer& failure) {
        note(x_endpoints[at], true);
        may_be_done = true;
        all_ask_for = std::min(all_ask_for, failure.asks_for());
      } catch (const RpcError& error) {
        throw RpcError(error, may_be_done || error.may_be_done());
      }
    }
    if (round + 1 == x_policy.rounds) give_up(method);
    x_pause(std::max(pause, all_ask_for));
    if (x_waiting.stop.stop_requested()) give_up(method);
    pause = std::min(2 * pause, x_policy.longest_pause);
  }
}

void RpcClient::note(Endpoint& endpoint, bool is_silent) {
  if (std::exchange(endpoint.is_silent, is_silent) == is_silent || !x_waiting.tell) return;
  x_waiting.tell(is_silent ? endpoint.failure + (x_endpoints.size() > 1 ? "; another node is asked" : "; trying again")
                           : endpoint.poster->name() + " answers again");
}

void RpcClient::give_up(std::string_view method) const {
  std::string failures;
  for (const Endpoint& endpoint : x_endpoints) {
    if (!endpoint.failure.empty()) failures += (failures.empty() ? "" : "; ") + endpoint.failure;
  }
  throw RpcFailure("no node answers " + std::string(method) + " (" + failures +
                   "): try again later, or name another node");
}

std::vector<std::unique_ptr<HttpPoster>> http_endpoints(std::string_view urls, const HttpSettings& settings) {
  std::vector<std::unique_ptr<HttpPoster>> endpoints;
  for (;;) {
    const std::size_t comma = urls.find(',');
    const std::string_view url = urls.substr(0, comma);
    auto endpoint = parse_endpoint(url);
    if (!endpoint) throw std::invalid_argument(shown_url(url) + ": " + endpoint.error());
    endpoints.push_back(std::make_unique<HttpClient>(*std::move(endpoint), settings));
    if (comma == std::string_view::npos) return endpoints;
    urls.remove_prefix(comma + 1);
  }
}

}  // namespace tally::chain
