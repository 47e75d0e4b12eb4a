#include "tests/simulator/rules.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
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

/// The same of what members, founders and posters send.
struct Race {
  std::string_view transaction;
  Reason reason;
};
constexpr std::array kRacesOfKinds = {Race{"create_task", Reason::kTaskExists},
                                      Race{"register", Reason::kAddressTaken},
                                      Race{"bind_key", Reason::kAddressTaken},
                                      Race{"bind_key", Reason::kNoSuchMember},
                                      Race{"bind_key", Reason::kNotTheWallet},
                                      Race{"unbind_key", Reason::kAlreadyUnbinding},
                                      Race{"unbind_key", Reason::kNoSuchKey},
                                      Race{"unbind_key", Reason::kNoSuchMember},
                                      Race{"unbind_key", Reason::kNotTheWallet},
                                      Race{"request_exit", Reason::kAlreadyExiting},
                                      Race{"request_exit", Reason::kNoSuchMember},
                                      Race{"request_exit", Reason::kNotTheWallet},
                                      Race{"withdraw_stake", Reason::kNotExited},
                                      Race{"withdraw_stake", Reason::kStakeWithdrawn},
                                      Race{"seal_seed", Reason::kSeedSealed},
                                      Race{"seal_seed", Reason::kSeedTooEarly},
                                      Race{"post", Reason::kNotYourTurn},
                                      Race{"post", Reason::kSeedNotSealed},
                                      Race{"claim_payout", Reason::kNotLatestFinal},
                                      Race{"claim_payout", Reason::kNothingToPay}};

bool is_race(std::string_view transaction, Reason reason) {
  return std::ranges::find(kRaces, reason) != kRaces.end() || std::ranges::any_of(kRacesOfKinds, [&](const Race& race) {
           return race.transaction == transaction && race.reason == reason;
         });
}

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
  if (const auto* post = std::get_if<proof::Post>(&transaction)) check_post(executed, *post);
  if (std::holds_alternative<proof::ShowProof>(transaction)) check_winner(executed);
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

/// A proposer's turn comes with the slot; and as many keepers as it takes have signed, each what it signs.
void Rules::check_post(const Chain::Executed& executed, const proof::Post& post) const {
  const proof::TaskSettings& settings = x_world.settings();
  if (const auto* const rule = std::get_if<proof::ProposerRotation>(&settings.proposer_rule)) {
    const std::uint64_t turn = executed.time_s / rule->slot_s % rule->proposers.size();
    const bool is_late = executed.time_s % rule->slot_s >= rule->grace_s;
    const proof::Address& sender = executed.transaction.sender;
    const bool is_proposer = std::ranges::find(rule->proposers, sender) != rule->proposers.end();
    if (!is_proposer || (rule->proposers[turn] != sender && !is_late)) fail("a post out of turn is accepted");
  }
  const auto* const quorum = std::get_if<proof::KeeperQuorum>(&settings.availability);
  if (quorum == nullptr) return;
  const auto& posted = std::get<proof::Posted>(executed.effects->events.front());
  std::set<std::uint16_t> signers;
  for (const proof::KeeperSignature& keeper : post.keepers) {
    const auto expected = proof::sign(keeper_key(keeper.position), proof::keeper_message(posted.batch).bytes);
    if (keeper.signature == expected) signers.insert(keeper.position);
  }
  if (signers.size() < quorum->threshold) fail(name_of(batch(posted.batch)) + " is posted without its keepers");
}

void Rules::check_winner(const Chain::Executed& executed) {
  for (const proof::Event& event : executed.effects->events) {
    const auto* const lost = std::get_if<proof::BatchInvalid>(&event);
    if (lost != nullptr && lost->winner != executed.transaction.sender) fail("another than who showed a proof has won");
  }
}

/// By the hash of the block behind the parent's, or one a multiple of 256 blocks later.
void Rules::check_seed(const proof::SeedSealed& sealed) const {
  const StateAt state = x_world.tip();
  const auto parent = proof::read_node(state, sealed.task, sealed.parent);
  const std::uint64_t now = x_world.chain().genesis().block + x_world.slot();
  for (std::uint64_t block = parent->posted_block + 1; block < now; block += 256) {
    math::ByteWriter bytes;
    bytes.u64be(block);
    if (proof::batch_seed(math::sha256(bytes.view()), sealed.parent) == sealed.seed) return;
  }
  fail("a seed is sealed by no block that may seal it");
}

/// Whether somebody could show it invalid: what was posted may not be what was true when it was built.
bool Rules::is_true(const proof::BatchId& id) const {
  const PooledBatch& known = batch(id);
  if (known.truth == Truth::kFalse) return false;
  const std::vector<chain::LoggedEvent>& log = x_world.chain().log();
  const auto post = std::ranges::find_if(log, [&](const chain::LoggedEvent& logged) {
    const auto* const posted = std::get_if<proof::Posted>(&logged.event);
    return posted != nullptr && posted->batch == id;
  });
  if (std::get<proof::Posted>(post->event).seed != known.posted.seed) return false;
  return std::ranges::all_of(known.signers, [&](const Signer& signer) { return is_member(signer, post->time_s); });
}

