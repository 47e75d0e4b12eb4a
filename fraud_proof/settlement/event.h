// What the settlement says happened, in order: all that a watchtower, a poster or a reader of history needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "fraud_proof/settlement/transaction.h"

namespace tally::proof {

struct TaskCreated {
  TaskId task{};
  TaskPreimage preimage{};
  std::vector<Digest> genesis_commitments{};
};
struct Funded {
  TaskId task{};
  Address by{};
  Wei amount{};
};
struct Registered {
  TaskId task{};
  std::uint64_t member = 0;
  Address wallet{};
  Wei stake{};
};
struct KeyBound {
  TaskId task{};
  std::uint64_t member = 0;
  Address key{};
};
struct KeyUnbound {
  TaskId task{};
  std::uint64_t member = 0;
  Address key{};
  std::uint64_t at_s = 0;
};
struct ExitRequested {
  TaskId task{};
  std::uint64_t member = 0;
  std::uint64_t exit_at_s = 0;
};
struct StakeWithdrawn {
  TaskId task{};
  std::uint64_t member = 0;
  Wei amount{};
};
struct SeedSealed {
  TaskId task{};
  BatchId parent{};
  Digest seed{};
};
struct Posted {
  BatchId batch{};
  BatchHeader header{};
  /// Commitments before the batch, in program order.
  std::vector<Digest> state_commitments{};
  /// Roots of the advice and computed tables' trees, in program order.
  std::vector<Digest> table_roots{};
  Digest seed{};  // zero where the program uses none
};
struct Finalized {
  TaskId task{};
  BatchId batch{};
};
enum class LossCause : std::uint8_t {
  kEntry = 1,    // a game's proof
  kTimeout = 2,  // the poster's clock in a game
  kRecordOrder = 3,
  kRecordSigner = 4,
  kRecordSignature = 5,
  kAdviceRange = 6,
  kWithheld = 7,
};
[[nodiscard]] std::string_view to_string(LossCause cause);
struct BatchInvalid {
  TaskId task{};
  BatchId batch{};
  LossCause cause = LossCause::kEntry;
  Address winner{};
  Wei reward{};
  Wei burned{};
};
struct BondReleased {
  BatchId batch{};
  Address poster{};
  Wei amount{};
};
struct GameOpened {
  Game game{};
};
struct GameMoved {
  Move move{};
  Address by{};
  Game game{};  // after the move
};
enum class GameOutcome : std::uint8_t {
  kPosterDisproved = 1,
  kPosterTimeout = 2,
  kChallengerTimeout = 3,
  kRefunded = 4,  // the batch fell by another's hand
};
[[nodiscard]] std::string_view to_string(GameOutcome outcome);
struct GameEnded {
  GameId game{};
  BatchId batch{};
  GameOutcome outcome = GameOutcome::kPosterDisproved;
  /// Absent: a claim, not a move, ended it.
  std::optional<Move> move{};
};
struct Committed {
  Address by{};
  Digest commitment{};
};
struct LeafRequested {
  BatchId batch{};
  OpeningKey leaf{};
  Address by{};
};
struct RequestAnswered {
  BatchId batch{};
  OpeningKey leaf{};
  Address by{};
  std::vector<std::uint8_t> openings{};
};
/// The request's bond went back to who asked: nobody answered in time, or the batch fell by another's hand before.
struct RequestWithheld {
  BatchId batch{};
  OpeningKey leaf{};
  Address by{};
};
struct PaidOut {
  TaskId task{};
  math::ObjectId object = 0;
  std::uint64_t member = 0;
  Address wallet{};
  Wei amount{};
};
struct Withdrawn {
  Address by{};
  Wei amount{};
};
/// Invalid children of a node lie behind it: `first_live` is the position of the first that may be valid.
struct Skipped {
  TaskId task{};
  BatchId parent{};
  std::uint64_t first_live = 0;
};

/// In the order of their wire values, which begin at 1. Whatever a chain accepts tells at least one.
using Event = std::variant<TaskCreated, Funded, Registered, KeyBound, KeyUnbound, ExitRequested, StakeWithdrawn,
                           SeedSealed, Posted, Finalized, BatchInvalid, BondReleased, GameOpened, GameMoved, GameEnded,
                           Committed, LeafRequested, RequestAnswered, PaidOut, Withdrawn, RequestWithheld, Skipped>;

/// "TaskCreated", …: as in Solidity.
[[nodiscard]] std::string_view name_of(const Event& event);

[[nodiscard]] std::vector<std::uint8_t> encode(const Event& event);
/// kMalformed unless the bytes are what encode() gives.
[[nodiscard]] OrRefused<Event> decode_event(math::Bytes bytes);

}  // namespace tally::proof
