#include "tests/simulator/honest.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <variant>

#include "chain_adapter/keys/development_keys.h"
#include "fraud_proof/settlement/local_proof.h"
#include "fraud_proof/settlement/posting.h"
#include "sequencer/defender/defender.h"
#include "sequencer/poster/finaliser.h"
#include "sequencer/poster/poster.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::simulator {

namespace {

// A file of the disk cannot be read now and then; of so many looks, one.
constexpr std::uint64_t kUnreadable = 200;
// Of a hundred crashes of a watchtower, so many lose its memory.
constexpr std::uint64_t kForgets = 25;

proof::Salt draw_salt(Random& random) {
  proof::Salt salt{};
  for (std::uint8_t& byte : salt) byte = static_cast<std::uint8_t>(random.next());
  return salt;
}

const proof::Game* game_of(const proof::Event& event) {
  if (const auto* opened = std::get_if<proof::GameOpened>(&event)) return &opened->game;
  if (const auto* moved = std::get_if<proof::GameMoved>(&event)) return &moved->game;
  return nullptr;
}

std::uint64_t clock_end_s(const proof::Game& game) {
  const bool is_posters = proof::to_move(game.phase) == proof::Side::kPoster;
  return game.moved_at_s + (is_posters ? game.poster_clock_s : game.challenger_clock_s);
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Watchtower

const proof::PrivateKey& watchtower_key(std::size_t number) {
  static const std::array<proof::PrivateKey, 3> keys = {
      chain::development_key(2'000'000), chain::development_key(2'000'001), chain::development_key(2'000'002)};
  return keys.at(number);
}

std::unique_ptr<Party> make_watchtower(World& world, std::size_t number, std::vector<std::filesystem::path> data) {
  const proof::PrivateKey& key = watchtower_key(number);
  const auto memory = std::make_shared<std::unique_ptr<verifier::Memory>>();
  verifier::WatchSettings settings;
  settings.data = std::move(data);
  settings.tasks = {world.task().task()};
  settings.pool = &world.pool().threads();
  settings.work.launch = std::launch::deferred;
  settings.work.judge = [&world](verifier::Judging judging) {
    // Not by way of the party, whose questions to the chain are drawn from the seed: what is remembered asks none.
    judging.options.signers = [&world](const proof::Address& address) {
      return proof::signer_term(world.tip(), world.task().task(), address);
    };
    return world.pool().judge(std::move(judging));
  };
  settings.work.open = [&world](const verifier::PlayedFiles& files) {
    if (world.random().below(kUnreadable) == 0) throw verifier::DataMissing("the disk has a bad day");
    return world.pool().open(files);
  };
  const auto start = [&world, &key, memory, settings]() -> Party::Run {
    if (*memory == nullptr || world.random().percent(kForgets)) {
      *memory = std::make_unique<verifier::Memory>(":memory:", world.chain().genesis().identity, key,
                                                   [&world] { return draw_salt(world.random()); });
    }
    return [&world, &key, memory, settings](chain::ChainAdapter& chain) {
      const verifier::WatchReport report = verifier::watch_once(chain, key, settings, **memory);
      bool failed = false;
      for (const verifier::WatchEvent& event : report.events) {
        using Kind = verifier::WatchEvent::Kind;
        failed = failed || event.kind == Kind::kFailed || event.kind == Kind::kSilent || event.kind == Kind::kRefused;
        world.trace([&] {
          return "the watchtower " + std::string(to_string(event.kind)) + " " + event.what + " " + event.message;
        });
      }
      return failed;
    };
  };
  const auto interest = [&world, self = key.address()](const proof::Event& event, std::uint64_t time_s,
                                                       std::uint64_t heard_s) -> std::uint64_t {
    if (const proof::Game* const game = game_of(event)) {
      if (game->challenger != self) return 0;
      return proof::to_move(game->phase) == proof::Side::kChallenger ? heard_s : after(world, clock_end_s(*game));
    }
    if (std::holds_alternative<proof::LeafRequested>(event)) return after(world, time_s + world.settings().window_s);
    const bool is_news =
        std::holds_alternative<proof::Posted>(event) || std::holds_alternative<proof::BatchInvalid>(event) ||
        std::holds_alternative<proof::RequestAnswered>(event) || std::holds_alternative<proof::Committed>(event);
    return is_news ? heard_s : 0;
  };
  return std::make_unique<Party>(world, "watchtower " + std::to_string(number), key, start, interest);
}

// ---------------------------------------------------------------------------------------------------------------------
// Poster

std::unique_ptr<Party> make_defender(World& world) {
  const auto start = [&world]() -> Party::Run {
    const auto defender = std::make_shared<sequencer::Defender>(
        honest_delegate(), world.task().store(), sequencer::Doubt::kStaySilent,
        sequencer::Pace{.now_s = [&world] { return static_cast<double>(world.now_s()); }, .sleep = [](double) {}},
        std::vector{honest_address()});
    return [&world, defender](chain::ChainAdapter& chain) {
      sequencer::DefenseReport report = defender->defend_once(chain);
      while (report.unfinished) report = defender->defend_once(chain);
      return std::ranges::any_of(report.defenses, [&](const sequencer::Defense& defense) {
        world.trace([&] {
          return "the defender: " + std::string(to_string(defense.kind)) + " " +
                 std::string(to_string(defense.outcome)) + " " + defense.message;
        });
        return defense.outcome == sequencer::Defense::Outcome::kFailed ||
               defense.outcome == sequencer::Defense::Outcome::kRefused;
      });
    };
  };
  const auto interest = [&world](const proof::Event& event, std::uint64_t /*time_s*/,
                                 std::uint64_t heard_s) -> std::uint64_t {
    if (const proof::Game* const game = game_of(event)) {
      if (game->poster != honest_address()) return 0;
      return proof::to_move(game->phase) == proof::Side::kPoster ? heard_s : after(world, clock_end_s(*game));
    }
    return std::holds_alternative<proof::LeafRequested>(event) ? heard_s : 0;
  };
  return std::make_unique<Party>(world, "defender", honest_delegate(), start, interest);
}

std::unique_ptr<Party> make_finaliser(World& world, std::uint64_t late_slots) {
  const auto start = [&world]() -> Party::Run {
    const auto index = std::make_shared<chain::BatchIndex>();
    return [&world, index](chain::ChainAdapter& chain) {
      static_cast<void>(sequencer::do_due(chain, honest_poster(), *index, world.task().task()));
      return false;
    };
  };
  const auto due_s = [&world](const proof::Event& event, std::uint64_t time_s, std::uint64_t heard_s) -> std::uint64_t {
    if (std::holds_alternative<proof::Posted>(event)) {
      return after(world, time_s + world.settings().challenge_period_s);
    }
    if (std::holds_alternative<proof::LeafRequested>(event)) return after(world, time_s + world.settings().window_s);
    if (const proof::Game* const game = game_of(event)) return after(world, clock_end_s(*game));
    const bool may_free =
        std::holds_alternative<proof::Finalized>(event) || std::holds_alternative<proof::BatchInvalid>(event) ||
        std::holds_alternative<proof::GameEnded>(event) || std::holds_alternative<proof::RequestAnswered>(event) ||
        std::holds_alternative<proof::RequestWithheld>(event);
    return may_free ? heard_s : 0;
  };
  const auto interest = [&world, due_s, late_slots](const proof::Event& event, std::uint64_t time_s,
                                                    std::uint64_t heard_s) -> std::uint64_t {
    const std::uint64_t when_s = due_s(event, time_s, heard_s);
    return when_s == 0 ? 0 : when_s + late_slots * world.weather().slot_s;
  };
  return std::make_unique<Party>(world, "finaliser", honest_poster(), start, interest);
}

namespace {

/// One look of the honest poster; whether it has to look again.
class Posting {
 public:
  Posting(World& world, Keepers& keepers, chain::ChainAdapter& chain)
      : x_world(world), x_keepers(keepers), x_chain(chain), x_task(world.task().task()) {}

  bool go_on(const std::vector<const PooledBatch*>& batches) {
    for (const PooledBatch* const batch : batches) {
      if (proof::read_node(x_chain.state(), x_task, batch->id)) continue;
      if (batch->parent && !proof::read_node(x_chain.state(), x_task, parent_of(*batch))) return false;
      const auto refusal = post(*batch);
      if (refusal) return *refusal != proof::Reason::kParentDead && *refusal != proof::Reason::kSeedSealed;
    }
    return false;
  }

 private:
  [[nodiscard]] const proof::BatchId& parent_of(const PooledBatch& batch) const {
    return x_world.task().batches()[*batch.parent].id;
  }

  /// What plan_post() would refuse, but for what was planned beforehand.
  std::optional<proof::Reason> post(const PooledBatch& batch) {
    const auto sealed = sequencer::seal_seed(x_chain, honest_poster(), x_task, proof::kGenesisParent);
    if (sealed.refusal) return sealed.refusal->reason;
    const auto seed = proof::read_seed(x_chain.state(), x_task, proof::kGenesisParent);
    if (batch.posted.seed != proof::Digest{} && seed != batch.posted.seed) {
      // Sealed so late that the batch was built with another: nothing is to be posted any more.
      return seed ? proof::Reason::kSeedSealed : proof::Reason::kSeedNotSealed;
    }
    proof::Post post = batch.post;
    if (std::holds_alternative<proof::KeeperQuorum>(x_world.settings().availability)) {
      post.keepers = x_keepers.good_ones(batch, x_keepers.ask(batch));
      if (post.keepers.empty()) return proof::Reason::kKeeperCount;
    }
    const auto turn = proof::check_proposer(x_world.settings().proposer_rule, honest_address(),
                                            x_chain.head().time_s + x_world.weather().slot_s);
    if (!turn) return turn.error().reason;
    const proof::Transaction transaction = std::move(post);
    const auto fate = chain::submit_and_wait(
        x_chain, {.key = honest_poster(), .value = x_world.settings().sequencer_bond, .transaction = transaction});
    if (fate.refusal) return fate.refusal->reason;
    return std::nullopt;
  }

  World& x_world;
  Keepers& x_keepers;
  chain::ChainAdapter& x_chain;
  const proof::TaskId& x_task;
};

}  // namespace

std::unique_ptr<Party> make_poster(World& world, Keepers& keepers, std::vector<const PooledBatch*> batches) {
  const auto start = [&world, &keepers, batches]() -> Party::Run {
    return [&world, &keepers, batches](chain::ChainAdapter& chain) {
      return Posting(world, keepers, chain).go_on(batches);
    };
  };
  // A post may vanish in a reorganisation without an event, and has to be seen to be old before it is not looked after.
  const auto interest = [](const proof::Event& event, std::uint64_t /*time_s*/,
                           std::uint64_t heard_s) -> std::uint64_t {
    return std::holds_alternative<proof::Posted>(event) ? heard_s : 0;
  };
  return std::make_unique<Party>(world, "poster", honest_poster(), start, interest);
}

}  // namespace tally::simulator
