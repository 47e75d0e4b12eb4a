#include "sequencer/defender/defender.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>

#include "chain_adapter/chain/overtaken.h"
#include "chain_adapter/data/batch_store.h"
#include "chain_adapter/files/shortened_files.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::sequencer {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::uint64_t sum_or_never(std::uint64_t a, std::uint64_t b) { return a > proof::kNever - b ? proof::kNever : a + b; }

Defense defense_of(Defense::Kind kind, const proof::Game& game) {
  Defense defense;
  defense.kind = kind;
  defense.batch = game.batch;
  defense.game = game.id;
  if (kind == Defense::Kind::kMove) {
    defense.phase = game.phase;
    defense.deadline_s = sum_or_never(game.moved_at_s, game.poster_clock_s);
  } else {
    defense.deadline_s = proof::kNever;
  }
  return defense;
}

/// Worth an alarm, but no gas.
void give_up_if_over(Defense& defense, std::uint64_t now_s) {
  if (now_s <= defense.deadline_s) return;
  defense.outcome = Defense::Outcome::kRefused;
  defense.message =
      std::string(to_string(defense.game ? proof::Reason::kClockExpired : proof::Reason::kAnswerTooLate)) +
      ": the time was over at " + std::to_string(defense.deadline_s);
}

Pace or_hosts(Pace pace) {
  if (!pace.now_s) {
    pace.now_s = [start = Clock::now()] { return seconds_since(start); };
  }
  if (!pace.sleep) {
    pace.sleep = [](double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); };
  }
  return pace;
}

// A development node has it at once, others after a block.
constexpr double kFirstPauseSeconds = 0.005;
constexpr double kLongestPauseSeconds = 0.5;

}  // namespace

std::string_view to_string(Defense::Kind kind) {
  switch (kind) {
    case Defense::Kind::kMove:
      return "move";
    case Defense::Kind::kAnswer:
      return "answer";
    case Defense::Kind::kTimeout:
      return "timeout";
  }
  TALLY_ASSERT(false);
}

std::string_view to_string(Defense::Outcome outcome) {
  switch (outcome) {
    case Defense::Outcome::kDone:
      return "done";
    case Defense::Outcome::kOvertaken:
      return "overtaken";
    case Defense::Outcome::kRefused:
      return "refused";
    case Defense::Outcome::kFailed:
      return "failed";
    case Defense::Outcome::kSent:
      return "sent";
  }
  TALLY_ASSERT(false);
}

Defender::Defender(const proof::PrivateKey& key, std::filesystem::path data, Doubt doubt, Pace pace,
                   std::vector<proof::Address> posters)
    : x_key(key),
      x_address(key.address()),
      x_data(std::move(data)),
      x_doubt(doubt),
      x_pace(or_hosts(std::move(pace))),
      x_view(x_address, std::move(posters)) {}

DefenseReport Defender::defend_once(chain::ChainAdapter& chain) {
  const chain::ToleratesShortenedFiles tolerates;
  const double start_s = x_pace.now_s();
  x_unusable.clear();
  x_places.clear();
  DefenseReport report;
  for (Sent& sent : x_sent) {
    sent.place = report.defenses.size();
    x_places[sent.target] = sent.place;
    report.defenses.push_back(sent.defense);
  }
  for (bool goes_on = true; goes_on && !report.unfinished;) {
    x_view.follow(chain);
    goes_on = answer_waiting(chain, report) || !x_sent.empty();
    await(chain, report);
    report.unfinished =
        goes_on && (chain.waiting().stop.stop_requested() || x_pace.now_s() - start_s >= kReportSeconds);
  }
  x_view.follow(chain);
  for (Sent& sent : x_sent) sent.defense = report.defenses[sent.place];
  std::erase_if(report.defenses, [](const Defense& defense) { return defense.outcome == Defense::Outcome::kSent; });
  report.sent = x_sent.size();
  report.open_games = x_view.games().size();
  report.open_requests = x_view.requests().size();
  return report;
}

