// The contribution ledger against a bookkeeper that goes through the events one by one, over several epochs; and
// pool_split and half_life alone.
#include <array>
#include <cmath>
#include <numeric>

#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

constexpr i128 kOne = i128{1} << 30;
constexpr i128 kGenesis = 1'000'000;
constexpr i128 kEpoch = 3600;
constexpr i128 kRegistrar = 0;

std::map<std::string, i128> usual_parameters() {
  return {{"pool", 1'000'003}, {"alpha", 5000},        {"beta", 3000},    {"gamma", 2000}, {"genesis_s", kGenesis},
          {"epoch_s", kEpoch}, {"skew_s", 60},         {"window_s", 600}, {"limit", 4},    {"registrar", kRegistrar},
          {"half_life", 3},    {"newcomer", kOne / 2}, {"rise", 2},       {"cap", 40000},  {"penalty_epochs", 2},
          {"additive", 0}};
}

enum Kind : std::uint8_t { kTraining = 1, kBehaviour, kSocial, kHeartbeat, kValidation, kFlag, kToken };

struct Event {
  i128 member = 0;
  i128 kind = 0;
  i128 timestamp = 0;
  i128 amount = 0;
  i128 epoch = 1;
  i128 about = 0;
  i128 verdict = 0;
  i128 severity = 1;
  i128 token = 0;
  i128 tier = 1;
  i128 bonus = 0;
};

// A time of epoch `epoch`, seconds after its start.
i128 at(i128 epoch, i128 seconds) { return kGenesis + (epoch - 1) * kEpoch + seconds; }

struct Member {
  i128 reputation = 0;
  i128 since = 0;
  i128 last_time = 0;
  i128 suspended_until = 0;
  i128 plain_until = 0;
  i128 balance = 0;
};

struct Token {
  i128 owner = -1;
  i128 tier = 0;
  i128 bonus = 0;
};

struct Books {
  std::vector<Member> members;
  std::vector<Token> tokens;
};

// What a bookkeeper does with an epoch.
class Bookkeeper {
 public:
  Bookkeeper(std::map<std::string, i128> parameters, Books& books) : x_p(std::move(parameters)), x_books(books) {}

  void epoch(i128 number, const std::vector<Event>& events) {
    x_epoch = number;
    x_tally.assign(x_books.members.size(), {});
    x_tokens_told = x_books.tokens;
    for (const Event& event : events) {
      if (on_time(event) && event.member == x_p["registrar"]) registrar_event(event);
    }
    for (const Event& event : events) take(event);
    pay();
    for (std::size_t m = 0; m < x_books.members.size(); ++m) settle(m);
    x_books.tokens = x_tokens_told;
  }

  i128 multiplier(std::size_t m) {
    if (x_books.members[m].plain_until > x_epoch) return 10000;
    std::array<int, 6> count{};
    i128 bonus = 0;
    for (const Token& token : x_books.tokens) {
      if (token.owner != static_cast<i128>(m)) continue;
      ++count.at(static_cast<std::size_t>(token.tier));
      bonus += token.bonus;
    }
    constexpr std::array<int, 6> kFactor{10000, 10200, 10500, 11000, 12000, 15000};
    i128 result = 10000;
    for (std::size_t tier = 5; tier >= 1; --tier) {
      BigInt numerator = to_big(result);
      BigInt denominator = 1;
      for (int i = 0; i < std::min(count.at(tier), 4); ++i) {
        numerator *= kFactor.at(tier);
        denominator *= 10000;
        if (x_p["additive"] == 1) result += kFactor.at(tier) - 10000;
      }
      if (x_p["additive"] == 0) result = from_big(numerator / denominator);
    }
    return std::min(result * (10000 + bonus) / 10000, x_p["cap"]);
  }

 private:
  struct Tally {
    i128 compute = 0, quality = 0, social = 0, beats = 0, uptime_sum = 0, judged = 0, right = 0, flagged = 0;
    std::vector<i128> windows;
    bool active = false;
  };

  bool on_time(const Event& event) {
    const i128 start = x_p["genesis_s"] + (x_epoch - 1) * x_p["epoch_s"];
    return event.epoch == x_epoch && event.timestamp >= start - x_p["skew_s"] &&
           event.timestamp < start + x_p["epoch_s"] + x_p["skew_s"];
  }

