// What must hold in every simulation, looked at after each transaction and at every deadline:
//
//   an honest party never loses a bond;
//   a false batch never becomes final, and falls (or is orphaned or superseded) by its deadline;
//   a true batch of an honest poster is never lost, and is final by its deadline, unless a true one stood before it;
//   money is conserved (chain.cpp, and the sum of all at the end);
//   each game and each request ends by its deadline;
//   clocks and periods end to the second where DESIGN says, and earlier siblings come first;
//   every refusal has a name, and what an honest party is refused is what races explain.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "tests/simulator/violation.h"
#include "tests/simulator/world.h"

namespace tally::simulator {

class Rules {
 public:
  explicit Rules(World& world);

  /// A party whose money is looked after.
  void add_honest(const proof::Address& address, const proof::Wei& wealth);
  /// Everybody has his money, and nothing has happened yet.
  void begin();
  /// After everything happened.
  void check_end();

 private:
  void check(const Chain::Executed& executed);
  void check_refusal(const PendingTransaction& transaction, const proof::ChainRefusal& refusal) const;
  void check_clock(const Chain::Executed& executed, const proof::Game& game) const;
  void check_period(const Chain::Executed& executed, const proof::BatchHeader& header) const;
  void check_order(const proof::BatchId& final_batch) const;
  void check_event(const proof::Event& event, std::uint64_t time_s);
  void on_posted(const proof::Posted& posted, std::uint64_t time_s);
  void on_lost(const proof::BatchInvalid& invalid);
  void on_ended(const proof::GameEnded& ended);
  void watch_game(const proof::Game& game);
  void watch_request(const proof::LeafRequested& requested, std::uint64_t time_s);
  void check_batch(const PooledBatch& batch);
  void check_wealth();
  void count();
  [[nodiscard]] const PooledBatch& batch(const proof::BatchId& id) const;
  [[nodiscard]] bool is_honest(const proof::Address& address) const { return x_wealth.contains(address); }
  [[nodiscard]] std::uint64_t slack_s() const;
  [[nodiscard]] math::u128 supply() const;

  World& x_world;
  std::map<proof::Address, proof::Wei> x_wealth;
  std::map<proof::BatchId, std::uint64_t> x_deadlines;  // by which it is no longer pending
  std::map<proof::GameId, proof::Address> x_challengers;
  /// A post that somebody else copied is another batch. Its poster has no data to answer with, so it has to fall.
  std::map<proof::BatchId, PooledBatch> x_copied;
  math::u128 x_supply = 0;
};

}  // namespace tally::simulator
