#include "tests/support/settlement_world.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/signing/eip712.h"

namespace tally::test {

using namespace tally::proof;
using math::ObjectId;
using math::ObjectKind;

namespace {

constexpr Wei kEther{1'000'000'000'000'000'000};
constexpr std::uint8_t kAccounts = 4;

}  // namespace

PrivateKey small_key(std::uint8_t number) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.back() = number;
  auto key = PrivateKey::from_bytes(bytes);
  TALLY_ASSERT(key.has_value());
  return *std::move(key);
}

TaskSettings quick_settings() {
  return {.leaf_bytes = 64,
          .challenge_period_s = 1'000,
          .request_period_s = 500,
          .window_s = 100,
          .game_clock_s = 2'000,
          .move_time_s = 10,
          .censorship_budget_s = 90,
          .payout_unit = {kEther.value / 1'000},
          .min_stake = {kEther.value / 100},
          .exit_delay_s = 6'000,
          .max_payout_per_batch = kEther};
}

SettlementWorld::SettlementWorld(SettlementWorldOptions options)
    : x_options(std::move(options)), x_chain(x_options.chain) {
  for (std::uint8_t i = 0; i < kAccounts; ++i) x_keys.push_back(small_key(static_cast<std::uint8_t>(i + 1)));
  for (std::uint64_t i = 0; i < x_options.members; ++i) {
    x_wallets.push_back(small_key(static_cast<std::uint8_t>(i + 1 + kAccounts)));
  }
  std::ranges::sort(x_wallets, {}, [](const PrivateKey& key) { return key.address(); });
  for (const auto* keys : {&x_keys, &x_wallets}) {
    for (const PrivateKey& key : *keys) x_chain.give(key.address(), {1'000 * kEther.value});
  }
  create_task();
  register_members();
}

void SettlementWorld::create_task() {
  const math::Program& program = x_options.program;
  Rng rng(x_options.random_seed);
  math::BatchValues values{.dims = {program.dims.front().lo}};
  values.dims.insert(values.dims.end(), x_options.dims.begin(), x_options.dims.end());
  RandomBatch genesis(program, values, rng);
  if (x_options.genesis) x_options.genesis(genesis);
  CommittedMemory committed(program, values, genesis.inputs(), x_options.settings.leaf_bytes);
  x_genesis_commitments.assign(committed.state_commitments().begin(), committed.state_commitments().end());

  x_creation = {.bytecode = math::encode_program(program), .dims = x_options.dims, .settings = x_options.settings};
  for (const ObjectId state : objects_of(program, ObjectKind::kState)) {
    x_genesis[state] = genesis.table(state);
    x_creation.genesis_roots.push_back(committed.tree_root(state));
  }
  const auto created = send(creator(), x_creation);
  if (!created) throw std::runtime_error(created.error().message);
  x_task = std::get<TaskCreated>(created->events.front()).task;
}

void SettlementWorld::register_members() {
  for (const PrivateKey& wallet : x_wallets) {
    const auto registered = send(wallet, x_options.settings.min_stake, Register{.task = x_task});
    if (!registered) throw std::runtime_error(registered.error().message);
  }
}

math::BatchValues SettlementWorld::values(const MakeBatch& options) {
  const std::uint64_t number = options.parent == nullptr ? kFirstBatch : options.parent->header().number + 1;
  const BatchId parent = options.parent == nullptr ? kGenesisParent : options.parent->id();
  const TaskPreimage task{.dims = x_options.dims};
  return batch_values(batch_dims(task, options.records), number, read_seed(state(), x_task, parent).value_or(Digest{}));
}

void SettlementWorld::set_members(RandomBatch& batch) const {
  const std::uint64_t records = batch.members().size();
  for (std::uint64_t k = 0; k < records; ++k) {
    batch.members()[k] = member_of(k, records);
    batch.nonces()[k] = k + 1;
  }
}

RecordSigners SettlementWorld::signers(std::uint64_t records) const {
  const BlockContext block = x_chain.next_block();
  RecordSigners signers{.domain = domain_separator(tallystick_domain(block.chain_id, block.contract)), .task = x_task};
  for (std::uint64_t k = 0; k < records; ++k) signers.keys.push_back(&x_wallets.at(member_of(k, records)));
  return signers;
}

SettlementWorld::States SettlementWorld::states_after(WorldBatch& batch) const {
  States states;
  for (const ObjectId state : objects_of(program(), ObjectKind::kState)) states[state] = batch.data().table(state);
  for (const math::Next& next : program().next) states[next.state] = batch.data().table(next.table);
  return states;
}

WorldBatch SettlementWorld::make_batch(const MakeBatch& options) {
  Rng rng(options.random_seed);
  auto data = std::make_unique<RandomBatch>(program(), values(options), rng);
  set_members(*data);
  for (const auto& [state, bytes] : options.parent == nullptr ? x_genesis : states_after(*options.parent)) {
    std::ranges::copy(bytes, data->table(state).begin());
  }
  if (compute_tables(program(), *data) != 0) throw std::runtime_error("an entry is FAIL");
  if (options.alter) options.alter(*data);

  const RecordSigners signing = signers(options.records);
  auto committed = std::make_unique<CommittedMemory>(program(), data->values(), data->inputs(),
                                                     x_options.settings.leaf_bytes, &signing);
  BatchHeader& header = committed->header();
  header.task = x_task;
  header.poster = (options.poster == nullptr ? poster() : *options.poster).address();
  if (options.parent != nullptr) header.parent = options.parent->id();

  Post post{.task = x_task, .record_count = header.record_count, .records_root = header.records_root};
  if (options.parent != nullptr) post.parent = options.parent->header();
  const auto states = committed->state_commitments();
  post.state_commitments.assign(states.begin(), states.end());
  for (const ObjectId table : table_objects(program())) post.table_roots.push_back(committed->tree_root(table));
  return {std::move(data), std::move(committed), std::move(post)};
}

OrRefused<Effects> SettlementWorld::post(WorldBatch& batch) {
  return x_chain.send(batch.header().poster, x_options.settings.sequencer_bond, batch.post());
}

WorldBatch SettlementWorld::posted(const MakeBatch& options) {
  WorldBatch batch = make_batch(options);
  const auto sent = post(batch);
  TALLY_ASSERT(sent.has_value());
  return batch;
}

void SettlementWorld::finalise(WorldBatch& batch) {
  x_chain.advance(x_options.settings.challenge_period_s);
  TALLY_ASSERT(send(other(), Finalize{.header = batch.header()}).has_value());
}

}  // namespace tally::test
