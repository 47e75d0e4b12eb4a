#include "verifier/watchtower/batch_watch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "chain_adapter/data/batch_store.h"
#include "fraud_proof/settlement/state.h"
#include "verifier/watchtower/answered_data.h"

namespace tally::verifier {

namespace {

constexpr std::size_t kEventsAtOnce = 1000;
// Of one batch in one run: more than any game takes, and every leaf that may be demanded.
constexpr std::size_t kMaxActions = 2 * kMaxMissing;
constexpr std::size_t kMaxRefusals = 8;

/// Somebody was faster, or it was done before: the next look at the chain shows what it led to.
bool chain_moved_on(proof::Reason reason) {
  using enum proof::Reason;
  constexpr std::array kMovedOn = {kStaleMove,      kGameEnded,     kGameExists,      kAlreadyCommitted,
                                   kBatchLost,      kClockRunning,  kRequestExists,   kRequestAnswered,
                                   kRequestSettled, kWindowRunning, kCommittedTooLate};
  return std::ranges::find(kMovedOn, reason) != kMovedOn.end();
}

std::string text_of(const proof::ChainRefusal& refusal) {
  return std::string(proof::to_string(refusal.reason)) + ": " + refusal.message;
}

}  // namespace

void follow(chain::ChainAdapter& chain, Memory& memory) {
  for (;;) {
    const std::vector<chain::LoggedEvent> events = chain.events(memory.cursor(), kEventsAtOnce);
    if (events.empty()) return;
    memory.keep(events, events.back().position + 1);
  }
}

chain::TransactionFate send_and_report(chain::ChainAdapter& chain, const chain::Submission& submission,
                                       const proof::BatchId& batch, WatchReport& report) {
  chain::TransactionFate fate = chain::submit_and_wait(chain, submission);
  const bool applied = fate.kind == chain::TransactionFate::Kind::kApplied;
  report.events.push_back({.kind = applied ? WatchEvent::Kind::kSent : WatchEvent::Kind::kRefused,
                           .batch = batch,
                           .what = std::string(proof::name_of(submission.transaction)),
                           .message = fate.refusal ? text_of(*fate.refusal) : std::string{},
                           .bytes = fate.bytes,
                           .microseconds = 0});
  return fate;
}

BatchWatch::BatchWatch(chain::ChainAdapter& chain, const proof::PrivateKey& key, const WatchSettings& settings,
                       Memory& memory, WatchReport& report, const proof::BatchId& batch)
    : x_chain(chain), x_key(key), x_settings(settings), x_memory(memory), x_report(report), x_id(batch) {
  auto posted = memory.posted(batch);
  if (!posted) throw std::runtime_error("the memory has no batch " + to_hex(batch));
  x_batch.posted = *std::move(posted);
  const proof::TaskId task = x_batch.posted.header.task;
  auto record = proof::read_task(chain.state(), task);
  const auto node = proof::read_node(chain.state(), task, batch);
  if (!record || !node) throw std::runtime_error("the chain does not know batch " + to_hex(batch));
  auto program = proof::read_program(chain.state(), record->preimage.program_hash);
  if (!program) throw std::runtime_error("the chain has no program for task " + to_hex(task));
  x_batch.task = std::move(record->preimage);
  x_batch.bytecode = std::move(program->bytecode);
  x_batch.posted_s = node->posted_s;
}

proof::SignerLookup BatchWatch::signers() {
  return [this](const proof::Address& address) -> std::optional<proof::SignerTerm> {
    const proof::TaskId& task = x_batch.posted.header.task;
    const auto binding = proof::read_binding(x_chain.state(), task, address);
    if (!binding) return std::nullopt;
    const auto member = proof::read_member(x_chain.state(), task, binding->member);
    if (!member) return std::nullopt;
    return proof::SignerTerm{.member = binding->member,
                             .from_s = binding->bound_s,
                             .until_s = std::min(binding->unbound_s, member->exit_at_s)};
  };
}

void BatchWatch::read_history(BatchView& view) {
  x_history = x_memory.history(x_id);
  x_answers = 0;
  std::vector<OwnGame> games;
  const auto own = [&](const proof::GameId& id) {
    return std::ranges::find(games, id, [](const OwnGame& game) { return game.now().id; });
  };
  for (const chain::LoggedEvent& logged : x_history) {
    if (const auto* opened = std::get_if<proof::GameOpened>(&logged.event)) {
      games.push_back(
          {.history = {{.move = {}, .game = opened->game}}, .silenced = x_silenced_games.contains(opened->game.id)});
      ++view.games_opened;
    } else if (const auto* moved = std::get_if<proof::GameMoved>(&logged.event)) {
      const auto game = own(moved->game.id);
      if (game != games.end()) game->history.push_back({.move = moved->move, .game = moved->game});
    } else if (const auto* ended = std::get_if<proof::GameEnded>(&logged.event)) {
      const auto game = own(ended->game);
      if (game != games.end()) games.erase(game);
    } else if (const auto* requested = std::get_if<proof::LeafRequested>(&logged.event)) {
      view.requested.insert(requested->leaf);
      const auto record = proof::read_request(x_chain.state(), x_id, requested->leaf);
      const bool open = record && record->state == proof::RequestState::kOpen;
      if (!open) continue;
      view.open_requests.push_back(
          {.leaf = requested->leaf, .own = requested->by == x_key.address(), .requested_s = record->requested_s});
    } else if (std::holds_alternative<proof::RequestAnswered>(logged.event)) {
      ++x_answers;
    }
  }
  view.games = std::move(games);
  view.answered_since = x_answers != x_answers_judged;
}

BatchView BatchWatch::look() {
  follow(x_chain, x_memory);
  BatchView view;
  view.status = proof::batch_status(x_chain.state(), x_batch.posted.header.task, x_id).value();
  view.posted_s = x_batch.posted_s;
  view.now_s = x_chain.head().time_s;
  view.settings = x_batch.task.settings;
  view.verdict = x_memory.verdict(x_id);
  view.judged_now = x_judged;
  view.silenced = x_silenced;
  read_history(view);
  if (const auto proof = x_memory.proof(x_id)) {
    const bool on_chain = proof::read_commitment(x_chain.state(), x_key.address(), proof->commitment).has_value();
    view.proof = on_chain ? ProofState::kCommitted : ProofState::kRemembered;
  }
  return view;
}

bool BatchWatch::run() {
  for (std::size_t actions = 0; actions < kMaxActions; ++actions) {
    if (x_settings.stop.stop_requested()) throw chain::Stopped{};
    const BatchView view = look();
    const Action action = plan(view);
    if (const auto* rest = std::get_if<Rest>(&action)) return !rest->done;
    if (!act(view, action)) return true;
  }
  return true;
}

bool BatchWatch::act(const BatchView& view, const Action& action) {
  const proof::BatchHeader& header = x_batch.posted.header;
  const auto game = [&](std::size_t place) -> const proof::Game& { return view.games[place].now(); };
  if (std::holds_alternative<JudgeBatch>(action)) return judge_batch(view);
  if (std::holds_alternative<OpenDispute>(action)) return open_game(view);
  if (const auto* made = std::get_if<MoveInGame>(&action)) return move(view, made->game);
  if (const auto* late = std::get_if<TakeTimeout>(&action)) {
    return send(proof::ClaimTimeout{.game = game(late->game)}, {});
  }
  if (const auto* refund = std::get_if<TakeRefund>(&action)) {
    return send(proof::RefundGame{.game = game(refund->game)}, {});
  }
  if (std::holds_alternative<CommitProof>(action)) return commit(view);
  if (std::holds_alternative<RevealProof>(action)) return send(x_memory.proof(x_id).value().show, {});
  if (const auto* demand = std::get_if<DemandLeaf>(&action)) {
    return send(proof::RequestLeaf{.header = header, .leaf = demand->leaf},
                std::get<proof::LeafRequests>(view.settings.availability).request_bond);
  }
  return send(proof::ClaimWithheld{.header = header, .leaf = std::get<TakeWithheld>(action).leaf}, {});
}

bool BatchWatch::send(const proof::Transaction& transaction, const proof::Wei& value) {
  const chain::TransactionFate fate =
      send_and_report(x_chain, {.key = x_key, .value = value, .transaction = transaction}, x_id, x_report);
  if (!fate.refusal) return true;
  return chain_moved_on(fate.refusal->reason) && ++x_refusals < kMaxRefusals;
}

void BatchWatch::raise(const std::string& alarm) {
  x_memory.raise(x_id, alarm, x_chain.head().time_s);
  x_report.alarms.push_back("batch " + to_hex(x_id) + ": " + alarm);
}

Verdict BatchWatch::judge_data(const std::filesystem::path& directory, const BatchView& view) {
  const chain::BatchPaths paths(directory);
  const Description description = describe_posted(x_batch, paths);
  JudgeOptions options;
  options.pool = x_settings.pool;
  options.scratch = x_memory.scratch(x_id) / "tables";
  options.signers = signers();
  for (const OwnGame& game : view.games) {
    for (const proof::Descent& descent : game.history.front().game.descents) options.withheld.insert(descent.object);
  }
  options.stop = x_settings.stop;
  options.progress = x_settings.progress;
  options.scalar = x_settings.scalar;
  return judge(x_batch, description, paths, options);
}

bool BatchWatch::judge_batch(const BatchView& view) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::filesystem::path> candidates;
  for (const std::filesystem::path& folder : x_settings.data) {
    if (auto found = chain::find_batch(folder, x_id)) candidates.push_back(*std::move(found));
  }
  // Without any, there may still be answers, and there is a list of what is missing.
  if (candidates.empty()) candidates.push_back(x_memory.scratch(x_id) / "nothing");
  Verdict verdict;
  std::filesystem::path data;
  for (const std::filesystem::path& candidate : candidates) {
    data = candidate;
    if (x_answers != 0) {
      data = x_memory.scratch(x_id) / "data";
      const bool is_there = std::filesystem::is_directory(candidate);
      assemble_answers(x_batch, is_there ? std::optional(candidate) : std::nullopt, x_history, data);
    }
    verdict = judge_data(data, view);
    if (verdict.kind != VerdictKind::kMissing) break;
  }
  x_memory.keep(x_id, verdict, std::filesystem::absolute(data));
  x_judged = true;
  x_answers_judged = x_answers;
  for (const std::string& alarm : verdict.alarms) raise(alarm);
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  x_report.events.push_back({.kind = WatchEvent::Kind::kJudged,
                             .batch = x_id,
                             .what = std::string(to_string(verdict.kind)),
                             .message = verdict.message,
                             .bytes = 0,
                             .microseconds = static_cast<std::uint64_t>(time.count())});
  return true;
}