bool Rules::is_member(const Signer& signer, std::uint64_t time_s) const {
  bool is_bound = !signer.is_device;
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    if (const auto* bound = std::get_if<proof::KeyBound>(&logged.event)) {
      if (bound->key == signer.address && bound->member == signer.member && logged.time_s <= time_s) is_bound = true;
    } else if (const auto* unbound = std::get_if<proof::KeyUnbound>(&logged.event)) {
      if (unbound->key == signer.address && unbound->at_s <= time_s) return false;
    } else if (const auto* exit = std::get_if<proof::ExitRequested>(&logged.event)) {
      if (exit->member == signer.member && exit->exit_at_s <= time_s) return false;
    }
  }
  return is_bound;
}

void Rules::check_refusal(const PendingTransaction& transaction, const proof::ChainRefusal& refusal) const {
  const std::string text = std::string(proof::name_of(*transaction.transaction)) + " is refused: " + refusal.message;
  const auto known = std::ranges::find(proof::all_reasons(), refusal.reason, &proof::ReasonName::reason);
  if (known == proof::all_reasons().end() || refusal.message.empty()) fail("without a named reason, " + text);
  if (is_honest(transaction.sender) && !is_race(proof::name_of(*transaction.transaction), refusal.reason)) {
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
  if (const auto* sealed = std::get_if<proof::SeedSealed>(&event)) check_seed(*sealed);
  if (const auto* final = std::get_if<proof::Finalized>(&event)) {
    if (!is_true(final->batch)) fail("false " + name_of(batch(final->batch)) + " is final");
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
  if (is_true(invalid.batch) && !by_play) fail("true " + name_of(known) + by);
}

void Rules::on_ended(const proof::GameEnded& ended) {
  if (ended.outcome == proof::GameOutcome::kChallengerTimeout && is_honest(x_challengers.at(ended.game))) {
    fail("an honest challenger's clock ran out");
  }
}

void Rules::check_wealth() {
  // What an answered demand costs is the price of asking; and a pool is funded for good.
  std::map<proof::Address, math::u128> spent;
  std::map<std::pair<proof::BatchId, proof::OpeningKey>, proof::Address> asked;
  const auto& availability = x_world.settings().availability;
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    if (const auto* funded = std::get_if<proof::Funded>(&logged.event)) spent[funded->by] += funded->amount.value;
    if (const auto* requested = std::get_if<proof::LeafRequested>(&logged.event)) {
      asked[{requested->batch, requested->leaf}] = requested->by;
    } else if (const auto* answered = std::get_if<proof::RequestAnswered>(&logged.event)) {
      spent[asked.at({answered->batch, answered->leaf})] +=
          std::get<proof::LeafRequests>(availability).request_bond.value;
    }
  }
  const StateAt state = x_world.tip();
  for (const auto& [address, wealth] : x_wealth) {
    const math::u128 now = x_world.chain().balance(address).value + proof::read_credit(state, address).value;
    if (now + spent[address] < wealth.value) fail("the honest " + to_text(address) + " has lost money");
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

/// A member has been paid what the latest final batch says, unless the pool or the batch could give no more.
void Rules::check_payouts() const {
  if (x_world.task().kind() != TaskKind::kSociety) return;
  const StateAt state = x_world.tip();
  const auto status = proof::read_task_status(state, x_world.task().task());
  if (status->final_batch == proof::kGenesisParent) return;
  std::map<std::uint64_t, math::u128> paid;
  math::u128 paid_in_last = 0;
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    const auto* const final = std::get_if<proof::Finalized>(&logged.event);
    if (final != nullptr && final->task == x_world.task().task()) paid_in_last = 0;
    const auto* const out = std::get_if<proof::PaidOut>(&logged.event);
    if (out == nullptr) continue;
    paid[out->member] += out->amount.value;
    paid_in_last += out->amount.value;
  }
  const proof::TaskSettings& settings = x_world.settings();
  const bool can_pay = status->pool != proof::Wei{} && paid_in_last < settings.max_payout_per_batch.value;
  for (const Signer& member : batch(status->final_batch).signers) {
    const std::int64_t entry = x_world.task().element(batch(status->final_batch), "paid", member.member);
    const math::u128 due = math::u128{static_cast<std::uint64_t>(entry)} * settings.payout_unit.value;
    if (paid[member.member] > due) fail("a member is paid more than its entry");
    if (can_pay && paid[member.member] < due) fail("a member is not paid, and there is money for it");
  }
}

void Rules::count() {
  Figures& figures = x_world.figures();
  for (const chain::LoggedEvent& logged : x_world.chain().log()) {
    if (std::holds_alternative<proof::Posted>(logged.event)) ++figures.batches;
    if (std::holds_alternative<proof::Finalized>(logged.event)) ++figures.final_batches;
    if (const auto* lost = std::get_if<proof::BatchInvalid>(&logged.event)) {
      ++figures.lost_batches;
      ++figures.losses.at(static_cast<std::size_t>(lost->cause));
    }
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
  check_payouts();
}

}  // namespace tally::simulator