bool Defender::answer_waiting(chain::ChainAdapter& chain, DefenseReport& report) {
  // What fails every time has its share of a look, and the rest has its own.
  double first_tries_s = 0;
  double retries_s = 0;
  for (Defense& defense : plan(chain)) {
    const auto target = target_of(defense);
    if (!target) continue;
    const auto known = x_places.find(*target);
    const bool is_retry = known != x_places.end();
    // The events do not tell yet what became of it; and what was refused is not sent again at once.
    if (is_retry && report.defenses[known->second].outcome != Defense::Outcome::kFailed) continue;
    if (x_sent.size() >= kMostSent) return true;
    double& spent_s = is_retry ? retries_s : first_tries_s;
    if (spent_s >= kLookSeconds) {
      if (is_retry) continue;
      return true;
    }
    const double start_s = x_pace.now_s();
    const std::size_t place = is_retry ? known->second : report.defenses.size();
    if (!is_retry) {
      x_places[*target] = place;
      report.defenses.emplace_back();
    }
    report.defenses[place] = std::move(defense);
    attempt(chain, *target, report.defenses[place]);
    if (report.defenses[place].outcome == Defense::Outcome::kSent) x_sent.back().place = place;
    spent_s += x_pace.now_s() - start_s;
  }
  return false;
}

void Defender::attempt(chain::ChainAdapter& chain, const Target& target, Defense& defense) {
  if (defense.outcome == Defense::Outcome::kRefused) return;
  try {
    run(chain, defense);
    if (defense.outcome == Defense::Outcome::kRefused) {
      x_view.follow(chain);
      if (target_of(defense) != target) defense.outcome = Defense::Outcome::kOvertaken;
    }
  } catch (const std::exception& error) {
    defense.outcome = Defense::Outcome::kFailed;
    defense.message = error.what();
  }
  read_again_after_failure(defense);
}

void Defender::await(chain::ChainAdapter& chain, DefenseReport& report) {
  const double start_s = x_pace.now_s();
  double pause_s = kFirstPauseSeconds;
  while (!x_sent.empty() && collect(chain, report) == 0 && x_pace.now_s() - start_s < kLookSeconds &&
         !chain.waiting().stop.stop_requested()) {
    x_pace.sleep(pause_s);
    pause_s = std::min(2 * pause_s, kLongestPauseSeconds);
  }
}

std::size_t Defender::collect(chain::ChainAdapter& chain, DefenseReport& report) {
  return std::erase_if(x_sent, [&](Sent& sent) {
    Defense& defense = report.defenses[sent.place];
    const bool known = settle(chain, sent, defense);
    if (known) read_again_after_failure(defense);
    return known;
  });
}

bool Defender::settle(chain::ChainAdapter& chain, Sent& sent, Defense& defense) {
  using Fate = chain::TransactionFate::Kind;
  const auto fail = [&](std::string message) {
    defense.outcome = Defense::Outcome::kFailed;
    defense.message = std::move(message);
    return true;
  };
  try {
    const chain::TransactionFate fate = chain.fate(sent.id);
    switch (fate.kind) {
      case Fate::kPending:
        sent.known_s = x_pace.now_s();
        return false;
      case Fate::kUnknown:
        return x_pace.now_s() - sent.known_s >= kLostSeconds && fail("no node knows the transaction any more");
      case Fate::kFailed:
        return fail("it failed in block " + std::to_string(fate.block) + ", and would be taken now: it is sent again");
      case Fate::kApplied:
        defense.outcome = Defense::Outcome::kDone;
        defense.bytes = fate.bytes;
        return true;
      case Fate::kRefused:
        defense.outcome = Defense::Outcome::kRefused;
        defense.bytes = fate.bytes;
        defense.message = std::string(to_string(fate.refusal->reason)) + ": " + fate.refusal->message;
        x_view.follow(chain);
        if (target_of(defense) != sent.target || chain::is_overtaken(chain.state(), x_address, sent.transaction))
          defense.outcome = Defense::Outcome::kOvertaken;
        return true;
    }
  } catch (const std::exception& error) {
    return fail(error.what());
  }
  TALLY_ASSERT(false);
}

void Defender::read_again_after_failure(const Defense& defense) {
  // Its owner may have brought the data back.
  if (defense.outcome == Defense::Outcome::kFailed || defense.outcome == Defense::Outcome::kRefused)
    std::erase_if(x_open, [&](const OpenBatch& open) { return open.id == defense.batch; });
}

