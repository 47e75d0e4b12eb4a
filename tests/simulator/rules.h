// What must hold in every simulation, looked at after each transaction and at every deadline:
//
//   an honest party never loses a bond;
//   a false batch never becomes final;
//   a true batch of an honest poster is never lost, and becomes final, unless a true one stood before it;
//   posters keep their turns, keepers have signed, seeds are sealed by the blocks that may, members get what is due;
//   each batch, game and request has come to its end by its deadline (deadlines.h);
//   money is conserved (chain.cpp), and is where the events say that it is (books.h);
//   clocks and periods end to the second where DESIGN says, and earlier siblings come first;
//   every refusal has a name, and what an honest party is refused is what races explain.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "tests/simulator/deadlines.h"
#include "tests/simulator/violation.h"
#include "tests/simulator/world.h"

namespace tally::simulator {

class Rules {
 public:
  explicit Rules(World& world);

  /// A party whose money is looked after.
  void add_honest(const proof::Address& address, const proof::Wei& wealth);
  [[nodiscard]] Deadlines& deadlines() { return x_deadlines; }
  /// After everything happened.
  void check_end();

 private:
  void check(const Chain::Executed& executed);
  void check_refusal(const PendingTransaction& transaction, const proof::ChainRefusal& refusal) const;
  void check_clock(const Chain::Executed& executed, const proof::Game& game) const;
  void check_period(const Chain::Executed& executed, const proof::BatchHeader& header) const;
  void check_post(const Chain::Executed& executed, const proof::Post& post) const;
  static void check_winner(const Chain::Executed& executed);
  void check_seed(const proof::SeedSealed& sealed) const;
  [[nodiscard]] bool is_true(const proof::BatchId& id) const;
  [[nodiscard]] bool is_member(const Signer& signer, std::uint64_t time_s) const;
  void check_payouts() const;
  void check_order(const proof::BatchId& final_batch) const;
  void check_event(const proof::Event& event);
  void on_posted(const proof::Posted& posted);
  void on_lost(const proof::BatchInvalid& invalid);
  void on_ended(const proof::GameEnded& ended);
  void check_honest_batches() const;
  void check_wealth();
  void check_money() const;
  void count();
  [[nodiscard]] const PooledBatch& batch(const proof::BatchId& id) const;
  [[nodiscard]] bool is_honest(const proof::Address& address) const { return x_wealth.contains(address); }

  World& x_world;
  Deadlines x_deadlines;
  std::map<proof::Address, proof::Wei> x_wealth;
  std::map<proof::GameId, proof::Address> x_challengers;
  /// A post that somebody else copied is another batch. Its poster has no data to answer with, so it has to fall.
  std::map<proof::BatchId, PooledBatch> x_copied;
};

}  // namespace tally::simulator
