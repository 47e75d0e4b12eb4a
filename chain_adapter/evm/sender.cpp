#include "chain_adapter/evm/sender.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/evm/refusal_of_call.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

/// What an account sends at once from several machines competes for nonces.
constexpr int kNonceTries = 5;
/// Between two looks at a transaction where no block comes.
constexpr std::uint64_t kLookSeconds = 5;
/// So far behind no node of a set is. Nodes that keep no history know the states of 128 blocks.
constexpr std::uint64_t kDeepBlocks = 64;

/// Twice the base fee stays enough for six full blocks.
proof::Wei fee_for(const proof::Wei& base, const proof::Wei& tip) { return {2 * base.value + tip.value}; }

/// Nodes ask a tenth more of a transaction that takes another one's place; some of them round up.
proof::Wei outbidding(const proof::Wei& amount) { return {amount.value + amount.value / 8 + 1}; }

bool says_one_of(const RpcError& error, std::span<const std::string_view> wordings) {
  const std::string_view said = error.what();
  return std::ranges::any_of(wordings, [&](std::string_view words) { return said.find(words) != said.npos; });
}

bool is_about_nonce(const RpcError& error) {
  static constexpr std::array<std::string_view, 4> kWords = {"nonce too low", "already known", "already imported",
                                                             "replacement transaction underpriced"};
  return says_one_of(error, kWords);
}

bool is_about_price(const RpcError& error) {
  static constexpr std::array<std::string_view, 4> kWords = {"underpriced", "less than block base fee", "fee too low",
                                                             "FeeTooLow"};
  return says_one_of(error, kWords);
}

proof::ChainRefusal too_poor(const proof::Address& sender, const proof::Wei& has, const std::string& needs) {
  return {.reason = proof::Reason::kInsufficientFunds,
          .message = proof::to_text(sender) + " has " + to_text_with_unit(has) + ", and " + needs};
}

math::Digest purpose_of(const Outgoing& outgoing) {
  math::ByteWriter writer;
  writer.raw(outgoing.to.bytes);
  writer.u64be(static_cast<std::uint64_t>(outgoing.value.value >> 64));
  writer.u64be(static_cast<std::uint64_t>(outgoing.value.value));
  writer.raw(outgoing.data);
  return math::sha256(writer.take());
}

std::uint64_t seconds_of_host() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

SenderSettings with_clock(SenderSettings settings) {
  if (!settings.now_s) settings.now_s = seconds_of_host;
  return settings;
}

void sign(SentTransaction& sent, const proof::PrivateKey& key) {
  std::vector<std::uint8_t> bytes = signed_bytes(sent.transaction, key);
  const TransactionId hash{{proof::keccak256(bytes).bytes}};
  sent.attempts.push_back({.hash = hash, .bytes = std::move(bytes)});
}

EvmCall call_of(const SentTransaction& sent) {
  return {
      .sender = sent.sender, .to = sent.transaction.to, .value = sent.transaction.value, .data = sent.transaction.data};
}

}  // namespace