std::optional<Defender::Target> Defender::target_of(const Defense& defense) const {
  if (defense.leaf) {
    if (!x_view.requests().contains({defense.batch, *defense.leaf})) return std::nullopt;
    return Target{defense.batch, std::nullopt, defense.leaf};
  }
  const auto game = x_view.games().find(*defense.game);
  if (game == x_view.games().end()) return std::nullopt;
  const bool is_posters = to_move(game->second.phase) == proof::Side::kPoster;
  if (is_posters != (defense.kind == Defense::Kind::kMove)) return std::nullopt;
  return Target{defense.batch, proof::game_hash(game->second), std::nullopt};
}

std::vector<Defense> Defender::plan(chain::ChainAdapter& chain) const {
  const std::uint64_t now_s = chain.head().time_s;
  const proof::StateReader& state = chain.state();
  std::vector<Defense> defenses;
  std::map<proof::BatchId, bool> lost;
  // The bond of a batch that merely fell with its parent is still at stake.
  const auto is_lost = [&](const proof::TaskId& task, const proof::BatchId& batch) {
    const auto [entry, is_new] = lost.try_emplace(batch, false);
    if (is_new) {
      const auto node = proof::read_node(state, task, batch);
      entry->second = node && node->state == proof::NodeState::kLost;
    }
    return entry->second;
  };
  for (const auto& [id, game] : x_view.games()) {
    if (is_lost(game.task, game.batch)) continue;
    if (to_move(game.phase) == proof::Side::kPoster) {
      Defense defense = defense_of(Defense::Kind::kMove, game);
      give_up_if_over(defense, now_s);
      defenses.push_back(std::move(defense));
    } else if (proof::claim_timeout(game, now_s).has_value()) {
      defenses.push_back(defense_of(Defense::Kind::kTimeout, game));
    }
  }
  std::map<proof::TaskId, std::uint64_t> windows;
  for (const auto& [request, requested_s] : x_view.requests()) {
    const proof::TaskId& task = x_view.batches().at(request.first).header.task;
    if (is_lost(task, request.first)) continue;
    if (!windows.contains(task)) {
      const auto record = proof::read_task(state, task);
      windows[task] = record ? record->preimage.settings.window_s : proof::kNever;
    }
    Defense defense;
    defense.kind = Defense::Kind::kAnswer;
    defense.batch = request.first;
    defense.leaf = request.second;
    defense.deadline_s = sum_or_never(requested_s, windows.at(task));
    give_up_if_over(defense, now_s);
    defenses.push_back(std::move(defense));
  }
  // Leaves of one batch and one file follow one another, so that each file is hashed once.
  std::ranges::sort(defenses, [](const Defense& a, const Defense& b) {
    return std::tie(a.deadline_s, a.batch, a.leaf, a.game) < std::tie(b.deadline_s, b.batch, b.leaf, b.game);
  });
  return defenses;
}

void Defender::run(chain::ChainAdapter& chain, Defense& defense) {
  if (!defense.game) return answer_leaf(chain, defense);
  const proof::Game game = x_view.games().at(*defense.game);
  if (defense.kind == Defense::Kind::kMove) {
    move(chain, defense, game);
  } else {
    send(chain, defense, proof::ClaimTimeout{.game = game});
  }
}