PlayedBatch BatchWatch::played(const Verdict& verdict) {
  return {x_batch, chain::BatchPaths(x_memory.data(x_id)), x_memory.scratch(x_id) / "tables", verdict};
}

bool BatchWatch::fall_silent(const BatchView& view, const std::string& why, const proof::GameId* game) {
  if (!std::exchange(x_rejudged, true)) return judge_batch(view);
  raise("nothing is sent: " + why);
  x_report.events.push_back({.kind = WatchEvent::Kind::kSilent,
                             .batch = x_id,
                             .what = game == nullptr ? "challenge" : "move",
                             .message = why,
                             .bytes = 0,
                             .microseconds = 0});
  if (game != nullptr) {
    x_silenced_games.insert(*game);
  } else {
    x_silenced = true;
  }
  return true;
}

bool BatchWatch::open_game(const BatchView& view) {
  const proof::Salt salt = x_memory.salt(x_id, view.games_opened);
  std::optional<proof::Transaction> opening;
  std::string why;
  try {
    PlayedBatch batch = played(*view.verdict);
    auto made = open_dispute(batch, *view.verdict, x_key.address(), salt);
    if (made) {
      opening = *std::move(made);
    } else {
      why = made.error();
    }
  } catch (const std::exception& error) {
    why = error.what();
  }
  if (!opening) return fall_silent(view, why, nullptr);
  return send(*opening, view.settings.challenger_bond);
}

