// What the keys of a user have on their way to an EVM chain, in a file that all processes of the user share. It is
// written before a node hears of a transaction, so that a process that ends in between leaves nothing unknown behind.
//
// It may be deleted at any time, and is never believed more than the chain: whether a transaction is in a block, and
// which nonces are used, is the node's to say. It is of one chain, by its id and its first block: what was signed for a
// development chain that began anew since is not brought to the next one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/evm/fee_transaction.h"
#include "chain_adapter/sqlite/database.h"

namespace tally::chain {

/// A transaction as it was signed, once for each price.
struct Attempt {
  TransactionId hash{};
  std::vector<std::uint8_t> bytes{};
};

/// What was submitted as one.
struct SentTransaction {
  TransactionId id{};  // the first attempt's hash
  proof::Address sender{};
  math::Digest purpose{};         // equal for what does the same
  FeeTransaction transaction{};   // as it was signed last
  std::uint64_t block = 0;        // the latest one when it was signed last
  std::uint64_t time_s = 0;       // and when that was
  std::vector<Attempt> attempts;  // at least one, in order
};

class Outbox {
 public:
  /// `folder` empty: kept in memory, for this object alone. `first_block`: its hash.
  Outbox(const std::filesystem::path& folder, std::uint64_t chain_id, const proof::Digest& first_block);

  /// For those that look and write in one step.
  [[nodiscard]] Database& database() { return x_database; }

  /// It is on its way, also where it was before and had ended.
  void add(const SentTransaction& sent);
  /// Signed again, with the last of its attempts.
  void replace(const SentTransaction& sent);
  void forget(const TransactionId& id);
  /// It is not on its way any more. It is still found.
  void end(const TransactionId& id);

  [[nodiscard]] std::optional<SentTransaction> find(const TransactionId& id);
  /// What is on its way, by ascending nonces.
  [[nodiscard]] std::vector<SentTransaction> on_the_way(const proof::Address& sender);
  /// The last one with this nonce, ended or not.
  [[nodiscard]] std::optional<SentTransaction> with_nonce(const proof::Address& sender, std::uint64_t nonce);

 private:
  [[nodiscard]] SentTransaction sent_of(const Rows& rows);
  void append(const SentTransaction& sent, const Attempt& attempt);

  std::uint64_t x_chain_id;
  Database x_database;
  Statement x_add;
  Statement x_add_attempt;
  Statement x_replace;
  Statement x_forget;
  Statement x_forget_attempts;
  Statement x_forget_old;
  Statement x_end;
  Statement x_find;
  Statement x_on_the_way;
  Statement x_with_nonce;
  Statement x_attempts;
};

}  // namespace tally::chain
