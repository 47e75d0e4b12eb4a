// The defender: answers, for a poster, every game and every request about its batches that waits for it, and claims the
// timeouts of challengers that fell silent.
//
// What is nearest to its deadline comes first, and each answer stands for itself: where the data of one batch is gone,
// or the chain refuses one move, the others are given all the same (pitfall 27). Moves name the state that they answer;
// one that comes too late because the game went on without it is done (pitfall 16).
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "sequencer/defender/defense_view.h"
#include "sequencer/defender/stored_batch.h"

namespace tally::sequencer {

struct Defense {
  enum class Kind : std::uint8_t { kMove, kAnswer, kTimeout };
  /// kOvertaken: somebody else was faster, or the dispute ended by itself. kRefused: the chain does not take it, or
  /// would not. kFailed: the data, or the outside world.
  enum class Outcome : std::uint8_t { kDone, kOvertaken, kRefused, kFailed };

  Kind kind = Kind::kMove;
  Outcome outcome = Outcome::kDone;
  proof::BatchId batch{};
  std::optional<proof::GameId> game{};      // kMove, kTimeout
  std::optional<proof::Phase> phase{};      // kMove: what was answered
  std::optional<proof::OpeningKey> leaf{};  // kAnswer
  std::uint64_t deadline_s = 0;
  double prepare_s = 0;     // to make the answer, the data's opening included
  std::uint64_t bytes = 0;  // of the transaction
  std::string message;      // why not
};

[[nodiscard]] std::string_view to_string(Defense::Kind kind);
[[nodiscard]] std::string_view to_string(Defense::Outcome outcome);

struct DefenseReport {
  std::vector<Defense> defenses;
  /// Left open: they wait for others, or could not be answered.
  std::uint64_t open_games = 0;
  std::uint64_t open_requests = 0;
};

/// What to do where the poster's own data contradict what it posted. To stay silent leaves the time on the clock for
/// the data to be brought back; an answer that can be disproved ends the matter.
enum class Doubt : std::uint8_t { kStaySilent, kAnswer };

class Defender {
 public:
  /// Batches whose data stay open between answers.
  static constexpr std::size_t kOpenBatches = 4;

  /// `key` is the poster's or its delegate's, and outlives this. `data` is searched as chain::find_batch() says.
  Defender(const proof::PrivateKey& key, std::filesystem::path data, Doubt doubt = Doubt::kStaySilent);

  /// Reads what is new, and answers what waits. Throws only where the chain's events cannot be read.
  [[nodiscard]] DefenseReport defend_once(chain::ChainAdapter& chain);

 private:
  void run(chain::ChainAdapter& chain, Defense& defense);
  void move(chain::ChainAdapter& chain, Defense& defense, const proof::Game& game);
  void answer_leaf(chain::ChainAdapter& chain, Defense& defense);
  void send(chain::ChainAdapter& chain, Defense& defense, const proof::Transaction& transaction);
  /// The game as it is now, where it still waits for this defense.
  [[nodiscard]] const proof::Game* waiting_game(const Defense& defense) const;
  [[nodiscard]] std::vector<Defense> plan(chain::ChainAdapter& chain) const;
  /// Both throw std::runtime_error where the data is not there.
  [[nodiscard]] StoredBatch& open(chain::ChainAdapter& chain, const proof::BatchId& batch);

  /// Once an answer is made: files may be cut while they are read. Throws std::runtime_error.
  void check_whole(const StoredBatch& stored) const;
  [[nodiscard]] std::unique_ptr<StoredBatch> load(chain::ChainAdapter& chain, const proof::BatchId& batch) const;

  struct OpenBatch {
    proof::BatchId id;
    std::unique_ptr<StoredBatch> batch;
  };

  const proof::PrivateKey& x_key;
  proof::Address x_address;
  std::filesystem::path x_data;
  Doubt x_doubt;
  DefenseView x_view;
  std::list<OpenBatch> x_open;                       // the last used first
  std::uint64_t x_zero_fills = 0;                    // when nothing was open
  std::map<proof::BatchId, std::string> x_unusable;  // in this pass
};

}  // namespace tally::sequencer
