#include "chain_adapter/evm/sender.h"

#include <algorithm>
#include <array>
#include <string>

#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/evm/fee_transaction.h"
#include "chain_adapter/evm/refusal_of_call.h"

namespace tally::chain {

namespace {

/// What an account sends at once from several processes competes for nonces.
constexpr int kNonceTries = 5;

/// Estimates are exact for the state of the latest block; the next one may differ.
std::uint64_t with_margin(std::uint64_t gas) { return gas + gas / 4; }

bool is_about_nonce(const RpcError& error) {
  constexpr std::array<std::string_view, 4> kWords = {"nonce too low", "already known", "already imported",
                                                      "replacement transaction underpriced"};
  const std::string_view said = error.what();
  return std::ranges::any_of(kWords, [&](std::string_view words) { return said.find(words) != said.npos; });
}

proof::ChainRefusal too_poor(const proof::Address& sender, const proof::Wei& has, const std::string& needs) {
  return {.reason = proof::Reason::kInsufficientFunds,
          .message = proof::to_text(sender) + " has " + to_text_with_unit(has) + ", and " + needs};
}

}  // namespace

proof::OrRefused<TransactionId> Sender::send(const Outgoing& outgoing) {
  const EvmCall call{
      .sender = outgoing.key.address(), .to = outgoing.to, .value = outgoing.value, .data = outgoing.data};
  const proof::Wei balance = x_node.balance(call.sender);
  if (balance < outgoing.value) {
    return std::unexpected(
        too_poor(call.sender, balance, "the transaction carries " + to_text_with_unit(outgoing.value)));
  }
  std::uint64_t gas = 0;
  try {
    gas = with_margin(x_node.estimate_gas(call));
  } catch (const RpcError& error) {
    if (auto refusal = refusal_of_call(error)) return std::unexpected(*std::move(refusal));
    throw;
  }
  const proof::Wei tip = x_tip ? *x_tip : x_node.priority_fee();
  // Twice the base fee stays enough for six full blocks.
  const proof::Wei fee{2 * x_node.latest().base_fee.value + tip.value};
  if ((balance.value - outgoing.value.value) / gas < fee.value) {
    return std::unexpected(too_poor(call.sender, balance,
                                    "the transaction carries " + to_text_with_unit(outgoing.value) + " and may cost " +
                                        std::to_string(gas) + " gas at " + to_text_with_unit(fee)));
  }
  return sign_and_send(outgoing, gas, tip, fee);
}

TransactionId Sender::sign_and_send(const Outgoing& outgoing, std::uint64_t gas, const proof::Wei& tip,
                                    const proof::Wei& fee) {
  for (int tried = 1;; ++tried) {
    const FeeTransaction transaction{.chain_id = x_chain_id,
                                     .nonce = x_node.next_nonce(outgoing.key.address()),
                                     .priority_fee = tip,
                                     .fee = fee,
                                     .gas = gas,
                                     .to = outgoing.to,
                                     .value = outgoing.value,
                                     .data = outgoing.data};
    try {
      return x_node.send(signed_bytes(transaction, outgoing.key));
    } catch (const RpcError& error) {
      if (tried == kNonceTries || !is_about_nonce(error)) throw;
    }
  }
}

}  // namespace tally::chain