  void registrar_event(const Event& event) {
    if (event.kind == kFlag && event.about < static_cast<i128>(x_tally.size())) {
      i128& flagged = x_tally[static_cast<std::size_t>(event.about)].flagged;
      flagged = std::max(flagged, event.severity);
    }
    if (event.kind == kToken && event.token < static_cast<i128>(x_tokens_told.size())) {
      x_tokens_told[static_cast<std::size_t>(event.token)] = {event.about, event.tier, event.bonus};
    }
  }

  void take(const Event& event) {
    Member& member = x_books.members[static_cast<std::size_t>(event.member)];
    Tally& tally = x_tally[static_cast<std::size_t>(event.member)];
    if (event.kind < kTraining || event.kind > kValidation || !on_time(event)) return;
    if (member.suspended_until > x_epoch || event.timestamp <= member.last_time) return;
    member.last_time = event.timestamp;
    tally.active = true;
    tally.windows.push_back(event.timestamp / x_p["window_s"]);
    if (std::ranges::count(tally.windows, tally.windows.back()) > static_cast<std::ptrdiff_t>(x_p["limit"])) return;
    if (event.kind == kTraining) tally.compute += event.amount;
    if (event.kind == kBehaviour) tally.quality += event.amount;
    if (event.kind == kSocial) tally.social += event.amount;
    if (event.kind == kHeartbeat) {
      ++tally.beats;
      tally.uptime_sum += std::min<i128>(event.amount, 10000);
    }
    if (event.kind == kValidation) {
      ++tally.judged;
      const bool faulty =
          event.about < static_cast<i128>(x_tally.size()) && x_tally[static_cast<std::size_t>(event.about)].flagged > 0;
      tally.right += faulty == (event.verdict == 1) ? 1 : 0;
    }
  }

  [[nodiscard]] static i128 uptime(const Tally& tally) { return tally.beats == 0 ? 0 : tally.uptime_sum / tally.beats; }

  i128 standing(std::size_t m) {
    const Member& member = x_books.members[m];
    if (member.since == 0) return x_p["newcomer"];
    const i128 age = x_epoch - member.since;
    const i128 part = age % x_p["half_life"];
    const auto exponent = static_cast<long double>(nearest_even(part * 2977044472, x_p["half_life"]));
    const auto factor = static_cast<i128>(std::llround(std::exp(-exponent / 4294967296.0L) * 4294967296.0L));
    const auto halvings = static_cast<unsigned>(std::min<i128>(age / x_p["half_life"], 64));
    return nearest_even(to_big(member.reputation * factor), BigInt(1) << (32 + halvings));
  }

  void pay() {
    std::vector<i128> scores;
    for (std::size_t m = 0; m < x_books.members.size(); ++m) {
      const Tally& tally = x_tally[m];
      i128 score = (x_p["alpha"] * tally.compute + x_p["beta"] * tally.quality + x_p["gamma"] * tally.social) / 10000;
      score = score * uptime(tally) / 10000;
      score = score * standing(m) / kOne;
      scores.push_back(score * multiplier(m) / 10000);
    }
    const i128 total = std::accumulate(scores.begin(), scores.end(), i128{0});
    if (total == 0) return;
    // One unit at a time to whoever is furthest below the exact share, the lowest slot first.
    std::vector<i128> shares;
    for (const i128 score : scores) shares.push_back(x_p["pool"] * score / total);
    i128 left = x_p["pool"] - std::accumulate(shares.begin(), shares.end(), i128{0});
    std::vector<bool> given(scores.size());
    for (; left > 0; --left) {
      std::size_t best = scores.size();
      for (std::size_t m = 0; m < scores.size(); ++m) {
        const auto missing = [&](std::size_t i) { return x_p["pool"] * scores[i] - shares[i] * total; };
        if (!given[m] && (best == scores.size() || missing(m) > missing(best))) best = m;
      }
      given[best] = true;
      ++shares[best];
    }
    for (std::size_t m = 0; m < scores.size(); ++m) x_books.members[m].balance += shares[m];
  }

