#include "verifier/watchtower/batch_watch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <expected>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "chain_adapter/chain/follow_events.h"
#include "chain_adapter/chain/overtaken.h"
#include "chain_adapter/chain/wei_text.h"
#include "fraud_proof/settlement/local_proof.h"
#include "fraud_proof/settlement/state.h"

namespace tally::verifier {

namespace {

// Of one batch in one run: more than any game takes. Each leaf may be demanded and claimed besides.
constexpr std::size_t kMaxActions = 8192;
constexpr std::size_t kMaxRefusals = 8;

/// Somebody was faster, time went by, or it was done before: the next look at the chain shows what it led to.
bool chain_moved_on(proof::Reason reason) {
  using enum proof::Reason;
  constexpr std::array kMovedOn = {
      kStaleMove,        kClockExpired,  kClockRunning,   kGameEnded,        kGameExists, kNotCommitted,
      kCommittedTooLate, kPeriodOver,    kBatchLost,      kBatchDead,        kBatchFinal, kRequestExists,
      kRequestAnswered,  kWindowRunning, kRequestSettled, kAlreadyCommitted, kWrongNonce};
  return std::ranges::find(kMovedOn, reason) != kMovedOn.end();
}

/// Ends the making of a move whose time is over.
struct TookTooLong {};

/// What `make` gives, or why it gives nothing.
template <class Make>
auto made(const Make& make) -> decltype(make()) {
  try {
    return make();
  } catch (const std::exception& error) {
    return std::unexpected(std::string(error.what()));
  }
}

std::uint64_t end(std::uint64_t from_s, std::uint64_t period_s) {
  return from_s + std::min(period_s, proof::kNever - from_s);
}

std::string text_of(const proof::ChainRefusal& refusal) {
  return std::string(proof::to_string(refusal.reason)) + ": " + refusal.message;
}

}  // namespace

void follow(chain::ChainAdapter& chain, Memory& memory) {
  chain::follow_events(chain, memory.cursor().next(),
                       [&](std::span<const chain::LoggedEvent> page) { memory.keep(page); });
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
                       Memory& memory, DemandBudget& demands, WatchReport& report, const proof::BatchId& batch)
    : x_chain(chain),
      x_key(key),
      x_settings(settings),
      x_memory(memory),
      x_demands(demands),
      x_report(report),
      x_id(batch) {
  auto post = memory.post(batch);
  if (!post) throw std::runtime_error("the memory has no batch " + to_hex(batch));
  const auto logged = chain.events(post->position, 1);
  if (logged.empty() || proof::encode(logged.front().event) != proof::encode(proof::Event(post->posted))) {
    throw std::runtime_error(memory.file().string() + ": the post of batch " + to_hex(batch) +
                             " is not the chain's; remove the file, and the watchtower begins anew");
  }
  x_batch.posted = std::move(post->posted);
  const proof::TaskId task = x_batch.posted.header.task;
  auto record = proof::read_task(chain.state(), task);
  const auto node = proof::read_node(chain.state(), task, batch);
  if (!record || !node) throw std::runtime_error("the chain does not know batch " + to_hex(batch));
  auto program = proof::read_program(chain.state(), record->preimage.program_hash);
  if (!program) throw std::runtime_error("the chain has no program for task " + to_hex(task));
  x_batch.task = std::move(record->preimage);
  x_batch.bytecode = std::move(program->bytecode);
  x_batch.posted_s = node->posted_s;
  x_view.self = memory.owner();
  x_view.posted_s = node->posted_s;
  x_view.settings = x_batch.task.settings;
  x_view.verdict = memory.verdict(batch);
  look();  // for its deadline
}

proof::SignerLookup BatchWatch::signers() {
  return [this](const proof::Address& address) {
    return proof::signer_term(x_chain.state(), x_batch.posted.header.task, address);
  };
}

void BatchWatch::look() {
  follow(x_chain, x_memory);
  x_view.status = proof::batch_status(x_chain.state(), x_batch.posted.header.task, x_id).value();
  x_view.now_s = x_chain.head().time_s;
  const std::uint64_t known = x_view.history.next;
  x_view.history.add(x_memory.history(x_id, known));
  if (x_view.history.next != known) x_view.awaited = {};
  x_view.proof = ProofState::kNone;
  if (const auto proof = x_memory.proof(x_id)) {
    const bool on_chain = proof::read_commitment(x_chain.state(), x_view.self, proof->commitment).has_value();
    x_view.proof = on_chain ? ProofState::kCommitted : ProofState::kRemembered;
  }
}

BatchWatch::Turn BatchWatch::play() {
  x_view.awaited = {};
  const auto most_actions = [&] {
    return kMaxActions + 2 * (x_view.history.requested.size() + x_view.awaited.demands.size());
  };
  for (std::size_t actions = 0; actions < most_actions() && !x_given_up; ++actions) {
    if (x_settings.stop.stop_requested()) throw chain::Stopped{};
    look();
    const Action action = plan(x_view);
    if (const auto* rest = std::get_if<Rest>(&action)) {
      if (x_view.history.games.empty() && is_over(x_view)) remove_scratch();
      return rest->done ? Turn::kDone : Turn::kRests;
    }
    if (std::holds_alternative<JudgeBatch>(action)) return Turn::kWantsJudging;
    try {
      if (!act(action)) break;
    } catch (const TookTooLong&) {
      pass_over(action);
    }
  }
  return Turn::kRests;
}

std::uint64_t BatchWatch::challenge_end_s() const { return end(x_view.posted_s, x_view.settings.challenge_period_s); }

std::uint64_t BatchWatch::deadline_s() const {
  std::uint64_t deadline_s = challenge_end_s();
  const bool may_lack_leaves = std::holds_alternative<proof::LeafRequests>(x_view.settings.availability) &&
                               (!x_view.verdict || x_view.verdict->kind == VerdictKind::kMissing);
  const std::uint64_t last_demand_s = end(x_view.posted_s, x_view.settings.request_period_s);
  if (may_lack_leaves && x_view.now_s < last_demand_s) deadline_s = last_demand_s;
  for (const OwnGame& game : x_view.history.games) {
    if (proof::to_move(game.now().phase) != proof::Side::kChallenger) continue;
    deadline_s = std::min(deadline_s, end(game.now().moved_at_s, game.now().challenger_clock_s));
  }
  return deadline_s;
}

bool BatchWatch::act(const Action& action) {
  const proof::BatchHeader& header = x_batch.posted.header;
  const auto game = [&](std::size_t place) -> const OwnGame& { return x_view.history.games[place]; };
  if (std::holds_alternative<OpenDispute>(action)) return open_game();
  if (const auto* next = std::get_if<MoveInGame>(&action)) return move(game(next->game));
  if (const auto* late = std::get_if<TakeTimeout>(&action)) {
    return send(proof::ClaimTimeout{.game = game(late->game).now()}, {});
  }
  if (const auto* refund = std::get_if<TakeRefund>(&action)) {
    return send(proof::RefundGame{.game = game(refund->game).now()}, {});
  }
  if (std::holds_alternative<CommitProof>(action)) return commit();
  if (std::holds_alternative<RevealProof>(action)) return send(x_memory.proof(x_id).value().show, {});
  if (const auto* wanted = std::get_if<DemandLeaf>(&action)) return demand(wanted->leaf);
  return send(proof::ClaimWithheld{.header = header, .leaf = std::get<TakeWithheld>(action).leaf}, {});
}

bool BatchWatch::demand(const proof::OpeningKey& leaf) {
  const proof::BatchHeader& header = x_batch.posted.header;
  const proof::Wei bond = std::get<proof::LeafRequests>(x_view.settings.availability).request_bond;
  const proof::RequestLeaf demand{.header = header, .leaf = leaf};
  if (x_demands.allows(demand, bond)) {
    if (is_named()) return send(demand, bond);
    x_memory.expect_demand(x_id, leaf);
    const auto refusal = deliver(demand, bond);
    const auto request = proof::read_request(x_chain.state(), x_id, leaf);
    const bool is_own = request && request->requester == x_view.self;
    if (!is_own && (request || refusal)) x_memory.forget_expected_demand(x_id, leaf);
    return !refusal || goes_on_after(*refusal, demand);
  }
  x_view.spares_demands = true;
  tell(WatchEvent::Kind::kPassedOver, "request_leaf",
       "a bond of " + chain::to_text_with_unit(bond) + " would bring what demands in tasks that were not named cost " +
           "to more than " + chain::to_text_with_unit(x_settings.demand_limit) + "; name task " + to_hex(header.task) +
           " with --task, or raise --demand-limit");
  return true;
}

void BatchWatch::wait_for_events(const proof::Transaction& transaction) {
  Awaited& awaited = x_view.awaited;
  if (const auto* move = std::get_if<proof::MakeMove>(&transaction)) {
    awaited.games.insert(move->game.id);
  } else if (const auto* claim = std::get_if<proof::ClaimTimeout>(&transaction)) {
    awaited.games.insert(claim->game.id);
  } else if (const auto* refund = std::get_if<proof::RefundGame>(&transaction)) {
    awaited.games.insert(refund->game.id);
  } else if (const auto* withheld = std::get_if<proof::ClaimWithheld>(&transaction)) {
    awaited.requests.insert(withheld->leaf);
  } else if (const auto* request = std::get_if<proof::RequestLeaf>(&transaction)) {
    awaited.demands.insert(request->leaf);
  } else {
    awaited.opening = true;
  }
}

bool BatchWatch::send(const proof::Transaction& transaction, const proof::Wei& value) {
  const auto refusal = deliver(transaction, value);
  return !refusal || goes_on_after(*refusal, transaction);
}

std::optional<proof::ChainRefusal> BatchWatch::deliver(const proof::Transaction& transaction, const proof::Wei& value) {
  if (chain::is_overtaken(x_chain.state(), x_view.self, transaction)) {
    wait_for_events(transaction);
    return std::nullopt;
  }
  return send_and_report(x_chain, {.key = x_key, .value = value, .transaction = transaction}, x_id, x_report).refusal;
}

bool BatchWatch::goes_on_after(const proof::ChainRefusal& refusal, const proof::Transaction& transaction) {
  if (chain_moved_on(refusal.reason)) return ++x_refusals < kMaxRefusals;
  const bool is_about_money = refusal.reason == proof::Reason::kInsufficientFunds;
  if (is_about_money || x_judged_anew) {
    give_up(std::string(proof::name_of(transaction)), text_of(refusal));
    x_given_up = true;
    return false;
  }
  judge_anew();
  return true;
}

void BatchWatch::judge_anew() {
  x_judged_anew = true;
  x_memory.forget_verdict(x_id);
  x_memory.forget_proof(x_id);
  x_view.verdict.reset();
}

void BatchWatch::give_up(const std::string& what, const std::string& why) {
  const std::string alarm = what + " is given up for now: " + why;
  x_memory.raise(x_id, alarm, x_chain.head().time_s);
  x_report.alarms.push_back("batch " + to_hex(x_id) + ": " + alarm);
  tell(WatchEvent::Kind::kSilent, what, why);
}

void BatchWatch::tell(WatchEvent::Kind kind, const std::string& what, const std::string& message) {
  x_report.events.push_back(
      {.kind = kind, .batch = x_id, .what = what, .message = message, .bytes = 0, .microseconds = 0});
}

bool BatchWatch::doubt(const std::string& why, const proof::GameId* game) {
  if (!x_judged_anew) {
    judge_anew();
    return true;
  }
  give_up(game == nullptr ? "challenge" : "move", why);
  if (game != nullptr) {
    x_view.silenced_games.insert(*game);
  } else {
    x_view.silenced = true;
  }
  return true;
}

Judging BatchWatch::judging(proof::SignerLookup signers, std::stop_token stop) {
  Judging judging{.batch = x_batch,
                  .folders = x_settings.data,
                  .scratch = x_memory.scratch(x_id),
                  .history = x_memory.history(x_id),
                  .options = {}};
  JudgeOptions& options = judging.options;
  options.pool = x_settings.pool;
  options.signers = std::move(signers);
  for (const OwnGame& game : x_view.history.games) {
    for (const proof::Descent& descent : game.history.front().game.descents) options.withheld.insert(descent.object);
  }
  if (!is_named()) {
    // Half of what is free: other batches need room too, and so does the memory.
    const std::filesystem::space_info disk = std::filesystem::space(std::filesystem::absolute(x_memory.file()));
    options.scratch_limit_bytes = std::min<std::uint64_t>(x_settings.scratch_limit_bytes, disk.available / 2);
  }
  options.stop = std::move(stop);
  options.progress = x_settings.progress;
  options.scalar = x_settings.scalar;
  x_view.answers_judged = x_view.history.answers;
  return judging;
}

void BatchWatch::take(const Judgment& judgment) {
  const Verdict& verdict = judgment.verdict;
  x_memory.keep(x_id, verdict, judgment.data);
  x_view.verdict = verdict;
  x_view.judged_now = true;
  const bool is_for_dispute = verdict.kind != VerdictKind::kValid && verdict.kind != VerdictKind::kMissing;
  if (!is_for_dispute && x_view.history.games.empty()) remove_scratch();
  for (const std::string& message : judgment.unreadable) tell(WatchEvent::Kind::kPassedOver, "data", message);
  for (const std::string& alarm : verdict.alarms) {
    x_memory.raise(x_id, alarm, x_chain.head().time_s);
    x_report.alarms.push_back("batch " + to_hex(x_id) + ": " + alarm);
  }
  x_report.events.push_back({.kind = WatchEvent::Kind::kJudged,
                             .batch = x_id,
                             .what = std::string(to_string(verdict.kind)),
                             .message = verdict.message,
                             .bytes = 0,
                             .microseconds = judgment.microseconds});
}

void BatchWatch::remove_scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(x_memory.scratch(x_id), ignored);
}

