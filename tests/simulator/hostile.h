// The dishonest: a poster of false batches, and challengers of everything, who see each block at once, pay for the
// first place in the next one, know all data, and keep to no plan but that of their seed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "chain_adapter/chain/open_disputes.h"
#include "tests/simulator/keepers.h"
#include "tests/simulator/world.h"

namespace tally::simulator {

/// How a side plays a game.
enum class Style : std::uint8_t {
  kByTheBook,  // as an honest one would, whatever it knows to be false
  kSilent,
  kRandom,   // any move that has the right form
  kGarbage,  // any bytes
  kLate,     // by the book, as late as the clock allows, or a little later
};

class Hostile {
 public:
  Hostile(World& world, Keepers& keepers, std::size_t challengers);

  /// Gives all of them money, and makes plans.
  void begin();
  [[nodiscard]] static const proof::PrivateKey& challenger(std::size_t number);

 private:
  void plan_posts();
  void plan_attacks();
  void plan_late_post();
  void post(const PooledBatch& batch);
  void send_post(const PooledBatch& batch);
  [[nodiscard]] std::vector<proof::KeeperSignature> quorum(const PooledBatch& batch);
  void attack(std::size_t challenger, const PooledBatch& batch);
  void open_game(std::size_t challenger, const PooledBatch& batch);
  void open_descent(std::size_t challenger, const PooledBatch& batch);
  void request_leaf(std::size_t challenger, const PooledBatch& batch);
  void hurry(const Chain::Executed& executed);
  void be_a_nuisance();

  void look();
  void consider(const proof::Game& game);
  void move(const proof::Game& game, Style style);
  [[nodiscard]] proof::Move poster_move(const proof::Game& game, Style style);
  [[nodiscard]] proof::Move challenger_move(const proof::Game& game, Style style);
  [[nodiscard]] proof::Move bisecting_move(const proof::Game& game, Style style);
  [[nodiscard]] proof::Move choice(const proof::Game& game);
  void answer_requests();
  void copy(const PendingTransaction& transaction);

  void send(const proof::Address& sender, const proof::Wei& value, proof::Transaction transaction,
            std::uint64_t delay_s = 0);
  [[nodiscard]] const PooledBatch* any_posted();
  [[nodiscard]] sequencer::StoredBatch& stored(const proof::Game& game);
  [[nodiscard]] std::vector<std::uint8_t> garbage();
  void if_data_allow(const std::function<void()>& action);

  World& x_world;
  Keepers& x_keepers;
  std::size_t x_challengers;
  bool x_flood = false;  // games by the thousand, all at once
  std::vector<proof::Address> x_addresses;
  Style x_defence = Style::kByTheBook;
  std::vector<Style> x_attacks;
  std::uint64_t x_answers = 0;                                     // in percent, of the requests that the liar answers
  std::uint64_t x_copies = 0;                                      // in percent
  std::set<std::pair<proof::GameId, std::uint64_t>> x_considered;  // game and when it was moved last
  std::map<proof::GameId, unsigned> x_tries;
  std::set<std::pair<proof::BatchId, proof::OpeningKey>> x_answered;
  std::deque<PendingTransaction> x_old;  // of anyone, to be sent again
  chain::OpenDisputes x_disputes;
  std::size_t x_read = 0;
  chain::TransactionId x_last_read{};
};

}  // namespace tally::simulator
