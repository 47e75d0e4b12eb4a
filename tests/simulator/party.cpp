#include "tests/simulator/party.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fraud_proof/settlement/broken_state.h"

namespace tally::simulator {

namespace {

// A transaction that is in no block by then is given up: it may still come.
constexpr std::uint64_t kPatienceSlots = 12;
constexpr std::uint64_t kMostLateSlots = 30;
constexpr std::uint64_t kMostDownSlots = 60;
constexpr std::uint64_t kMostPauses = 6;  // doublings of the pause after a failure

}  // namespace

Party::Party(World& world, std::string name, const proof::PrivateKey& key, Start start, Interest interest)
    : x_world(world),
      x_name(std::move(name)),
      x_address(key.address()),
      x_start(std::move(start)),
      x_interest(std::move(interest)),
      x_state(world.chain(), world.slot()) {
  x_fiber = std::make_unique<Fiber>([this] { run(); });
  world.listen([this](const Chain::Executed& executed) { hear(executed); });
  world.after_blocks([this] { after_block(); });
  // No event tells of what was taken back.
  world.after_losses([this] { wake_at(told_s(x_world.now_s())); });
}

bool Party::befalls(std::uint64_t percent, std::uint64_t cost_s) {
  const std::uint64_t budget_s = x_world.settings().censorship_budget_s;
  if (percent == 0 || x_held_up_s + cost_s > budget_s || !x_world.random().percent(percent)) return false;
  x_held_up_s += cost_s;
  return true;
}

void Party::pause() {
  const std::uint64_t pause_s = x_world.weather().slot_s << std::min(x_failures - 1, kMostPauses);
  // It wakes up with the slot behind that.
  if (x_held_up_s < x_world.settings().censorship_budget_s) x_held_up_s += pause_s + x_world.weather().slot_s;
  wake_at(x_world.now_s() + pause_s);
}

// ---------------------------------------------------------------------------------------------------------------------
// The process

void Party::run() {
  const Run run = x_start();
  for (;;) {
    bool failed = false;
    x_world.trace([&] { return x_name + " looks"; });
    try {
      failed = run(*this);
    } catch (const proof::BrokenState&) {
      throw;
    } catch (const std::runtime_error& error) {
      // What daemons throw when the outside world fails them; anything else ends the seed as a violation.
      x_world.trace([&] { return x_name + " failed: " + error.what(); });
      failed = true;
    }
    x_failures = failed ? x_failures + 1 : 0;
    if (failed) pause();
    if (std::exchange(x_is_wanted, false)) continue;
    x_fiber->suspend();
  }
}

void Party::resume() { x_fiber->resume(); }

void Party::wake_at(std::uint64_t time_s) {
  const Chain& chain = x_world.chain();
  const std::uint64_t slot_s = chain.time_of(chain.slot_at(time_s) + 1);
  if (!x_wakes_s.insert(slot_s).second) return;
  x_world.at(slot_s, [this, slot_s] {
    x_wakes_s.erase(slot_s);
    wake();
  });
}

void Party::wake() {
  if (x_is_down) return;
  if (x_waits_for) {
    x_is_wanted = true;
    return;
  }
  resume();
}

void Party::after_block() {
  const std::uint64_t slot_s = x_world.weather().slot_s;
  const std::uint64_t down_s = slot_s * x_world.random().between(1, kMostDownSlots);
  if (!x_is_down && befalls(x_world.weather().crashed, down_s)) {
    crash();
    x_world.at(x_world.now_s() + down_s, [this] {
      x_is_down = false;
      x_fiber = std::make_unique<Fiber>([this] { run(); });
      x_world.trace([&] { return x_name + " is started again"; });
      resume();
    });
    return;
  }
  if (x_waits_for && x_world.chain().fate(*x_waits_for).kind != chain::TransactionFate::Kind::kUnknown) resume();
}

void Party::crash() {
  x_world.trace([&] { return x_name + " crashes"; });
  ++x_world.figures().crashes;
  x_is_down = true;
  x_fiber->kill();
  x_waits_for.reset();
  x_sent.clear();
  x_is_wanted = false;
  x_failures = 0;
  x_seen = 0;
}

std::uint64_t Party::told_s(std::uint64_t time_s) const {
  return time_s + (kConfirmations + kMostLag + 1) * x_world.weather().slot_s;
}

void Party::hear(const Chain::Executed& executed) {
  if (executed.effects == nullptr) return;
  const std::uint64_t heard_s = told_s(executed.time_s);
  for (const proof::Event& event : executed.effects->events) {
    const std::uint64_t when_s = x_interest(event, executed.time_s, heard_s);
    // A time that is over before the event is told is seen together with it.
    if (when_s != 0) wake_at(std::max(when_s, heard_s));
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The network

void Party::look() {
  const Weather& weather = x_world.weather();
  if (befalls(weather.out_of_reach, weather.slot_s)) throw std::runtime_error("the chain is out of reach");
  x_lag = x_world.random().percent(weather.lagging) ? x_world.random().below(kMostLag + 1) : 0;
  x_state.set_slot(x_world.slot() - x_lag);
}

chain::Head Party::head() {
  look();
  return {.block = x_world.chain().genesis().block + x_state.slot(), .time_s = x_world.chain().time_of(x_state.slot())};
}

const proof::StateReader& Party::state() {
  look();
  return x_state;
}

std::vector<chain::LoggedEvent> Party::events(std::uint64_t from, std::size_t limit) {
  look();
  x_seen = std::max(x_seen, x_world.chain().events_until(x_state.slot() - kConfirmations));
  const auto& log = x_world.chain().log();
  if (from >= x_seen) return {};
  const std::size_t until = x_seen - from > limit ? from + limit : x_seen;
  return {log.begin() + static_cast<std::ptrdiff_t>(from), log.begin() + static_cast<std::ptrdiff_t>(until)};
}

chain::TransactionId Party::submit(const chain::Submission& submission) {
  look();
  const Weather& weather = x_world.weather();
  PendingTransaction pending{.id = {},
                             .sender = x_address,
                             .value = submission.value,
                             .transaction = std::make_shared<const proof::Transaction>(submission.transaction),
                             .ready_s = x_world.now_s() + x_world.random().below(weather.slot_s)};
  const std::uint64_t until_s = x_world.now_s() + kPatienceSlots * weather.slot_s;
  if (x_world.random().percent(weather.doubled)) {
    PendingTransaction copy = pending;
    copy.ready_s += x_world.random().below(kMostLateSlots) * weather.slot_s;
    x_world.submit(std::move(copy));
  }
  if (befalls(weather.lost, kPatienceSlots * weather.slot_s)) {
    x_world.trace([&] { return x_name + "'s " + std::string(name_of(submission.transaction)) + " is lost"; });
    return x_sent.emplace(x_world.chain().new_id(), until_s).first->first;
  }
  const std::uint64_t late_s = x_world.random().between(1, kMostLateSlots) * weather.slot_s;
  if (befalls(weather.late, late_s)) pending.ready_s += late_s;
  return x_sent.emplace(x_world.submit(std::move(pending)), until_s).first->first;
}

/// Of one alone it is waited until there is a fate. Of several the next block is waited for.
chain::TransactionFate Party::fate(const chain::TransactionId& transaction) {
  const auto sent = x_sent.find(transaction);
  const std::uint64_t until_s = sent->second;
  const bool is_alone = x_sent.size() == 1;
  const std::uint64_t next_s = is_alone ? until_s : std::min(until_s, x_world.now_s() + x_world.weather().slot_s);
  for (;;) {
    chain::TransactionFate fate = x_world.chain().fate(transaction);
    const bool is_told = fate.kind != chain::TransactionFate::Kind::kUnknown;
    if (is_told || x_world.now_s() >= until_s) x_sent.erase(sent);
    if (is_told) return fate;
    if (x_world.now_s() >= until_s) throw std::runtime_error("the transaction is in no block yet");
    if (x_world.now_s() >= next_s) return {.kind = chain::TransactionFate::Kind::kPending};
    x_waits_for = transaction;
    x_world.at(next_s, [this, transaction] {
      if (x_waits_for == transaction) resume();
    });
    x_fiber->suspend();
    x_waits_for.reset();
  }
}

}  // namespace tally::simulator
