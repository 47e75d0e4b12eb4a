#include "sequencer/defender/defender.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
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
  }
  TALLY_ASSERT(false);
}

Defender::Defender(const proof::PrivateKey& key, std::filesystem::path data, Doubt doubt)
    : x_key(key), x_address(key.address()), x_data(std::move(data)), x_doubt(doubt), x_view(x_address) {}

DefenseReport Defender::defend_once(chain::ChainAdapter& chain) {
  const chain::ToleratesShortenedFiles tolerates;
  x_view.follow(chain);
  x_unusable.clear();
  DefenseReport report;
  report.defenses = plan(chain);
  for (Defense& defense : report.defenses) {
    try {
      run(chain, defense);
    } catch (const std::exception& error) {
      defense.outcome = Defense::Outcome::kFailed;
      defense.message = error.what();
    }
    // What failed is read again the next time: its owner may have brought the data back.
    if (defense.outcome == Defense::Outcome::kFailed || defense.outcome == Defense::Outcome::kRefused)
      std::erase_if(x_open, [&](const OpenBatch& open) { return open.id == defense.batch; });
  }
  x_view.follow(chain);
  report.open_games = x_view.games().size();
  report.open_requests = x_view.requests().size();
  return report;
}

std::vector<Defense> Defender::plan(chain::ChainAdapter& chain) const {
  const std::uint64_t now_s = chain.head().time_s;
  std::vector<Defense> defenses;
  for (const auto& [id, game] : x_view.games()) {
    if (to_move(game.phase) == proof::Side::kPoster) {
      defenses.push_back(defense_of(Defense::Kind::kMove, game));
    } else if (proof::claim_timeout(game, now_s).has_value()) {
      defenses.push_back(defense_of(Defense::Kind::kTimeout, game));
    }
  }
  std::map<proof::TaskId, std::uint64_t> windows;
  for (const auto& [request, requested_s] : x_view.requests()) {
    const proof::TaskId& task = x_view.batches().at(request.first).header.task;
    if (!windows.contains(task)) {
      const auto record = proof::read_task(chain.state(), task);
      windows[task] = record ? record->preimage.settings.window_s : 0;
    }
    Defense defense;
    defense.kind = Defense::Kind::kAnswer;
    defense.batch = request.first;
    defense.leaf = request.second;
    defense.deadline_s = sum_or_never(requested_s, windows.at(task));
    defenses.push_back(std::move(defense));
  }
  // Leaves of one batch and one file follow one another, so that each file is hashed once.
  std::ranges::sort(defenses, [](const Defense& a, const Defense& b) {
    return std::tie(a.deadline_s, a.batch, a.leaf, a.game) < std::tie(b.deadline_s, b.batch, b.leaf, b.game);
  });
  return defenses;
}

const proof::Game* Defender::waiting_game(const Defense& defense) const {
  const auto found = x_view.games().find(*defense.game);
  if (found == x_view.games().end()) return nullptr;
  const bool is_ours = to_move(found->second.phase) == proof::Side::kPoster;
  return is_ours == (defense.kind == Defense::Kind::kMove) ? &found->second : nullptr;
}

void Defender::run(chain::ChainAdapter& chain, Defense& defense) {
  const auto overtaken = [&] { defense.outcome = Defense::Outcome::kOvertaken; };
  if (defense.kind == Defense::Kind::kAnswer) {
    const auto is_open = [&] { return x_view.requests().contains({defense.batch, *defense.leaf}); };
    if (!is_open()) return overtaken();
    answer_leaf(chain, defense);
    if (defense.outcome != Defense::Outcome::kRefused) return;
    x_view.follow(chain);
    if (!is_open()) overtaken();
    return;
  }
  const proof::Game* const waiting = waiting_game(defense);
  if (waiting == nullptr) return overtaken();
  const proof::Game game = *waiting;
  if (defense.kind == Defense::Kind::kMove) {
    move(chain, defense, game);
  } else {
    send(chain, defense, proof::ClaimTimeout{.game = game});
  }
  if (defense.outcome != Defense::Outcome::kRefused) return;
  x_view.follow(chain);
  const auto now = x_view.games().find(game.id);
  if (now == x_view.games().end() || now->second != game) overtaken();
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
  const chain::TransactionFate fate =
      chain::submit_and_wait(chain, {.key = x_key, .value = {}, .transaction = transaction});
  defense.bytes = fate.bytes;
  if (!fate.refusal) return;
  defense.outcome = Defense::Outcome::kRefused;
  defense.message = std::string(to_string(fate.refusal->reason)) + ": " + fate.refusal->message;
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
