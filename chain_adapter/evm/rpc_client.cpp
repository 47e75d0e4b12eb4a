#include "chain_adapter/evm/rpc_client.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

namespace json = boost::json;

constexpr unsigned kOk = 200;
// Codes that nodes and providers use where HTTP says 429: EIP-1474's "limit exceeded", and its older forms.
constexpr std::int64_t kLimitExceeded = -32005;
constexpr std::int64_t kTooManyRequests = 429;
constexpr std::size_t kMaxDepth = 32;

/// This endpoint gave no answer; another may.
class NoAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string text_of(const json::value* value) {
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

[[noreturn]] void raise(const json::value& error) {
  const json::object* object = error.if_object();
  if (object == nullptr) throw NoAnswer("an error that is no object");
  const json::value* code = object->if_contains("code");
  const std::int64_t number = code != nullptr && code->is_int64() ? code->get_int64() : 0;
  const std::string message = text_of(object->if_contains("message"));
  if (number == kLimitExceeded || number == kTooManyRequests) throw NoAnswer(message);
  const json::value* data = object->if_contains("data");
  throw RpcError(number, message, data == nullptr ? json::value(nullptr) : *data);
}

json::value result_of(const HttpResponse& response, std::uint64_t id) {
  json::error_code fault;
  json::parse_options options;
  options.max_depth = kMaxDepth;
  const json::value answer = json::parse(response.body, fault, {}, options);
  const json::object* object = fault ? nullptr : answer.if_object();
  // Some nodes answer calls that revert with another status than 200; a body that is JSON-RPC is taken as one.
  if (object == nullptr || !object->contains("jsonrpc")) {
    if (response.status != kOk) throw NoAnswer("HTTP status " + std::to_string(response.status));
    throw NoAnswer("an answer that is not JSON-RPC");
  }
  if (response.status == kTooManyRequests) throw NoAnswer("it limits the rate of calls");
  const json::value* error = object->if_contains("error");
  if (error != nullptr && error->is_null()) error = nullptr;
  const json::value* found = object->if_contains("id");
  if (found == nullptr || !found->is_int64() || std::cmp_not_equal(found->get_int64(), id)) {
    const json::object* told = error != nullptr ? error->if_object() : nullptr;
    const std::string message = told != nullptr ? text_of(told->if_contains("message")) : std::string();
    throw NoAnswer("an answer to another call" + (message.empty() ? message : ": " + message));
  }
  if (error != nullptr) raise(*error);
  const json::value* result = object->if_contains("result");
  if (result == nullptr) throw NoAnswer("an answer without a result");
  return *result;
}

}  // namespace

RpcClient::RpcClient(std::vector<std::unique_ptr<HttpPoster>> endpoints, RpcPolicy policy, Pause pause)
    : x_endpoints(std::move(endpoints)), x_policy(policy), x_pause(std::move(pause)) {
  TALLY_ASSERT(!x_endpoints.empty() && x_policy.rounds > 0);
}

json::value RpcClient::call(std::string_view method, json::array parameters) {
  const std::uint64_t id = x_next_id++;
  const std::string request = json::serialize(
      json::object{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(parameters)}});
  std::string last;
  std::chrono::milliseconds pause = x_policy.first_pause;
  for (unsigned round = 0; round < x_policy.rounds; ++round) {
    if (round > 0) {
      x_pause(pause);
      pause = std::min(2 * pause, x_policy.longest_pause);
    }
    for (std::size_t tried = 0; tried < x_endpoints.size(); ++tried) {
      const std::size_t at = (x_first + tried) % x_endpoints.size();
      try {
        json::value result = result_of(x_endpoints[at]->post(request), id);
        x_first = at;
        return result;
      } catch (const HttpFailure& failure) {
        last = failure.what();
      } catch (const NoAnswer& failure) {
        last = x_endpoints[at]->name() + ": " + failure.what();
      }
    }
  }
  throw RpcFailure("no node answers " + std::string(method) + "; the last try: " + last);
}

std::vector<std::unique_ptr<HttpPoster>> http_endpoints(std::string_view urls, const HttpSettings& settings) {
  std::vector<std::unique_ptr<HttpPoster>> endpoints;
  for (;;) {
    const std::size_t comma = urls.find(',');
    auto endpoint = parse_endpoint(urls.substr(0, comma));
    if (!endpoint) throw std::invalid_argument(endpoint.error());
    endpoints.push_back(std::make_unique<HttpClient>(*std::move(endpoint), settings));
    if (comma == std::string_view::npos) return endpoints;
    urls.remove_prefix(comma + 1);
  }
}

}  // namespace tally::chain
