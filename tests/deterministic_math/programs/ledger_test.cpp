// The contribution ledger against a bookkeeper that goes through the events one by one, over several epochs; and
// pool_split and half_life alone.
#include <array>
#include <cmath>
#include <numeric>
#include <tuple>

#include "deterministic_math/programs/program_library.h"
#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

constexpr i128 kOne = i128{1} << 30;
constexpr i128 kGenesis = 1'000'000;
constexpr i128 kEpoch = 3600;
constexpr i128 kRegistrar = 0;

std::map<std::string, i128> usual_parameters() {
  return {{"pool", 1'000'003}, {"alpha", 5000},        {"beta", 3000},      {"gamma", 2000}, {"genesis_s", kGenesis},
          {"epoch_s", kEpoch}, {"skew_s", 60},         {"window_s", 600},   {"limit", 4},    {"registrar", kRegistrar},
          {"half_life", 3},    {"newcomer", kOne / 2}, {"rise", 2},         {"cap", 40000},  {"penalty_epochs", 2},
          {"additive", 0},     {"token_share", 0},     {"burn_share", 5000}};
}

enum Kind : std::uint8_t { kTraining = 1, kBehaviour, kSocial, kHeartbeat, kValidation, kFlag, kToken, kAssessment };

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
  i128 update = 1;  // a word of its hash
  i128 key = -1;    // place of the signing key among all addresses; the member's only one where -1
  i128 nonce = -1;  // the key's next where -1
};

// As a batch has them: by address, each key's in the order given.
std::vector<Event> as_records(std::vector<Event> events) {
  std::map<i128, i128> next;
  for (Event& event : events) {
    if (event.key < 0) event.key = 1000 * event.member;
    if (event.nonce < 0) event.nonce = next[event.key];
    next[event.key] = event.nonce + 1;
  }
  std::ranges::stable_sort(events, {}, &Event::key);
  return events;
}

// A time of epoch `epoch`, seconds after its start.
i128 at(i128 epoch, i128 seconds) { return kGenesis + (epoch - 1) * kEpoch + seconds; }

struct Member {
  i128 reputation = 0;
  i128 since = 0;
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
  i128 burned = 0;
};

// What a bookkeeper does with an epoch.
class Bookkeeper {
 public:
  Bookkeeper(std::map<std::string, i128> parameters, Books& books) : x_p(std::move(parameters)), x_books(books) {}

  void epoch(i128 number, const std::vector<Event>& records) {
    x_epoch = number;
    const std::vector<Event> events = as_records(records);
    x_tally.assign(x_books.members.size(), {});
    x_tokens_told = x_books.tokens;
    for (const Event& event : events) {
      if (on_time(event) && event.member == x_p["registrar"]) registrar_event(event);
    }
    for (const Event* event : worthy(events)) take(*event);
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
    i128 accuracy = 10000, reporter = -1, reported = 0;
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
    if (event.kind == kAssessment && event.about < static_cast<i128>(x_tally.size())) {
      x_tally[static_cast<std::size_t>(event.about)].accuracy = std::min<i128>(event.amount, 10000);
    }
    if (event.kind == kToken && event.token < static_cast<i128>(x_tokens_told.size())) {
      x_tokens_told[static_cast<std::size_t>(event.token)] = {event.about, event.tier, event.bonus};
    }
  }

  // Of the epoch, its first or last where the time lies outside.
  i128 second(const Event& event) {
    return std::clamp<i128>(event.timestamp - x_p["genesis_s"] - (x_epoch - 1) * x_p["epoch_s"], 0, x_p["epoch_s"] - 1);
  }

  // Each member's events by time, whoever signed them; in the order of the batch.
  std::vector<const Event*> worthy(const std::vector<Event>& events) {
    std::map<i128, std::vector<const Event*>> accepted;
    for (const Event& event : events) {
      const Member& member = x_books.members[static_cast<std::size_t>(event.member)];
      if (event.kind < kTraining || event.kind > kValidation || !on_time(event)) continue;
      if (event.kind == kTraining && event.update == 0) continue;
      if (member.suspended_until > x_epoch) continue;
      accepted[event.member].push_back(&event);
    }
    std::vector<const Event*> result;
    for (auto& [m, own] : accepted) {
      std::ranges::stable_sort(own, {}, [&](const Event* event) {
        return std::tuple(second(*event), event->kind, event->amount, event->about, event->verdict);
      });
      std::map<i128, i128> in_window;
      for (const Event* event : own) {
        if (++in_window[second(*event) / x_p["window_s"]] <= x_p["limit"]) result.push_back(event);
      }
      x_tally[static_cast<std::size_t>(m)].active = true;
    }
    std::ranges::sort(result);  // pointers into one vector
    return result;
  }

