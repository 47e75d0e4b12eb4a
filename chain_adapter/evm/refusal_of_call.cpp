#include "chain_adapter/evm/refusal_of_call.h"

#include <boost/json.hpp>
#include <map>
#include <string>

#include "chain_adapter/evm/abi.h"

namespace tally::chain {

namespace {

namespace json = boost::json;

const std::map<std::string, proof::Reason>& reasons() {
  static const std::map<std::string, proof::Reason> kReasons = [] {
    std::map<std::string, proof::Reason> reasons;
    for (const proof::ReasonName& each : proof::all_reasons())
      reasons.emplace(math::to_hex(selector_of(std::string(each.name) + "()")), each.reason);
    return reasons;
  }();
  return kReasons;
}

/// Nodes give it as it is, or within an object.
std::string revert_data(const json::value& data) {
  if (data.is_string()) return std::string(data.get_string());
  const json::object* const object = data.if_object();
  const json::value* const inner = object == nullptr ? nullptr : object->if_contains("data");
  return inner != nullptr && inner->is_string() ? std::string(inner->get_string()) : std::string();
}

}  // namespace

std::optional<proof::ChainRefusal> refusal_of_call(const RpcError& error) {
  const auto found = reasons().find(revert_data(error.data()));
  if (found == reasons().end()) return std::nullopt;
  return proof::ChainRefusal{.reason = found->second, .message = "by the contract's rules (docs/spec.md says when)"};
}

std::optional<proof::ChainRefusal> refusal_by_what_it_rests_on(const RpcError& error) {
  const std::string data = revert_data(error.data());
  if (data == math::to_hex(selector_of("HeaderNotShown()"))) {
    return proof::ChainRefusal{.reason = proof::Reason::kNoSuchBatch,
                               .message = "the batches that it rests on are not what they were when it was sent"};
  }
  if (data == math::to_hex(selector_of("SeedNotShown()"))) {
    return proof::ChainRefusal{.reason = proof::Reason::kSeedNotSealed,
                               .message = "the sealed seed is not what it was when it was sent: build the batch anew"};
  }
  return std::nullopt;
}

}  // namespace tally::chain
