#include "chain_adapter/embedded/embedded_chain.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "chain_adapter/chain/encoded_transaction.h"
#include "chain_adapter/embedded/block_builder.h"
#include "chain_adapter/embedded/signed_transaction.h"

namespace tally::chain {

void EmbeddedChain::create(const std::filesystem::path& file, const Genesis& genesis) {
  check_genesis(genesis);
  const Database database(file, embedded_schema(),
                          {.mode = OpenMode::kNew, .fill = [&](Database& fresh) { write_genesis(fresh, genesis); }});
}

EmbeddedChain::EmbeddedChain(const std::filesystem::path& file)
    : x_database(file, embedded_schema()),
      x_tables(x_database),
      x_genesis(x_tables.genesis()),
      x_identity{.chain_id = x_genesis.chain_id, .contract = contract_address(genesis_block(x_genesis))} {}

std::uint64_t EmbeddedChain::now_s(const Block& head) const {
  if (x_genesis.clock == Clock::kDriven) return head.time_s;
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_epoch).count();
  return std::max(head.time_s, static_cast<std::uint64_t>(std::max(seconds, decltype(seconds){0})));
}

Head EmbeddedChain::head() {
  const Block head = x_tables.head();
  return {.block = head.number, .time_s = now_s(head)};
}

/// Another process may use the same key: the nonce is read, signed and used up under the writer's lock.
TransactionId EmbeddedChain::submit(const Submission& submission) {
  Transaction transaction(x_database, Transaction::Kind::kWrite);
  BlockBuilder builder(x_tables, x_machine,
                       {.chain = x_identity, .base_fee = x_genesis.base_fee, .time_s = now_s(x_tables.head())});
  const proof::Address sender = submission.key.address();
  SignedTransaction envelope{.chain = x_identity,
                             .nonce = builder.account(sender).nonce,
                             .value = submission.value,
                             .payload = encoded_transaction(submission.transaction)};
  sign(envelope, submission.key);
  std::vector<std::uint8_t> bytes = encode(envelope);
  const Arrived arrived{.envelope = std::move(envelope),
                        .bytes = std::move(bytes),
                        .sender = sender,
                        .transaction = submission.transaction};
  const TransactionId id = transaction_id(arrived.bytes);
  const TransactionFate fate = builder.apply(arrived);
  if (fate.kind == TransactionFate::Kind::kApplied) {
    builder.finish();
    transaction.commit();
  } else {
    remember(id, fate);
  }
  return id;
}

std::vector<Submitted> EmbeddedChain::submit_signed(std::span<const std::vector<std::uint8_t>> transactions) {
  std::vector<proof::OrRefused<Arrived>> arrivals;
  arrivals.reserve(transactions.size());
  for (const auto& bytes : transactions) arrivals.push_back(arrive(x_identity, bytes));

  std::vector<Submitted> results;
  results.reserve(transactions.size());
  Transaction transaction(x_database, Transaction::Kind::kWrite);
  BlockBuilder builder(x_tables, x_machine,
                       {.chain = x_identity, .base_fee = x_genesis.base_fee, .time_s = now_s(x_tables.head())});
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    TransactionFate fate{.bytes = transactions[i].size()};
    if (arrivals[i]) {
      fate = builder.apply(*arrivals[i]);
    } else {
      fate.kind = TransactionFate::Kind::kRefused;
      fate.refusal = std::move(arrivals[i]).error();
    }
    results.push_back({.id = transaction_id(transactions[i]), .fate = std::move(fate)});
  }
  if (!builder.empty()) {
    builder.finish();
    transaction.commit();
  }
  for (const Submitted& result : results) {
    if (result.fate.kind == TransactionFate::Kind::kRefused) remember(result.id, result.fate);
  }
  return results;
}

void EmbeddedChain::remember(const TransactionId& id, const TransactionFate& fate) {
  if (!x_refusals.insert_or_assign(id, *fate.refusal).second) return;
  if (x_refused.size() < kRememberedRefusals) {
    x_refused.push_back(id);
    return;
  }
  x_refusals.erase(std::exchange(x_refused[x_next_refused], id));
  x_next_refused = (x_next_refused + 1) % kRememberedRefusals;
}

TransactionFate EmbeddedChain::fate(const TransactionId& transaction) {
  Transaction snapshot(x_database, Transaction::Kind::kRead);
  TransactionFate fate;
  std::uint64_t first_event = 0;
  std::uint64_t events = 0;
  const bool applied = x_tables.find(transaction, [&](const StoredTransaction& stored) {
    fate.kind = TransactionFate::Kind::kApplied;
    fate.block = stored.block;
    fate.bytes = stored.bytes.size();
    first_event = stored.first_event;
    events = stored.events;
  });
  if (applied) {
    for (LoggedEvent& logged : x_tables.events(first_event, events)) fate.events.push_back(std::move(logged.event));
  } else if (const auto refused = x_refusals.find(transaction); refused != x_refusals.end()) {
    fate.kind = TransactionFate::Kind::kRefused;
    fate.refusal = refused->second;
  }
  snapshot.commit();
  return fate;
}

std::vector<LoggedEvent> EmbeddedChain::events(std::uint64_t from, std::size_t limit) {
  return x_tables.events(from, limit);
}

proof::Wei EmbeddedChain::balance(const proof::Address& account) { return x_tables.account(account).balance; }

Head EmbeddedChain::advance(std::uint64_t seconds) {
  if (x_genesis.clock != Clock::kDriven) {
    throw std::invalid_argument(x_database.path().string() +
                                ": its clock is the host's; only a chain made with a driven clock can be advanced");
  }
  Transaction transaction(x_database, Transaction::Kind::kWrite);
  const Block head = x_tables.head();
  if (seconds > kMaxChainNumber - head.time_s) throw std::invalid_argument("the clock would pass 2^62 seconds");
  const Block block = next_block(head, head.time_s + seconds, {});
  x_tables.append(block);
  transaction.commit();
  return {.block = block.number, .time_s = block.time_s};
}

std::uint64_t EmbeddedChain::next_nonce(const proof::Address& account) { return x_tables.account(account).nonce; }

EmbeddedStatus EmbeddedChain::status() {
  Transaction snapshot(x_database, Transaction::Kind::kRead);
  const Block head = x_tables.head();
  EmbeddedStatus status{.identity = x_identity,
                        .clock = x_genesis.clock,
                        .base_fee = x_genesis.base_fee,
                        .head = {.block = head.number, .time_s = now_s(head)},
                        .head_hash = head.hash,
                        .transactions = x_tables.transaction_count(),
                        .events = x_tables.next_event(),
                        .held = x_tables.account(x_identity.contract).balance};
  snapshot.commit();
  return status;
}

std::vector<StoredAccount> EmbeddedChain::accounts() { return x_tables.accounts(); }

}  // namespace tally::chain
