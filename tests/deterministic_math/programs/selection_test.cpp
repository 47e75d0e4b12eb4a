// Selection of trainers against sorting by region and lot, and quarantine against a count of faults.
#include "deterministic_math/numbers/prf.h"
#include "tests/deterministic_math/programs/batches.h"

namespace tally::test {
namespace {

constexpr i128 kRegistrar = 1;
constexpr std::size_t kRegions = 4;

math::CompiledProgram selection_program() {
  return compile_library_program("trainer_selection", {{"least_uptime", 5000},
                                                       {"least_capacity", 10},
                                                       {"least_latency", 20},
                                                       {"most_latency", 200},
                                                       {"least_reputation", 1000},
                                                       {"tolerated", 2},
                                                       {"quarantine", 3},
                                                       {"registrar", kRegistrar}});
}

struct Measurement {
  i128 uptime, capacity, latency, region, reputation;
};

// Each value mostly just good enough, else just not.
Measurement measurement(std::mt19937_64& random) {
  const auto edge = [&](i128 good, i128 bad) { return below(random, 9) == 0 ? bad : good; };
  return {.uptime = edge(5000, 4999),
          .capacity = edge(10, 9),
          .latency = below(random, 2) == 0 ? edge(200, 201) : edge(20, 19),
          .region = below(random, kRegions + 1),
          .reputation = edge(1000, 999)};
}

// The network kept member by member.
struct Network {
  struct Member {
    i128 stake = 0;
    Measurement measured{};
    i128 chosen = 0, faults = 0, quarantined_until = 0;
  };
  struct Record {
    i128 member, kind, about;
    Measurement measured;
  };
  std::vector<Member> members;
  Values quota;

  void batch(const World& world, const std::vector<Record>& records) {
    for (std::size_t m = 0; m < members.size(); ++m) {
      Member& member = members[m];
      const bool seen = std::ranges::any_of(
          records, [&](const Record& r) { return r.kind == 0 && r.member == static_cast<i128>(m); });
      if (member.chosen == 1 && !seen) ++member.faults;
      if (seen) member.faults = 0;
      if (member.faults == 2) {
        member.faults = 0;
        member.quarantined_until = static_cast<i128>(world.batch) + 4;
      }
      member.chosen = 0;
    }
    for (std::size_t region = 0; region < quota.size(); ++region) {
      std::vector<std::pair<std::int64_t, std::size_t>> lots;
      for (std::size_t m = 0; m < members.size(); ++m) {
        const Member& member = members[m];
        const bool fit = member.stake > 0 && member.measured.uptime >= 5000 && member.measured.capacity >= 10 &&
                         member.measured.latency >= 20 && member.measured.latency <= 200 &&
                         member.measured.reputation >= 1000 &&
                         member.quarantined_until <= static_cast<i128>(world.batch) + 1;
        if (!fit || member.measured.region != static_cast<i128>(region)) continue;
        lots.emplace_back(math::prf(world.seed_high, world.seed_low, static_cast<i128>(m)), m);
      }
      std::ranges::sort(lots);
      if (static_cast<i128>(lots.size()) > quota[region]) lots.resize(static_cast<std::size_t>(quota[region]));
      for (const auto& [lot, m] : lots) members[m].chosen = 1;
    }
    for (const Record& record : records) {
      if (record.kind == 1 && record.member == kRegistrar && record.about < static_cast<i128>(members.size())) {
        members[static_cast<std::size_t>(record.about)].measured = record.measured;
      }
    }
  }

