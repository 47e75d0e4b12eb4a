#include "tests/simulator/rules.h"

#include <algorithm>
#include <array>
#include <variant>

#include "fraud_proof/settlement/state.h"
#include "tests/simulator/books.h"

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

Rules::Rules(World& world)
    : x_world(world), x_deadlines(world, [this](const proof::Address& address) { return is_honest(address); }) {
  world.listen([this](const Chain::Executed& executed) { check(executed); });
}

void Rules::add_honest(const proof::Address& address, const proof::Wei& wealth) { x_wealth[address] = wealth; }

const PooledBatch& Rules::batch(const proof::BatchId& id) const {
  const PooledBatch* const found = x_world.task().find(id);
  return found != nullptr ? *found : x_copied.at(id);
}

void Rules::check(const Chain::Executed& executed) {
  const proof::Transaction& transaction = *executed.transaction.transaction;
  if (const auto* move = std::get_if<proof::MakeMove>(&transaction)) check_clock(executed, move->game);
  if (const auto* claim = std::get_if<proof::ClaimTimeout>(&transaction)) check_clock(executed, claim->game);
  if (const auto* final = std::get_if<proof::Finalize>(&transaction)) check_period(executed, final->header);
  if (const auto* open = std::get_if<proof::OpenGame>(&transaction)) check_period(executed, open->header);
  if (executed.refusal != nullptr) return check_refusal(executed.transaction, *executed.refusal);
  for (const proof::Event& event : executed.effects->events) check_event(event);
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

void Rules::check_event(const proof::Event& event) {
  if (const auto* posted = std::get_if<proof::Posted>(&event)) return on_posted(*posted);
  if (const auto* invalid = std::get_if<proof::BatchInvalid>(&event)) return on_lost(*invalid);
  if (const auto* opened = std::get_if<proof::GameOpened>(&event)) {
    x_challengers[opened->game.id] = opened->game.challenger;
  }
  if (const auto* ended = std::get_if<proof::GameEnded>(&event)) return on_ended(*ended);
  if (const auto* final = std::get_if<proof::Finalized>(&event)) {
    if (batch(final->batch).truth == Truth::kFalse) fail("false " + name_of(batch(final->batch)) + " is final");
    check_order(final->batch);
  }
}

void Rules::on_posted(const proof::Posted& posted) {
  if (x_world.task().find(posted.batch) != nullptr) return;
  x_copied[posted.batch] = {
      .name = "a copy without data", .truth = Truth::kFalse, .id = posted.batch, .posted = posted};
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

/// Kept anew at the end, so that no reorganisation has to be taken back in them.
void Rules::check_money() const {
  const Chain& chain = x_world.chain();
  const StateAt state = x_world.tip();
  Books books(chain.genesis());
  for (const chain::LoggedEvent& logged : chain.log()) books.enter(logged, state);
  books.compare(chain.records(), chain.held());
}

void Rules::count() {
  Figures& figures = x_world.figures();
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    if (std::holds_alternative<proof::Posted>(logged.event)) ++figures.batches;
    if (std::holds_alternative<proof::Finalized>(logged.event)) ++figures.final_batches;
    if (std::holds_alternative<proof::BatchInvalid>(logged.event)) ++figures.lost_batches;
    if (std::holds_alternative<proof::GameEnded>(logged.event)) ++figures.disputes;
  }
}

void Rules::check_honest_batches() const {
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    const auto* const posted = std::get_if<proof::Posted>(&logged.event);
    if (posted == nullptr || !batch(posted->batch).is_honest) continue;
    const auto status = proof::batch_status(x_world.tip(), x_world.task().task(), posted->batch);
    if (status == proof::BatchStatus::kFinal || status == proof::BatchStatus::kSuperseded) continue;
    fail("true " + name_of(batch(posted->batch)) + " is " + std::string(to_string(*status)) + " at the end");
  }
}

void Rules::check_end() {
  count();
  x_deadlines.check_end();
  check_honest_batches();
  check_wealth();
  check_money();
}

}  // namespace tally::simulator
