// The world of the demonstration: a chain with a driven clock, a task, and those who take part, in one folder.
//
//   FOLDER/chain.db                     the embedded chain; of an EVM chain, anvil.json and anvil.log
//   FOLDER/trainers/round-NN/           updates and the records that their trainers signed
//   FOLDER/sequencer/                   the store of the honest sequencer
//   FOLDER/rival/                       the store of the corrupt one, open to all
//   FOLDER/hidden/                      what the corrupt one shows to nobody
//   FOLDER/watchtower.db                the watchtower's memory
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain_adapter/chain/batch_index.h"
#include "chain_adapter/data/batch_store.h"
#include "cli/demo/demo_chain.h"
#include "deterministic_math/executor/task_pool.h"
#include "sequencer/task/open_task.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::cli {

enum class DemoChainKind : std::uint8_t { kEmbedded, kEvm };

struct DemoSettings {
  std::filesystem::path folder;
  DemoChainKind chain = DemoChainKind::kEmbedded;
  int rounds = 10;
  int trainers = 20;
  int malicious = 4;  // the first of them; the rule trims as many at each end
  std::uint64_t seed = 1;
  unsigned threads = 2;
};

class DemoWorld {
 public:
  /// The folder must not exist, or be empty.
  DemoWorld(const DemoSettings& settings, std::uint64_t parameters);

  [[nodiscard]] chain::ChainAdapter& chain() { return x_chain->adapter(); }
  [[nodiscard]] DemoChain& place() { return *x_chain; }
  [[nodiscard]] const DemoChain& place() const { return *x_chain; }
  [[nodiscard]] const sequencer::OpenTask& task() const { return *x_task; }
  [[nodiscard]] math::TaskPool& pool() { return x_pool; }
  [[nodiscard]] chain::BatchIndex& index() {
    x_index.follow(chain());
    return x_index;
  }

  [[nodiscard]] const proof::PrivateKey& sequencer() const { return x_sequencer; }
  [[nodiscard]] const proof::PrivateKey& rival() const { return x_rival; }
  [[nodiscard]] const proof::PrivateKey& watchtower() const { return x_watchtower; }
  [[nodiscard]] const proof::PrivateKey& trainer(std::size_t number) const { return x_trainers.at(number); }
  [[nodiscard]] std::size_t trainers() const { return x_trainers.size(); }
  /// "sequencer", "rival", "watchtower", "trainer 3", or the address.
  [[nodiscard]] std::string name_of(const proof::Address& address) const;

  [[nodiscard]] chain::BatchStore store() const { return chain::BatchStore(x_folder / "sequencer"); }
  [[nodiscard]] chain::BatchStore rival_store() const { return chain::BatchStore(x_folder / "rival"); }
  [[nodiscard]] chain::BatchStore hidden_store() const { return chain::BatchStore(x_folder / "hidden"); }
  [[nodiscard]] std::filesystem::path round_folder(int round) const;

  /// Throws where the chain refuses.
  void send(const proof::PrivateKey& key, const proof::Wei& value, const proof::Transaction& transaction);
  /// One look of the watchtower, and of the rival at the games that it has to answer.
  [[nodiscard]] verifier::WatchReport watch();
  void defend();

  /// What an account has: on the chain, and to its credit in the settlement.
  [[nodiscard]] proof::Wei wealth(const proof::Address& address);

 private:
  void make_chain(DemoChainKind kind);
  void create_task(std::uint64_t parameters, int cut, std::size_t trainers);

  std::filesystem::path x_folder;
  math::ThreadPool x_pool;
  proof::PrivateKey x_sequencer;
  proof::PrivateKey x_rival;
  proof::PrivateKey x_watchtower;
  std::vector<proof::PrivateKey> x_trainers;
  std::unique_ptr<DemoChain> x_chain;
  std::optional<sequencer::OpenTask> x_task;
  chain::BatchIndex x_index;
};

}  // namespace tally::cli