std::string BatchWatch::took_too_long(const std::string& what) const {
  const auto limit_s = std::chrono::duration_cast<std::chrono::seconds>(x_settings.judging_limit).count();
  return what + " takes more than " + std::to_string(limit_s) + " s; name task " + to_hex(x_batch.posted.header.task) +
         " with --task, or raise --judging-limit";
}

void BatchWatch::pass_over_for_time() { pass_over(took_too_long("judging")); }

void BatchWatch::pass_over_for_room(const NoScratchRoom& error) {
  const std::string remedy =
      is_named() ? "" : ", name task " + to_hex(x_batch.posted.header.task) + " with --task, or raise --scratch-limit";
  pass_over(std::string(error.what()) + "; make room on the disk" + remedy);
}

void BatchWatch::pass_over(const std::string& why) {
  // A game that waits for the judgment hangs on a bond.
  const bool is_failure = is_named() || !x_view.history.games.empty();
  tell(is_failure ? WatchEvent::Kind::kFailed : WatchEvent::Kind::kPassedOver, "judging", why);
}

void BatchWatch::pass_over(const Action& action) {
  if (const auto* const next = std::get_if<MoveInGame>(&action)) {
    x_view.silenced_games.insert(x_view.history.games[next->game].now().id);
    return tell(WatchEvent::Kind::kFailed, "move", took_too_long("a move"));
  }
  x_view.silenced = true;
  tell(WatchEvent::Kind::kPassedOver, "challenge", took_too_long("a challenge"));
}