  [[nodiscard]] Values of(i128 Member::* what) const {
    Values values;
    for (const Member& member : members) values.push_back(member.*what);
    return values;
  }
  [[nodiscard]] Values measured(i128 Measurement::* what) const {
    Values values;
    for (const Member& member : members) values.push_back(member.measured.*what);
    return values;
  }
  [[nodiscard]] std::map<std::string, Values> states() const {
    return {{"stake", of(&Member::stake)},
            {"quota", quota},
            {"chosen", of(&Member::chosen)},
            {"faults", of(&Member::faults)},
            {"quarantined_until", of(&Member::quarantined_until)},
            {"uptime", measured(&Measurement::uptime)},
            {"capacity", measured(&Measurement::capacity)},
            {"latency", measured(&Measurement::latency)},
            {"region", measured(&Measurement::region)},
            {"reputation", measured(&Measurement::reputation)}};
  }
};

void set_records(World& world, const std::vector<Network::Record>& records) {
  Values members;
  std::map<std::string, Values> fields{{"kind", {}},  {"about", {}}, {"up", {}},    {"power", {}},
                                       {"delay", {}}, {"place", {}}, {"repute", {}}};
  for (const Network::Record& record : records) {
    members.push_back(record.member);
    fields["kind"].push_back(record.kind);
    fields["about"].push_back(record.about);
    fields["up"].push_back(record.measured.uptime);
    fields["power"].push_back(record.measured.capacity);
    fields["delay"].push_back(record.measured.latency);
    fields["place"].push_back(record.measured.region);
    fields["repute"].push_back(record.measured.reputation);
  }
  set_records(world, members, fields);
}

TEST(TrainerSelection, equals_a_network_kept_member_by_member) {
  const auto program = selection_program();
  std::mt19937_64 random(12);
  for (int i = 0; i < 25; ++i) {
    Network network;
    network.quota = {below(random, 4), below(random, 4), below(random, 4), 1000};
    network.members.resize(1 + random() % 30);
    for (Network::Member& member : network.members) {
      member.stake = below(random, 8);
      member.measured = measurement(random);
    }
    const std::uint64_t slots = network.members.size();
    World world;
    world.dims = {{"M", slots}, {"R", kRegions}};
    world.states = network.states();
    for (int batch = 0; batch < 12; ++batch) {
      world.seed_high = below(random, 1000);
      world.seed_low = -below(random, 1000);
      std::vector<Network::Record> records(random() % (2 * slots));
      for (Network::Record& record : records) {
        record = {.member = below(random, slots),
                  .kind = below(random, 3),
                  .about = below(random, slots + 1),
                  .measured = measurement(random)};
        if (slots > 1 && record.kind == 1 && below(random, 2) == 0) record.member = kRegistrar;
      }
      set_records(world, records);
      network.batch(world, records);
      advance(program, world);
      ASSERT_EQ(world.states, network.states()) << i << " " << batch;
    }
  }
}

TEST(TrainerSelection, quarantines_after_faults_in_a_row_and_releases) {
  const auto program = selection_program();
  World world;
  world.dims = {{"M", 1}, {"R", 1}};
  world.states = {{"stake", {1}},  {"uptime", {10000}},     {"capacity", {100}}, {"latency", {100}},
                  {"region", {0}}, {"reputation", {10000}}, {"quota", {1}}};
  const auto batch = [&](bool reports) {
    set_records(world, reports ? std::vector<Network::Record>{{}} : std::vector<Network::Record>{});
    advance(program, world);
    return world.states["chosen"][0];
  };
  EXPECT_EQ(batch(false), 1);
  EXPECT_EQ(batch(false), 1);  // one fault
  EXPECT_EQ(batch(true), 1);   // forgiven
  EXPECT_EQ(batch(false), 1);
  EXPECT_EQ(batch(false), 0);  // two in a row: out for batches 6, 7 and 8
  EXPECT_EQ(batch(false), 0);
  EXPECT_EQ(batch(false), 0);
  EXPECT_EQ(batch(false), 1);  // chosen for batch 9
}

TEST(TrainerSelection, another_seed_draws_others_and_the_same_seed_the_same) {
  const auto program = selection_program();
  World world;
  world.dims = {{"M", 40}, {"R", 1}};
  world.states = {{"stake", Values(40, 1)},     {"uptime", Values(40, 10000)},     {"capacity", Values(40, 100)},
                  {"latency", Values(40, 100)}, {"reputation", Values(40, 10000)}, {"quota", {10}}};
  set_records(world, {});
  const Values first = run_tables(program, world).at("next_chosen");
  EXPECT_EQ(total(first), 10);
  EXPECT_EQ(run_tables(program, world).at("next_chosen"), first);
  world.seed_low = 1;
  EXPECT_NE(run_tables(program, world).at("next_chosen"), first);
}

}  // namespace
}  // namespace tally::test