/// Estimates are exact for the state of the latest block; the next one may differ. Others may be taken back that wrote
/// words of storage first, which costs 17,100 more for each.
std::uint64_t gas_limit(std::uint64_t gas) { return gas + gas / 4 + 3 * 17'100; }

Sender::Sender(EvmNode& node, std::uint64_t chain_id, const std::filesystem::path& folder, SenderSettings settings)
    : x_node(node),
      x_chain_id(chain_id),
      x_settings(with_clock(std::move(settings))),
      x_outbox(folder, chain_id, node.first_block()) {}

proof::OrRefused<TransactionId> Sender::send(const Outgoing& outgoing) {
  const EvmCall call{
      .sender = outgoing.key.address(), .to = outgoing.to, .value = outgoing.value, .data = outgoing.data};
  if (!x_keys.contains(call.sender)) x_keys.emplace(call.sender, *proof::PrivateKey::from_bytes(outgoing.key.bytes()));
  const math::Digest purpose = purpose_of(outgoing);
  const EvmBlock latest = x_node.latest();
  if (const auto id = take_up(call.sender, purpose, latest)) return *id;
  const proof::Wei balance = x_node.balance(call.sender);
  if (balance < outgoing.value) {
    return std::unexpected(
        too_poor(call.sender, balance, "the transaction carries " + to_text_with_unit(outgoing.value)));
  }
  std::uint64_t gas = 0;
  try {
    gas = gas_limit(x_node.estimate_gas(call));
  } catch (const RpcError& error) {
    if (auto refusal = refusal_of_call(error)) return std::unexpected(*std::move(refusal));
    throw;
  }
  const Fees fees = fees_at(latest);
  if ((balance.value - outgoing.value.value) / gas < fees.fee.value) {
    return std::unexpected(too_poor(call.sender, balance,
                                    "the transaction carries " + to_text_with_unit(outgoing.value) + " and may cost " +
                                        std::to_string(gas) + " gas at " + to_text_with_unit(fees.fee)));
  }
  return sign_and_send(outgoing, purpose, gas, fees, latest.block);
}

GasPrices Sender::prices() {
  const EvmBlock latest = x_node.latest();
  const Fees fees = fees_at(latest);
  return {.now = {latest.base_fee.value + fees.tip.value}, .least = fees.fee};
}

proof::Wei Sender::tip() {
  return std::min(x_settings.tip ? *x_settings.tip : x_node.priority_fee(), x_settings.max_tip);
}

Sender::Fees Sender::fees_at(const EvmBlock& latest) {
  const proof::Wei tip = Sender::tip();
  const proof::Wei base = latest.base_fee;
  if (base > x_settings.max_fee || tip.value > x_settings.max_fee.value - base.value) {
    throw FeeAboveLimit("a unit of gas costs " + to_text_with_unit(base) + " and " + to_text_with_unit(tip) +
                        " on top now, and TALLY_MAX_FEE allows " + to_text_with_unit(x_settings.max_fee) +
                        ": nothing was sent; raise it, or try again later");
  }
  return {.tip = tip, .fee = std::min(fee_for(base, tip), x_settings.max_fee)};
}

TransactionId Sender::sign_and_send(const Outgoing& outgoing, const math::Digest& purpose, std::uint64_t gas,
                                    const Fees& fees, const Block& latest) {
  SentTransaction sent;
  sent.sender = outgoing.key.address();
  sent.purpose = purpose;
  sent.transaction = {.chain_id = x_chain_id,
                      .priority_fee = fees.tip,
                      .fee = fees.fee,
                      .gas = gas,
                      .to = outgoing.to,
                      .value = outgoing.value,
                      .data = outgoing.data};
  sent.block = latest.number;
  sent.time_s = x_settings.now_s();
  for (int tried = 1;; ++tried) {
    sent.transaction.nonce = x_node.next_nonce(sent.sender);
    {
      Transaction step(x_outbox.database(), Transaction::Kind::kWrite);
      for (const SentTransaction& other : x_outbox.on_the_way(sent.sender)) {
        const std::uint64_t nonce = other.transaction.nonce;
        // Another process was faster.
        if (other.purpose == purpose && nonce >= x_node.used_nonces(sent.sender)) return other.id;
        if (nonce == sent.transaction.nonce) ++sent.transaction.nonce;
      }
      sent.attempts.clear();
      sign(sent, outgoing.key);
      sent.id = sent.attempts.front().hash;
      x_outbox.add(sent);
      step.commit();
    }
    x_looks[sent.id] = {.block = latest.hash, .time_s = sent.time_s};
    try {
      static_cast<void>(x_node.send(sent.attempts.front().bytes));
      return sent.id;
    } catch (const RpcError& error) {
      if (x_node.transaction(sent.id)) return sent.id;  // an earlier try of the same call brought it there
      if (error.may_be_done()) return sent.id;          // its fate will say
      x_outbox.forget(sent.id);
      if (tried == kNonceTries || !is_about_nonce(error)) throw;
    } catch (const RpcFailure& failure) {
      throw RpcFailure("the transaction " + to_hex(sent.id) + " may be on its way or done: " + failure.what() +
                       ". While it waits, the same again goes on with it; once it is done, it would be done twice");
    }
  }
}

/// What this key has on its way hinders what comes behind it, whichever process sent it. Once for each block.
std::optional<TransactionId> Sender::take_up(const proof::Address& sender, const math::Digest& purpose,
                                             const EvmBlock& latest) {
  const std::vector<SentTransaction> all = x_outbox.on_the_way(sender);
  if (all.empty()) return std::nullopt;
  const bool was_seen = std::exchange(x_taken_up[sender], latest.block.hash) == latest.block.hash;
  if (was_seen && std::ranges::find(all, purpose, &SentTransaction::purpose) == all.end()) return std::nullopt;
  const Counts now = counts(sender);
  std::optional<TransactionId> same;
  for (const SentTransaction& sent : all) {
    const std::uint64_t nonce = sent.transaction.nonce;
    if (nonce < now.mined) {
      x_outbox.end(sent.id);
      continue;
    }
    const bool is_last = sent.id == all.back().id;
    if (nonce == now.mined || (is_last && nonce >= now.known)) drive_on(sent, latest, now);
    if (sent.purpose == purpose) same = sent.id;
  }
  return same;
}

Sender::Counts Sender::counts(const proof::Address& sender) {
  const std::uint64_t mined = x_node.used_nonces(sender);
  return {.mined = mined, .known = std::max(mined, x_node.next_nonce(sender))};
}

std::optional<EvmReceipt> Sender::receipt(const SentTransaction& sent) {
  for (auto attempt = sent.attempts.rbegin(); attempt != sent.attempts.rend(); ++attempt) {
    if (auto found = x_node.receipt(attempt->hash)) return found;
  }
  return std::nullopt;
}

Whereabouts Sender::follow(const TransactionId& id) {
  using Kind = Whereabouts::Kind;
  const auto sent = x_outbox.find(id);
  if (!sent) return {};
  const auto in_block = [&](const EvmReceipt& found) {
    x_outbox.end(id);
    x_looks.erase(id);
    return Whereabouts{.kind = Kind::kInBlock, .call = call_of(*sent), .receipt = found};
  };
  if (const auto found = receipt(*sent)) return in_block(*found);
  const EvmBlock latest = x_node.latest();
  const std::uint64_t now_s = x_settings.now_s();
  const Whereabouts pending{.kind = Kind::kPending, .call = call_of(*sent)};
  const auto look = x_looks.find(id);
  const bool is_seen = look != x_looks.end() && look->second.block == latest.block.hash;
  if (is_seen && now_s < look->second.time_s + kLookSeconds) return pending;
  x_looks[id] = {.block = latest.block.hash, .time_s = now_s};

  const std::uint64_t depth = std::min(x_settings.settled_blocks, latest.block.number);
  if (is_used(*sent, latest.block.number - depth)) {
    if (const auto found = receipt(*sent)) return in_block(*found);
    // The node that says so may have the block in which this one is, and the one without a receipt not yet.
    const auto other = used_by(*sent, latest.block.number - depth);
    const bool is_own = other && std::ranges::find(sent->attempts, *other, &Attempt::hash) != sent->attempts.end();
    const std::uint64_t deep = latest.block.number - std::min(kDeepBlocks, latest.block.number);
    if (is_own || (!other && !is_used(*sent, deep))) return pending;
    x_outbox.end(id);
    x_looks.erase(id);
    return {.kind = Kind::kNonceUsed, .call = call_of(*sent), .other = other};
  }
  const Counts now = counts(sent->sender);
  if (sent->transaction.nonce >= now.mined) drive_on(*sent, latest, now);
  return pending;
}

bool Sender::is_used(const SentTransaction& sent, std::uint64_t block) {
  try {
    return x_node.used_nonces(sent.sender, block) > sent.transaction.nonce;
  } catch (const RpcError&) {
    return false;  // it does not have the block yet, or its state no more
  }
}

std::optional<TransactionId> Sender::used_by(const SentTransaction& sent, std::uint64_t block) {
  std::uint64_t used = block;
  std::uint64_t free = block;
  for (std::uint64_t step = 1; free == used; step *= 2) {
    if (used == 0) return std::nullopt;
    free = used - std::min(step, used);
    if (is_used(sent, free)) used = free;
  }
  while (used - free > 1) {
    const std::uint64_t middle = std::midpoint(free, used);
    (is_used(sent, middle) ? used : free) = middle;
  }
  const auto there = x_node.block(used);
  if (!there) return std::nullopt;
  for (const EvmSent& each : x_node.transactions(there->block.hash)) {
    if (each.call.sender == sent.sender && each.nonce == sent.transaction.nonce) return each.id;
  }
  return std::nullopt;
}

bool Sender::is_known(const SentTransaction& sent) {
  return std::ranges::any_of(sent.attempts,
                             [&](const Attempt& attempt) { return x_node.transaction(attempt.hash).has_value(); });
}

void Sender::drive_on(const SentTransaction& sent, const EvmBlock& latest, const Counts& counts) {
  const FeeTransaction& transaction = sent.transaction;
  const bool waits_too_long = latest.block.number >= sent.block + x_settings.patience_blocks ||
                              x_settings.now_s() >= sent.time_s + x_settings.patience_s;
  // One that waits for another only costs more for nothing, unless its own price is too low.
  const bool is_cause = transaction.nonce == counts.mined || transaction.fee < latest.base_fee;
  const bool can_be_signed = x_keys.contains(sent.sender);
  if (transaction.nonce >= counts.known) send_again(sent, counts);
  if (waits_too_long && is_cause && can_be_signed) replace(sent, latest);
}

void Sender::send_again(const SentTransaction& sent, const Counts& counts) {
  for (std::uint64_t nonce = counts.known; nonce <= sent.transaction.nonce; ++nonce) {
    const auto missing = nonce == sent.transaction.nonce ? sent : x_outbox.with_nonce(sent.sender, nonce);
    if (!missing) return;
    try {
      static_cast<void>(x_node.send(missing->attempts.back().bytes));
    } catch (const RpcError& error) {
      // What costs too little by now is signed again when its time comes.
      if (is_about_nonce(error) || is_about_price(error) || error.may_be_done()) continue;
      if (is_known(*missing)) continue;  // to another node
      // Its nonce is free: what the caller decides now takes it.
      if (nonce == counts.known) x_outbox.forget(missing->id);
      throw;
    }
  }
}

void Sender::replace(const SentTransaction& sent, const EvmBlock& latest) {
  SentTransaction next = sent;
  FeeTransaction& transaction = next.transaction;
  transaction.priority_fee = std::max(tip(), outbidding(transaction.priority_fee));
  const proof::Wei least = std::max(outbidding(transaction.fee), transaction.priority_fee);
  const bool is_tip = transaction.priority_fee > x_settings.max_tip;
  if (is_tip || least > x_settings.max_fee) {
    throw FeeAboveLimit("the transaction " + to_hex(sent.id) + " of " + proof::to_text(sent.sender) + " with nonce " +
                        std::to_string(transaction.nonce) + " is in no block at " +
                        to_text_with_unit(sent.transaction.fee) + " for a unit of gas, " +
                        to_text_with_unit(sent.transaction.priority_fee) + " of it on top of the base fee, and " +
                        (is_tip ? "TALLY_MAX_TIP allows " + to_text_with_unit(x_settings.max_tip)
                                : "TALLY_MAX_FEE allows " + to_text_with_unit(x_settings.max_fee)) +
                        ": raise it and do this again, or wait; it stays on its way, and is not done twice");
  }
  transaction.fee = std::min(std::max(least, fee_for(latest.base_fee, transaction.priority_fee)), x_settings.max_fee);
  next.block = latest.block.number;
  next.time_s = x_settings.now_s();
  sign(next, x_keys.at(sent.sender));
  {
    Transaction step(x_outbox.database(), Transaction::Kind::kWrite);
    const auto now = x_outbox.find(sent.id);
    if (!now || now->attempts.size() != sent.attempts.size()) return;  // another process was here first
    x_outbox.replace(next);
    step.commit();
  }
  try {
    static_cast<void>(x_node.send(next.attempts.back().bytes));
  } catch (const RpcError& error) {
    if (!is_about_nonce(error) && !error.may_be_done()) throw;
  }
}

}  // namespace tally::chain
