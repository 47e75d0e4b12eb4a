// Random lives of a task, from a seed: an honest poster and an honest challenger among cheats that post false batches,
// stall, answer at random, challenge what is true and demand what they have. Whatever they do,
//
//   - no batch of the honest poster is ever invalid, and no false batch is ever final;
//   - every game and request ends, and nothing stays pending once all periods and clocks are over;
//   - neither honest party ends with less than it began with, requests' gas and burn aside, which are the asker's.
#include <gtest/gtest.h>

#include <memory>

#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/posting.h"
#include "tests/support/batch_life.h"
#include "tests/support/refused.h"

namespace tally::proof {
namespace {

using test::accepted;
using test::MakeBatch;
using test::next_move;
using test::opening;
using test::pick;
using test::quick_settings;
using test::RandomBatch;
using test::Rng;
using test::SettlementWorld;
using test::WorldBatch;

/// An entry of small_program() that a cheat may forge, and the table that holds it.
struct Target {
  std::uint16_t item;
  math::ObjectId table;
  std::uint64_t entries;
};
constexpr std::array<Target, 3> kTargets = {{{0, test::kTotal, 1}, {2, test::kNextModel, 3}, {3, test::kWalk, 2}}};

struct Known {
  WorldBatch batch;
  bool is_true = true;
  bool is_honest = false;  // posted by the honest poster
  std::uint16_t item = 0;  // what is false
  std::uint64_t entry = 0;
  bool challenged = false;  // by the honest challenger
};

class Life {
 public:
  /// How often each event, cause and outcome was.
  using Happened = std::map<std::string_view, std::uint64_t>;

  Life(std::uint64_t seed, Happened& happened) : x_happened(happened), x_rng(seed), x_world({.settings = settings()}) {
    x_start = x_world.chain().balance(x_world.poster().address());
  }

  void run(int ticks) {
    for (int tick = 0; tick < ticks; ++tick) {
      x_world.chain().advance(pick(x_rng, 0, 90));
      if (pick(x_rng, 0, 2) == 0) post_honestly();
      for (auto left = pick(x_rng, 0, 3); left > 0; --left) cheat();
      act_honestly();
      check_always();
    }
    for (int round = 0; round < 4; ++round) {
      x_world.chain().advance(quick_settings().challenge_period_s + 2 * quick_settings().game_clock_s);
      act_honestly();
      check_always();
    }
    check_end();
  }

 private:
  static TaskSettings settings() {
    TaskSettings settings = quick_settings();
    settings.arity = 2;
    return settings;
  }

  // What everyone does.

  OrRefused<Effects> send(const PrivateKey& sender, const Wei& value, const Transaction& transaction) {
    auto effects = x_world.send(sender, value, transaction);
    if (!effects) return effects;
    for (const Event& event : effects->events) {
      ++x_happened[name_of(event)];
      if (const auto* invalid = std::get_if<BatchInvalid>(&event)) ++x_happened[to_string(invalid->cause)];
      if (const auto* end = std::get_if<GameEnded>(&event)) ++x_happened[to_string(end->outcome)];
      if (const auto* opened = std::get_if<GameOpened>(&event)) x_games[opened->game.id] = opened->game;
      if (const auto* moved = std::get_if<GameMoved>(&event)) x_games[moved->game.id] = moved->game;
      if (const auto* ended = std::get_if<GameEnded>(&event)) x_games.erase(ended->game);
    }
    return effects;
  }
  OrRefused<Effects> send(const PrivateKey& sender, const Transaction& transaction) {
    return send(sender, {}, transaction);
  }
  Known& known(const BatchId& id) {
    const auto found = std::ranges::find(x_batches, id, [](const auto& batch) { return batch->batch.id(); });
    return **found;
  }
  BatchStatus status(Known& batch) { return *status_of(x_world, batch.batch); }
  Known& any_batch() { return *x_batches[pick(x_rng, 0, x_batches.size() - 1)]; }

  void post(const PrivateKey& poster, Known* parent, const Target* forged) {
    MakeBatch options{.parent = parent == nullptr ? nullptr : &parent->batch,
                      .records = pick(x_rng, 1, 8),
                      .random_seed = ++x_posts,
                      .poster = &poster};
    std::uint64_t entry = 0;
    if (forged != nullptr) {
      entry = pick(x_rng, 0, forged->entries - 1);
      options.alter = [&](RandomBatch& data) { add_to(x_world.program(), data, forged->table, entry, 1); };
    }
    auto made = std::make_unique<Known>(Known{.batch = x_world.make_batch(options),
                                              .is_true = forged == nullptr,
                                              .is_honest = &poster == &x_world.poster(),
                                              .item = forged == nullptr ? std::uint16_t{0} : forged->item,
                                              .entry = entry});
    if (send(poster, x_world.settings().sequencer_bond, made->batch.post())) x_batches.push_back(std::move(made));
  }

