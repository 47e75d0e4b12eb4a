#include "tests/support/memory_chain.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/money.h"

namespace tally::test {

using namespace tally::proof;

namespace {

constexpr std::uint64_t kKnownBlocks = 256;

std::string name_of_key(math::Bytes key) { return {key.begin(), key.end()}; }

Digest block_hash(std::uint64_t number) {
  math::ByteWriter bytes;
  bytes.u64be(number);
  return math::sha256(bytes.view());
}

}  // namespace

std::optional<std::vector<std::uint8_t>> MemoryState::read(math::Bytes key) const {
  const auto found = x_records.find(name_of_key(key));
  return found == x_records.end() ? std::nullopt : std::optional(found->second);
}

void MemoryState::write(const Effects& effects) {
  for (const Write& write : effects.writes) x_records[name_of_key(write.key)] = write.record;
}

Wei MemoryState::money() const {
  Wei sum;
  for (const auto& [key, record] : x_records) {
    const std::vector<std::uint8_t> bytes(key.begin(), key.end());
    sum.value += money_in(bytes, record).value;
  }
  return sum;
}

std::function<MemoryChainOptions()>& default_chain() {
  static std::function<MemoryChainOptions()> maker = [] { return MemoryChainOptions{}; };
  return maker;
}

MemoryChain::MemoryChain(const MemoryChainOptions& options)
    : x_options(options), x_history{.block = options.start_block, .time_s = options.start_s} {}

chain::ChainIdentity MemoryChain::identity() {
  return {.chain_id = x_options.chain_id, .contract = x_options.contract};
}

chain::Head MemoryChain::head() { return {.block = x_history.block, .time_s = x_history.time_s}; }

BlockContext MemoryChain::next_block() const {
  const std::uint64_t number = x_history.block + 1;
  return {.chain_id = x_options.chain_id,
          .contract = x_options.contract,
          .number = number,
          .time_s = x_history.time_s,
          .base_fee = x_options.base_fee,
          .block_hash = [number, watcher = x_options.watcher](std::uint64_t asked) -> std::optional<Digest> {
            if (asked >= number || number - asked > kKnownBlocks) return std::nullopt;
            return watcher != nullptr ? watcher->block_hash(asked) : block_hash(asked);
          }};
}

void MemoryChain::give(const Address& account, const Wei& amount) {
  const auto sum = add(x_history.accounts[account], amount);
  TALLY_ASSERT(sum.has_value());
  x_history.accounts[account] = *sum;
}

Wei MemoryChain::balance(const Address& account) {
  const auto found = x_history.accounts.find(account);
  return found == x_history.accounts.end() ? Wei{} : found->second;
}

OrRefused<Effects> MemoryChain::simulate(const Address& sender, const Wei& value, const Transaction& transaction) {
  return ask(ChainWatcher::Asked::kSimulate, sender, value, transaction);
}

OrRefused<Effects> MemoryChain::ask(ChainWatcher::Asked asked, const Address& sender, const Wei& value,
                                    const Transaction& transaction) {
  const Message message{.sender = sender, .value = value, .transaction = transaction};
  auto effects = x_settlement.apply(x_history.state, next_block(), message);
  if (x_options.watcher != nullptr) x_options.watcher->watch(asked, x_history.state, next_block(), message, effects);
  return effects;
}

OrRefused<Effects> MemoryChain::send(const Address& sender, const Wei& value, const Transaction& transaction) {
  return execute(next_id(sender), sender, value, transaction);
}

OrRefused<Effects> MemoryChain::execute(const chain::TransactionId& id, const Address& sender, const Wei& value,
                                        const Transaction& transaction) {
  if (balance(sender) < value) {
    return refuse(Reason::kInsufficientFunds, to_text(sender) + " has less than " + describe(value));
  }
  auto effects = ask(ChainWatcher::Asked::kSend, sender, value, transaction);
  if (!effects) return effects;
  x_history.accounts[sender] = subtract(balance(sender), value);
  x_history.held.value += value.value;
  for (const Payment& payment : effects->payments) {
    x_history.held = subtract(x_history.held, payment.amount);
    give(payment.to, payment.amount);
  }
  x_history.state.write(*effects);
  TALLY_ASSERT(x_history.state.money() == x_history.held);
  TALLY_ASSERT(!effects->events.empty());

  ++x_history.block;
  for (const Event& event : effects->events) {
    x_history.events.push_back({.position = x_history.events.size(),
                                .block = x_history.block,
                                .time_s = x_history.time_s,
                                .transaction = id,
                                .event = event});
  }
  return effects;
}

chain::TransactionId MemoryChain::next_id(const Address& sender) {
  math::ByteWriter bytes;
  bytes.raw(sender.bytes);
  bytes.u64be(x_history.transactions++);
  return {math::sha256(bytes.view())};
}

chain::TransactionId MemoryChain::submit(const chain::Submission& submission) {
  const Address sender = submission.key.address();
  const chain::TransactionId id = next_id(sender);
  const std::vector<std::uint8_t> bytes = encode(submission.transaction);
  chain::TransactionFate& fate = x_history.fates[id];
  fate.bytes = bytes.size();
  const auto transaction = decode_transaction(bytes);
  const auto effects = transaction ? execute(id, sender, submission.value, *transaction)
                                   : OrRefused<Effects>(std::unexpected(transaction.error()));
  if (effects) {
    fate.kind = chain::TransactionFate::Kind::kApplied;
    fate.block = x_history.block;
    fate.events = effects->events;
  } else {
    fate.kind = chain::TransactionFate::Kind::kRefused;
    fate.refusal = effects.error();
  }
  return id;
}

chain::TransactionFate MemoryChain::fate(const chain::TransactionId& transaction) {
  const auto found = x_history.fates.find(transaction);
  return found == x_history.fates.end() ? chain::TransactionFate{} : found->second;
}

std::vector<chain::LoggedEvent> MemoryChain::events(std::uint64_t from, std::size_t limit) {
  if (from >= x_history.events.size()) return {};
  const auto first = x_history.events.begin() + static_cast<std::ptrdiff_t>(from);
  const std::size_t count = std::min<std::size_t>(limit, x_history.events.size() - static_cast<std::size_t>(from));
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace tally::test
