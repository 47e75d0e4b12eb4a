// Where the contracts are: at addresses that follow from their code alone, the same on every chain, since they are made
// through the deterministic deployment proxy (docs/spec.md, 13.3). Anyone may put them there, once; it does not matter
// who.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chain_adapter/evm/evm_node.h"
#include "chain_adapter/evm/sender.h"

namespace tally::chain {

/// In the order in which Settlement takes them.
[[nodiscard]] std::span<const std::string_view> settlement_parts();
/// What makes a settlement of these parts.
[[nodiscard]] std::vector<std::uint8_t> settlement_creation(std::span<const proof::Address> parts);

struct PlannedContract {
  std::string_view name;
  proof::Address address{};
  std::vector<std::uint8_t> creation{};
};
/// The parts, and last the settlement.
[[nodiscard]] const std::vector<PlannedContract>& planned_contracts();
[[nodiscard]] proof::Address settlement_address();

/// Throws std::invalid_argument with what is to be done unless the settlement is there, and has the code that this
/// program knows.
void check_settlement(EvmNode& node);

/// Of what is not there yet, at the fees of now.
struct DeploymentCost {
  std::size_t contracts = 0;  // the deployment proxy too
  std::uint64_t gas = 0;      // about
  proof::Wei price{};         // of a unit of gas
  proof::Wei cost{};          // of all of it
  proof::Wei needed{};        // what the account must own at the start: each transaction may cost more than it does
};
/// Throws FeeAboveLimit.
[[nodiscard]] DeploymentCost cost_of_deployment(EvmNode& node, Sender& sender);

struct DeployedContract {
  std::string_view name;
  proof::Address address{};
  std::optional<std::uint64_t> gas{};  // absent: it was there before
};

/// Makes what is not there yet; `tell` hears of each contract. Throws std::runtime_error where the chain does not take
/// it, Interrupted.
void deploy_settlement(EvmNode& node, Sender& sender, const proof::PrivateKey& key,
                       const std::function<void(const DeployedContract&)>& tell = {}, const Waiting& waiting = {});

/// Waits for what was sent to be in a block. Throws Interrupted.
[[nodiscard]] EvmReceipt wait_for_receipt(Sender& sender, const TransactionId& id, const Waiting& waiting = {});

}  // namespace tally::chain