  // The honest ones.

  /// Extends a batch that is true with all its ancestors, or begins the task.
  void post_honestly() {
    std::vector<Known*> parents = {nullptr};
    for (const auto& batch : x_batches) {
      bool good = status(*batch) == BatchStatus::kPending || status(*batch) == BatchStatus::kFinal;
      for (BatchId id = batch->batch.id(); id != kGenesisParent; id = known(id).batch.header().parent)
        good = good && known(id).is_true;
      if (good) parents.push_back(batch.get());
    }
    post(x_world.poster(), pick(x_rng, 0, 3) == 0 ? parents[pick(x_rng, 0, parents.size() - 1)] : parents.back(),
         nullptr);
  }

  void act_honestly() {
    answer_requests();
    for (const auto& batch : x_batches) challenge(*batch);
    // What is open now: moves change the list.
    std::vector<Game> open;
    for (const auto& [id, game] : x_games) open.push_back(game);
    for (const Game& game : open) play_honestly(game);
    for (const auto& batch : x_batches) {
      if (x_world.node(batch->batch.id()).open_requests > 0) claim_requests(*batch);
    }
    for (int pass = 0; pass < 3; ++pass) {
      for (const auto& batch : x_batches) {
        (void)send(x_world.poster(), SkipInvalid{.task = x_world.task(), .parent = batch->batch.header().parent});
        (void)send(x_world.poster(), Finalize{.header = batch->batch.header()});
        (void)send(x_world.poster(), ReleaseBond{.header = batch->batch.header()});
      }
    }
  }

  void challenge(Known& batch) {
    if (batch.is_true || batch.challenged || status(batch) != BatchStatus::kPending) return;
    batch.challenged = true;
    EXPECT_TRUE(accepted(
        send(x_world.challenger(), x_world.settings().challenger_bond, opening(batch.batch, batch.item, batch.entry))));
  }

  void play_honestly(const Game& game) {
    Known& batch = known(game.batch);
    if (x_world.node(game.batch).state == NodeState::kLost) {
      EXPECT_TRUE(accepted(send(x_world.challenger(), RefundGame{.game = game})));
      return;
    }
    const bool posters_turn = to_move(game.phase) == Side::kPoster;
    if (posters_turn && batch.is_honest) {
      EXPECT_TRUE(accepted(send(x_world.poster(), next_move(x_world, batch.batch, game))));
    } else if (!posters_turn && game.challenger == x_world.challenger().address()) {
      EXPECT_TRUE(accepted(send(x_world.challenger(), next_move(x_world, batch.batch, game))));
    } else {
      (void)send(x_world.challenger(), ClaimTimeout{.game = game});
    }
  }

  void answer_requests() {
    for (const auto& [batch, leaf] : x_requests) {
      if (!batch->is_honest) continue;
      OpeningWriter writer(batch->batch.committed().batch(), batch->batch.committed());
      writer.open(leaf);
      const auto answered = send(
          x_world.poster(), AnswerRequest{.header = batch->batch.header(), .leaf = leaf, .openings = writer.take()});
      EXPECT_TRUE(answered || answered.error().reason == Reason::kRequestAnswered);
    }
  }

  void claim_requests(Known& batch) {
    for (const auto& [asked, leaf] : x_requests) {
      if (asked == &batch)
        (void)send(x_world.challenger(), ClaimWithheld{.header = batch.batch.header(), .leaf = leaf});
    }
  }

  // The cheats: other() posts, creator() challenges.

  void cheat() {
    switch (pick(x_rng, 0, 7)) {
      case 0:
      case 1:
        post_falsely();
        break;
      case 2:
        open_falsely();
        break;
      case 3:
      case 4:
        demand();
        break;
      default:
        play_falsely();
    }
  }

  void post_falsely() {
    Known* parent = x_batches.empty() || pick(x_rng, 0, 4) == 0 ? nullptr : &any_batch();
    post(x_world.other(), parent, pick(x_rng, 0, 3) == 0 ? nullptr : &kTargets[pick(x_rng, 0, 2)]);
  }

  void open_falsely() {
    if (x_batches.empty()) return;
    WorldBatch& batch = any_batch().batch;
    const Target& target = kTargets[pick(x_rng, 0, 2)];
    const auto salt = static_cast<std::uint8_t>(pick(x_rng, 0, 255));
    const Wei& bond = x_world.settings().challenger_bond;
    if (pick(x_rng, 0, 2) == 0) {
      (void)send(x_world.creator(), bond, descent(x_world, batch, target.item, salt));
    } else {
      (void)send(x_world.creator(), bond, opening(batch, target.item, pick(x_rng, 0, target.entries - 1), salt));
    }
  }

