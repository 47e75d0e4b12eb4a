// One simulation: virtual time, the chain, who hears of what happens there, and what must hold.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <variant>
#include <vector>

#include "tests/simulator/batch_pool.h"
#include "tests/simulator/chain.h"
#include "tests/simulator/random.h"

namespace tally::simulator {

/// What the outside world does to the honest, by seed.
struct Weather {
  std::uint64_t slot_s = 12;
  /// In percent: of transactions, of questions to the chain, of slots in which something happens at all.
  std::uint64_t lost = 0;
  std::uint64_t late = 0;
  std::uint64_t doubled = 0;
  std::uint64_t out_of_reach = 0;
  std::uint64_t lagging = 0;
  std::uint64_t reorganised = 0;
  std::uint64_t crashed = 0;
};

[[nodiscard]] Weather draw_weather(Random& random);

struct Figures {
  std::uint64_t batches = 0;
  std::uint64_t final_batches = 0;
  std::uint64_t lost_batches = 0;
  std::uint64_t disputes = 0;  // games that ended
  std::uint64_t transactions = 0;
  std::uint64_t refusals = 0;
  std::uint64_t reorganisations = 0;
  std::uint64_t crashes = 0;
  /// By kind, in the order of proof::Transaction.
  std::array<std::uint64_t, std::variant_size_v<proof::Transaction>> accepted{};

  /// Of batches, by proof::LossCause, which begins at 1.
  std::array<std::uint64_t, 8> losses{};

  void add(const Figures& other);
};

/// Slots that an event is old before a daemon hears of it; no reorganisation is deeper.
inline constexpr std::uint64_t kConfirmations = 4;
inline constexpr std::uint64_t kMostLag = 3;

class World {
 public:
  using Listener = std::function<void(const Chain::Executed&)>;

  World(BatchPool& pool, std::uint64_t seed, std::vector<std::string>* trace);

  [[nodiscard]] BatchPool& pool() { return x_pool; }
  [[nodiscard]] TaskPool& task() { return x_task; }
  [[nodiscard]] const proof::TaskSettings& settings() const { return x_task.settings(); }
  [[nodiscard]] Random& random() { return x_random; }
  [[nodiscard]] Chain& chain() { return x_chain; }
  [[nodiscard]] const Weather& weather() const { return x_weather; }
  [[nodiscard]] Figures& figures() { return x_figures; }

  [[nodiscard]] std::uint64_t now_s() const { return x_now_s; }
  [[nodiscard]] std::uint64_t slot() const { return x_chain.slot_at(x_now_s); }
  [[nodiscard]] StateAt tip() const { return {x_chain, slot()}; }

  void at(std::uint64_t time_s, std::function<void()> action);
  /// Hands a transaction to the chain; mined when it is ready.
  chain::TransactionId submit(PendingTransaction transaction);
  /// Called for each transaction that is executed, refused ones too; after a reorganisation for what comes instead.
  void listen(Listener listener) { x_listeners.push_back(std::move(listener)); }
  /// Called after each block that is not empty.
  void after_blocks(std::function<void()> action) { x_after_blocks.push_back(std::move(action)); }
  /// Called when a reorganisation made transactions vanish.
  void after_losses(std::function<void()> action) { x_after_losses.push_back(std::move(action)); }
  /// When blocks were taken back.
  [[nodiscard]] const std::vector<std::uint64_t>& reorganised_s() const { return x_reorganised_s; }
  /// Called when a transaction is in the mempool, for all to see.
  void watch_mempool(std::function<void(const PendingTransaction&)> action) { x_watchers.push_back(std::move(action)); }

  /// Until nothing is left to happen.
  void run();

  template <class Text>
  void trace(const Text& text) {
    if (x_trace != nullptr) x_trace->push_back(std::to_string(x_now_s - x_chain.genesis().start_s) + " s: " + text());
  }

 private:
  struct Action {
    std::uint64_t time_s = 0;
    std::uint64_t sequence = 0;
    std::function<void()> run;
    bool operator<(const Action& other) const {
      return time_s != other.time_s ? time_s > other.time_s : sequence > other.sequence;
    }
  };

  void schedule_block();
  void mine();
  void visit(const Chain::Executed& executed);

  BatchPool& x_pool;
  Random x_random;
  TaskPool& x_task;
  Weather x_weather;
  Chain x_chain;
  std::vector<std::string>* x_trace;
  Figures x_figures;
  std::uint64_t x_now_s = 0;
  std::uint64_t x_sequence = 0;
  std::vector<std::uint64_t> x_reorganised_s;
  bool x_is_block_due = false;
  std::priority_queue<Action> x_actions;
  std::vector<Listener> x_listeners;
  std::vector<std::function<void()>> x_after_blocks;
  std::vector<std::function<void()>> x_after_losses;
  std::vector<std::function<void(const PendingTransaction&)>> x_watchers;
};

}  // namespace tally::simulator