  void settle(std::size_t m) {
    Member& member = x_books.members[m];
    const Tally& tally = x_tally[m];
    i128 now = standing(m);
    if (tally.flagged > 0) {
      for (i128 i = 0; i < tally.flagged; ++i) now /= 2;
    } else if (tally.active) {
      const i128 validity = tally.judged == 0 ? 10000 : 10000 * tally.right / tally.judged;
      now += (kOne - now) * (uptime(tally) * validity / 10000) / (i128{1} << (14 + static_cast<int>(x_p["rise"])));
    }
    if (tally.flagged > 0 || tally.active) {
      member.reputation = std::min(now, kOne);
      member.since = x_epoch;
    }
    const i128 until = x_epoch + 1 + x_p["penalty_epochs"];
    if (tally.flagged >= 2) member.plain_until = std::max(member.plain_until, until);
    if (tally.flagged == 3) member.suspended_until = std::max(member.suspended_until, until);
  }

  std::map<std::string, i128> x_p;
  Books& x_books;
  i128 x_epoch = 0;
  std::vector<Tally> x_tally;
  std::vector<Token> x_tokens_told;
};

World world_of(const Books& books, i128 epoch, const std::vector<Event>& events) {
  World world;
  world.dims = {{"K", events.size()}, {"M", books.members.size()}, {"N", books.tokens.size()}};
  world.batch = static_cast<std::uint64_t>(epoch);
  const auto field = [&](const char* name, i128 Event::* value) {
    Values& values = world.fields[name];
    for (const Event& event : events) values.push_back(event.*value);
  };
  field("kind", &Event::kind);
  field("epoch", &Event::epoch);
  field("timestamp", &Event::timestamp);
  field("amount", &Event::amount);
  field("about", &Event::about);
  field("verdict", &Event::verdict);
  field("severity", &Event::severity);
  field("token", &Event::token);
  field("tier", &Event::tier);
  field("bonus", &Event::bonus);
  for (const char* unused : {"device", "model_version", "update_0", "update_1", "update_2", "update_3"}) {
    world.fields[unused] = Values(events.size());
  }
  for (const Event& event : events) world.members.push_back(event.member);
  for (const Member& member : books.members) {
    world.states["reputation"].push_back(member.reputation);
    world.states["since"].push_back(member.since);
    world.states["last_time"].push_back(member.last_time);
    world.states["suspended_until"].push_back(member.suspended_until);
    world.states["plain_until"].push_back(member.plain_until);
    world.states["balance"].push_back(member.balance);
  }
  for (const Token& token : books.tokens) {
    world.states["token_owner"].push_back(token.owner);
    world.states["token_tier"].push_back(token.tier);
    world.states["token_bonus"].push_back(token.bonus);
  }
  return world;
}

// The program's epoch on `books`, which become the next ones. Returns its tables.
std::map<std::string, Values> play(const math::CompiledProgram& program, Books& books, i128 epoch,
                                   const std::vector<Event>& events) {
  const World world = world_of(books, epoch, events);
  std::map<std::string, Values> tables = run_tables(program, world);
  for (std::size_t m = 0; m < books.members.size(); ++m) {
    const auto next = [&](const char* name) { return tables.at(std::string("next_") + name)[m]; };
    books.members[m] = {next("reputation"),      next("since"),       next("last_time"),
                        next("suspended_until"), next("plain_until"), next("balance")};
  }
  for (std::size_t n = 0; n < books.tokens.size(); ++n) {
    books.tokens[n] = {tables.at("next_token_owner")[n], tables.at("next_token_tier")[n],
                       tables.at("next_token_bonus")[n]};
  }
  return tables;
}

void expect_equal(const Books& program, const Books& bookkeeper) {
  for (std::size_t m = 0; m < program.members.size(); ++m) {
    SCOPED_TRACE("member " + std::to_string(m));
    EXPECT_EQ(program.members[m].reputation, bookkeeper.members[m].reputation);
    EXPECT_EQ(program.members[m].since, bookkeeper.members[m].since);
    EXPECT_EQ(program.members[m].last_time, bookkeeper.members[m].last_time);
    EXPECT_EQ(program.members[m].suspended_until, bookkeeper.members[m].suspended_until);
    EXPECT_EQ(program.members[m].plain_until, bookkeeper.members[m].plain_until);
    EXPECT_EQ(program.members[m].balance, bookkeeper.members[m].balance);
  }
  for (std::size_t n = 0; n < program.tokens.size(); ++n) {
    EXPECT_EQ(program.tokens[n].owner, bookkeeper.tokens[n].owner);
    EXPECT_EQ(program.tokens[n].tier, bookkeeper.tokens[n].tier);
    EXPECT_EQ(program.tokens[n].bonus, bookkeeper.tokens[n].bonus);
  }
}

