#include "verifier/lab/transactions.h"

#include <algorithm>

#include "chain_adapter/keys/development_keys.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/checks/local_checks.h"
#include "fraud_proof/signing/eip712.h"
#include "verifier/lab/five_tables.h"

namespace tally::verifier {

namespace {

using namespace tally::proof;

constexpr std::uint16_t kArity = 32;
constexpr std::uint64_t kShown = kTablesRecords / 2;  // the record that proofs show
constexpr std::uint64_t kStrangerKey = 2'000;
constexpr std::uint64_t kFirstKeeperKey = 3'000;
constexpr std::uint16_t kKeepers = 5;
constexpr std::uint64_t kProofGoal = 150'000;

TaskSettings settings_with(std::uint16_t threshold, std::span<const PrivateKey> keys) {
  KeeperQuorum quorum{.threshold = threshold};
  for (const PrivateKey& key : keys) quorum.keepers.push_back(key.address());
  TaskSettings settings = lab_settings(kDefaultLeafBytes, kArity);
  settings.availability = quorum;
  return settings;
}

std::uint64_t each_keepers_signature(LabChain& chain) {
  std::vector<PrivateKey> keys;
  for (std::uint64_t i = 0; i < kKeepers; ++i) keys.push_back(chain::development_key(kFirstKeeperKey + i));
  std::ranges::sort(keys, {}, [](const PrivateKey& key) { return key.address(); });
  const auto post_with = [&](std::uint16_t signatures) {
    FiveTables task(chain, settings_with(signatures, keys));
    return task.post(std::nullopt, std::span(keys).first(signatures)).gas;
  };
  const std::uint64_t one = post_with(1);
  return (post_with(kKeepers) - one) / (kKeepers - 1);
}

/// Of the moves of a game, by the kinds that goals are for.
std::uint64_t most(const DisputeSteps& steps, std::string_view name) {
  std::uint64_t gas = 0;
  for (const DisputeStep& step : steps) gas = step.name == name ? std::max(gas, step.gas) : gas;
  return gas;
}

/// Of showing one, which was committed to in the block before. The batch is lost by it.
class ShownProofs {
 public:
  explicit ShownProofs(LabChain& chain) : x_chain(chain), x_task(chain, lab_settings(kDefaultLeafBytes, kArity)) {}

  [[nodiscard]] const FiveTables& task() const { return x_task; }
  [[nodiscard]] std::uint64_t commit_gas() const { return x_commit_gas; }

  template <class Make>
  TransactionCost show(const std::string& name, std::vector<Record> records, const Make& make) {
    records.front().nonce = ++x_shown;  // another batch
    TablesData data(records);
    const BatchHeader header = x_task.post(data).header;
    const auto committed = x_chain.settlement().committed_batch(x_chain.state(), header);
    TALLY_ASSERT(committed.has_value());
    const ShowProof shown{.header = header, .proof = make(*committed, data), .salt = x_chain.next_salt()};
    x_commit_gas =
        x_chain
            .send(kLabChallenger,
                  Commit{.commitment = proof_commitment(kLabChallenger, batch_id(header), shown.proof, shown.salt)})
            .gas;
    return {.name = name, .gas = x_chain.send(kLabChallenger, shown).gas, .goal = kProofGoal};
  }

