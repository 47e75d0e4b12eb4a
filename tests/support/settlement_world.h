// A task on a MemoryChain, with members, and batches of random data that are signed, computed and committed as a poster
// does it. Everything is equal for equal options.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "fraud_proof/settlement/settlement.h"
#include "fraud_proof/signing/secp256k1.h"
#include "tests/support/committed_memory.h"
#include "tests/support/memory_chain.h"
#include "tests/support/random_program.h"
#include "tests/support/small_program.h"

namespace tally::test {

/// The key of a small number; 0 has none.
[[nodiscard]] proof::PrivateKey small_key(std::uint8_t number);

/// Settings that create_task accepts for small programs, with periods of minutes: T = 1000 s, T_req = 500 s, windows of
/// 100 s, the least for a censorship budget of 90 s, and clocks of 2000 s. Leaves can be requested, and bonds are those
/// of the defaults.
[[nodiscard]] proof::TaskSettings quick_settings();

struct SettlementWorldOptions {
  math::Program program = small_program();
  std::vector<std::uint64_t> dims = {2, 3};  // beside K
  proof::TaskSettings settings = quick_settings();
  std::uint64_t members = 2;
  std::uint64_t random_seed = 1;
  /// Changes the random states of the genesis.
  std::function<void(RandomBatch&)> genesis{};
  MemoryChainOptions chain = default_chain()();
};

/// A batch that is, or could be, posted.
class WorldBatch {
 public:
  WorldBatch(std::unique_ptr<RandomBatch> data, std::unique_ptr<CommittedMemory> committed, proof::Post post)
      : x_data(std::move(data)), x_committed(std::move(committed)), x_post(std::move(post)) {}

  [[nodiscard]] const proof::BatchHeader& header() const { return x_committed->header(); }
  [[nodiscard]] proof::BatchId id() const { return batch_id(header()); }
  /// The transaction that posts it; keepers' signatures are the test's to add.
  [[nodiscard]] proof::Post& post() { return x_post; }
  [[nodiscard]] CommittedMemory& committed() { return *x_committed; }
  [[nodiscard]] RandomBatch& data() { return *x_data; }

 private:
  std::unique_ptr<RandomBatch> x_data;
  std::unique_ptr<CommittedMemory> x_committed;
  proof::Post x_post;
};

struct MakeBatch {
  /// Null: the task's first batch.
  WorldBatch* parent = nullptr;
  std::uint64_t records = 3;
  std::uint64_t random_seed = 1;
  /// Changes the data once every table is computed, before it is committed: what a cheat does.
  std::function<void(RandomBatch&)> alter{};
  /// Who posts it; null: the world's poster.
  const proof::PrivateKey* poster = nullptr;
};

class SettlementWorld {
 public:
  /// Throws std::runtime_error where the chain refuses the task or a member.
  explicit SettlementWorld(SettlementWorldOptions options = {});

  [[nodiscard]] MemoryChain& chain() { return x_chain; }
  [[nodiscard]] const proof::StateReader& state() { return x_chain.state(); }
  [[nodiscard]] const math::Program& program() const { return x_options.program; }
  [[nodiscard]] const proof::TaskSettings& settings() const { return x_options.settings; }
  [[nodiscard]] const proof::TaskId& task() const { return x_task; }
  /// What created the task: with another salt it creates another.
  [[nodiscard]] const proof::CreateTask& creation() const { return x_creation; }

  // All of them have 1000 ether.
  [[nodiscard]] const proof::PrivateKey& creator() const { return x_keys[0]; }
  [[nodiscard]] const proof::PrivateKey& poster() const { return x_keys[1]; }
  [[nodiscard]] const proof::PrivateKey& challenger() const { return x_keys[2]; }
  [[nodiscard]] const proof::PrivateKey& other() const { return x_keys[3]; }
  /// Member 0, 1, …: ascending addresses.
  [[nodiscard]] const proof::PrivateKey& wallet(std::uint64_t member) const { return x_wallets.at(member); }

  /// Records ascend; the k-th of K is of member k * members / K. Throws std::runtime_error where an entry is FAIL.
  [[nodiscard]] WorldBatch make_batch(const MakeBatch& options = {});
  /// Sends its post, with the sequencer's bond.
  proof::OrRefused<proof::Effects> post(WorldBatch& batch);
  /// Makes and posts a batch, which must be accepted.
  [[nodiscard]] WorldBatch posted(const MakeBatch& options = {});

  /// Lets its period pass and makes it final, which must be accepted.
  void finalise(WorldBatch& batch);

  proof::OrRefused<proof::Effects> send(const proof::PrivateKey& sender, const proof::Wei& value,
                                        const proof::Transaction& transaction) {
    return x_chain.send(sender.address(), value, transaction);
  }
  proof::OrRefused<proof::Effects> send(const proof::PrivateKey& sender, const proof::Transaction& transaction) {
    return send(sender, {}, transaction);
  }

  [[nodiscard]] proof::TaskStatus status() { return *proof::read_task_status(state(), x_task); }
  [[nodiscard]] proof::NodeRecord node(const proof::BatchId& batch) {
    return *proof::read_node(state(), x_task, batch);
  }

 private:
  using States = std::map<math::ObjectId, std::vector<std::byte>>;

  [[nodiscard]] math::BatchValues values(const MakeBatch& options);
  void set_members(RandomBatch& batch) const;
  [[nodiscard]] RecordSigners signers(std::uint64_t records) const;
  [[nodiscard]] std::uint64_t member_of(std::uint64_t record, std::uint64_t records) const {
    return record * x_options.members / records;
  }
  void create_task();
  void register_members();
  [[nodiscard]] States states_after(WorldBatch& batch) const;

  SettlementWorldOptions x_options;
  MemoryChain x_chain;
  std::vector<proof::PrivateKey> x_keys;
  std::vector<proof::PrivateKey> x_wallets;
  States x_genesis;
  std::vector<proof::Digest> x_genesis_commitments;
  proof::CreateTask x_creation;
  proof::TaskId x_task{};
};

}  // namespace tally::test
