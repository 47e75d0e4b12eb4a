#include "tests/simulator/deadlines.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "fraud_proof/game/game.h"
#include "tests/simulator/violation.h"

namespace tally::simulator {

namespace {

// In slots; the header says what of.
constexpr std::uint64_t kTold = kConfirmations + kMostLag + 2;
constexpr std::uint64_t kPerTransaction = 4;
// An honest owner takes its bond back beside everything else that it does.
constexpr std::uint64_t kAtLeisure = 200;

[[noreturn]] void fail(const std::string& what) { throw Violation(what); }

std::uint64_t count_since(const std::vector<std::uint64_t>& times_s, std::uint64_t since_s) {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(times_s, [&](std::uint64_t time_s) { return time_s >= since_s; }));
}

std::uint64_t turn_ends_s(const proof::Game& game) {
  const bool is_posters = proof::to_move(game.phase) == proof::Side::kPoster;
  return game.moved_at_s + (is_posters ? game.poster_clock_s : game.challenger_clock_s);
}

}  // namespace

Deadlines::Deadlines(World& world, IsHonest is_honest) : x_world(world), x_is_honest(std::move(is_honest)) {
  world.listen([this](const Chain::Executed& executed) { hear(executed); });
}

void Deadlines::follow_finaliser(const proof::Address& address, std::function<std::uint64_t()> held_up_s) {
  x_finaliser = address;
  x_held_up_s = std::move(held_up_s);
}

void Deadlines::hear(const Chain::Executed& executed) {
  if (executed.transaction.sender == x_finaliser) x_sent_s.push_back(executed.time_s);
  if (executed.effects == nullptr) return;
  for (const proof::Event& event : executed.effects->events) hear(event, executed.time_s);
}

void Deadlines::hear(const proof::Event& event, std::uint64_t time_s) {
  if (std::holds_alternative<proof::Posted>(event)) {
    const std::uint64_t over_s = time_s + x_world.settings().challenge_period_s;
    check_batches_at(over_s + reaction_s(over_s));
  } else if (const auto* const opened = std::get_if<proof::GameOpened>(&event)) {
    watch_turn(opened->game);
  } else if (const auto* const moved = std::get_if<proof::GameMoved>(&event)) {
    watch_turn(moved->game);
  } else if (const auto* const requested = std::get_if<proof::LeafRequested>(&event)) {
    watch_request(*requested, time_s);
  } else if (std::holds_alternative<proof::Finalized>(event) || std::holds_alternative<proof::BatchInvalid>(event) ||
             std::holds_alternative<proof::GameEnded>(event) || std::holds_alternative<proof::RequestAnswered>(event) ||
             std::holds_alternative<proof::RequestWithheld>(event)) {
    check_batches_at(time_s + reaction_s(time_s));
  }
}

std::uint64_t Deadlines::reaction_s(std::uint64_t since_s) const {
  const std::uint64_t sent = count_since(x_sent_s, since_s);
  const std::uint64_t taken_back = count_since(x_world.reorganised_s(), since_s);
  const std::uint64_t slots = kTold + kPerTransaction * (sent + 1) + (kTold + kPerTransaction) * taken_back;
  return slots * x_world.weather().slot_s + x_held_up_s();
}

// ---------------------------------------------------------------------------------------------------------------------
// Batches

void Deadlines::check_batches_at(std::uint64_t time_s) {
  if (!x_checks_s.insert(time_s).second) return;
  x_world.at(time_s, [this, time_s] {
    x_checks_s.erase(time_s);
    check_batches();
  });
}

void Deadlines::check_batches() {
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    const auto* const posted = std::get_if<proof::Posted>(&logged.event);
    if (posted == nullptr) continue;
    const auto since_s = free_since_s(*posted);
    if (!since_s) continue;
    const std::uint64_t due_s = *since_s + reaction_s(*since_s);
    if (x_world.now_s() < due_s) {
      check_batches_at(due_s);
      continue;
    }
    fail(told(posted->batch) + " has not come to its end at its deadline, " +
         std::to_string(x_world.now_s() - *since_s) + " s after everything that held it");
  }
}

template <class Event>
std::uint64_t Deadlines::time_of(const proof::BatchId& batch) const {
  std::uint64_t time_s = 0;
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    const auto* const event = std::get_if<Event>(&logged.event);
    if (event != nullptr && event->batch == batch) time_s = logged.time_s;
  }
  return time_s;
}

std::optional<std::uint64_t> Deadlines::free_since_s(const proof::Posted& posted) const {
  const StateAt state = x_world.tip();
  const proof::TaskId& task = x_world.task().task();
  const auto node = proof::read_node(state, task, posted.batch);
  if (node->bond == proof::Wei{} || node->open_games + node->open_requests > 0) return std::nullopt;
  std::uint64_t since_s =
      std::max({node->posted_s + x_world.settings().challenge_period_s, time_of<proof::GameEnded>(posted.batch),
                time_of<proof::RequestAnswered>(posted.batch), time_of<proof::RequestWithheld>(posted.batch)});
  if (proof::batch_status(state, task, posted.batch) == proof::BatchStatus::kPending) {
    const auto freed_s = freed_by_tree_s(*node);
    if (!freed_s) return std::nullopt;
    return std::max(since_s, *freed_s);
  }
  // It died when some batch became final or was lost.
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    if (std::holds_alternative<proof::Finalized>(logged.event) ||
        std::holds_alternative<proof::BatchInvalid>(logged.event)) {
      since_s = std::max(since_s, logged.time_s);
    }
  }
  return since_s;
}

