// Everything that a party has to send fits a transaction, whatever task the chain has accepted: each test builds the
// longest that the limits allow.
#include <gtest/gtest.h>

#include "fraud_proof/settlement/transaction.h"

namespace tally::proof {
namespace {

constexpr std::size_t kDigest = sizeof(Digest::bytes);
// A table has fewer than 2^40 elements of at most 16 bytes, in leaves of at least 64 bytes; with larger leaves the path
// loses 32 bytes where the leaf doubles.
constexpr std::size_t kLongestLeafAndPath = math::kMaxLeafBytes + 32 * kDigest;
constexpr std::size_t kTables = math::kMaxItems * math::kMaxResults;
constexpr std::size_t kUpperPath = 10 * kDigest;
static_assert(kTables == std::size_t{1} << 10);
constexpr std::size_t kResultOpenings =
    math::kMaxResults * (math::kOpeningHeadBytes + kLongestLeafAndPath + kUpperPath);
constexpr std::size_t kRecord = 101 + 32 * math::kMaxRows + 8 * math::kMaxFields;
constexpr std::size_t kRecordOpening = math::kOpeningHeadBytes + kRecord + 28 * kDigest;

std::vector<std::uint8_t> bytes(std::size_t count) { return std::vector<std::uint8_t>(count, 0xff); }

bool fits(const Transaction& transaction) {
  const auto encoded = encode(transaction);
  return encoded.size() <= kMaxTransactionBytes && decode_transaction(encoded).has_value();
}

/// With every value that a bisection can hold, and the claims of a response.
Game bisected() {
  Game game{.phase = Phase::kNarrow, .item = 1, .entry = 1, .low = 0, .high = 1'000};
  game.at_low.fill(-1);
  game.at_high.fill(-1);
  game.results.fill(-1);
  game.claims = bytes(kMaxClaimBytes);
  return game;
}

/// Under as many tables as one game takes.
Game descending(Phase phase) {
  Game game{.phase = phase, .item = 1};
  for (std::size_t i = 0; i < kMaxDescents; ++i) {
    Descent descent{.object = static_cast<math::ObjectId>(i + 2), .first_leaf = 0, .leaves = 1 << 20};
    if (phase == Phase::kDescend) descent.children.resize(kMaxChildren);
    if (phase == Phase::kChoose) descent.leaves = 1;
    descent.located = phase == Phase::kChoose;
    game.descents.push_back(std::move(descent));
  }
  return game;
}

TEST(TransactionSize, holds_the_longest_witness) {
  const MakeMove made{.game = bisected(),
                      .move = NarrowAndProve{.segment = 1, .witness = bytes(math::kMaxOpeningBytes)}};
  EXPECT_TRUE(fits(made));
}

TEST(TransactionSize, holds_the_longest_response) {
  Game game = bisected();
  game.phase = Phase::kRespond;
  game.claims.clear();
  EXPECT_TRUE(fits(MakeMove{.game = game, .move = Respond{.claims = bytes(kMaxClaimBytes)}}));
}

TEST(TransactionSize, holds_the_longest_reveals_and_descents) {
  Reveal nodes;
  Descend down;
  static_assert(kMaxDescents * kMaxChildren * kDigest <= kMaxRevealBytes);
  for (std::size_t i = 0; i < kMaxDescents; ++i) {
    nodes.answers.push_back({.nodes = std::vector<Digest>(kMaxChildren)});
    down.children.push_back(kMaxChildren - 1);
  }
  EXPECT_TRUE(fits(MakeMove{.game = descending(Phase::kReveal), .move = nodes}));
  EXPECT_TRUE(fits(MakeMove{.game = descending(Phase::kDescend), .move = down}));

  Reveal leaves;
  for (std::size_t i = 0; i < kMaxRevealBytes / math::kMaxLeafBytes; ++i)
    leaves.answers.push_back({.leaf = bytes(math::kMaxLeafBytes)});
  EXPECT_TRUE(fits(MakeMove{.game = descending(Phase::kReveal), .move = leaves}));
}

TEST(TransactionSize, holds_the_longest_results_of_an_entry) {
  EXPECT_TRUE(fits(OpenGame{.item = 1, .openings = bytes(kResultOpenings)}));
  EXPECT_TRUE(fits(MakeMove{.game = descending(Phase::kChoose),
                            .move = Choose{.item = 1, .entry = 1, .openings = bytes(kResultOpenings)}}));
}

TEST(TransactionSize, holds_the_roots_of_every_table_that_a_game_descends_into) {
  OpenDescent open{.item = 1, .roots = bytes(kMaxDescents * (kDigest + kUpperPath))};
  for (std::size_t i = 0; i < kMaxDescents; ++i) open.tables.push_back(static_cast<math::ObjectId>(i));
  EXPECT_TRUE(fits(open));
}

TEST(TransactionSize, holds_the_largest_post_with_all_keepers) {
  Post post{.record_count = 1};
  post.state_commitments.resize(math::kMaxStates);
  post.table_roots.resize(kTables);
  post.keepers.resize(kMaxKeepers);
  EXPECT_TRUE(fits(post));
}

TEST(TransactionSize, holds_every_leaf_that_can_be_requested_and_every_local_proof) {
  EXPECT_TRUE(fits(
      AnswerRequest{.openings = bytes(kRecordOpening + math::kOpeningHeadBytes + kLongestLeafAndPath + kUpperPath)}));
  EXPECT_TRUE(fits(ShowProof{.proof = RecordOrderProof{.index = 0, .openings = bytes(2 * kRecordOpening)}}));
  EXPECT_TRUE(fits(ShowProof{
      .proof = AdviceRangeProof{.openings = bytes(math::kOpeningHeadBytes + kLongestLeafAndPath + kUpperPath)}}));
}

TEST(TransactionSize, holds_the_largest_task) {
  CreateTask task{.bytecode = bytes(math::kMaxProgramBytes)};
  task.dims.resize(kMaxTaskDims);
  task.params.resize(kMaxTaskParams);
  task.genesis_roots.resize(math::kMaxStates);
  ProposerRotation rotation{.slot_s = 1};
  for (std::size_t i = 0; i < kMaxProposers; ++i)
    rotation.proposers.push_back({.bytes = {static_cast<std::uint8_t>(i + 1)}});
  task.settings.proposer_rule = rotation;
  EXPECT_TRUE(fits(task));
}

}  // namespace
}  // namespace tally::proof
