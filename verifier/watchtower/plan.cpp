#include "verifier/watchtower/plan.h"

#include <algorithm>
#include <span>

namespace tally::verifier {

namespace {

/// Less than `period_s` since `since_s`.
[[nodiscard]] bool within(std::uint64_t now_s, std::uint64_t since_s, std::uint64_t period_s) {
  return now_s < since_s || now_s - since_s < period_s;
}

std::optional<Action> plan_games(const BatchView& view) {
  for (std::size_t i = 0; i < view.history.games.size(); ++i) {
    const proof::Game& game = view.history.games[i].now();
    if (view.awaited.games.contains(game.id)) continue;
    if (view.status == proof::BatchStatus::kInvalid) return TakeRefund{.game = i};
    const bool own_turn = proof::to_move(game.phase) == proof::Side::kChallenger;
    if (proof::claim_timeout(game, view.now_s)) {
      // A game that this side let expire is lost, and in the way of another over the same batch.
      if (!own_turn || within(view.now_s, view.posted_s, view.settings.challenge_period_s))
        return TakeTimeout{.game = i};
    } else if (own_turn && !view.silenced_games.contains(game.id)) {
      return view.verdict ? Action(MoveInGame{.game = i}) : Action(JudgeBatch{});
    }
  }
  return std::nullopt;
}

std::optional<Action> plan_requests(const BatchView& view) {
  // Others' are claimed too where their leaves are what is missing here: who asked may be the poster's friend, and
  // wait.
  const bool missing =
      view.status == proof::BatchStatus::kPending && view.verdict && view.verdict->kind == VerdictKind::kMissing;
  for (const auto& [leaf, request] : view.history.open_requests) {
    if (view.awaited.requests.contains(leaf)) continue;
    const bool lost = view.status == proof::BatchStatus::kInvalid;
    const bool over = view.now_s > request.requested_s && view.now_s - request.requested_s > view.settings.window_s;
    if (request.by == view.self ? lost || over : missing && over) return TakeWithheld{.leaf = leaf};
  }
  return std::nullopt;
}

/// Leaves are demanded in their order, so the search begins where the last one ended as a rule.
std::optional<proof::OpeningKey> first_wanted(const BatchView& view, std::span<const MissingPart> missing) {
  const std::set<proof::OpeningKey>& requested = view.history.requested;
  const std::set<proof::OpeningKey>& demanded = view.awaited.demands;
  const auto is_asked_for = [&](const proof::OpeningKey& leaf) {
    return requested.contains(leaf) || demanded.contains(leaf);
  };
  const auto wanted = first_leaf_but(is_asked_for, missing, math::i128{requested.size()} + math::i128{demanded.size()});
  return wanted ? wanted : first_leaf_but(is_asked_for, missing, 0);
}

Action plan_missing(const BatchView& view, const Verdict& verdict) {
  if (!view.judged_now) return JudgeBatch{};
  const bool may_ask = std::holds_alternative<proof::LeafRequests>(view.settings.availability) &&
                       within(view.now_s, view.posted_s, view.settings.request_period_s) && !view.silenced &&
                       !view.spares_demands;
  if (may_ask) {
    if (const auto leaf = first_wanted(view, verdict.missing)) return DemandLeaf{.leaf = *leaf};
  }
  // Answers come one by one; a judgment waits for the last of them.
  const bool all_answered = std::ranges::none_of(view.history.open_requests, [&](const auto& open) {
    return lacks(verdict.missing, open.first.object, open.first.record);
  });
  return view.history.answers != view.answers_judged && all_answered ? Action(JudgeBatch{}) : Action(Rest{});
}

Action plan_proof(const BatchView& view) {
  if (view.silenced) return Rest{};
  switch (view.proof) {
    case ProofState::kNone:
    case ProofState::kRemembered:
      return CommitProof{};
    case ProofState::kCommitted:
      return RevealProof{};
  }
  return Rest{};
}

}  // namespace

bool is_over(const BatchView& view) {
  return !within(view.now_s, view.posted_s, view.settings.challenge_period_s) &&
         view.now_s - view.posted_s - view.settings.challenge_period_s >= view.settings.game_clock_s;
}

Action plan(const BatchView& view) {
  if (const auto action = plan_games(view)) return *action;
  if (const auto action = plan_requests(view)) return *action;
  const bool idle =
      view.history.games.empty() &&
      std::ranges::none_of(view.history.open_requests, [&](const auto& open) { return open.second.by == view.self; });
  switch (view.status) {
    case proof::BatchStatus::kPending:
      break;
    case proof::BatchStatus::kInvalid:
    case proof::BatchStatus::kOrphaned:
    case proof::BatchStatus::kSuperseded:
    case proof::BatchStatus::kFinal:
      return Rest{.done = idle && is_over(view)};
  }
  const bool in_time = within(view.now_s, view.posted_s, view.settings.challenge_period_s);
  if (!view.verdict) return in_time ? Action(JudgeBatch{}) : Action(Rest{});
  switch (view.verdict->kind) {
    case VerdictKind::kValid:
      return Rest{};
    case VerdictKind::kMissing:
      return in_time ? plan_missing(view, *view.verdict) : Rest{};
    case VerdictKind::kEntry:
    case VerdictKind::kDescent:
      return in_time && view.history.games.empty() && !view.silenced && !view.awaited.opening ? Action(OpenDispute{})
                                                                                              : Action(Rest{});
    case VerdictKind::kCheck:
      return in_time ? plan_proof(view) : Rest{};
  }
  return Rest{};
}

}  // namespace tally::verifier
