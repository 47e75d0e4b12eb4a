// JSON-RPC 2.0 to an Ethereum node, over one or more endpoints.
//
// What the node answers is the caller's: a result, or an RpcError. What keeps an endpoint from answering (it cannot be
// reached, breaks off, is busy or limits the rate) moves the call on to the next endpoint, and after all of them waits,
// longer each time, before it begins again; when that has not helped for as often as the policy says, RpcFailure is
// thrown. An endpoint that answered last is asked first.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "chain_adapter/evm/http_client.h"

namespace tally::chain {

/// The node's own answer that a call failed.
class RpcError : public std::runtime_error {
 public:
  RpcError(std::int64_t code, const std::string& message, boost::json::value data)
      : std::runtime_error(message), x_code(code), x_data(std::move(data)) {}
  [[nodiscard]] std::int64_t code() const { return x_code; }
  /// Null where there is none; for a reverted call, what it reverted with.
  [[nodiscard]] const boost::json::value& data() const { return x_data; }

 private:
  std::int64_t x_code;
  boost::json::value x_data;
};

/// No endpoint gave an answer.
class RpcFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct RpcPolicy {
  unsigned rounds = 4;                         // over all endpoints
  std::chrono::milliseconds first_pause{250};  // between rounds; then twice as long each time
  std::chrono::milliseconds longest_pause{10'000};
};

class RpcClient {
 public:
  using Pause = std::function<void(std::chrono::milliseconds)>;

  /// At least one endpoint. `pause` sleeps.
  RpcClient(std::vector<std::unique_ptr<HttpPoster>> endpoints, RpcPolicy policy, Pause pause);

  /// Throws RpcError, RpcFailure.
  [[nodiscard]] boost::json::value call(std::string_view method, boost::json::array parameters);

 private:
  std::vector<std::unique_ptr<HttpPoster>> x_endpoints;
  RpcPolicy x_policy;
  Pause x_pause;
  std::size_t x_first = 0;
  std::uint64_t x_next_id = 1;
};

/// Comma-separated URLs. Throws std::invalid_argument.
[[nodiscard]] std::vector<std::unique_ptr<HttpPoster>> http_endpoints(std::string_view urls,
                                                                      const HttpSettings& settings = {});

}  // namespace tally::chain
