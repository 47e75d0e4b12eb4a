// JSON-RPC 2.0 to an Ethereum node, over one or more endpoints.
//
// What the node answers is the caller's: a result, or an RpcError. What keeps an endpoint from answering (it cannot be
// reached, breaks off, is busy or limits the rate) moves the call on to the next endpoint, and after all of them waits,
// longer each time, before it begins again, and at least for as long as all of them ask for (Retry-After); when that
// has not helped for as often as the policy says, or the wait is told to stop, RpcFailure is thrown. An endpoint that
// answered last is asked first. Who waits is told of one that does not answer, once, and again when it does.
//
// All endpoints are of one chain: once chain_id() was asked, one that says another chain's id gives no answers. It is
// asked first of all, and again after each time that it did not answer.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "chain_adapter/chain/waiting.h"
#include "chain_adapter/evm/http_client.h"

namespace tally::chain {

/// The node's own answer that a call failed.
class RpcError : public std::runtime_error {
 public:
  RpcError(std::int64_t code, const std::string& message, boost::json::value data)
      : std::runtime_error(message), x_code(code), x_data(std::move(data)) {}
  /// The same after tries of the call that got no answer, and may have been heard all the same.
  RpcError(const RpcError& error, bool may_be_done) : RpcError(error) { x_may_be_done = may_be_done; }
  [[nodiscard]] std::int64_t code() const { return x_code; }
  /// Null where there is none; for a reverted call, what it reverted with.
  [[nodiscard]] const boost::json::value& data() const { return x_data; }
  /// Whether what was asked for may have been done by an earlier try of the same call.
  [[nodiscard]] bool may_be_done() const { return x_may_be_done; }

 private:
  std::int64_t x_code;
  boost::json::value x_data;
  bool x_may_be_done = false;
};

/// No endpoint gave an answer.
class RpcFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct RpcPolicy {
  unsigned rounds = 6;                         // over all endpoints
  std::chrono::milliseconds first_pause{250};  // between rounds; then twice as long each time
  std::chrono::milliseconds longest_pause{10'000};
  std::chrono::milliseconds longest_asked{30'000};  // what endpoints ask for is obeyed up to here
};

class RpcClient {
 public:
  using Pause = std::function<void(std::chrono::milliseconds)>;

  /// At least one endpoint. `pause` sleeps.
  RpcClient(std::vector<std::unique_ptr<HttpPoster>> endpoints, RpcPolicy policy, Pause pause, Waiting waiting = {});

  /// Throws RpcError, RpcFailure.
  [[nodiscard]] boost::json::value call(std::string_view method, const boost::json::array& parameters);

  /// Asked of each endpoint at the first call; those that do not answer then are asked before they are used. Throws
  /// std::invalid_argument where they are of several chains.
  [[nodiscard]] std::uint64_t chain_id();

 private:
  struct Endpoint {
    std::unique_ptr<HttpPoster> poster;
    bool is_of_the_chain = false;
    bool is_silent = false;
    std::string failure{};  // the last
  };

  [[nodiscard]] boost::json::value ask(Endpoint& endpoint, std::string_view method,
                                       const boost::json::array& parameters);
  [[nodiscard]] std::uint64_t ask_chain(Endpoint& endpoint);
  void check_chain(Endpoint& endpoint);
  void note(Endpoint& endpoint, bool is_silent);
  [[noreturn]] void give_up(std::string_view method) const;

  std::vector<Endpoint> x_endpoints;
  RpcPolicy x_policy;
  Pause x_pause;
  Waiting x_waiting;
  std::optional<std::uint64_t> x_chain;
  std::size_t x_first = 0;
  std::uint64_t x_next_id = 1;
};

/// Comma-separated URLs. Throws std::invalid_argument.
[[nodiscard]] std::vector<std::unique_ptr<HttpPoster>> http_endpoints(std::string_view urls,
                                                                      const HttpSettings& settings = {});

}  // namespace tally::chain
