// A chain in a file of its own, with some rich accounts, for one test.
#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

#include "chain_adapter/embedded/embedded_chain.h"
#include "chain_adapter/embedded/signed_transaction.h"
#include "chain_adapter/keys/development_keys.h"
#include "tests/support/settlement_world.h"
#include "tests/support/temporary_folder.h"

namespace tally::test {

inline constexpr std::uint64_t kStart = 1'700'000'000;
inline constexpr proof::Wei kRiches{math::u128{1'000'000'000'000'000'000} * 1000};

/// Development keys 0 to `accounts` - 1 are rich.
inline chain::Genesis genesis_for(std::uint64_t accounts, chain::Clock clock = chain::Clock::kDriven) {
  chain::Genesis genesis{.chain_id = 77, .time_s = kStart, .clock = clock, .base_fee = {1'000'000'000}, .accounts = {}};
  for (std::uint64_t i = 0; i < accounts; ++i) {
    genesis.accounts.push_back({chain::development_key(i).address(), kRiches});
  }
  std::ranges::sort(genesis.accounts, {}, &chain::GenesisAccount::address);
  return genesis;
}

/// In memory, where the system has files there, syncs cost nothing.
enum class Where { kDisk, kMemory };

class ChainFile {
 public:
  explicit ChainFile(const chain::Genesis& genesis = genesis_for(4), Where where = Where::kDisk)
      : x_folder(where == Where::kMemory && std::filesystem::is_directory("/dev/shm")
                     ? "/dev/shm"
                     : std::filesystem::temp_directory_path()),
        x_path(x_folder.path() / "chain.db") {
    chain::EmbeddedChain::create(x_path, genesis);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return x_path; }

 private:
  TemporaryFolder x_folder;
  std::filesystem::path x_path;
};

/// A task that anyone can create on any chain.
inline const proof::CreateTask& some_task() {
  static const proof::CreateTask task = SettlementWorld({.members = 0}).creation();
  return task;
}

/// Submits, and gives the fate, which is looked up.
inline chain::TransactionFate send(chain::EmbeddedChain& chain, const proof::PrivateKey& key, const proof::Wei& value,
                                   const proof::Transaction& transaction) {
  return chain.fate(chain.submit({.key = key, .value = value, .transaction = transaction}));
}

/// Creates some_task() and gives its id.
inline proof::TaskId create_task(chain::EmbeddedChain& chain, const proof::PrivateKey& key) {
  const chain::TransactionFate fate = send(chain, key, {}, some_task());
  return std::get<proof::TaskCreated>(fate.events.at(0)).task;
}

inline std::vector<std::uint8_t> signed_bytes(const chain::ChainIdentity& identity, const proof::PrivateKey& key,
                                              std::uint64_t nonce, const proof::Wei& value,
                                              const proof::Transaction& transaction) {
  chain::SignedTransaction envelope{
      .chain = identity, .nonce = nonce, .value = value, .payload = proof::encode(transaction)};
  chain::sign(envelope, key);
  return chain::encode(envelope);
}

}  // namespace tally::test
