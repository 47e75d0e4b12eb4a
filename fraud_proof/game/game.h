// The game: one challenger against one batch's poster over one entry. A pure function from a state and a move to the
// next state, or to a verdict, or to a refusal.
//
// Bisection. The entry's states (step/one_step.h) are numbered 0 … L+1. The challenger agrees with the poster on state
// `low` and disputes state `high`; at first 0 and L+1. While high - low > 1 the poster responds with the accumulators
// at the interior boundaries of n = min(arity, high - low) segments, boundary i standing at low + floor((high -
// low)·i/n), and the challenger narrows to the first segment whose start it agrees with and whose end it does not. At
// high - low = 1 the challenger proves: the chain runs the one transition from the agreed state, and if it leads
// elsewhere than claimed, or to FAIL, the poster has lost.
//
// Descent. Where the poster withholds computed tables, the game begins at the roots of result tables of the body (in a
// loop: of any of the loop's items). The poster reveals, for each table under descent, the nodes up to 4 levels below
// the current one, the challenger picks one of them, until each has come to a leaf and the leaf's bytes are revealed.
// Then the challenger chooses an entry, and the bisection begins. A node over n leaves, of height h = ceil(log2 n), is
// revealed as the roots of its blocks of 2^max(h-4, 0) leaves; the last block may be smaller.
//
// Clocks. Each side has one clock for the whole game. It runs while that side is to move; a move is in time iff the
// time since the last move is at most what the clock holds, and takes that much off it. A timeout may be claimed iff it
// is more.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <variant>
#include <vector>

#include "deterministic_math/bytecode/cost.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/commitments/ids.h"
#include "fraud_proof/commitments/task_settings.h"
#include "fraud_proof/refusals/reason.h"
#include "fraud_proof/signing/address.h"
#include "fraud_proof/step/committed_batch.h"