std::shared_ptr<PlayedBatch> open_played(const PlayedFiles& files) {
  const VerdictKind kind = files.verdict.kind;
  const bool is_dispute = kind == VerdictKind::kEntry || kind == VerdictKind::kDescent;
  // Rows could be hashed anew here, but that takes as long as a judgment, which lets other games go on.
  if (is_dispute && !std::filesystem::exists(scratch_row_roots(files.tables))) {
    throw DataMissing(files.tables.string() + ": what the judgment left is gone");
  }
  return std::make_shared<PlayedBatch>(files.batch, chain::BatchPaths(files.data), files.tables, files.verdict,
                                       files.between_steps);
}

std::shared_ptr<PlayedBatch> BatchWatch::played() {
  const auto check = [this, start = std::chrono::steady_clock::now()] {
    if (x_settings.stop.stop_requested()) throw chain::Stopped{};
    if (!is_named() && std::chrono::steady_clock::now() - start >= x_settings.judging_limit) throw TookTooLong{};
  };
  return x_settings.work.open({.batch = x_batch,
                               .data = x_memory.data(x_id),
                               .tables = scratch_tables(x_memory.scratch(x_id)),
                               .verdict = *x_view.verdict,
                               .between_steps = check});
}

bool BatchWatch::open_game() {
  const proof::Salt salt = x_memory.salt(x_id, x_view.history.games_opened);
  const auto opening = made([&] {
    const auto batch = played();
    return open_dispute(*batch, *x_view.verdict, x_view.self, salt);
  });
  if (!opening) return doubt(opening.error(), nullptr);
  return send(*opening, x_view.settings.challenger_bond);
}

