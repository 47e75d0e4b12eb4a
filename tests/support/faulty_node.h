// A server before a node of an EVM chain that hands requests on, and now and then behaves as bad networks and busy
// providers do. For one client at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "chain_adapter/evm/http_client.h"
#include "tests/support/http_server.h"

namespace tally::test {

enum class Fault : std::uint8_t {
  kNone,
  kTooMany,      // 429
  kTooManyAsks,  // 429 with Retry-After
  kUnavailable,  // 503
  kDeaf,         // breaks off before the node hears of it
  kMute,         // breaks off when the node has done it
  kGarbage,      // the node has done it, and the answer is no JSON
  kSilent,       // the node has done it, and the answer never comes
  kOtherAnswer,  // to another call
};

class FaultyNode {
 public:
  /// What happens to the n-th request, from 0 on.
  using Plan = std::function<Fault(std::uint64_t number, const std::string& body)>;

  FaultyNode(const std::string& url, Plan plan);

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(x_server.port()); }
  /// How many requests were not answered as the node did.
  [[nodiscard]] std::uint64_t faults() const { return x_faults; }

 private:
  [[nodiscard]] Answer answer(const std::string& body);

  chain::HttpClient x_node;
  Plan x_plan;
  std::uint64_t x_requests = 0;
  std::atomic<std::uint64_t> x_faults = 0;
  HttpServer x_server;  // the last: it answers from the moment that it is there
};

}  // namespace tally::test
