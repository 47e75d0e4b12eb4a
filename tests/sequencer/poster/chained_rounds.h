// A RoundWorld whose task lives on a chain, with its members registered.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "chain_adapter/chain/batch_index.h"
#include "chain_adapter/keys/development_keys.h"
#include "deterministic_math/bytecode/visibility.h"
#include "fraud_proof/step/one_step.h"
#include "sequencer/defender/stored_batch.h"
#include "sequencer/poster/finaliser.h"
#include "sequencer/poster/poster.h"
#include "tests/support/memory_folder.h"
#include "tests/support/round_world.h"
#include "tests/support/settlement_world.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_chain.h"

namespace tally::test {

class ChainedRounds {
 public:
  explicit ChainedRounds(const std::filesystem::path& data, RoundOptions options = {.settings = quick_settings()},
                         decltype(make_test_chain)* make_chain = make_test_chain)
      : x_chain(make_chain(x_folder.path(), rich_accounts(options), kWealth)),
        x_client(x_chain->open()),
        x_world(data, at(options, x_client->identity())) {
    send(x_world.poster(), {}, x_world.prepared().transaction);
    for (std::size_t member = 0; member < options.members; ++member)
      send(x_world.key(member), settings().min_stake, proof::Register{.task = task()});
  }

  /// It has been told of all that is in blocks.
  [[nodiscard]] chain::ChainAdapter& chain() {
    x_chain->catch_up();
    return *x_client;
  }
  /// A client beside chain().
  [[nodiscard]] std::unique_ptr<chain::ChainAdapter> open() { return x_chain->open(); }
  void advance(std::uint64_t seconds) { x_chain->advance(seconds); }
  /// Outside the settlement, and what it has paid for gas.
  [[nodiscard]] proof::Wei owned_by(const proof::Address& account) {
    return {chain().balance(account).value + x_chain->fees(account).value};
  }
  [[nodiscard]] const RoundWorld& world() const { return x_world; }
  [[nodiscard]] const proof::TaskId& task() const { return x_world.prepared().id; }
  [[nodiscard]] const proof::TaskSettings& settings() const { return x_world.prepared().preimage.settings; }
  [[nodiscard]] chain::BatchIndex& index() {
    x_index.follow(chain());
    return x_index;
  }

  [[nodiscard]] sequencer::BuiltBatch built(const RoundStart& start, std::uint64_t seed = 1) {
    auto batch = x_world.build(x_world.inputs(start, seed));
    if (!batch) throw std::runtime_error(batch.error().message);
    return *std::move(batch);
  }
  [[nodiscard]] std::expected<sequencer::PostPlan, sequencer::PostRefusal> plan(const std::filesystem::path& directory,
                                                                                sequencer::PostOptions options = {}) {
    return plan(directory, x_world.poster().address(), std::move(options));
  }
  [[nodiscard]] std::expected<sequencer::PostPlan, sequencer::PostRefusal> plan(const std::filesystem::path& directory,
                                                                                const proof::Address& poster,
                                                                                sequencer::PostOptions options = {}) {
    options.pool = &x_pool;
    return sequencer::plan_post(chain().state(), chain().head(), index(), directory, poster, options);
  }
  /// Builds and posts; must succeed.
  sequencer::BuiltBatch posted(const RoundStart& start, std::uint64_t seed = 1) {
    sequencer::BuiltBatch batch = built(start, seed);
    const auto planned = plan(batch.directory);
    if (!planned) throw std::runtime_error(planned.error().message);
    const chain::TransactionFate fate = sequencer::post_batch(chain(), x_world.poster(), *planned);
    if (fate.refusal) throw std::runtime_error(fate.refusal->message);
    return batch;
  }
  [[nodiscard]] proof::BatchStatus status(const sequencer::BuiltBatch& batch) {
    return proof::batch_status(chain().state(), task(), proof::batch_id(batch.manifest.header)).value();
  }

  /// Who opens games and asks for leaves: rich, and nobody else.
  [[nodiscard]] static proof::PrivateKey challenger() { return chain::development_key(2'000'000); }
  [[nodiscard]] std::uint16_t item_of(const std::string& table) const {
    const math::CompiledProgram& program = x_world.task().program;
    const auto& names = program.names.objects;
    const auto id = static_cast<math::ObjectId>(std::ranges::find(names, table) - names.begin());
    return static_cast<std::uint16_t>(math::owner_item(program.program, id).value());
  }
  [[nodiscard]] std::unique_ptr<sequencer::StoredBatch> stored(const sequencer::BuiltBatch& batch) {
    const proof::TaskPreimage& task = x_world.prepared().preimage;
    const auto program = proof::read_program(chain().state(), task.program_hash);
    const proof::BatchId id = proof::batch_id(batch.manifest.header);
    return sequencer::StoredBatch::open(task, program.value(), index().find(id)->posted, batch.directory).value();
  }
  /// Must be taken.
  chain::TransactionFate send(const proof::PrivateKey& key, const proof::Wei& value,
                              const proof::Transaction& transaction) {
    chain::TransactionFate fate =
        chain::submit_and_wait(chain(), {.key = key, .value = value, .transaction = transaction});
    if (fate.refusal) throw std::runtime_error(fate.refusal->message);
    return fate;
  }
  /// A transaction of the challenger's. Gives the game that it opened or moved.
  proof::Game send(const proof::Wei& value, const proof::Transaction& transaction) {
    for (const proof::Event& event : send(challenger(), value, transaction).events) {
      if (const auto* opened = std::get_if<proof::GameOpened>(&event)) return opened->game;
      if (const auto* moved = std::get_if<proof::GameMoved>(&event)) return moved->game;
    }
    return {};
  }
  proof::Game open(const sequencer::BuiltBatch& batch, const std::string& table, std::uint64_t entry,
                   std::uint8_t salt = 0) {
    const auto opened = stored(batch);
    const std::uint16_t item = item_of(table);
    return send(settings().challenger_bond, proof::OpenGame{.header = batch.manifest.header,
                                                            .item = item,
                                                            .entry = entry,
                                                            .salt = {salt},
                                                            .openings = proof::make_result_openings(
                                                                opened->batch(), item, entry, opened->data().leaves)});
  }
  void request(const sequencer::BuiltBatch& batch, const proof::OpeningKey& leaf) {
    send(std::get<proof::LeafRequests>(settings().availability).request_bond,
         proof::RequestLeaf{.header = batch.manifest.header, .leaf = leaf});
  }

 private:
  [[nodiscard]] static RoundOptions at(RoundOptions options, const chain::ChainIdentity& chain) {
    options.chain = chain;
    return options;
  }

  [[nodiscard]] static std::vector<proof::Address> rich_accounts(const RoundOptions& options) {
    std::vector<proof::Address> rich = {challenger().address(), chain::development_key(kPosterKey).address()};
    for (std::uint64_t member = 0; member < options.members; ++member)
      rich.push_back(chain::development_key(options.first_key + member).address());
    return rich;
  }

  TemporaryFolder x_folder{memory_folder()};
  std::shared_ptr<TestChain> x_chain;
  std::unique_ptr<chain::ChainAdapter> x_client;
  RoundWorld x_world;
  chain::BatchIndex x_index;
  math::ThreadPool x_pool{1};
};

}  // namespace tally::test
