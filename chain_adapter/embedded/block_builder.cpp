#include "chain_adapter/embedded/block_builder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "chain_adapter/chain/wei_text.h"
#include "fraud_proof/settlement/broken_state.h"

namespace tally::chain {

namespace {

/// How far back the settlement may ask for a block's hash, as on an EVM.
constexpr std::uint64_t kHashesBack = 256;

proof::ChainRefusal refusal(proof::Reason reason, std::string message) {
  return {.reason = reason, .message = std::move(message)};
}

}  // namespace

proof::OrRefused<Arrived> arrive(const ChainIdentity& chain, math::Bytes signed_transaction) {
  auto envelope = decode_signed_transaction(signed_transaction);
  if (!envelope) return std::unexpected(std::move(envelope).error());
  if (envelope->chain != chain) {
    return proof::refuse(proof::Reason::kWrongChain, "signed for chain " + std::to_string(envelope->chain.chain_id) +
                                                         ", contract " + proof::to_text(envelope->chain.contract));
  }
  const auto sender = sender_of(*envelope);
  if (!sender) return std::unexpected(sender.error());
  auto transaction = proof::decode_transaction(envelope->payload);
  if (!transaction) return std::unexpected(std::move(transaction).error());
  return Arrived{.envelope = *std::move(envelope),
                 .bytes = {signed_transaction.begin(), signed_transaction.end()},
                 .sender = *sender,
                 .transaction = *std::move(transaction)};
}

BlockBuilder::BlockBuilder(Tables& tables, proof::Settlement& machine, const Settings& settings)
    : x_tables(tables),
      x_machine(machine),
      x_settings(settings),
      x_parent(tables.head()),
      x_next_transaction(tables.transaction_count()),
      x_next_event(tables.next_event()) {
  if (settings.time_s > x_parent.time_s) {
    x_parent = next_block(x_parent, settings.time_s, {});
    tables.append(x_parent);
  }
  const std::uint64_t number = x_parent.number + 1;
  x_context = {.chain_id = settings.chain.chain_id,
               .contract = settings.chain.contract,
               .number = number,
               .time_s = x_parent.time_s,
               .base_fee = settings.base_fee,
               .block_hash = [&tables, number](std::uint64_t wanted) -> std::optional<proof::Digest> {
                 if (wanted >= number || number - wanted > kHashesBack) return std::nullopt;
                 const auto block = tables.block(wanted);
                 return block ? std::optional(block->hash) : std::nullopt;
               }};
}

Account& BlockBuilder::account(const proof::Address& address) {
  const auto known = x_accounts.find(address);
  if (known != x_accounts.end()) return known->second;
  return x_accounts.emplace(address, x_tables.account(address)).first->second;
}

TransactionFate BlockBuilder::apply(const Arrived& arrived) {
  TransactionFate fate{.bytes = arrived.bytes.size()};
  auto effects = run(arrived);
  if (!effects) {
    fate.kind = TransactionFate::Kind::kRefused;
    fate.refusal = std::move(effects).error();
    return fate;
  }
  move_money(arrived.sender, x_settings.chain.contract, arrived.envelope.value);
  for (const proof::Payment& payment : effects->payments) {
    move_money(x_settings.chain.contract, payment.to, payment.amount);
  }
  ++account(arrived.sender).nonce;
  store(arrived, transaction_id(arrived.bytes), *effects);
  fate.kind = TransactionFate::Kind::kApplied;
  fate.block = x_context.number;
  fate.events = std::move(effects->events);
  return fate;
}

proof::OrRefused<proof::Effects> BlockBuilder::run(const Arrived& arrived) {
  const Account& sender = account(arrived.sender);
  if (arrived.envelope.nonce != sender.nonce) {
    return std::unexpected(refusal(proof::Reason::kWrongNonce,
                                   "nonce " + std::to_string(arrived.envelope.nonce) + "; the next one of " +
                                       proof::to_text(arrived.sender) + " is " + std::to_string(sender.nonce)));
  }
  if (arrived.envelope.value > sender.balance) {
    return std::unexpected(refusal(proof::Reason::kInsufficientFunds,
                                   proof::to_text(arrived.sender) + " has " + to_text_with_unit(sender.balance) +
                                       ", and the transaction carries " + to_text_with_unit(arrived.envelope.value)));
  }
  try {
    return x_machine.apply(
        x_tables, x_context,
        {.sender = arrived.sender, .value = arrived.envelope.value, .transaction = arrived.transaction});
  } catch (const proof::BrokenState& broken) {
    x_tables.damaged(broken.what());
  }
}

/// The sum of all accounts stays what it was at genesis.
void BlockBuilder::move_money(const proof::Address& from, const proof::Address& to, const proof::Wei& amount) {
  Account& payer = account(from);
  if (payer.balance < amount) x_tables.damaged(proof::to_text(from) + " has less than it is to pay");
  payer.balance.value -= amount.value;
  Account& payee = account(to);
  const auto sum = add(payee.balance, amount);
  if (!sum) x_tables.damaged("the accounts hold 2^128 wei or more in all");
  payee.balance = *sum;
}

void BlockBuilder::store(const Arrived& arrived, const TransactionId& id, const proof::Effects& effects) {
  for (const proof::Write& write : effects.writes) x_tables.write(write.key, write.record);
  x_tables.append(StoredTransaction{.number = x_next_transaction,
                                    .id = id,
                                    .block = x_context.number,
                                    .position = x_ids.size(),
                                    .first_event = x_next_event,
                                    .events = effects.events.size(),
                                    .sender = arrived.sender,
                                    .nonce = arrived.envelope.nonce,
                                    .kind = proof::name_of(arrived.transaction),
                                    .bytes = arrived.bytes});
  for (const proof::Event& event : effects.events) {
    const std::vector<std::uint8_t> bytes = proof::encode(event);
    x_tables.append(StoredEvent{
        .position = x_next_event, .transaction = x_next_transaction, .kind = proof::name_of(event), .bytes = bytes});
    ++x_next_event;
  }
  ++x_next_transaction;
  x_ids.push_back(id);
}

void BlockBuilder::finish() {
  for (const auto& [address, account] : x_accounts) x_tables.write(address, account);
  x_tables.append(next_block(x_parent, x_context.time_s, x_ids));
}

}  // namespace tally::chain
