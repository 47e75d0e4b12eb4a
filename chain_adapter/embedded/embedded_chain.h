// The settlement machine on an SQLite file: a chain for one host, without a server. Any number of processes use one
// file at once; whoever submits makes the next block.
//
// A block is one commit, synced to the disk. When submit() has returned an applied transaction, that transaction
// survives whatever happens to the process, and no crash leaves a part of one. A refused transaction leaves no trace:
// it is not stored, uses up no nonce, and only the object that submitted it remembers its fate.
//
// Time stands in blocks. When it has moved on since the last block, an empty block comes first, so that what waits for
// a later block never waits for other people's transactions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/embedded/block.h"
#include "chain_adapter/embedded/tables.h"
#include "chain_adapter/sqlite/database.h"
#include "fraud_proof/settlement/settlement.h"

namespace tally::chain {

struct Submitted {
  TransactionId id{};
  TransactionFate fate{};
};

struct EmbeddedStatus {
  ChainIdentity identity{};
  Clock clock = Clock::kWall;
  proof::Wei base_fee{};
  Head head{};
  proof::Digest head_hash{};
  std::uint64_t transactions = 0;
  std::uint64_t events = 0;
  proof::Wei held{};  // by the settlement
};

/// Refusals that submit() gave are kept for fate(), the latest of them.
inline constexpr std::size_t kRememberedRefusals = 4096;

class EmbeddedChain final : public ChainAdapter {
 public:
  /// Makes the file; one that is there already stays, and kExists is thrown. std::invalid_argument: check_genesis().
  static void create(const std::filesystem::path& file, const Genesis& genesis);

  /// Throws DatabaseError.
  explicit EmbeddedChain(const std::filesystem::path& file);

  [[nodiscard]] ChainIdentity identity() override { return x_identity; }
  /// `time_s` is what a transaction submitted now would see.
  [[nodiscard]] Head head() override;
  [[nodiscard]] TransactionId submit(const Submission& submission) override;
  [[nodiscard]] TransactionFate fate(const TransactionId& transaction) override;
  [[nodiscard]] std::vector<LoggedEvent> events(std::uint64_t from, std::size_t limit) override;
  [[nodiscard]] const proof::StateReader& state() override { return x_tables; }
  [[nodiscard]] proof::Wei balance(const proof::Address& account) override;

  /// Signed transactions, in their order; each is applied or refused by itself, and all that are applied make one
  /// block, with one sync.
  [[nodiscard]] std::vector<Submitted> submit_signed(std::span<const std::vector<std::uint8_t>> transactions);

  /// Moves a driven clock on, and gives the new head. Throws std::invalid_argument where the clock is the host's, or
  /// would pass kMaxChainNumber.
  Head advance(std::uint64_t seconds);

  /// Of the sender's next transaction.
  [[nodiscard]] std::uint64_t next_nonce(const proof::Address& account);
  [[nodiscard]] EmbeddedStatus status();
  /// Every account that ever held or sent something, ascending by address; the settlement is one of them.
  [[nodiscard]] std::vector<StoredAccount> accounts();

 private:
  [[nodiscard]] std::uint64_t now_s(const Block& head) const;
  void remember(const TransactionId& id, const TransactionFate& fate);

  Database x_database;
  Tables x_tables;
  Genesis x_genesis;
  ChainIdentity x_identity;
  proof::Settlement x_machine;
  std::map<TransactionId, proof::ChainRefusal> x_refusals;
  std::vector<TransactionId> x_refused;  // a ring
  std::size_t x_next_refused = 0;
};

}  // namespace tally::chain
