// The settlement on an EVM chain, as every command and daemon sees it (chain_adapter/chain/chain.h).
//
// Nothing is asked of the contract's storage. What the contract took is read off its logs, done again by the machine in
// C++, and compared (derivation.h). Blocks with so many others behind them as the settings say are taken for final, and
// what they did is kept in a file that all processes of a user share; what later blocks did is done over it, in memory,
// each time the chain has moved on. So events come late, and never change; records are those of the latest block.
//
// A reorganisation that reaches blocks which were taken for final begins the file anew. No position of an event is
// given twice (derived_tables.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain_adapter/evm/derived_tables.h"
#include "chain_adapter/evm/evm_node.h"
#include "chain_adapter/evm/sender.h"

namespace tally::chain {

struct EvmSettings {
  /// Blocks behind one that is taken for final. Absent: none on the chains of development nodes, which make a block
  /// only when there is something for it (ids 1337 and 31337), and 12 on all others.
  std::optional<std::uint64_t> confirmations{};
  /// Where the files of what is derived, and of what is on its way, are.
  std::filesystem::path cache{};
  SenderSettings sending{};
  Waiting waiting{};
  /// The most blocks whose logs are asked for at once.
  std::uint64_t blocks_at_once = 2'000;
};

/// Those of the environment: TALLY_CONFIRMATIONS, TALLY_MAX_FEE, TALLY_MAX_TIP, TALLY_CACHE; else
/// $XDG_CACHE_HOME/tallystick or
/// ~/.cache/tallystick. Throws std::invalid_argument.
[[nodiscard]] EvmSettings evm_settings_of_environment();

/// Records over records that are on file.
class RecordsInMemory final : public proof::StateReader {
 public:
  explicit RecordsInMemory(const proof::StateReader& base) : x_base(base) {}
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override;
  void write(const proof::Effects& effects);
  void clear() { x_records.clear(); }

 private:
  const proof::StateReader& x_base;
  std::map<std::string, std::vector<std::uint8_t>> x_records;
};

class EvmChain final : public ChainAdapter {
 public:
  /// Throws std::invalid_argument where the chain has no settlement, or another program's.
  EvmChain(RpcClient rpc, const EvmSettings& settings);

  [[nodiscard]] ChainIdentity identity() override { return x_identity; }
  [[nodiscard]] Head head() override;
  [[nodiscard]] TransactionId submit(const Submission& submission) override;
  [[nodiscard]] TransactionFate fate(const TransactionId& transaction) override;
  [[nodiscard]] std::vector<LoggedEvent> events(std::uint64_t from, std::size_t limit) override;
  [[nodiscard]] std::map<proof::BatchId, Confirmations> unconfirmed() override;
  [[nodiscard]] const proof::StateReader& state() override;
  [[nodiscard]] proof::Wei balance(const proof::Address& account) override;

  /// The last block whose events are told.
  [[nodiscard]] Block confirmed();
  [[nodiscard]] const std::filesystem::path& file() const { return x_file; }

 private:
  struct Read;  // blocks' calls, with what is needed to do them again
  struct RecentEvents {
    std::uint64_t block = 0;
    std::vector<proof::Event> events{};
  };
  struct RecentBatch {
    proof::BatchHeader header{};
    std::uint64_t block = 0;
  };

  /// The block before the contract's first.
  [[nodiscard]] Block start();
  /// Makes the file and the records in memory those of the chain.
  void follow();
  void begin_anew_after_reorganisation(const Block& latest);
  void confirm(std::uint64_t last, const Block& latest);
  [[nodiscard]] std::vector<EvmLog> logs(std::uint64_t first, std::uint64_t last);
  [[nodiscard]] std::vector<EvmLog> logs_of_block(std::uint64_t number);
  [[nodiscard]] Read read(std::uint64_t first, std::uint64_t last, std::uint64_t first_young);
  [[nodiscard]] EvmCall call_of(const EvmLog& log);
  void keep(const Read& read, const Block& head);
  void look_beyond(const Block& latest);
  [[nodiscard]] proof::Effects derive(const proof::StateReader& state, LeftOut& left_out, const Read& read,
                                      const SettlementCall& call);
  /// Of a posted batch.
  [[nodiscard]] std::optional<proof::BatchHeader> header_of(const proof::BatchId& batch);
  [[nodiscard]] TransactionFate fate_of_sent(const TransactionId& id);
  [[nodiscard]] TransactionFate fate_in_block(const EvmCall& call, const EvmReceipt& receipt);
  /// Of a transaction that was taken; absent while its block was not followed, or where it is in it no more.
  [[nodiscard]] std::optional<std::vector<proof::Event>> events_of(const EvmReceipt& receipt);
  [[nodiscard]] TransactionFate refused(const EvmCall& call, const EvmReceipt& receipt);
  [[nodiscard]] proof::ChainRefusal in_words(const proof::ChainRefusal& refusal, const EvmCall& call);

  RpcClient x_rpc;
  EvmNode x_node;
  ChainIdentity x_identity;
  std::uint64_t x_confirmations;
  Sender x_sender;
  std::uint64_t x_blocks_at_once;
  std::filesystem::path x_file;
  std::optional<Database> x_database;
  std::optional<DerivedTables> x_tables;
  std::optional<RecordsInMemory> x_records;
  std::map<proof::BatchId, RecentBatch> x_recent;  // those that are not on file yet
  std::map<TransactionId, RecentEvents> x_recent_events;
  std::string x_disagreement;  // beyond what is on file, where chain and program disagree; empty: they agree
  Derivation x_derivation;
  Block x_seen{};  // the latest that was followed
  std::map<TransactionId, TransactionFate> x_refused;
};

/// To URLs with commas between. Throws std::invalid_argument.
[[nodiscard]] RpcClient rpc_client(std::string_view urls, const Waiting& waiting = {});
/// With the settings of the environment.
[[nodiscard]] std::unique_ptr<EvmChain> open_evm_chain(std::string_view urls, const Waiting& waiting = {});

}  // namespace tally::chain