bool BatchWatch::move(const BatchView& view, std::size_t place) {
  const OwnGame& game = view.games[place];
  std::optional<proof::Move> next;
  std::string why;
  try {
    PlayedBatch batch = played(*view.verdict);
    auto made = next_move(batch, *view.verdict, game.history, view.settings.arity);
    if (made) {
      next = *std::move(made);
    } else {
      why = made.error();
    }
  } catch (const std::exception& error) {
    why = error.what();
  }
  if (!next) return fall_silent(view, why, &game.now().id);
  return send(proof::MakeMove{.header = x_batch.posted.header, .game = game.now(), .move = *std::move(next)}, {});
}

bool BatchWatch::commit(const BatchView& view) {
  auto remembered = x_memory.proof(x_id);
  if (!remembered) {
    std::string why;
    try {
      PlayedBatch batch = played(*view.verdict);
      const proof::LocalProof shown = local_proof(batch, view.verdict->check.value());
      const auto tried = try_proof(batch, shown, signers(), x_batch.posted_s);
      if (tried) {
        const proof::Salt salt = random_salt();
        remembered = RememberedProof{.commitment = proof::proof_commitment(x_key.address(), x_id, shown, salt),
                                     .show = {.header = x_batch.posted.header, .proof = shown, .salt = salt}};
      } else {
        why = tried.error();
      }
    } catch (const std::exception& error) {
      why = error.what();
    }
    if (!remembered) return fall_silent(view, why, nullptr);
    x_memory.keep(x_id, *remembered);
  }
  return send(proof::Commit{.commitment = remembered->commitment}, {});
}

}  // namespace tally::verifier
