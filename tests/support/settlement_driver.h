// Drives a SettlementWorld with a sequence of transactions that a source of choices makes up: mostly sensible ones, by
// anyone, at any time, now and then with wrong money, stale states or changed bytes. After each it asserts what must
// always hold:
//
//   no money appears or disappears; what was applied before has no effect on what is applied now; what a batch's node
//   counts as open is open; a final batch stays final and a lost one lost; final batches form one line.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/settlement_world.h"

namespace tally::test {

class SettlementDriver {
 public:
  /// A number below `limit`.
  using Choice = std::function<std::uint64_t(std::uint64_t limit)>;

  /// The world has one member, and a slot for another.
  SettlementDriver(SettlementWorld& world, Choice choose);

  /// One transaction, or a move of the clock.
  void step();
  /// Ends every game and request, lets every batch become what it will be, and takes out all that can be taken. Nothing
  /// may be left but the pool and what was burned.
  void settle();

  /// How often each kind of transaction was accepted, by its place in Transaction.
  [[nodiscard]] const std::map<std::size_t, std::uint64_t>& accepted() const { return x_accepted; }

 private:
  struct KnownGame {
    proof::Game game{};
    std::size_t batch = 0;
    bool open = true;
  };
  struct KnownRequest {
    proof::OpeningKey leaf{};
    std::size_t batch = 0;
    bool open = true;
  };

  bool send(const proof::PrivateKey& sender, const proof::Wei& value, const proof::Transaction& transaction);
  /// A changed copy of the transaction's bytes, where that decodes.
  void send_changed(const proof::PrivateKey& sender, const proof::Wei& value, const proof::Transaction& transaction);
  /// A machine that has seen nothing gives the same effects, or the same refusal.
  void check_repeatable(const proof::PrivateKey& sender, const proof::Wei& value,
                        const proof::Transaction& transaction);
  void note(const std::vector<proof::Event>& events);
  void check();

  void wait();
  void tasks_and_members();
  void post();
  void tree();
  void open();
  void move();
  void end_game();
  void show_proof();
  void requests();
  void money_out();

  [[nodiscard]] bool chance(std::uint64_t in) { return x_choose(in) == 0; }
  [[nodiscard]] const proof::PrivateKey& anyone() { return *x_people[x_choose(x_people.size())]; }
  [[nodiscard]] const proof::PrivateKey& wallet_of(std::uint64_t member);
  [[nodiscard]] const proof::PrivateKey& person(const proof::Address& address) const;
  /// Of one of the people, without computing it again.
  [[nodiscard]] const proof::Address& address_of(const proof::PrivateKey& person) const;
  /// The money of everyone in the world, and of the settlement.
  [[nodiscard]] proof::Wei supply();
  [[nodiscard]] proof::Wei about(const proof::Wei& amount);
  [[nodiscard]] std::size_t some_batch() { return x_choose(x_batches.size()); }
  [[nodiscard]] proof::Move sensible_move(const KnownGame& known);
  [[nodiscard]] proof::OpeningKey some_leaf();
  [[nodiscard]] proof::ClaimPayout payout(std::size_t batch);

  SettlementWorld& x_world;
  Choice x_choose;
  std::vector<const proof::PrivateKey*> x_people;
  std::vector<proof::Address> x_addresses;  // of the people
  std::vector<proof::PrivateKey> x_devices;
  std::deque<WorldBatch> x_batches;
  std::map<proof::GameId, KnownGame> x_games;
  std::vector<KnownRequest> x_requests;
  std::vector<std::pair<proof::ShowProof, const proof::PrivateKey*>> x_committed;
  std::map<std::size_t, std::uint64_t> x_accepted;
  std::set<proof::BatchId> x_final;
  std::set<proof::BatchId> x_lost;
  proof::Wei x_supply{};
};

}  // namespace tally::test
