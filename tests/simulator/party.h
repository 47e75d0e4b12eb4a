// An honest party: a daemon of the product, as it is, on a fiber of its own, behind a network that loses, delays and
// doubles what it sends, hides the chain from it, and shows it old states; and that crashes, to be started again.
//
// What all this costs a party in time is bounded by the task's censorship budget, which is what the protocol promises
// to bear. A daemon looks at the chain all the time; here it is woken where a look could find something: when it hears
// of an event, when a time is over that the chain knows of, and, less and less often, after something failed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "tests/simulator/fiber.h"
#include "tests/simulator/world.h"

namespace tally::simulator {

class Party final : private chain::ChainAdapter {
 public:
  /// One run of the daemon; whether something failed, so that it is to be run again soon.
  using Run = std::function<bool(chain::ChainAdapter&)>;
  /// Starts the process; what it keeps in memory is in the run.
  using Start = std::function<Run()>;
  /// When a party that hears of an event at `heard_s` has reason to look; 0: never.
  using Interest = std::function<std::uint64_t(const proof::Event& event, std::uint64_t time_s, std::uint64_t heard_s)>;

  Party(World& world, std::string name, const proof::PrivateKey& key, Start start, Interest interest);
  ~Party() override = default;
  Party(const Party&) = delete;
  Party& operator=(const Party&) = delete;

  [[nodiscard]] const std::string& name() const { return x_name; }
  [[nodiscard]] const proof::Address& address() const { return x_address; }
  void wake_at(std::uint64_t time_s);
  /// By the outside world so far, with the pauses after what failed, but for those after the budget is used up.
  [[nodiscard]] std::uint64_t held_up_s() const { return x_held_up_s; }

 private:
  // The chain, as the party sees it.
  [[nodiscard]] chain::ChainIdentity identity() override { return x_world.chain().genesis().identity; }
  [[nodiscard]] chain::Head head() override;
  [[nodiscard]] chain::TransactionId submit(const chain::Submission& submission) override;
  [[nodiscard]] chain::TransactionFate fate(const chain::TransactionId& transaction) override;
  [[nodiscard]] std::vector<chain::LoggedEvent> events(std::uint64_t from, std::size_t limit) override;
  [[nodiscard]] const proof::StateReader& state() override;
  [[nodiscard]] proof::Wei balance(const proof::Address& account) override { return x_world.chain().balance(account); }

  void pause();
  void look();
  /// Whether something with that chance befalls the party now, which holds it up for so long.
  [[nodiscard]] bool befalls(std::uint64_t percent, std::uint64_t cost_s);
  /// When everybody knows of what happened then.
  [[nodiscard]] std::uint64_t told_s(std::uint64_t time_s) const;
  void hear(const Chain::Executed& executed);
  void run();
  void wake();
  void resume();
  void after_block();
  void crash();

  World& x_world;
  std::string x_name;
  proof::Address x_address;
  Start x_start;
  Interest x_interest;
  StateAt x_state;
  std::unique_ptr<Fiber> x_fiber;
  std::uint64_t x_held_up_s = 0;
  std::uint64_t x_lag = 0;
  std::size_t x_seen = 0;  // events
  std::set<std::uint64_t> x_wakes_s;
  std::uint64_t x_failures = 0;  // one after the other
  std::optional<chain::TransactionId> x_waits_for;
  std::map<chain::TransactionId, std::uint64_t> x_sent;  // until when it is waited for
  bool x_is_down = false;
  bool x_is_wanted = false;  // was woken while it was busy
};

/// Once a time is over, also for those who see the chain late.
[[nodiscard]] inline std::uint64_t after(const World& world, std::uint64_t time_s) {
  return time_s + (kMostLag + 2) * world.weather().slot_s;
}

}  // namespace tally::simulator
