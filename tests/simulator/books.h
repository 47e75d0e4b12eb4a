// The settlement's books, kept a second time: from the events alone, how much money stands under each record's key, and
// in whose name it came and went. What the records hold must be the same, one by one and in sum.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "tests/simulator/chain.h"

namespace tally::simulator {

class Books {
 public:
  /// Begins with what the records of the genesis hold.
  explicit Books(const Genesis& genesis);

  /// Throws Violation where an event pays out what is not there, pays it again, or splits it another way than
  /// docs/spec.md 10.1 and 11 say.
  void enter(const chain::LoggedEvent& logged, const proof::StateReader& state);
  /// Throws Violation unless the records hold what the books say, and all of them together `held`.
  void compare(const Records& records, const proof::Wei& held) const;

 private:
  using KeyBytes = std::vector<std::uint8_t>;
  struct Game {
    proof::Address poster{};
    proof::Address challenger{};
    proof::TaskId task{};
  };

  void put(const KeyBytes& key, const proof::Wei& amount);
  /// All that stands there, which is something.
  [[nodiscard]] math::u128 take_all(const KeyBytes& key, const std::string& what);
  void credit(const proof::Address& to, math::u128 amount);
  /// Burns what is lost of a bond, and gives the rest.
  [[nodiscard]] math::u128 burn_share(math::u128 bond, const proof::TaskSettings& settings);
  [[nodiscard]] const proof::TaskSettings& settings(const proof::TaskId& task, const proof::StateReader& state);

  void enter_batch(const proof::Event& event, const proof::StateReader& state);
  void enter_game(const proof::Event& event, const proof::StateReader& state);
  void enter_request(const proof::Event& event, const proof::StateReader& state);
  void enter_member(const proof::Event& event, const proof::StateReader& state);
  void end_game(const proof::GameEnded& ended, const proof::StateReader& state);
  void answer(const proof::RequestAnswered& answered, const proof::StateReader& state);

  const Genesis& x_genesis;
  std::map<std::string, math::u128> x_money;
  std::map<proof::BatchId, proof::BatchHeader> x_headers;
  std::map<proof::GameId, Game> x_games;
  std::map<std::string, proof::Address> x_requesters;
  std::map<proof::TaskId, proof::TaskSettings> x_settings;
};

}  // namespace tally::simulator
