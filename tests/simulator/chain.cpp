#include "tests/simulator/chain.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/money.h"
#include "tests/simulator/violation.h"

namespace tally::simulator {

namespace {

constexpr std::uint64_t kKnownBlocks = 256;
constexpr std::uint64_t kTip = std::numeric_limits<std::uint64_t>::max();
// Of a hundred transactions that are ready, so many are in the next block, and the rest wait; but not for ever.
constexpr std::uint64_t kTakenAtOnce = 80;
constexpr unsigned kMostPassedOver = 2;
constexpr std::uint64_t kVanishInReorganisation = 15;

std::string_view text_of(math::Bytes key) { return {reinterpret_cast<const char*>(key.data()), key.size()}; }

math::Bytes bytes_of(std::string_view key) { return {reinterpret_cast<const std::uint8_t*>(key.data()), key.size()}; }

}  // namespace

std::optional<std::vector<std::uint8_t>> StateAt::read(math::Bytes key) const {
  const auto* const record = x_chain.record(text_of(key), x_slot);
  return record == nullptr ? std::nullopt : std::optional(*record);
}

Chain::Chain(const Genesis& genesis, proof::Settlement& settlement, Random& random, std::uint64_t slot_s)
    : x_genesis(genesis), x_settlement(settlement), x_random(random), x_slot_s(slot_s), x_held(genesis.held) {}

proof::Wei Chain::balance(const proof::Address& account) const {
  const auto found = x_accounts.find(account);
  return found == x_accounts.end() ? proof::Wei{} : found->second;
}

chain::TransactionId Chain::new_id() {
  chain::TransactionId id;
  ++x_ids;
  for (std::size_t i = 0; i < sizeof x_ids; ++i) id.digest.bytes[i] = static_cast<std::uint8_t>(x_ids >> (56 - 8 * i));
  return id;
}

const std::vector<std::uint8_t>* Chain::tip_record(std::string_view key) const {
  for (const Records* records : {&x_records, &x_genesis.records}) {
    const auto found = records->find(key);
    if (found != records->end()) return &found->second;
  }
  return nullptr;
}

Records Chain::records() const {
  Records all = x_records;
  all.insert(x_genesis.records.begin(), x_genesis.records.end());  // what did not change
  return all;
}

const std::vector<std::uint8_t>* Chain::record(std::string_view key, std::uint64_t slot) const {
  // What the first later block found there.
  auto later = x_blocks.end();
  while (later != x_blocks.begin() && std::prev(later)->slot > slot) --later;
  for (; later != x_blocks.end(); ++later) {
    const auto before = later->records_before.find(key);
    if (before == later->records_before.end()) continue;
    if (before->second) return &*before->second;
    const auto first = x_genesis.records.find(key);
    return first == x_genesis.records.end() ? nullptr : &first->second;
  }
  return tip_record(key);
}

std::size_t Chain::events_until(std::uint64_t slot) const {
  auto later = x_blocks.end();
  while (later != x_blocks.begin() && std::prev(later)->slot > slot) --later;
  return later == x_blocks.end() ? x_log.size() : later->log_before;
}

proof::BlockContext Chain::context(std::uint64_t slot) const {
  const std::uint64_t number = x_genesis.block + slot;
  return {.chain_id = x_genesis.identity.chain_id,
          .contract = x_genesis.identity.contract,
          .number = number,
          .time_s = time_of(slot),
          .base_fee = x_genesis.base_fee,
          .block_hash = [number](std::uint64_t asked) -> std::optional<proof::Digest> {
            if (asked >= number || number - asked > kKnownBlocks) return std::nullopt;
            math::ByteWriter bytes;
            bytes.u64be(asked);
            return math::sha256(bytes.view());
          }};
}

std::vector<PendingTransaction> Chain::choose(std::uint64_t time_s) {
  std::vector<PendingTransaction> first;
  std::vector<PendingTransaction> others;
  std::vector<PendingTransaction> left;
  for (PendingTransaction& pending : x_mempool) {
    if (pending.ready_s > time_s) {
      left.push_back(std::move(pending));
    } else if (pending.goes_first) {
      first.push_back(std::move(pending));
    } else if (pending.passed_over >= kMostPassedOver || x_random.percent(kTakenAtOnce)) {
      others.push_back(std::move(pending));
    } else {
      ++pending.passed_over;
      left.push_back(std::move(pending));
    }
  }
  x_mempool = std::move(left);
  x_random.shuffle(first);
  x_random.shuffle(others);
  std::ranges::move(others, std::back_inserter(first));
  return first;
}

void Chain::mine(std::uint64_t slot, const std::function<void(const Executed&)>& visit) {
  std::vector<PendingTransaction> chosen = choose(time_of(slot));
  if (chosen.empty()) return;
  TALLY_ASSERT(x_blocks.empty() || x_blocks.back().slot < slot);
  Block& block = x_blocks.emplace_back();
  block.slot = slot;
  block.log_before = x_log.size();
  block.held_before = x_held;
  block.transactions = std::move(chosen);
  for (const PendingTransaction& pending : block.transactions) execute(block, pending, visit);
}

proof::OrRefused<proof::Effects> Chain::apply(const Block& block, const PendingTransaction& pending) {
  if (balance(pending.sender) < pending.value) {
    return proof::refuse(proof::Reason::kInsufficientFunds, to_text(pending.sender) + " has too little");
  }
  const auto decoded = proof::decode_transaction(proof::encode(*pending.transaction));
  if (!decoded) return std::unexpected(decoded.error());
  return x_settlement.apply(StateAt(*this, kTip), context(block.slot),
                            {.sender = pending.sender, .value = pending.value, .transaction = *decoded});
}

void Chain::execute(Block& block, const PendingTransaction& pending,
                    const std::function<void(const Executed&)>& visit) {
  const auto effects = apply(block, pending);
  chain::TransactionFate& fate = x_fates[pending.id];
  fate = {};
  if (effects) {
    commit(block, pending, *effects);
    fate.kind = chain::TransactionFate::Kind::kApplied;
    fate.block = x_genesis.block + block.slot;
    fate.events = effects->events;
  } else {
    fate.kind = chain::TransactionFate::Kind::kRefused;
    fate.refusal = effects.error();
  }
  visit({.transaction = pending,
         .time_s = time_of(block.slot),
         .effects = effects ? &*effects : nullptr,
         .refusal = effects ? nullptr : &effects.error()});
}

void Chain::set_account(Block& block, const proof::Address& account, const proof::Wei& amount) {
  block.accounts_before.emplace(account, balance(account));
  x_accounts[account] = amount;
}

void Chain::commit(Block& block, const PendingTransaction& pending, const proof::Effects& effects) {
  math::u128 held = x_held.value + pending.value.value;
  set_account(block, pending.sender, proof::subtract(balance(pending.sender), pending.value));
  for (const proof::Payment& payment : effects.payments) {
    held -= payment.amount.value;
    set_account(block, payment.to, {balance(payment.to).value + payment.amount.value});
  }
  // What the records say changes by as much as what is held.
  math::u128 gained = pending.value.value;
  for (const proof::Payment& payment : effects.payments) gained -= payment.amount.value;
  math::u128 written = 0;
  for (const proof::Write& write : effects.writes) {
    const std::string_view key = text_of(write.key);
    const auto* const before = tip_record(key);
    written += proof::money_in(write.key, write.record).value;
    if (before != nullptr) written -= proof::money_in(bytes_of(key), *before).value;
    const auto changed = x_records.find(key);
    const bool is_new = changed == x_records.end();
    block.records_before.emplace(key, is_new ? std::nullopt : std::optional(changed->second));
    if (is_new) {
      x_records.emplace(key, write.record);
    } else {
      changed->second = write.record;
    }
  }
  if (written != gained) throw Violation("money appeared or disappeared in the records");
  x_held = {held};
  for (const proof::Event& event : effects.events) {
    x_log.push_back({.position = x_log.size(),
                     .block = x_genesis.block + block.slot,
                     .time_s = time_of(block.slot),
                     .transaction = pending.id,
                     .event = event});
  }
}

std::uint64_t Chain::undo(Block& block) {
  std::uint64_t vanished = 0;
  for (auto& [key, before] : block.records_before) {
    if (before) {
      x_records[key] = std::move(*before);
    } else {
      x_records.erase(key);
    }
  }
  for (const auto& [account, before] : block.accounts_before) x_accounts[account] = before;
  x_held = block.held_before;
  x_log.resize(block.log_before);
  for (PendingTransaction& pending : block.transactions) {
    x_fates.erase(pending.id);
    if (x_random.percent(kVanishInReorganisation)) {
      ++vanished;
      continue;
    }
    pending.passed_over = 0;
    x_mempool.push_back(std::move(pending));
  }
  return vanished;
}

Chain::TakenBack Chain::reorganise(std::uint64_t slot, std::uint64_t depth,
                                   const std::function<void(const Executed&)>& visit) {
  TakenBack taken;
  const std::uint64_t kept = slot >= depth ? slot - depth : 0;
  while (!x_blocks.empty() && x_blocks.back().slot > kept) {
    taken.vanished += undo(x_blocks.back());
    ++taken.blocks;
    x_blocks.pop_back();
  }
  for (std::uint64_t again = kept + 1; again <= slot; ++again) mine(again, visit);
  return taken;
}

chain::TransactionFate Chain::fate(const chain::TransactionId& id) const {
  const auto found = x_fates.find(id);
  return found == x_fates.end() ? chain::TransactionFate{} : found->second;
}

}  // namespace tally::simulator
