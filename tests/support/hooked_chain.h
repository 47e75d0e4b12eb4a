// A chain on which a test may do something just before each transaction of a party gets there, or change it, and just
// after; which may be out of reach for some time, tell events late or others than there were, and whose head may say
// what a reorganisation takes back.
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>

#include "chain_adapter/chain/chain.h"

namespace tally::test {

class HookedChain final : public chain::ChainAdapter {
 public:
  using Hook = std::function<void(proof::Transaction& transaction)>;

  explicit HookedChain(chain::ChainAdapter& inner, Hook before_submit = {}, Hook after_submit = {})
      : x_inner(inner), x_before(std::move(before_submit)), x_after(std::move(after_submit)) {}

  [[nodiscard]] chain::ChainIdentity identity() override { return x_inner.identity(); }
  [[nodiscard]] chain::Head head() override {
    fail_in(x_outage);
    ++x_looks;
    if (x_at_look) x_at_look();
    return x_inner.head();
  }
  /// As many looks at the chain fail as are left of an outage. Any thread may say so.
  [[nodiscard]] std::atomic<int>& outage() { return x_outage; }
  /// The same for reading events.
  [[nodiscard]] std::atomic<int>& outage_of_events() { return x_outage_of_events; }
  /// Called at each look at the chain.
  [[nodiscard]] std::function<void()>& at_look() { return x_at_look; }
  /// Called with each event that is told.
  [[nodiscard]] std::function<void(proof::Event& event)>& at_event() { return x_at_event; }
  /// Events from this position on are not told yet.
  [[nodiscard]] std::uint64_t& told_until() { return x_told_until; }
  /// What the records are meanwhile; null: the chain's own.
  void show(const proof::StateReader* records) { x_shown = records; }
  /// Looks at the chain that did not fail.
  [[nodiscard]] int looks() const { return x_looks; }

  [[nodiscard]] chain::TransactionId submit(const chain::Submission& submission) override {
    proof::Transaction transaction = submission.transaction;
    if (x_before) x_before(transaction);
    const auto id = x_inner.submit({.key = submission.key, .value = submission.value, .transaction = transaction});
    if (x_after) x_after(transaction);
    return id;
  }
  [[nodiscard]] chain::TransactionFate fate(const chain::TransactionId& id) override { return x_inner.fate(id); }
  [[nodiscard]] std::vector<chain::LoggedEvent> events(std::uint64_t from, std::size_t limit) override {
    fail_in(x_outage_of_events);
    auto events = x_inner.events(from, limit);
    std::erase_if(events, [&](const chain::LoggedEvent& logged) { return logged.position >= x_told_until; });
    for (chain::LoggedEvent& logged : events) {
      if (x_at_event) x_at_event(logged.event);
    }
    return events;
  }
  [[nodiscard]] const proof::StateReader& state() override { return x_shown == nullptr ? x_inner.state() : *x_shown; }
  [[nodiscard]] proof::Wei balance(const proof::Address& account) override { return x_inner.balance(account); }

 private:
  static void fail_in(std::atomic<int>& outage) {
    if (outage.load() == 0) return;
    --outage;
    throw std::runtime_error("the chain is out of reach");
  }

  chain::ChainAdapter& x_inner;
  Hook x_before;
  Hook x_after;
  std::function<void()> x_at_look;
  std::function<void(proof::Event&)> x_at_event;
  const proof::StateReader* x_shown = nullptr;
  std::uint64_t x_told_until = std::numeric_limits<std::uint64_t>::max();
  std::atomic<int> x_outage = 0;
  std::atomic<int> x_outage_of_events = 0;
  std::atomic<int> x_looks = 0;
};

}  // namespace tally::test