namespace tally::proof {

/// What the next move is, and so whose turn it is. Wire values.
enum class Phase : std::uint8_t {
  kReveal = 0,   // poster
  kDescend = 1,  // challenger
  kChoose = 2,   // challenger
  kRespond = 3,  // poster
  kNarrow = 4,   // challenger
  kProve = 5,    // challenger
};

enum class Side : std::uint8_t { kPoster = 0, kChallenger = 1 };

[[nodiscard]] Side to_move(Phase phase);

/// One table under descent. The current node stands over leaves [first_leaf, first_leaf + leaves).
struct Descent {
  math::ObjectId object = 0;
  std::uint64_t first_leaf = 0;
  std::uint64_t leaves = 0;
  Digest node{};
  /// kDescend: the revealed nodes below, from the left. Otherwise empty.
  std::vector<Digest> children{};
  bool located = false;  // the node is a leaf whose bytes were revealed
  bool operator==(const Descent&) const = default;
};

inline constexpr std::size_t kRevealLevels = 4;
inline constexpr std::size_t kMaxChildren = 16;
/// Tables under descent in one game: what keeps every move within a transaction (most_reveal_bytes).
inline constexpr std::size_t kMaxDescents = 128;
inline constexpr std::uint64_t kMaxRevealBytes = 64 * 1024;
/// Accumulators at the boundaries of the most segments.
inline constexpr std::size_t kMaxClaimBytes = (kMaxArity - 1) * math::kMaxAccumulators * sizeof(math::i128);
/// Openings in one move: no transaction is longer.
inline constexpr std::size_t kMaxOpeningsBytes = 128 * 1024;
/// The entry of a game that begins with a descent, until one is chosen.
inline constexpr std::uint64_t kNoEntry = ~std::uint64_t{0};

struct Game {
  GameId id{};
  TaskId task{};
  BatchId batch{};
  Address poster{};
  /// May move for the poster; zero: nobody.
  Address delegate{};
  Address challenger{};
  Wei bond{};  // the challenger's
  Phase phase = Phase::kRespond;
  std::uint64_t poster_clock_s = 0;
  std::uint64_t challenger_clock_s = 0;
  std::uint64_t moved_at_s = 0;
  std::uint16_t item = 0;
  std::uint64_t entry = kNoEntry;
  std::vector<Descent> descents{};  // empty once the bisection runs
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  math::Accumulators at_low{};
  /// While high is L+1, the committed results.
  math::Accumulators at_high{};
  math::ResultValues results{};
  /// kNarrow: the claims of the last response, as they came (decode_claims). Otherwise empty.
  std::vector<std::uint8_t> claims{};
  bool operator==(const Game&) const = default;
};

/// The bytes that the chain keeps the hash of, and that travel with each move. Canonical: decode accepts what encode
/// gives, and nothing else (kMalformed).
[[nodiscard]] std::vector<std::uint8_t> encode(const Game& game);
[[nodiscard]] OrRefused<Game> decode_game(math::Bytes bytes);
/// SHA-256(0x08 ‖ encoded game).
[[nodiscard]] Digest game_hash(const Game& game);

// The moves. Bytes are laid out as docs/spec.md says.

/// For each table not yet located, in order: the nodes below its current one, or, where that is a leaf, its bytes.
struct Reveal {
  struct Answer {
    std::vector<Digest> nodes{};
    std::vector<std::uint8_t> leaf{};
    bool operator==(const Answer&) const = default;
  };
  std::vector<Answer> answers{};
  bool operator==(const Reveal&) const = default;
};
/// For each table not yet located, in order: which of its children.
struct Descend {
  std::vector<std::uint8_t> children{};
  bool operator==(const Descend&) const = default;
};
/// An entry of the body, or of the loop, that the descent began with, and the openings of its results.
struct Choose {
  std::uint16_t item = 0;
  std::uint64_t entry = 0;
  std::vector<std::uint8_t> openings{};
  bool operator==(const Choose&) const = default;
};
/// The accumulators at the interior boundaries, each at its proved width, big-endian, in order of declaration.
struct Respond {
  std::vector<std::uint8_t> claims{};
  bool operator==(const Respond&) const = default;
};
struct Narrow {
  std::uint8_t segment = 0;
  bool operator==(const Narrow&) const = default;
};
struct Prove {
  std::vector<std::uint8_t> witness{};
  bool operator==(const Prove&) const = default;
};
struct NarrowAndProve {
  std::uint8_t segment = 0;
  std::vector<std::uint8_t> witness{};
  bool operator==(const NarrowAndProve&) const = default;
};

using Move = std::variant<Reveal, Descend, Choose, Respond, Narrow, Prove, NarrowAndProve>;

void encode(const Move& move, math::ByteWriter& writer);
/// Reads a move, and nothing behind it.
[[nodiscard]] OrRefused<Move> decode_move(math::ByteReader& reader);

/// The poster's claim is disproved. (The challenger only ever loses by its clock.)
struct PosterLost {
  bool operator==(const PosterLost&) const = default;
};

using MoveResult = std::variant<Game, PosterLost>;

/// Who plays, and with what clocks.
struct GameStart {
  GameId id{};
  BatchId batch{};
  Address poster{};
  Address delegate{};
  Address challenger{};
  Wei bond{};
  std::uint64_t clock_s = 0;
  std::uint64_t now_s = 0;
};

/// A game over an entry whose results are opened at once.
[[nodiscard]] OrRefused<Game> open_game(const CommittedBatch& batch, const GameStart& start, std::uint16_t item,
                                        std::uint64_t entry, math::Bytes openings);

/// A game that begins with a descent into `tables` (strictly ascending ids of non-empty result tables of the item, or
/// of any item of its loop). `roots` holds, for each of them, its root and the path of its commitment to tables_root.
[[nodiscard]] OrRefused<Game> open_descent(const CommittedBatch& batch, const GameStart& start, std::uint16_t item,
                                           std::span<const math::ObjectId> tables, math::Bytes roots);
[[nodiscard]] std::vector<std::uint8_t> make_roots(const CommittedBatch& batch, std::span<const math::ObjectId> tables,
                                                   std::span<const Digest> tree_roots,
                                                   std::span<const Digest> table_commitments);

struct MoveContext {
  const CommittedBatch& batch;
  std::uint16_t arity = 32;
  Address sender{};
  std::uint64_t now_s = 0;
};

[[nodiscard]] OrRefused<MoveResult> apply_move(const MoveContext& context, const Game& game, const Move& move);

/// The side that loses because its clock ran out; kClockRunning where it did not.
[[nodiscard]] OrRefused<Side> claim_timeout(const Game& game, std::uint64_t now_s);

/// The positions of the interior boundaries between low and high, ascending; at most arity - 1 of them.
[[nodiscard]] std::vector<std::uint64_t> boundary_positions(std::uint64_t low, std::uint64_t high, std::uint16_t arity);

/// Bytes that a claimed accumulator takes: the fewest that hold every value of its proved range in two's complement.
[[nodiscard]] std::size_t accumulator_width(const math::Range& range);
[[nodiscard]] std::vector<std::uint8_t> encode_claims(const math::Body& body,
                                                      std::span<const math::Accumulators> claims);
/// Any bytes of the right size are claims, also of values outside the proved ranges; kClaimSize.
[[nodiscard]] OrRefused<std::vector<math::Accumulators>> decode_claims(const math::Body& body, std::size_t count,
                                                                       math::Bytes claims);

/// The nodes that reveal a node over `leaves` digests: the roots of its blocks.
[[nodiscard]] std::vector<Digest> reveal_nodes(std::span<const Digest> leaves);
/// Leaves in each block but perhaps the last; 1 where the blocks are leaves.
[[nodiscard]] std::uint64_t reveal_block(std::uint64_t leaves);

/// The most moves that a side may have to make in any game of the program at this shape, which validate_for_task has
/// accepted. create_task asks that the clock holds them.
[[nodiscard]] std::uint64_t most_moves(const math::Program& program, const math::TaskShape& shape, std::uint16_t arity);

/// An upper bound of the nodes and leaves that one Reveal may have to hold: all result tables of one item, or of one
/// loop. create_task refuses a program where it is more than kMaxRevealBytes (kProgramTooLarge), so that every descent
/// can be answered.
[[nodiscard]] std::uint64_t most_reveal_bytes(const math::Program& program, const math::TaskShape& shape);

}  // namespace tally::proof