class Ledger : public testing::Test {
 protected:
  std::map<std::string, Values> epoch(i128 number, const std::vector<Event>& events) {
    return play(x_program, x_books, number, events);
  }

  math::CompiledProgram x_program = compile_library_program("contribution_ledger", usual_parameters());
  Books x_books{std::vector<Member>(4), std::vector<Token>(3)};
};

Event work(i128 member, i128 timestamp, i128 amount) {
  return {.member = member, .kind = kTraining, .timestamp = timestamp, .amount = amount};
}

Event heartbeat(i128 member, i128 timestamp) {
  return {.member = member, .kind = kHeartbeat, .timestamp = timestamp, .amount = 10000};
}

TEST(LedgerEpochs, equal_the_bookkeepers_over_random_events) {
  for (const int additive : {0, 1}) {
    auto parameters = usual_parameters();
    parameters["additive"] = additive;
    const auto program = compile_library_program("contribution_ledger", parameters);
    std::mt19937_64 random(41);
    const auto below = [&](std::uint64_t bound) { return static_cast<i128>(random() % bound); };
    for (int run = 0; run < 8; ++run) {
      Books played{std::vector<Member>(6), std::vector<Token>(12)};
      Books kept = played;
      Bookkeeper bookkeeper(parameters, kept);
      i128 number = 0;
      for (int i = 0; i < 6; ++i) {
        number += 1 + below(2);
        std::vector<Event> events(random() % 120);
        for (Event& event : events) {
          event = {.member = below(6),
                   .kind = below(9),
                   .timestamp = at(number, below(3900) - 150),
                   .amount = below(5) == 0 ? 1'000'000 : below(20000),
                   .epoch = number - (below(20) == 0 ? 1 : 0),
                   .about = below(7),
                   .verdict = below(2),
                   .severity = 1 + below(3),
                   .token = below(14),
                   .tier = 1 + below(5),
                   .bonus = below(1000)};
        }
        // Mostly in order of time, as signers send them.
        std::ranges::sort(events, {}, &Event::timestamp);
        if (!events.empty()) std::swap(events.front(), events[random() % events.size()]);
        play(program, played, number, events);
        bookkeeper.epoch(number, events);
        expect_equal(played, kept);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST_F(Ledger, pays_nobody_and_changes_nothing_without_events) {
  x_books.members[1].reputation = kOne;
  x_books.members[1].since = 1;
  const Books before = x_books;
  const auto tables = epoch(5, {});
  EXPECT_EQ(tables.at("reward"), Values(4));
  expect_equal(x_books, before);
}

TEST_F(Ledger, pays_the_pool_to_the_last_unit_in_proportion_to_scores) {
  const auto tables = epoch(1, {work(1, at(1, 1), 1), heartbeat(1, at(1, 2)), work(2, at(1, 1), 2),
                                heartbeat(2, at(1, 2)), work(3, at(1, 1), 1'000'000), heartbeat(3, at(1, 2))});
  EXPECT_EQ(std::accumulate(tables.at("reward").begin(), tables.at("reward").end(), i128{0}), 1'000'003);
}

TEST_F(Ledger, ignores_events_outside_the_epoch_and_the_skew) {
  const std::vector<i128> times{at(1, -61), at(1, -60), at(1, 3659), at(1, 3660)};
  Values sums;
  for (const i128 time : times) {
    x_books = {std::vector<Member>(4), std::vector<Token>(3)};
    sums.push_back(epoch(1, {work(1, time, 7)}).at("compute")[1]);
  }
  EXPECT_EQ(sums, (Values{0, 7, 7, 0}));
  // An event at the boundary lands in the epoch that it names, and in no other.
  Event event = work(1, at(2, 0), 7);
  x_books = {std::vector<Member>(4), std::vector<Token>(3)};
  EXPECT_EQ(epoch(1, {event}).at("compute")[1], 7);
  x_books = {std::vector<Member>(4), std::vector<Token>(3)};
  EXPECT_EQ(epoch(2, {event}).at("compute")[1], 0);
}

TEST_F(Ledger, ignores_times_that_do_not_rise_also_from_the_epoch_before) {
  EXPECT_EQ(epoch(1, {work(1, at(1, 50), 1), work(1, at(1, 50), 2), work(1, at(1, 49), 4), work(1, at(1, 51), 8)})
                .at("compute")[1],
            9);
  Event late = work(1, at(1, 51), 16);
  late.epoch = 2;
  late.timestamp = at(2, -60);
  x_books.members[1].last_time = at(2, -60);
  EXPECT_EQ(epoch(2, {late}).at("compute")[1], 0);
}

TEST_F(Ledger, ignores_unknown_kinds_and_more_than_the_limit_in_a_window) {
  std::vector<Event> events;
  for (int i = 0; i < 10; ++i) events.push_back(work(1, at(1, 200 + i), 1));  // one window, four count
  for (int i = 0; i < 3; ++i) events.push_back(work(1, at(1, 1400 + i), 1));
  events.push_back({.member = 1, .kind = 99, .timestamp = at(1, 2000), .amount = 50});
  events.push_back({.member = 1, .kind = 0, .timestamp = at(1, 2001), .amount = 50});
  EXPECT_EQ(epoch(1, events).at("compute")[1], 7);
}

TEST_F(Ledger, counts_behaviour_and_social_events_for_their_own_terms_alone) {
  const auto tables = epoch(1, {{.member = 1, .kind = kBehaviour, .timestamp = at(1, 1), .amount = 10000},
                                {.member = 2, .kind = kSocial, .timestamp = at(1, 1), .amount = 10000},
                                heartbeat(1, at(1, 2)),
                                heartbeat(2, at(1, 2))});
  EXPECT_EQ(tables.at("score")[1], 1500);  // beta * 10000 * newcomer
  EXPECT_EQ(tables.at("score")[2], 1000);
}

TEST_F(Ledger, has_no_score_without_uptime_and_scales_with_it) {
  const auto tables = epoch(1, {work(1, at(1, 1), 1000),
                                work(2, at(1, 1), 1000),
                                work(3, at(1, 1), 1000),
                                heartbeat(1, at(1, 2)),
                                {.member = 2, .kind = kHeartbeat, .timestamp = at(1, 2), .amount = 5000}});
  EXPECT_EQ(tables.at("score"), (Values{0, 250, 125, 0}));
}

TEST_F(Ledger, credits_validations_that_agree_with_the_flags) {
  const auto tables = epoch(1, {{.member = kRegistrar, .kind = kFlag, .timestamp = at(1, 1), .about = 3},
                                {.member = 1, .kind = kValidation, .timestamp = at(1, 1), .about = 3, .verdict = 1},
                                {.member = 1, .kind = kValidation, .timestamp = at(1, 2), .about = 2, .verdict = 0},
                                {.member = 2, .kind = kValidation, .timestamp = at(1, 1), .about = 3, .verdict = 0},
                                {.member = 2, .kind = kValidation, .timestamp = at(1, 2), .about = 1, .verdict = 0}});
  EXPECT_EQ(tables.at("validity"), (Values{10000, 10000, 5000, 10000}));
}

TEST_F(Ledger, hears_flags_and_tokens_from_the_registrar_alone) {
  epoch(1, {{.member = 1, .kind = kFlag, .timestamp = at(1, 1), .about = 2, .severity = 3},
            {.member = 1, .kind = kToken, .timestamp = at(1, 2), .about = 1, .token = 0, .tier = 5}});
  EXPECT_EQ(x_books.members[2].suspended_until, 0);
  EXPECT_EQ(x_books.tokens[0].owner, -1);
}

TEST_F(Ledger, suspends_until_the_epoch_it_names_and_no_longer) {
  epoch(1, {{.member = kRegistrar, .kind = kFlag, .timestamp = at(1, 1), .about = 1, .severity = 3}});
  EXPECT_EQ(x_books.members[1].suspended_until, 4);
  for (const auto& [number, counted] : {std::pair<i128, i128>{2, 0}, {3, 0}, {4, 5}}) {
    Event event = work(1, at(number, 1), 5);
    event.epoch = number;
    EXPECT_EQ(epoch(number, {event}).at("compute")[1], counted) << static_cast<int>(number);
  }
}

TEST_F(Ledger, halves_a_flagged_reputation_once_for_each_grade) {
  for (i128 severity = 1; severity <= 3; ++severity) {
    x_books = {std::vector<Member>(4), std::vector<Token>(3)};
    x_books.members[1].reputation = kOne;
    x_books.members[1].since = 1;
    epoch(1, {{.member = kRegistrar, .kind = kFlag, .timestamp = at(1, 1), .about = 1, .severity = severity}});
    EXPECT_EQ(x_books.members[1].reputation, kOne >> static_cast<int>(severity));
  }
}

TEST_F(Ledger, forgets_a_reputation_by_exact_halves) {
  for (const auto& [age, left] : {std::pair<i128, i128>{3, kOne / 2}, {6, kOne / 4}, {30, kOne / 1024}, {93, 0}}) {
    x_books = {std::vector<Member>(4), std::vector<Token>(3)};
    x_books.members[1].reputation = kOne;
    x_books.members[1].since = 1;
    Event event{.member = 1, .kind = kTraining, .timestamp = at(1 + age, 1), .epoch = 1 + age};
    epoch(1 + age, {event});  // no heartbeat, so nothing is gained
    EXPECT_EQ(x_books.members[1].reputation, left) << static_cast<int>(age);
  }
}

// Every order of the tokens gives one multiplier; caps hold; a token that changed hands counts for its new owner, from
// the next epoch on.
TEST_F(Ledger, multiplies_tiers_whatever_their_order_up_to_the_cap) {
  std::vector<Token> tokens{{1, 5, 100}, {1, 5, 0}, {1, 1, 0}, {1, 3, 25}, {2, 4, 0}};
  const auto multipliers = [&] {
    x_books = {std::vector<Member>(4), tokens};
    return epoch(1, {}).at("multiplier");
  };
  const Values expected = multipliers();
  EXPECT_EQ(expected[0], 10000);
  EXPECT_EQ(expected[1], 25560);  // floor(floor(22500 * 1.1) * 1.02) * 1.0125
  EXPECT_EQ(expected[2], 12000);
  std::mt19937_64 random(2);
  for (int i = 0; i < 50; ++i) {
    std::ranges::shuffle(tokens, random);
    EXPECT_EQ(multipliers(), expected);
  }
  tokens.assign(30, {1, 5, 10000});
  EXPECT_EQ(multipliers()[1], 40000);
}

TEST_F(Ledger, a_token_sold_counts_for_its_new_owner_from_the_next_epoch_on) {
  x_books.tokens[0] = {1, 4, 0};
  Event sale{.member = kRegistrar, .kind = kToken, .timestamp = at(1, 1), .about = 2, .token = 0, .tier = 4};
  EXPECT_EQ(epoch(1, {sale}).at("multiplier"), (Values{10000, 12000, 10000, 10000}));
  EXPECT_EQ(epoch(2, {}).at("multiplier"), (Values{10000, 10000, 12000, 10000}));
}

TEST_F(Ledger, moves_fields_out_of_range_into_it) {
  Event hostile = work(1, at(1, 1), i128{1} << 60);
  hostile.severity = -7;
  hostile.tier = 99;
  EXPECT_EQ(epoch(1, {hostile}).at("compute")[1], 1'000'000);
}

TEST(PoolSplit, gives_the_exact_proportion_by_largest_remainder) {
  const auto program = compile_text(R"(
program p
param pool: 0..1<<60
dim K in 1..4096
record x: i64 in 0..1<<40
fn weight(k) = x[k]
use pool_split(K, pool, weight) as split
table share[k in K]: i64 { return split.share(k) }
)",
                                    {{"pool", 10}});
  const auto shares = [&](const Values& weights) {
    World world;
    world.dims = {{"K", weights.size()}};
    world.fields = {{"x", weights}};
    return run_world(program, world).tables.at("share");
  };
  EXPECT_EQ(shares({1, 1, 1}), (Values{4, 3, 3}));
  EXPECT_EQ(shares({0, 0, 0}), (Values{0, 0, 0}));
  EXPECT_EQ(shares({7}), (Values{10}));
  EXPECT_EQ(shares({0, 5, 0}), (Values{0, 10, 0}));
  EXPECT_EQ(shares({1, 2, 6, 91}), (Values{0, 0, 1, 9}));
  EXPECT_EQ(shares(Values(20, 1)), (Values{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace tally::test
