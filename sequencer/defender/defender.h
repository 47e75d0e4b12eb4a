// The defender: answers, for a poster, every game and every request about its batches that waits for it, and claims the
// timeouts of challengers that fell silent.
//
// What is nearest to its deadline comes first, and each answer stands for itself: where the data of one batch is gone,
// or the chain refuses one move, the others are given all the same (pitfall 27). Moves name the state that they answer;
// one that comes too late because the game went on without it is done (pitfall 16).
//
// Hundreds of games cost a challenger little once one of them ends the batch: the others get their bonds back. So no
// answer waits for another's block. Many are on their way at once, their fates are asked for afterwards, and the chain
// is looked at again and again meanwhile: what is more urgent by then comes first, and what failed is tried once more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "sequencer/defender/defense_view.h"
#include "sequencer/defender/stored_batch.h"

namespace tally::sequencer {

struct Defense {
  enum class Kind : std::uint8_t { kMove, kAnswer, kTimeout };
  /// kOvertaken: somebody else was faster, or the dispute ended by itself. kRefused: the chain does not take it, or
  /// would not. kFailed: the data, or the outside world. kSent: its fate is not
  /// known yet; a later report tells.
  enum class Outcome : std::uint8_t { kDone, kOvertaken, kRefused, kFailed, kSent };

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
  /// What ended since the last report, or was tried and did not. What was tried again stands here once.
  std::vector<Defense> defenses;
  /// There is more to do at once; the report was due.
  bool unfinished = false;
  /// Answers whose fate is not known yet; a later report tells.
  std::uint64_t sent = 0;
  /// Left open: they wait for others, or could not be answered.
  std::uint64_t open_games = 0;
  std::uint64_t open_requests = 0;
};

/// What to do where the poster's own data contradict what it posted. To stay silent leaves the time on the clock for
/// the data to be brought back; an answer that can be disproved ends the matter.
enum class Doubt : std::uint8_t { kStaySilent, kAnswer };

/// The clock that a defender's patience is measured with, and how it waits. Absent: the host's.
struct Pace {
  std::function<double()> now_s{};
  std::function<void(double seconds)> sleep{};
};

class Defender {
 public:
  /// Batches whose data stay open between answers.
  static constexpr std::size_t kOpenBatches = 4;
  /// Transactions whose fate is not known. Nodes keep 64 of one account beyond those that can come next (geth's
  /// accountqueue); what is sent beyond that may be dropped.
  static constexpr std::size_t kMostSent = 64;
  /// The chain is looked at again after so much time, whatever there is to do.
  static constexpr double kLookSeconds = 1;
  /// A transaction that no node has known for so long was dropped: it is sent again.
  static constexpr double kLostSeconds = 60;
  /// A report is due after so much time.
  static constexpr double kReportSeconds = 10;

  /// `key` is the poster's or its delegate's, and outlives this. `data` is searched as chain::find_batch() says.
  /// `posters`: whose batches are defended where they name the key as their delegate.
  Defender(const proof::PrivateKey& key, std::filesystem::path data, Doubt doubt = Doubt::kStaySilent, Pace pace = {},
           std::vector<proof::Address> posters = {});

  /// Reads what is new, answers what waits, and collects the fates. Throws only where the chain's events cannot be
  /// read.
  [[nodiscard]] DefenseReport defend_once(chain::ChainAdapter& chain);

 private:
  /// What is answered: a state of a game, by its hash, or a request.
  using Target = std::tuple<proof::BatchId, std::optional<math::Digest>, std::optional<proof::OpeningKey>>;
  struct Sent {
    Target target;
    chain::TransactionId id;
    proof::Transaction transaction;
    double known_s = 0;  // when a node knew it last
    Defense defense{};
    std::size_t place = 0;  // in the report
  };

  /// Sends the most urgent first. Whether something was left for want of time or room.
  [[nodiscard]] bool answer_waiting(chain::ChainAdapter& chain, DefenseReport& report);
  void attempt(chain::ChainAdapter& chain, const Target& target, Defense& defense);
  /// Until a fate is known, or the next look is due.
  void await(chain::ChainAdapter& chain, DefenseReport& report);
  /// How many fates it learnt.
  [[nodiscard]] std::size_t collect(chain::ChainAdapter& chain, DefenseReport& report);
  /// Whether the transaction's fate is known.
  [[nodiscard]] bool settle(chain::ChainAdapter& chain, Sent& sent, Defense& defense);
  void read_again_after_failure(const Defense& defense);
  /// Absent: it does not wait any more.
  [[nodiscard]] std::optional<Target> target_of(const Defense& defense) const;

  void run(chain::ChainAdapter& chain, Defense& defense);
  void move(chain::ChainAdapter& chain, Defense& defense, const proof::Game& game);
  void answer_leaf(chain::ChainAdapter& chain, Defense& defense);
  void send(chain::ChainAdapter& chain, Defense& defense, const proof::Transaction& transaction);
  /// What is too late is kRefused.
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
  Pace x_pace;
  DefenseView x_view;
  std::vector<Sent> x_sent;
  std::map<Target, std::size_t> x_places;            // of this report's defenses
  std::list<OpenBatch> x_open;                       // the last used first
  std::uint64_t x_zero_fills = 0;                    // when nothing was open
  std::map<proof::BatchId, std::string> x_unusable;  // in this report
};

}  // namespace tally::sequencer
