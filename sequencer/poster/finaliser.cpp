#include "sequencer/poster/finaliser.h"

#include <stdexcept>
#include <utility>

#include "chain_adapter/chain/overtaken.h"
#include "fraud_proof/settlement/tree.h"

namespace tally::sequencer {

namespace {

/// A task has at most so many batches that a pass over them acts on; more are left for the next run.
constexpr std::uint64_t kMaxActions = 100'000;

struct Candidate {
  proof::BatchId id;
  proof::NodeRecord node;
  const chain::IndexedBatch& posted;
};

std::uint64_t seconds_since(std::uint64_t past_s, std::uint64_t now_s) {
  // The head may be read before the block that holds what was seen.
  return now_s > past_s ? now_s - past_s : 0;
}

/// What the batch itself still waits for.
std::optional<std::string> unquiet(const Candidate& batch, std::uint64_t now_s, std::uint64_t period_s) {
  const proof::NodeRecord& node = batch.node;
  const std::uint64_t age_s = seconds_since(node.posted_s, now_s);
  if (age_s < period_s) return "its challenge period ends in " + std::to_string(period_s - age_s) + " s";
  if (node.open_games > 0) return std::to_string(node.open_games) + " games are open";
  if (node.open_requests > 0) return std::to_string(node.open_requests) + " requests are open";
  return std::nullopt;
}

/// The claim that ends a game or a request of a batch once its period is over.
std::optional<DueAction> claim_about(const proof::StateReader& chain, const Candidate& batch,
                                     const chain::OpenDisputes& disputes, std::uint64_t now_s,
                                     const proof::TaskSettings& settings) {
  if (seconds_since(batch.node.posted_s, now_s) < settings.challenge_period_s) return std::nullopt;
  const auto action = [&](DueAction::Kind kind, proof::Transaction transaction) {
    return DueAction{.kind = kind, .task = batch.node.task, .batch = batch.id, .transaction = std::move(transaction)};
  };
  for (const auto& [id, game] : disputes.games()) {
    if (game.batch != batch.id || !proof::claim_timeout(game, now_s)) continue;
    const proof::ClaimTimeout claim{.game = game};
    if (!chain::is_overtaken(chain, {}, claim)) return action(DueAction::Kind::kClaimTimeout, claim);
  }
  for (const auto& [request, requested_s] : disputes.requests()) {
    if (request.first != batch.id || seconds_since(requested_s, now_s) <= settings.window_s) continue;
    const proof::ClaimWithheld claim{.header = batch.posted.posted.header, .leaf = request.second};
    if (!chain::is_overtaken(chain, {}, claim)) return action(DueAction::Kind::kClaimWithheld, claim);
  }
  return std::nullopt;
}

/// The action that brings a quiet batch nearer to its end; or what it waits for.
std::variant<DueAction, std::string> end_of(const proof::StateReader& chain, const Candidate& batch) {
  const proof::NodeRecord& node = batch.node;
  const auto parent = proof::read_node(chain, node.task, node.parent);
  if (!parent) throw std::runtime_error("the chain has no parent of batch " + to_hex(batch.id));
  if (parent->state != proof::NodeState::kFinal) return "its parent is not final yet";
  proof::NodeRecord passed = *parent;
  const std::uint64_t skipped = proof::skip_invalid_children(chain, node.parent, passed);
  if (passed.first_live == node.position) {
    return DueAction{.kind = DueAction::Kind::kFinalize,
                     .task = node.task,
                     .batch = batch.id,
                     .transaction = proof::Finalize{.header = batch.posted.posted.header}};
  }
  // Where one call passes as many as it may, there may be more behind them.
  if (skipped == proof::kMaxSkipped) {
    return DueAction{.kind = DueAction::Kind::kSkipInvalid,
                     .task = node.task,
                     .batch = node.parent,
                     .transaction = proof::SkipInvalid{.task = node.task, .parent = node.parent}};
  }
  return "an earlier sibling is not invalid";
}

}  // namespace

DuePlan plan_due(const proof::StateReader& chain, std::uint64_t now_s, const chain::BatchIndex& index,
                 const proof::TaskId& task) {
  DuePlan plan;
  const auto record = proof::read_task(chain, task);
  if (!record) return plan;
  const proof::TaskSettings& settings = record->preimage.settings;
  for (const proof::BatchId& id : index.batches(task)) {
    const auto node = proof::read_node(chain, task, id);
    if (!node || node->state != proof::NodeState::kPending || node->bond == proof::Wei{}) continue;
    const auto status = proof::batch_status(chain, task, id);
    const Candidate batch{.id = id, .node = *node, .posted = *index.find(id)};
    auto waits = unquiet(batch, now_s, settings.challenge_period_s);
    if (waits && node->open_games + node->open_requests > 0) {
      plan.action = claim_about(chain, batch, index.disputes(), now_s, settings);
      if (plan.action) return plan;
    }
    if (!waits && status != proof::BatchStatus::kPending) {
      plan.action = DueAction{.kind = DueAction::Kind::kReleaseBond,
                              .task = task,
                              .batch = id,
                              .transaction = proof::ReleaseBond{.header = batch.posted.posted.header}};
      return plan;
    }
    if (!waits) {
      auto end = end_of(chain, batch);
      if (auto* const action = std::get_if<DueAction>(&end)) {
        plan.action = std::move(*action);
        return plan;
      }
      waits = std::get<std::string>(std::move(end));
    }
    plan.waiting.push_back({.batch = id, .reason = *std::move(waits)});
  }
  return plan;
}

FinaliserReport do_due(chain::ChainAdapter& chain, const proof::PrivateKey& key, chain::BatchIndex& index,
                       const proof::TaskId& task) {
  FinaliserReport report;
  std::optional<std::vector<std::uint8_t>> refused;
  for (std::uint64_t actions = 0; actions < kMaxActions; ++actions) {
    index.follow(chain);
    DuePlan plan = plan_due(chain.state(), chain.head().time_s, index, task);
    report.waiting = std::move(plan.waiting);
    if (!plan.action) return report;
    const DueAction& action = *plan.action;
    const chain::TransactionFate fate =
        chain::submit_and_wait(chain, {.key = key, .value = {}, .transaction = action.transaction});
    if (fate.refusal) {
      // The state moved on between the look and the transaction; twice in a row is no such race.
      auto bytes = proof::encode(action.transaction);
      if (refused == bytes) throw std::runtime_error(fate.refusal->message);
      refused = std::move(bytes);
      continue;
    }
    refused.reset();
    ++report.transactions;
    if (action.kind == DueAction::Kind::kClaimTimeout || action.kind == DueAction::Kind::kClaimWithheld)
      ++report.claims;
    if (action.kind == DueAction::Kind::kFinalize) report.finalised.push_back(action.batch);
    if (action.kind == DueAction::Kind::kReleaseBond) report.released.push_back(action.batch);
  }
  return report;
}

}  // namespace tally::sequencer
