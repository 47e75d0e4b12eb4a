#include "tests/simulator/simulation.h"

#include <exception>
#include <memory>

#include "tests/simulator/honest.h"
#include "tests/simulator/hostile.h"
#include "tests/simulator/keepers.h"
#include "tests/simulator/members.h"
#include "tests/simulator/rules.h"

namespace tally::simulator {

namespace {

constexpr proof::Wei kRich{proof::Wei{1'000'000'000'000'000'000}.value * 1'000};
constexpr std::size_t kMostChallengers = 2;

class Simulation {
 public:
  Simulation(BatchPool& pool, std::uint64_t seed, std::vector<std::string>* trace, const Planted& planted)
      : x_world(pool, seed, trace),
        x_rules(x_world),
        x_keepers(x_world),
        x_hostile(x_world, x_keepers, x_world.random().between(1, kMostChallengers)) {
    Random& random = x_world.random();
    const std::size_t watchtowers = random.percent(70) ? 1 : 2;
    const bool is_society = x_world.task().kind() == TaskKind::kSociety;
    for (std::size_t i = 0; i < watchtowers; ++i) {
      const auto data = static_cast<Data>(random.below(kDataKinds));
      x_parties.push_back(
          make_watchtower(x_world, i, is_society ? x_keepers.stores() : std::vector{x_world.task().data(data)}));
      add_honest(watchtower_key(i).address());
    }
    const std::vector<PooledBatch>& batches = x_world.task().batches();
    std::vector<const PooledBatch*> posts = {&batches[0]};
    if (batches[1].is_honest && random.percent(50)) posts.push_back(&batches[1]);
    x_parties.push_back(make_poster(x_world, x_keepers, posts));
    x_parties.push_back(make_defender(x_world));
    x_parties.push_back(make_finaliser(x_world, planted.finaliser_sleeps_slots));
    x_rules.deadlines().follow_finaliser(honest_address(),
                                         [&finaliser = *x_parties.back()] { return finaliser.held_up_s(); });
    add_honest(honest_address());
    if (is_society) add_society();
  }

  Figures run() {
    x_hostile.begin();
    for (const auto& party : x_parties) party->wake_at(x_world.now_s() + draw_start_s());
    x_world.run();
    x_rules.check_end();
    return x_world.figures();
  }

 private:
  void add_society() {
    Random& random = x_world.random();
    TaskPool& task = x_world.task();
    const std::vector<Membership> members = {
        {.name = "newcomer",
         .wallet = newcomer_key(),
         .device = &newcomer_device_key(),
         .unbinds = true,
         .leaves = true},
        {.name = "member with a device",
         .wallet = task.wallet(kDeviceMember),
         .device = random.percent(60) ? &device_key() : nullptr,
         .unbinds = random.percent(50)},
        {.name = "member who leaves", .wallet = task.wallet(2), .leaves = random.percent(50)}};
    for (const Membership& member : members) {
      x_parties.push_back(make_member(x_world, member));
      add_honest(member.wallet.address());
    }
    x_parties.push_back(make_payee(x_world));
    add_honest(task.wallet(0).address());
    x_parties.push_back(make_founder(x_world));
    add_honest(founder_key().address());
  }

  /// At the start; but a seed that is sealed too late is another one.
  [[nodiscard]] std::uint64_t draw_start_s() {
    if (x_world.task().kind() != TaskKind::kSeeded) return x_world.random().below(300);
    const std::uint64_t late_slots = x_world.random().percent(20) ? 300 : 0;
    return (late_slots + x_world.random().below(60)) * x_world.weather().slot_s;
  }

  void add_honest(const proof::Address& address) {
    x_world.chain().give(address, kRich);
    x_rules.add_honest(address, kRich);
  }

  World x_world;
  Rules x_rules;
  Keepers x_keepers;
  Hostile x_hostile;
  std::vector<std::unique_ptr<Party>> x_parties;
};

}  // namespace

Outcome simulate(BatchPool& pool, std::uint64_t seed, std::vector<std::string>* trace, const Planted& planted) {
  Simulation simulation(pool, seed, trace, planted);
  try {
    return {.figures = simulation.run(), .violation = std::nullopt};
  } catch (const std::exception& error) {
    // A violation; or the chain, or a party's code, gave up in a way that it must not.
    return {.figures = {}, .violation = error.what()};
  }
}

}  // namespace tally::simulator