  void demand() {
    if (x_batches.empty()) return;
    Known& batch = any_batch();
    const OpeningKey leaf{.object = static_cast<math::ObjectId>(pick(x_rng, 0, 9)),
                          .record = static_cast<std::uint32_t>(pick(x_rng, 0, 3)),
                          .leaf = 0};
    const Wei& bond = std::get<LeafRequests>(x_world.settings().availability).request_bond;
    if (send(x_world.creator(), bond, RequestLeaf{.header = batch.batch.header(), .leaf = leaf}))
      x_requests.emplace_back(&batch, leaf);
  }

  void play_falsely() {
    if (x_games.empty()) return;
    const Game game =
        std::next(x_games.begin(), static_cast<std::ptrdiff_t>(pick(x_rng, 0, x_games.size() - 1)))->second;
    Known& batch = known(game.batch);
    const bool posters_turn = to_move(game.phase) == Side::kPoster;
    const PrivateKey& sender = posters_turn ? x_world.other() : x_world.creator();
    MakeMove move = next_move(x_world, batch.batch, game);
    if (auto* respond = std::get_if<Respond>(&move.move); respond != nullptr && pick(x_rng, 0, 1) == 0) {
      for (std::uint8_t& byte : respond->claims) byte = static_cast<std::uint8_t>(pick(x_rng, 0, 255));
    }
    if (game.phase == Phase::kNarrow && pick(x_rng, 0, 1) == 0)
      move.move = Narrow{.segment = static_cast<std::uint8_t>(pick(x_rng, 0, 2))};
    (void)send(sender, move);
    (void)send(sender, ClaimTimeout{.game = game});
    (void)send(sender, RefundGame{.game = game});
  }

  // What must hold.

  void check_always() {
    for (const auto& batch : x_batches) {
      EXPECT_FALSE(batch->is_honest && status(*batch) == BatchStatus::kInvalid);
      EXPECT_FALSE(!batch->is_true && status(*batch) == BatchStatus::kFinal);
    }
  }

  void check_end() {
    EXPECT_TRUE(x_games.empty());
    for (const auto& batch : x_batches) {
      const NodeRecord node = x_world.node(batch->batch.id());
      EXPECT_NE(status(*batch), BatchStatus::kPending);
      EXPECT_EQ(node.open_games, 0U);
      EXPECT_EQ(node.open_requests, 0U);
      EXPECT_EQ(node.bond, Wei{});
      // A cheat that gives up a true batch, or is overtaken, is the only thing that stops an honest one.
      EXPECT_TRUE(!batch->is_honest || status(*batch) != BatchStatus::kOrphaned || has_lost_ancestor(*batch));
    }
    for (const PrivateKey* honest : {&x_world.poster(), &x_world.challenger()}) {
      (void)send(*honest, Withdraw{});
      EXPECT_GE(x_world.chain().balance(honest->address()), x_start);
    }
  }

  bool has_lost_ancestor(Known& batch) {
    for (BatchId id = batch.batch.header().parent; id != kGenesisParent; id = known(id).batch.header().parent) {
      if (x_world.node(id).state == NodeState::kLost) return !known(id).is_honest;
    }
    return false;
  }

  Happened& x_happened;
  Rng x_rng;
  SettlementWorld x_world;
  std::vector<std::unique_ptr<Known>> x_batches;
  std::map<GameId, Game> x_games;  // open ones
  std::vector<std::pair<Known*, OpeningKey>> x_requests;
  std::uint64_t x_posts = 0;
  Wei x_start{};
};

TEST(HonestParties, never_lose_whatever_the_others_do) {
  Life::Happened happened;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life(seed, happened).run(40);
    if (HasFailure()) return;
  }
  // A test in which nothing happens would pass, too.
  for (const GameOutcome outcome : {GameOutcome::kPosterDisproved, GameOutcome::kPosterTimeout,
                                    GameOutcome::kChallengerTimeout, GameOutcome::kRefunded})
    EXPECT_GE(happened[to_string(outcome)], 10U) << to_string(outcome);
  for (const LossCause cause : {LossCause::kEntry, LossCause::kTimeout, LossCause::kWithheld})
    EXPECT_GE(happened[to_string(cause)], 10U) << to_string(cause);
  for (const std::string_view event : {"Finalized", "BondReleased", "RequestAnswered", "RequestWithheld", "GameMoved"})
    EXPECT_GE(happened[event], 10U) << event;
}

}  // namespace
}  // namespace tally::proof