void Defender::move(chain::ChainAdapter& chain, Defense& defense, const proof::Game& game) {
  const Clock::time_point start = Clock::now();
  StoredBatch& stored = open(chain, game.batch);
  const std::uint16_t arity = stored.settings().arity;
  if (game.phase == proof::Phase::kRespond && x_doubt == Doubt::kStaySilent) stored.check_inputs(game.item);
  auto answered = answer(stored.data(), game, arity);
  check_whole(stored);
  TALLY_ASSERT(answered.has_value());
  if (!answered->agrees && x_doubt == Doubt::kStaySilent) {
    throw std::runtime_error("the data of batch " + to_hex(game.batch) + " contradict what was posted about item " +
                             std::to_string(game.item) + ", entry " + std::to_string(game.entry) +
                             "; verify the batch, and bring its data back if they are damaged");
  }
  proof::Move& move = answered->move;
  // Tried out before it is sent: what the chain would refuse costs gas and helps nobody.
  const auto tried = proof::apply_move(
      {.batch = stored.batch(), .arity = arity, .sender = x_address, .now_s = chain.head().time_s}, game, move);
  defense.prepare_s = seconds_since(start);
  if (!tried) {
    defense.outcome = Defense::Outcome::kRefused;
    defense.message = std::string(to_string(tried.error().reason)) + ": " + tried.error().message;
    return;
  }
  send(chain, defense, proof::MakeMove{.header = stored.batch().header, .game = game, .move = std::move(move)});
}

void Defender::answer_leaf(chain::ChainAdapter& chain, Defense& defense) {
  const Clock::time_point start = Clock::now();
  StoredBatch& stored = open(chain, defense.batch);
  auto openings = answer(stored.data(), *defense.leaf);
  check_whole(stored);
  defense.prepare_s = seconds_since(start);
  send(chain, defense,
       proof::AnswerRequest{.header = stored.batch().header, .leaf = *defense.leaf, .openings = std::move(openings)});
}

void Defender::send(chain::ChainAdapter& chain, Defense& defense, const proof::Transaction& transaction) {
  if (chain::is_overtaken(chain.state(), x_address, transaction)) {
    defense.outcome = Defense::Outcome::kOvertaken;
    return;
  }
  const auto id = chain.submit({.key = x_key, .value = {}, .transaction = transaction});
  defense.outcome = Defense::Outcome::kSent;
  x_sent.push_back({.target = target_of(defense).value(),
                    .id = id,
                    .transaction = transaction,
                    .known_s = x_pace.now_s(),
                    .defense = defense});
}

void Defender::check_whole(const StoredBatch& stored) const {
  if (auto damage = stored.find_damage()) throw std::runtime_error(*std::move(damage));
  if (chain::zero_fills() != x_zero_fills)
    throw std::runtime_error("a file was cut while an answer was made; the batches are read again");
}

StoredBatch& Defender::open(chain::ChainAdapter& chain, const proof::BatchId& batch) {
  // A file that was cut and filled again in place looks whole, but its mapping stays zeros.
  if (const std::uint64_t zero_fills = chain::zero_fills(); zero_fills != x_zero_fills) {
    x_open.clear();
    x_zero_fills = zero_fills;
  }
  const auto known = std::ranges::find(x_open, batch, &OpenBatch::id);
  if (known != x_open.end()) {
    x_open.splice(x_open.begin(), x_open, known);
    return *x_open.front().batch;
  }
  if (const auto unusable = x_unusable.find(batch); unusable != x_unusable.end()) {
    throw std::runtime_error(unusable->second);
  }
  try {
    x_open.push_front({batch, load(chain, batch)});
  } catch (const std::exception& error) {
    x_unusable[batch] = error.what();
    throw;
  }
  if (x_open.size() > kOpenBatches) x_open.pop_back();
  return *x_open.front().batch;
}

std::unique_ptr<StoredBatch> Defender::load(chain::ChainAdapter& chain, const proof::BatchId& batch) const {
  const auto posted = x_view.batches().find(batch);
  if (posted == x_view.batches().end()) throw std::runtime_error("no post of batch " + to_hex(batch) + " was seen");
  const auto directory = chain::find_batch(x_data, batch);
  if (!directory) throw std::runtime_error("no data of batch " + to_hex(batch) + " below " + x_data.string());
  const auto task = proof::read_task(chain.state(), posted->second.header.task);
  if (!task) throw std::runtime_error("the chain has no task " + to_hex(posted->second.header.task));
  const auto program = proof::read_program(chain.state(), task->preimage.program_hash);
  if (!program) throw std::runtime_error("the chain has no program " + math::to_hex(task->preimage.program_hash));
  auto stored = StoredBatch::open(task->preimage, *program, posted->second, *directory);
  if (!stored) throw std::runtime_error(stored.error());
  return *std::move(stored);
}

}  // namespace tally::sequencer