std::optional<std::uint64_t> Deadlines::freed_by_tree_s(const proof::NodeRecord& node) const {
  const StateAt state = x_world.tip();
  const proof::TaskId& task = x_world.task().task();
  std::uint64_t since_s = 0;
  if (node.parent != proof::kGenesisParent) {
    if (proof::read_node(state, task, node.parent)->state != proof::NodeState::kFinal) return std::nullopt;
    since_s = time_of<proof::Finalized>(node.parent);
  }
  for (std::uint64_t position = 0; position < node.position; ++position) {
    const proof::BatchId sibling = *proof::read_child(state, task, node.parent, position);
    if (proof::read_node(state, task, sibling)->state != proof::NodeState::kLost) return std::nullopt;
    since_s = std::max(since_s, time_of<proof::BatchInvalid>(sibling));
  }
  return since_s;
}

// ---------------------------------------------------------------------------------------------------------------------
// Games and requests

void Deadlines::watch_turn(const proof::Game& game) {
  const auto node = proof::read_node(x_world.tip(), x_world.task().task(), game.batch);
  const std::uint64_t over_s = std::max(turn_ends_s(game), node->posted_s + x_world.settings().challenge_period_s);
  x_world.at(over_s + reaction_s(over_s), [this, game, over_s] { check_turn(game, over_s); });
}

void Deadlines::check_turn(const proof::Game& game, std::uint64_t over_s) {
  const StateAt state = x_world.tip();
  const auto record = proof::read_game(state, game.id);
  if (!record || record->state == proof::GameState::kEnded || record->hash != proof::game_hash(game)) return;
  if (is_left_alone(*proof::read_node(state, x_world.task().task(), game.batch), game.batch, game.challenger)) return;
  const std::uint64_t due_s = over_s + reaction_s(over_s);
  if (x_world.now_s() < due_s) return x_world.at(due_s, [this, game, over_s] { check_turn(game, over_s); });
  fail("game " + to_hex(game.id).substr(0, 10) + " about " + told(game.batch) + " is still open at its deadline");
}

void Deadlines::watch_request(const proof::LeafRequested& requested, std::uint64_t time_s) {
  const auto node = proof::read_node(x_world.tip(), x_world.task().task(), requested.batch);
  const proof::TaskSettings& settings = x_world.settings();
  const std::uint64_t over_s = std::max(time_s + settings.window_s, node->posted_s + settings.challenge_period_s);
  x_world.at(over_s + reaction_s(over_s), [this, requested, over_s] { check_request(requested, over_s); });
}

void Deadlines::check_request(const proof::LeafRequested& requested, std::uint64_t over_s) {
  const StateAt state = x_world.tip();
  const auto record = proof::read_request(state, requested.batch, requested.leaf);
  if (!record || record->state != proof::RequestState::kOpen) return;
  const auto node = proof::read_node(state, x_world.task().task(), requested.batch);
  if (is_left_alone(*node, requested.batch, record->requester)) return;
  // After a reorganisation it may stand in a later block.
  const std::uint64_t begun_s = std::max(over_s, record->requested_s + x_world.settings().window_s);
  const std::uint64_t due_s = begun_s + reaction_s(begun_s);
  if (x_world.now_s() < due_s) return x_world.at(due_s, [=, this] { check_request(requested, begun_s); });
  fail("a request by " + to_text(record->requester) + " of object " + std::to_string(requested.leaf.object) + " in " +
       told(requested.batch) + " is still open at its deadline");
}

bool Deadlines::is_left_alone(const proof::NodeRecord& node, const proof::BatchId& id,
                              const proof::Address& owner) const {
  if (node.state != proof::NodeState::kLost) return false;
  const std::uint64_t most_s = 2 * x_world.settings().censorship_budget_s + kAtLeisure * x_world.weather().slot_s;
  return !x_is_honest(owner) || x_world.now_s() < time_of<proof::BatchInvalid>(id) + most_s;
}

void Deadlines::check_end() const {
  const StateAt state = x_world.tip();
  const proof::TaskId& task = x_world.task().task();
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    const auto* const posted = std::get_if<proof::Posted>(&logged.event);
    if (posted == nullptr) continue;
    if (proof::batch_status(state, task, posted->batch) == proof::BatchStatus::kPending) {
      fail(told(posted->batch) + " is pending for ever");
    }
    if (proof::read_node(state, task, posted->batch)->bond != proof::Wei{}) {
      fail(told(posted->batch) + " still holds its bond");
    }
  }
}

std::string Deadlines::told(const proof::BatchId& batch) const {
  const PooledBatch* const known = x_world.task().find(batch);
  return "batch \"" + (known == nullptr ? "a copy without data" : known->name) + "\" " + to_hex(batch).substr(0, 10);
}

}  // namespace tally::simulator