  void take(const Event& event) {
    Tally& tally = x_tally[static_cast<std::size_t>(event.member)];
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
      const bool calls = event.verdict == 1 && event.about != event.member;
      if (calls && event.about < static_cast<i128>(x_tally.size())) {
        Tally& reported = x_tally[static_cast<std::size_t>(event.about)];
        const std::tuple call(second(event), event.member);
        if (reported.reporter < 0 || call < std::tuple(reported.reported, reported.reporter)) {
          std::tie(reported.reported, reported.reporter) = call;
        }
      }
    }
  }

  [[nodiscard]] static i128 uptime(const Tally& tally) { return tally.beats == 0 ? 0 : tally.uptime_sum / tally.beats; }

  [[nodiscard]] static i128 validity(const Tally& tally) {
    return tally.judged == 0 ? 10000 : 10000 * tally.right / tally.judged;
  }

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
    Values scores;
    Values surpluses;
    for (std::size_t m = 0; m < x_books.members.size(); ++m) {
      const Tally& tally = x_tally[m];
      i128 score = (x_p["alpha"] * tally.compute + x_p["beta"] * tally.quality + x_p["gamma"] * tally.social) / 10000;
      score = score * uptime(tally) / 10000;
      score = score * standing(m) / kOne;
      scores.push_back(score * multiplier(m) / 10000);
      surpluses.push_back(multiplier(m) - 10000);
    }
    const bool held = std::ranges::any_of(surpluses, [](i128 surplus) { return surplus > 0; });
    const i128 for_tokens = held ? x_p["pool"] * x_p["token_share"] / 10000 : 0;
    Values earned = split(x_p["pool"] - for_tokens, scores);
    const Values by_tokens = split(for_tokens, surpluses);
    for (std::size_t m = 0; m < earned.size(); ++m) earned[m] += by_tokens[m];
    Values bounties(earned.size());
    for (std::size_t m = 0; m < earned.size(); ++m) {
      if (x_tally[m].flagged < 3) continue;
      const i128 reporter = x_tally[m].reporter;
      i128 bounty = 0;
      if (reporter >= 0) {
        const i128 left = earned[m] - earned[m] * x_p["burn_share"] / 10000;
        bounty = left * validity(x_tally[static_cast<std::size_t>(reporter)]) / 10000;
        bounties[static_cast<std::size_t>(reporter)] += bounty;
      }
      x_books.burned += earned[m] - bounty;
      earned[m] = 0;
    }
    for (std::size_t m = 0; m < earned.size(); ++m) x_books.members[m].balance += earned[m] + bounties[m];
  }

  // One unit at a time to whoever is furthest below the exact share, the lowest slot first.
  [[nodiscard]] static Values split(i128 pool, const Values& weights) {
    const i128 total = std::accumulate(weights.begin(), weights.end(), i128{0});
    if (total == 0) return Values(weights.size());
    Values shares;
    for (const i128 weight : weights) shares.push_back(pool * weight / total);
    i128 left = pool - std::accumulate(shares.begin(), shares.end(), i128{0});
    std::vector<bool> given(weights.size());
    for (; left > 0; --left) {
      std::size_t best = weights.size();
      for (std::size_t m = 0; m < weights.size(); ++m) {
        const auto missing = [&](std::size_t i) { return pool * weights[i] - shares[i] * total; };
        if (!given[m] && (best == weights.size() || missing(m) > missing(best))) best = m;
      }
      given[best] = true;
      ++shares[best];
    }
    return shares;
  }

  void settle(std::size_t m) {
    Member& member = x_books.members[m];
    const Tally& tally = x_tally[m];
    i128 now = standing(m);
    if (tally.flagged > 0) {
      for (i128 i = 0; i < tally.flagged; ++i) now /= 2;
    } else if (tally.active) {
      const i128 part = uptime(tally) * validity(tally) * tally.accuracy / 100'000'000;
      now += (kOne - now) * part / (10000 * (i128{1} << static_cast<int>(x_p["rise"])));
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

World world_of(const Books& books, i128 epoch, const std::vector<Event>& given) {
  const std::vector<Event> events = as_records(given);
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
  field("update_2", &Event::update);
  for (const char* unused : {"device", "model_version", "update_0", "update_1", "update_3"}) {
    world.fields[unused] = Values(events.size());
  }
  for (const Event& event : events) {
    world.members.push_back(event.member);
    world.nonces.push_back(event.nonce);
  }
  world.states["burned"] = {books.burned};
  for (const Member& member : books.members) {
    world.states["reputation"].push_back(member.reputation);
    world.states["since"].push_back(member.since);
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
    books.members[m] = {next("reputation"), next("since"), next("suspended_until"), next("plain_until"),
                        next("balance")};
  }
  for (std::size_t n = 0; n < books.tokens.size(); ++n) {
    books.tokens[n] = {tables.at("next_token_owner")[n], tables.at("next_token_tier")[n],
                       tables.at("next_token_bonus")[n]};
  }
  books.burned = tables.at("next_burned")[0];
  return tables;
}

void expect_equal(const Books& program, const Books& bookkeeper) {
  EXPECT_EQ(program.burned, bookkeeper.burned);
  for (std::size_t m = 0; m < program.members.size(); ++m) {
    SCOPED_TRACE("member " + std::to_string(m));
    EXPECT_EQ(program.members[m].reputation, bookkeeper.members[m].reputation);
    EXPECT_EQ(program.members[m].since, bookkeeper.members[m].since);
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
    parameters["token_share"] = 2500 * additive;
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
                   .kind = below(10),
                   .timestamp = at(number, below(130) * 30 - 150),  // often in one second
                   .amount = below(5) == 0 ? 1'000'000 : below(20000),
                   .epoch = number - (below(20) == 0 ? 1 : 0),
                   .about = below(7),
                   .verdict = below(2),
                   .severity = 1 + below(3),
                   .token = below(14),
                   .tier = 1 + below(5),
                   .bonus = below(1000),
                   .update = below(10)};
          event.key = (event.member * 5 + below(3) * 7) % 31 * 10 + event.member;  // three keys each, interleaved
        }
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

// The sequencer, who knows the signers, sees to their order.
TEST_F(Ledger, counts_events_in_any_order_of_time_and_many_of_a_second) {
  EXPECT_EQ(epoch(1, {work(1, at(1, 50), 1), work(1, at(1, 50), 2), work(1, at(1, 49), 4), work(1, at(1, 3659), 8)})
                .at("compute")[1],
            15);
  Event early = work(1, at(2, -60), 16);
  early.epoch = 2;
  EXPECT_EQ(epoch(2, {early}).at("compute")[1], 16);
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

// Five thousand portfolios at a time, each in twenty orders.
TEST_F(Ledger, caps_a_hundred_thousand_portfolios_whatever_the_order_of_their_tokens) {
  std::mt19937_64 random(12);
  std::vector<Token> tokens(20'000);
  for (Token& token : tokens) {
    token = {static_cast<i128>(random() % 5000), static_cast<i128>(1 + random() % 5),
             static_cast<i128>(random() % 5000)};
  }
  Values expected;
  std::size_t capped = 0;
  for (int i = 0; i < 20; ++i) {
    std::ranges::shuffle(tokens, random);
    x_books = {std::vector<Member>(5000), tokens};
    const Values multipliers = run_world(x_program, world_of(x_books, 1, {})).tables.at("multiplier");
    if (i == 0) expected = multipliers;
    ASSERT_EQ(multipliers, expected);
    EXPECT_GE(*std::ranges::min_element(multipliers), 10000);
    EXPECT_LE(*std::ranges::max_element(multipliers), 40000);
    capped = static_cast<std::size_t>(std::ranges::count(multipliers, 40000));
  }
  EXPECT_GT(capped, 100U);
}

TEST_F(Ledger, forces_the_multiplier_to_one_during_a_penalty) {
  x_books.tokens[0] = {1, 5, 0};
  const Event flag{.member = kRegistrar, .kind = kFlag, .timestamp = at(1, 1), .about = 1, .severity = 2};
  EXPECT_EQ(epoch(1, {flag}).at("multiplier")[1], 15000);
  for (const auto& [number, multiplier] : {std::pair<i128, i128>{2, 10000}, {3, 10000}, {4, 15000}}) {
    EXPECT_EQ(epoch(number, {}).at("multiplier")[1], multiplier) << static_cast<int>(number);
  }
}

TEST_F(Ledger, a_token_sold_counts_for_its_new_owner_from_the_next_epoch_on) {
  x_books.tokens[0] = {1, 4, 0};
  Event sale{.member = kRegistrar, .kind = kToken, .timestamp = at(1, 1), .about = 2, .token = 0, .tier = 4};
  EXPECT_EQ(epoch(1, {sale}).at("multiplier"), (Values{10000, 12000, 10000, 10000}));
  EXPECT_EQ(epoch(2, {}).at("multiplier"), (Values{10000, 10000, 12000, 10000}));
}

// Each refusal alone, by the name that a sequencer refuses it with.
TEST_F(Ledger, names_what_it_refuses_an_event_for) {
  x_books.members[2].suspended_until = 2;
  std::vector<Event> many{work(3, at(1, 601), 1), work(3, at(1, 602), 1), work(3, at(1, 603), 1),
                          work(3, at(1, 604), 1), work(3, at(1, 605), 1)};
  Event other_epoch = work(1, at(1, 10), 1);
  other_epoch.epoch = 2;
  Event blank = work(1, at(1, 10), 1);
  blank.update = 0;
  const std::vector<std::pair<std::string, std::vector<Event>>> cases{
      {"refused_epoch", {other_epoch}},
      {"refused_timestamp", {work(1, at(1, 3660), 1)}},
      {"refused_timestamp_limit", many},
      {"refused_kind", {{.member = 1, .kind = 9, .timestamp = at(1, 10)}}},
      {"refused_kind", {{.member = 1, .kind = kFlag, .timestamp = at(1, 10)}}},
      {"refused_kind", {{.member = 1, .kind = kAssessment, .timestamp = at(1, 10)}}},
      {"refused_member_suspended", {work(2, at(1, 10), 1)}},
      {"refused_update_0_missing", {blank}},
      {"", {heartbeat(1, at(1, 6)), heartbeat(1, at(1, 7))}},
      {"", {{.member = kRegistrar, .kind = kFlag, .timestamp = at(1, 9)}}}};
  const Books books = x_books;
  for (const auto& [reason, events] : cases) {
    x_books = books;
    SCOPED_TRACE(reason);
    const auto tables = epoch(1, events);
    std::size_t reasons = 0;
    for (const auto& [name, values] : tables) {
      if (!name.starts_with("refused_")) continue;
      ++reasons;
      Values expected(events.size());
      if (name == reason) expected.back() = 1;
      EXPECT_EQ(values, expected) << name;
    }
    EXPECT_EQ(reasons, 6U);
  }
}

// Five keys anywhere among the addresses, and more events than a window admits.
TEST_F(Ledger, pays_work_split_among_five_keys_as_the_work_of_one) {
  std::vector<Event> events;
  for (int i = 0; i < 40; ++i) events.push_back(work(1, at(1, 90 * i + 1), 100 + i));
  for (int i = 0; i < 40; ++i) events.push_back(heartbeat(1, at(1, 90 * i + 2)));
  for (int i = 0; i < 5; ++i) events.push_back(work(1, at(1, 1), 50 + i));  // one second, of which some count
  for (int i = 0; i < 5; ++i) events.push_back(work(2, at(1, 90 * i + 1), 1000));
  events.push_back(heartbeat(2, at(1, 3000)));
  const auto one = epoch(1, events);
  EXPECT_GT(one.at("reward")[1], 0);
  EXPECT_EQ(std::ranges::count(one.at("worth"), 1), 4 * 6 + 5);  // six windows
  std::mt19937_64 random(8);
  for (int i = 0; i < 20; ++i) {
    std::vector<Event> split = events;
    std::ranges::shuffle(split, random);
    for (Event& event : split) {
      if (event.member == 1) event.key = static_cast<i128>(random() % 5) * 900 + 100;
    }
    x_books = {std::vector<Member>(4), std::vector<Token>(3)};
    const auto several = epoch(1, split);
    for (const char* table : {"compute", "uptime", "score", "reward", "next_reputation"}) {
      EXPECT_EQ(several.at(table), one.at(table)) << table;
    }
  }
}

// Key A's event late in the epoch; of key B's three, numbered on from A's as it happens, the first is lost.
TEST_F(Ledger, loses_with_a_lost_event_its_worth_alone) {
  std::vector<Event> events{work(1, at(1, 3000), 1), work(1, at(1, 4), 20), work(1, at(1, 5), 300),
                            work(1, at(1, 5), 4000)};
  for (std::size_t i = 1; i < events.size(); ++i) {
    events[i].key = 1001;
    events[i].nonce = static_cast<i128>(i) - 1;
  }
  EXPECT_EQ(epoch(1, events).at("compute")[1], 4321);
  for (std::size_t lost = 0; lost < events.size(); ++lost) {
    std::vector<Event> others = events;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(lost));
    EXPECT_EQ(epoch(1, others).at("compute")[1], 4321 - events[lost].amount);
  }
}

// Skewed clocks reach over an epoch's end; the window there is the epoch's own.
TEST_F(Ledger, admits_no_more_than_the_limit_of_a_window_at_the_end_of_an_epoch) {
  std::vector<Event> events;
  for (int i = 0; i < 10; ++i) events.push_back(work(1, at(1, 3555 + 10 * i), 1));
  EXPECT_EQ(epoch(1, events).at("compute")[1], 4);
  for (Event& event : events) event.epoch = 2;
  EXPECT_EQ(epoch(2, events).at("compute")[1], 4);
}

TEST(LedgerWindows, end_with_the_epoch_or_the_task_is_refused) {
  for (const auto& [window, good] : {std::pair<i128, bool>{3600, true},
                                     {1800, true},
                                     {1, true},
                                     {86'400, false},
                                     {3599, false},
                                     {3601, false},
                                     {1000, false}}) {
    math::CompileOptions options;
    options.template_library = math::template_library();
    options.parameters = usual_parameters();
    options.parameters["window_s"] = window;
    const auto program = math::compile(math::find_library_program("contribution_ledger")->text, options);
    EXPECT_EQ(program.has_value(), good) << static_cast<int>(window);
  }
}

TEST_F(Ledger, counts_the_numbers_that_a_members_keys_left_out) {
  std::vector<Event> events{work(1, at(1, 1), 1), work(1, at(1, 2), 1), work(1, at(1, 3), 1), work(1, at(1, 1), 1)};
  events[0].nonce = 2;
  events[1].nonce = 3;
  events[2].nonce = 7;
  events[3].key = 5000;
  EXPECT_EQ(epoch(1, events).at("missing"), (Values{0, 5, 0, 0}));
}

TEST_F(Ledger, raises_a_reputation_with_uptime_validity_and_accuracy_each) {
  const auto risen = [&](i128 uptime, i128 verdict, i128 accuracy) {
    x_books = {std::vector<Member>(4), std::vector<Token>(3)};
    epoch(1, {{.member = kRegistrar, .kind = kAssessment, .timestamp = at(1, 1), .amount = accuracy, .about = 1},
              {.member = 1, .kind = kHeartbeat, .timestamp = at(1, 1), .amount = uptime},
              {.member = 1, .kind = kValidation, .timestamp = at(1, 2), .about = 2, .verdict = verdict}});
    return x_books.members[1].reputation;
  };
  EXPECT_EQ(risen(10000, 0, 10000), kOne / 2 + kOne / 8);  // a quarter of the distance
  EXPECT_EQ(risen(5000, 0, 10000), kOne / 2 + kOne / 16);
  EXPECT_EQ(risen(10000, 0, 5000), kOne / 2 + kOne / 16);
  EXPECT_EQ(risen(10000, 0, 20000), risen(10000, 0, 10000));
  EXPECT_EQ(risen(10000, 1, 10000), kOne / 2);
  EXPECT_EQ(risen(0, 0, 10000), kOne / 2);
}

TEST_F(Ledger, takes_the_reward_of_the_gravest_fault_burns_a_part_and_pays_the_reporter) {
  const std::vector<Event> worked{work(1, at(1, 1), 1000), heartbeat(1, at(1, 2)), work(2, at(1, 1), 1000),
                                  heartbeat(2, at(1, 2))};
  const Event flag{.member = kRegistrar, .kind = kFlag, .timestamp = at(1, 1), .about = 1, .severity = 3};
  const auto report = [](i128 member) {
    return Event{.member = member, .kind = kValidation, .timestamp = at(1, 3), .about = 1, .verdict = 1};
  };
  const auto rewards = [&](const std::vector<Event>& more) {
    x_books = {std::vector<Member>(4), std::vector<Token>(3)};
    std::vector<Event> events = worked;
    events.insert(events.end(), more.begin(), more.end());
    const Values reward = epoch(1, events).at("reward");
    EXPECT_EQ(std::accumulate(reward.begin(), reward.end(), x_books.burned), 1'000'003);
    return reward;
  };
  EXPECT_EQ(rewards({}), (Values{0, 500002, 500001, 0}));
  EXPECT_EQ(rewards({flag, report(3), report(2)}), (Values{0, 0, 750002, 0}));  // the lower slot in one second
  EXPECT_EQ(x_books.burned, 250001);
  Event late = report(2);
  late.timestamp = at(1, 4);
  EXPECT_EQ(rewards({flag, late, report(3)}), (Values{0, 0, 500001, 250001}));  // the first in time
  Event wrong = report(3);
  wrong.about = 2;
  EXPECT_EQ(rewards({flag, late, report(3), wrong}), (Values{0, 0, 500001, 125000}));  // who cried wolf gets half
  EXPECT_EQ(x_books.burned, 375002);
  EXPECT_EQ(rewards({flag}), (Values{0, 0, 500001, 0}));
  EXPECT_EQ(rewards({flag, report(1)}), (Values{0, 0, 500001, 0}));  // nobody reports itself
  EXPECT_EQ(rewards({report(3)}), (Values{0, 500002, 500001, 0}));   // nor without the flag that proves it
}

TEST(LedgerTokens, pay_exactly_the_declared_share_of_the_pool) {
  auto parameters = usual_parameters();
  parameters["token_share"] = 1234;
  const auto program = compile_library_program("contribution_ledger", parameters);
  const std::vector<Event> events{work(3, at(1, 1), 1000), heartbeat(3, at(1, 2))};
  constexpr i128 kShare = i128{1'000'003} * 1234 / 10000;
  Books books{std::vector<Member>(4), {{1, 5, 0}, {2, 4, 0}, {2, 3, 0}}};
  const Values reward = play(program, books, 1, events).at("reward");
  EXPECT_EQ(reward[1] + reward[2], kShare);
  EXPECT_EQ(reward[3], 1'000'003 - kShare);
  EXPECT_GT(reward[1], reward[2]);  // 5000 above one, and 3200
  Books without{std::vector<Member>(4), std::vector<Token>(3)};
  EXPECT_EQ(play(program, without, 1, events).at("reward"), (Values{0, 0, 0, 1'000'003}));
}

TEST_F(Ledger, has_one_order_of_events_that_passes) {
  std::vector<Event> events{work(1, at(1, 3), 1), work(1, at(1, 1), 1), work(0, at(1, 2), 1), work(3, at(1, 9), 5)};
  World world = world_of(x_books, 1, events);
  const Values order = run_world(x_program, world).tables.at("order");
  std::size_t passed = 0;
  Values claim(4);
  for (int code = 0; code < 5 * 5 * 5 * 5; ++code) {
    int rest = code;
    for (i128& value : claim) {
      value = rest % 5;  // 4 is no event
      rest /= 5;
    }
    world.advice["order"] = claim;
    if (run_world(x_program, world).failed) continue;
    ++passed;
    EXPECT_EQ(claim, order);
  }
  EXPECT_EQ(passed, 1U);
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
