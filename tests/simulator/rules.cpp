#include "tests/simulator/rules.h"

#include <algorithm>
#include <array>
#include <variant>

#include "fraud_proof/settlement/state.h"

namespace tally::simulator {

namespace {

using proof::Reason;

/// Somebody was faster, or time went by, while the transaction was on its way, or it came twice. Whatever else an
/// honest party is refused is a fault in it.
constexpr std::array kRaces = {
    Reason::kStaleMove,      Reason::kClockExpired,      Reason::kClockRunning,     Reason::kGameEnded,
    Reason::kGameExists,     Reason::kNoSuchGame,        Reason::kNotCommitted,     Reason::kCommittedTooLate,
    Reason::kPeriodOver,     Reason::kPeriodRunning,     Reason::kBatchLost,        Reason::kBatchDead,
    Reason::kBatchFinal,     Reason::kBatchExists,       Reason::kRequestExists,    Reason::kRequestAnswered,
    Reason::kWindowRunning,  Reason::kRequestSettled,    Reason::kAlreadyCommitted, Reason::kNoSuchBatch,
    Reason::kNoSuchRequest,  Reason::kAnswerTooLate,     Reason::kGamesOpen,        Reason::kRequestsOpen,
    Reason::kParentNotFinal, Reason::kEarlierSibling,    Reason::kNothingToSkip,    Reason::kBondReleased,
    Reason::kNotReleasable,  Reason::kNothingToWithdraw, Reason::kBatchNotLost,     Reason::kParentDead};

std::string name_of(const PooledBatch& batch) {
  return "batch \"" + batch.name + "\" " + to_hex(batch.id).substr(0, 10);
}

[[noreturn]] void fail(const std::string& what) { throw Violation(what); }

}  // namespace

Rules::Rules(World& world) : x_world(world) {
  world.listen([this](const Chain::Executed& executed) { check(executed); });
}

void Rules::add_honest(const proof::Address& address, const proof::Wei& wealth) { x_wealth[address] = wealth; }

const PooledBatch& Rules::batch(const proof::BatchId& id) const {
  const PooledBatch* const found = x_world.task().find(id);
  return found != nullptr ? *found : x_copied.at(id);
}

/// What an honest party may be late by, with all that the network does to it, and how long others' turns take.
std::uint64_t Rules::slack_s() const {
  return 2 * x_world.settings().censorship_budget_s + 200 * x_world.weather().slot_s;
}

void Rules::check(const Chain::Executed& executed) {
  const proof::Transaction& transaction = *executed.transaction.transaction;
  if (const auto* move = std::get_if<proof::MakeMove>(&transaction)) check_clock(executed, move->game);
  if (const auto* claim = std::get_if<proof::ClaimTimeout>(&transaction)) check_clock(executed, claim->game);
  if (const auto* final = std::get_if<proof::Finalize>(&transaction)) check_period(executed, final->header);
  if (const auto* open = std::get_if<proof::OpenGame>(&transaction)) check_period(executed, open->header);
  if (executed.refusal != nullptr) return check_refusal(executed.transaction, *executed.refusal);
  for (const proof::Event& event : executed.effects->events) check_event(event, executed.time_s);
}

/// A move is in time iff the time since the last one is at most what the clock holds; a timeout may be claimed iff not.
void Rules::check_clock(const Chain::Executed& executed, const proof::Game& game) const {
  const bool is_posters = proof::to_move(game.phase) == proof::Side::kPoster;
  const std::uint64_t clock_s = is_posters ? game.poster_clock_s : game.challenger_clock_s;
  const bool in_time = executed.time_s - game.moved_at_s <= clock_s;
  const bool is_move = std::holds_alternative<proof::MakeMove>(*executed.transaction.transaction);
  const bool is_taken = executed.refusal == nullptr;
  const auto is_refused_by = [&](Reason reason) { return !is_taken && executed.refusal->reason == reason; };
  if (is_move ? is_taken && !in_time : is_taken && in_time) fail("a clock ends at another second than it should");
  if (is_refused_by(Reason::kClockExpired) && in_time) fail("a move in time is refused");
  if (is_refused_by(Reason::kClockRunning) && !in_time) fail("a timeout cannot be claimed");
}

/// Open iff younger than T; final iff not.
void Rules::check_period(const Chain::Executed& executed, const proof::BatchHeader& header) const {
  const auto node = proof::read_node(x_world.tip(), header.task, proof::batch_id(header));
  if (!node || (executed.refusal != nullptr && executed.refusal->reason != Reason::kPeriodOver)) return;
  const bool is_young = executed.time_s - node->posted_s < x_world.settings().challenge_period_s;
  const bool opens = std::holds_alternative<proof::OpenGame>(*executed.transaction.transaction);
  const bool is_taken = executed.refusal == nullptr;
  if (opens ? is_taken != is_young : is_young) fail("a period ends at another second than it should");
}

void Rules::check_order(const proof::BatchId& final_batch) const {
  const StateAt state = x_world.tip();
  const proof::TaskId& task = x_world.task().task();
  const auto node = proof::read_node(state, task, final_batch);
  for (std::uint64_t position = 0; position < node->position; ++position) {
    const auto sibling = proof::read_child(state, task, node->parent, position);
    if (proof::read_node(state, task, *sibling)->state == proof::NodeState::kLost) continue;
    fail(name_of(batch(final_batch)) + " is final before its earlier sibling " + name_of(batch(*sibling)));
  }
}

void Rules::check_refusal(const PendingTransaction& transaction, const proof::ChainRefusal& refusal) const {
  const std::string text = std::string(proof::name_of(*transaction.transaction)) + " is refused: " + refusal.message;
  const auto known = std::ranges::find(proof::all_reasons(), refusal.reason, &proof::ReasonName::reason);
  if (known == proof::all_reasons().end() || refusal.message.empty()) fail("without a named reason, " + text);
  if (is_honest(transaction.sender) && std::ranges::find(kRaces, refusal.reason) == kRaces.end()) {
    fail("no race explains that an honest " + text);
  }
}

void Rules::check_event(const proof::Event& event, std::uint64_t time_s) {
  if (const auto* posted = std::get_if<proof::Posted>(&event)) return on_posted(*posted, time_s);
  if (const auto* invalid = std::get_if<proof::BatchInvalid>(&event)) return on_lost(*invalid);
  if (const auto* opened = std::get_if<proof::GameOpened>(&event)) return watch_game(opened->game);
  if (const auto* ended = std::get_if<proof::GameEnded>(&event)) return on_ended(*ended);
  if (const auto* requested = std::get_if<proof::LeafRequested>(&event)) return watch_request(*requested, time_s);
  if (const auto* final = std::get_if<proof::Finalized>(&event)) {
    if (batch(final->batch).truth == Truth::kFalse) fail("false " + name_of(batch(final->batch)) + " is final");
    check_order(final->batch);
  }
}

void Rules::on_posted(const proof::Posted& posted, std::uint64_t time_s) {
  if (x_world.task().find(posted.batch) == nullptr) {
    x_copied[posted.batch] = {
        .name = "a copy without data", .truth = Truth::kFalse, .id = posted.batch, .posted = posted};
  }
  const PooledBatch& known = batch(posted.batch);
  const proof::TaskSettings& settings = x_world.settings();
  std::uint64_t deadline_s = time_s + settings.challenge_period_s + 2 * settings.game_clock_s + slack_s();
  // It waits for its parent, and for its earlier siblings.
  for (const auto& [id, other_s] : x_deadlines) {
    const proof::BatchId& parent = posted.header.parent;
    if (id == parent || batch(id).posted.header.parent == parent) {
      deadline_s = std::max(deadline_s, other_s + slack_s());
    }
  }
  std::uint64_t& deadline = x_deadlines[posted.batch];
  deadline = std::max(deadline, deadline_s);
  x_world.at(deadline, [this, &known] { check_batch(known); });
}

void Rules::check_batch(const PooledBatch& known) {
  const StateAt state = x_world.tip();
  const auto status = proof::batch_status(state, x_world.task().task(), known.id);
  if (!status || x_world.now_s() < x_deadlines.at(known.id)) return;
  if (status == proof::BatchStatus::kPending) fail(name_of(known) + " is still pending at its deadline");
  if (known.is_honest && status != proof::BatchStatus::kFinal && status != proof::BatchStatus::kSuperseded) {
    fail("true " + name_of(known) + " is " + std::string(to_string(*status)) + " at its deadline");
  }
}

void Rules::on_lost(const proof::BatchInvalid& invalid) {
  const PooledBatch& known = batch(invalid.batch);
  const std::string by = " is lost by " + std::string(to_string(invalid.cause));
  if (known.is_honest) fail("an honest poster's " + name_of(known) + by);
  // A poster may fail to stand by what is true, or tell another story in a game.
  using enum proof::LossCause;
  const bool by_play = invalid.cause == kTimeout || invalid.cause == kWithheld || invalid.cause == kEntry;
  if (known.truth == Truth::kTrue && !by_play) fail("true " + name_of(known) + by);
}

void Rules::watch_game(const proof::Game& game) {
  x_challengers[game.id] = game.challenger;
  const std::uint64_t deadline_s = game.moved_at_s + 2 * x_world.settings().game_clock_s + slack_s();
  x_world.at(deadline_s, [this, id = game.id, challenger = game.challenger] {
    const StateAt state = x_world.tip();
    const auto record = proof::read_game(state, id);
    if (!record || record->state == proof::GameState::kEnded) return;
    // On a batch that fell only its challenger's bond is left, to be taken back at leisure.
    const auto node = proof::read_node(state, x_world.task().task(), record->batch);
    if (node->state == proof::NodeState::kLost && !is_honest(challenger)) return;
    fail("game " + to_hex(id).substr(0, 10) + " is still open at its deadline");
  });
}

void Rules::watch_request(const proof::LeafRequested& requested, std::uint64_t time_s) {
  const std::uint64_t deadline_s = time_s + x_world.settings().challenge_period_s + slack_s();
  x_world.at(deadline_s, [this, requested] {
    const StateAt state = x_world.tip();
    const auto record = proof::read_request(state, requested.batch, requested.leaf);
    if (!record || record->state != proof::RequestState::kOpen) return;
    const auto status = proof::batch_status(state, x_world.task().task(), requested.batch);
    if (status == proof::BatchStatus::kInvalid && !is_honest(record->requester)) return;
    fail("a request by " + to_text(record->requester) + " of object " + std::to_string(requested.leaf.object) + " in " +
         name_of(batch(requested.batch)) + ", " + std::string(to_string(*status)) + ", is still open at its deadline");
  });
}

void Rules::on_ended(const proof::GameEnded& ended) {
  if (ended.outcome == proof::GameOutcome::kChallengerTimeout && is_honest(x_challengers.at(ended.game))) {
    fail("an honest challenger's clock ran out");
  }
}

void Rules::check_wealth() {
  // What an answered demand costs is the price of asking.
  std::map<proof::Address, math::u128> demands;
  std::map<std::pair<proof::BatchId, proof::OpeningKey>, proof::Address> asked;
  const auto& availability = x_world.settings().availability;
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    if (const auto* requested = std::get_if<proof::LeafRequested>(&logged.event)) {
      asked[{requested->batch, requested->leaf}] = requested->by;
    } else if (const auto* answered = std::get_if<proof::RequestAnswered>(&logged.event)) {
      demands[asked.at({answered->batch, answered->leaf})] +=
          std::get<proof::LeafRequests>(availability).request_bond.value;
    }
  }
  const StateAt state = x_world.tip();
  for (const auto& [address, wealth] : x_wealth) {
    const math::u128 now = x_world.chain().balance(address).value + proof::read_credit(state, address).value;
    if (now + demands[address] < wealth.value) fail("the honest " + to_text(address) + " has lost money");
  }
}

math::u128 Rules::supply() const {
  math::u128 sum = x_world.chain().held().value;
  for (const auto& [account, amount] : x_world.chain().accounts()) sum += amount.value;
  return sum;
}

void Rules::begin() { x_supply = supply(); }

void Rules::count() {
  Figures& figures = x_world.figures();
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    if (std::holds_alternative<proof::Posted>(logged.event)) ++figures.batches;
    if (std::holds_alternative<proof::Finalized>(logged.event)) ++figures.final_batches;
    if (std::holds_alternative<proof::BatchInvalid>(logged.event)) ++figures.lost_batches;
    if (std::holds_alternative<proof::GameEnded>(logged.event)) ++figures.disputes;
  }
}

void Rules::check_end() {
  count();
  check_wealth();
  if (supply() != x_supply) fail("money appeared or disappeared outside of the records");
  const StateAt state = x_world.tip();
  for (const auto& [id, deadline] : x_deadlines) {
    const auto node = proof::read_node(state, x_world.task().task(), id);
    if (node && node->bond != proof::Wei{}) fail(name_of(batch(id)) + " still holds its bond");
  }
}

}  // namespace tally::simulator