bool BatchWatch::move(const OwnGame& game) {
  auto next = made([&] {
    const auto batch = played();
    return next_move(*batch, *x_view.verdict, game.history, x_view.settings.arity);
  });
  if (!next) return doubt(next.error(), &game.now().id);
  return send(proof::MakeMove{.header = x_batch.posted.header, .game = game.now(), .move = *std::move(next)}, {});
}

bool BatchWatch::commit() {
  auto remembered = x_memory.proof(x_id);
  if (!remembered) {
    const auto shown = made([&]() -> OrSilence<proof::LocalProof> {
      const auto batch = played();
      proof::LocalProof proof = local_proof(*batch, x_view.verdict->check.value());
      if (auto tried = try_proof(*batch, proof, signers(), x_batch.posted_s); !tried) {
        return std::unexpected(std::move(tried.error()));
      }
      return proof;
    });
    if (!shown) return doubt(shown.error(), nullptr);
    const proof::Salt salt = x_memory.fresh_salt();
    remembered = RememberedProof{.commitment = proof::proof_commitment(x_view.self, x_id, *shown, salt),
                                 .show = {.header = x_batch.posted.header, .proof = *shown, .salt = salt}};
    x_memory.keep(x_id, *remembered);
  }
  return send(proof::Commit{.commitment = remembered->commitment}, {});
}

}  // namespace tally::verifier