 private:
  LabChain& x_chain;
  FiveTables x_task;
  std::uint64_t x_commit_gas = 0;
  std::uint64_t x_shown = 0;
};

std::vector<Record> with_equal_neighbours() {
  std::vector<Record> records = made_up_records();
  records[kShown + 1].address = records[kShown].address;
  records[kShown + 1].nonce = records[kShown].nonce;
  return records;
}

/// Signed by another key, in the form that a signature has: what it recovers is what is wrong.
std::vector<Record> with_strangers_signature(LabChain& chain, const TaskId& task) {
  std::vector<Record> records = made_up_records();
  const BlockContext block = chain.next_block();
  Record& record = records[kShown];
  const Address address = record.address;
  sign_record(record, {.domain = domain_separator(tallystick_domain(block.chain_id, block.contract)), .task = task},
              chain::development_key(kStrangerKey));
  record.address = address;
  return records;
}

/// By a member's wallet, which names another member.
std::vector<Record> with_wrong_member(LabChain& chain, const FiveTables& task) {
  std::vector<Record> records = made_up_records();
  chain.send(records[kShown].address, task.settings().min_stake, Register{.task = task.task()});
  return records;
}

}  // namespace

DisputeSteps dearest_dispute(const math::Program& program, const DisputeCase& dispute, LabChain& chain) {
  return std::ranges::max(play_disputes(program, dispute, chain), {}, total_gas);
}

void break_in(const math::Program& fedavg, LabChain& chain) {
  static_cast<void>(
      play_disputes(fedavg, {.dims = {1, 1}, .leaf_bytes = math::kMinLeafBytes, .arity = kMinArity}, chain));
}

std::vector<TransactionCost> measure_posts(LabChain& chain) {
  FiveTables task(chain, lab_settings(kDefaultLeafBytes, kArity));
  const auto first = task.post(std::nullopt);
  const auto sibling = task.post(std::nullopt);
  chain.advance(task.settings().challenge_period_s);
  // The account's credit is written for the first time, once for ever.
  const std::uint64_t first_finalized = chain.send(kLabCreator, Finalize{.header = first.header}).gas;
  const auto child = task.post(first.header);
  const auto second = task.post(first.header);
  static_cast<void>(chain.send(kLabPoster, Withdraw{}));
  chain.advance(task.settings().challenge_period_s);
  const std::uint64_t finalized = chain.send(kLabCreator, Finalize{.header = child.header}).gas;
  const std::uint64_t withdrawn = chain.send(kLabPoster, Withdraw{}).gas;
  return {{.name = "post, the first child of genesis", .gas = first.gas, .goal = 100'000},
          {.name = "post, a later child of genesis", .gas = sibling.gas, .goal = 80'000},
          {.name = "post, the first child of a batch", .gas = child.gas, .goal = 100'000},
          {.name = "post, a later child of a batch", .gas = second.gas, .goal = 80'000},
          {.name = "a keeper's signature in a post", .gas = each_keepers_signature(chain), .goal = 7'000},
          {.name = "finalize, the poster's first", .gas = first_finalized},
          {.name = "finalize", .gas = finalized},
          {.name = "withdraw", .gas = withdrawn},
          {.name = "finalize and withdraw", .gas = finalized + withdrawn, .goal = 90'000}};
}

std::vector<TransactionCost> measure_moves(const math::Program& fedavg, LabChain& chain) {
  const DisputeSteps steps =
      dearest_dispute(fedavg, {.dims = {kTablesRecords, kTablesParameters}, .arity = kArity}, chain);
  return {{.name = "open_game", .gas = most(steps, "open_game"), .goal = 110'000},
          {.name = "respond", .gas = most(steps, "respond"), .goal = 50'000},
          {.name = "narrow", .gas = most(steps, "narrow"), .goal = 50'000},
          {.name = "narrow and prove", .gas = most(steps, "narrow_and_prove"), .goal = 160'000}};
}

std::vector<TransactionCost> measure_proofs(LabChain& chain) {
  ShownProofs proofs(chain);
  const auto record_opening = [](const CommittedBatch& batch, TablesData& data, std::uint64_t count) {
    return make_record_openings(batch, kShown, count, data);
  };
  std::vector<TransactionCost> costs;
  costs.push_back(
      proofs.show("record order", with_equal_neighbours(), [&](const auto& batch, TablesData& data) -> LocalProof {
        return RecordOrderProof{.index = kShown, .openings = record_opening(batch, data, 2)};
      }));
  costs.push_back(proofs.show("record signer", with_wrong_member(chain, proofs.task()),
                              [&](const auto& batch, TablesData& data) -> LocalProof {
                                return RecordSignerProof{.index = kShown, .openings = record_opening(batch, data, 1)};
                              }));
  costs.push_back(proofs.show("record signature", with_strangers_signature(chain, proofs.task().task()),
                              [&](const auto& batch, TablesData& data) -> LocalProof {
                                return RecordSignatureProof{.index = kShown,
                                                            .openings = record_opening(batch, data, 1)};
                              }));
  costs.push_back(
      proofs.show("advice range", made_up_records(), [&](const auto& batch, TablesData& data) -> LocalProof {
        return AdviceRangeProof{.object = kTablesAdvice,
                                .element = kTablesElement,
                                .openings = make_element_opening(batch, kTablesAdvice, kTablesElement, data)};
      }));
  costs.push_back({.name = "commit to a proof", .gas = proofs.commit_gas()});
  return costs;
}

}  // namespace tally::verifier
