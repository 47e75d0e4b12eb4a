// Requests for models against a bookkeeper that takes them one by one, with money conserved throughout.
#include <tuple>
#include <utility>

#include "tests/deterministic_math/programs/batches.h"

namespace tally::test {
namespace {

constexpr i128 kFee = 103;
constexpr i128 kRefund = 5000;
constexpr i128 kThreshold = 50;
constexpr i128 kDeadline = 3;
constexpr i128 kArbiter = 0;

enum Kind : std::uint8_t { kPropose = 1, kAdvance = 2, kCancel = 3, kUse = 4, kClose = 5 };
enum Stage : std::uint8_t { kFree = 0, kProposed = 1, kForming = 2, kTraining = 3, kFinal = 4, kRefunded = 5 };

math::CompiledProgram bounty_program(i128 refund = kRefund) {
  return compile_library_program("task_bounty", {{"fee", kFee},
                                                 {"refund", refund},
                                                 {"usage_threshold", kThreshold},
                                                 {"deadline", kDeadline},
                                                 {"arbiter", kArbiter}});
}

struct Slot {
  i128 stage = 0, requester = 0, opened = 0, bounty = 0, uses = 0;
};

struct Request {
  i128 member, kind, task, amount, payee = 0;
};

struct Books {
  Values deposit, balance;
  std::vector<Slot> slots;
  i128 treasury = 0;

  void propose(i128 number, const Request& request, const std::vector<Slot>& before, const Values& purse,
               std::vector<bool>& asked) {
    const auto m = static_cast<std::size_t>(request.member);
    const auto t = static_cast<std::size_t>(request.task);
    const bool covered = request.amount > 0 && kFee + request.amount <= purse[m];
    if (before[t].stage != kFree || !covered || asked[m]) return;
    asked[m] = true;
    if (slots[t].stage != kFree) return;  // another was first
    slots[t] = {.stage = kProposed, .requester = request.member, .opened = number, .bounty = request.amount};
    deposit[m] -= kFee + request.amount;
    treasury += kFee;
  }

  void batch(i128 number, const std::vector<Request>& requests) {
    const std::vector<Slot> before = slots;
    const Values purse = deposit;
    std::vector<bool> asked(deposit.size());
    for (const Request& request : requests) {
      if (request.kind == kPropose && request.task < static_cast<i128>(slots.size())) {
        propose(number, request, before, purse, asked);
      }
    }
    for (std::size_t t = 0; t < slots.size(); ++t) serve(number, requests, before[t], static_cast<i128>(t));
  }

  // What the arbiter and the requester ask for in a slot.
  void serve(i128 number, const std::vector<Request>& requests, const Slot& before, i128 t) {
    Slot& slot = slots[static_cast<std::size_t>(t)];
    bool advances = false;
    bool gone = false;
    bool closes = false;
    i128 payee = 0;
    i128 used = 0;
    for (const Request& request : requests) {
      if (request.task != t) continue;
      const bool arbiter = request.member == kArbiter;
      const bool next = before.stage >= kProposed && before.stage < kFinal && request.amount == before.stage + 1;
      if (request.kind == kAdvance && arbiter && next && request.payee < static_cast<i128>(balance.size())) {
        advances = true;
        payee = request.payee;
      }
      if (request.kind == kCancel && request.member == before.requester) gone = true;
      if (request.kind == kClose && (arbiter || request.member == before.requester)) closes = true;
      if (request.kind == kUse && arbiter) used += request.amount;
    }
    const auto owner = static_cast<std::size_t>(slot.requester);
    if (advances) {
      ++slot.stage;
      if (slot.stage == kFinal) balance[static_cast<std::size_t>(payee)] += std::exchange(slot.bounty, 0);
    } else if (before.stage >= kProposed && before.stage < kFinal && gone && number >= slot.opened + kDeadline) {
      deposit[owner] += std::exchange(slot.bounty, 0);
      slot.stage = kFree;
    } else if (before.stage >= kFinal) {
      slot.uses += used;
      if (slot.stage == kFinal && slot.uses >= kThreshold) {
        slot.stage = kRefunded;
        deposit[owner] += kFee / 2;
        treasury -= kFee / 2;
      }
      if (closes) std::tie(slot.stage, slot.uses) = std::tuple(kFree, 0);
    }
  }

  [[nodiscard]] std::map<std::string, Values> states() const {
    std::map<std::string, Values> result{{"deposit", deposit}, {"balance", balance}, {"treasury", {treasury}}};
    for (const Slot& slot : slots) {
      result["stage"].push_back(slot.stage);
      result["requester"].push_back(slot.requester);
      result["opened"].push_back(slot.opened);
      result["bounty"].push_back(slot.bounty);
      result["uses"].push_back(slot.uses);
    }
    return result;
  }
};

World bounty_world(const Books& books) {
  World world;
  world.dims = {{"M", books.deposit.size()}, {"T", books.slots.size()}};
  world.states = books.states();
  return world;
}

void play(const math::CompiledProgram& program, World& world, const std::vector<Request>& requests) {
  Values members;
  std::map<std::string, Values> fields{{"kind", {}}, {"task", {}}, {"amount", {}}, {"payee", {}}};
  for (const Request& request : requests) {
    members.push_back(request.member);
    fields["kind"].push_back(request.kind);
    fields["task"].push_back(request.task);
    fields["amount"].push_back(request.amount);
    fields["payee"].push_back(request.payee);
  }
  set_records(world, members, fields);
  advance(program, world);
}

i128 money_in(World& world) {
  i128 sum = 0;
  for (const char* name : {"deposit", "bounty", "balance", "treasury"}) sum += total(world.states[name]);
  return sum;
}

Books books_of(std::size_t members, std::size_t slots, i128 deposit) {
  return {.deposit = Values(members, deposit), .balance = Values(members), .slots = std::vector<Slot>(slots)};
}

TEST(TaskBounty, equals_the_bookkeeper_over_random_requests) {
  const auto program = bounty_program();
  std::mt19937_64 random(61);
  for (int i = 0; i < 40; ++i) {
    Books books = books_of(5, 4, 3000);
    for (Slot& slot : books.slots) {
      const i128 stage = below(random, 6);
      if (stage == kFree) continue;
      slot = {
          .stage = stage, .requester = below(random, 5), .opened = 1, .bounty = stage < kFinal ? below(random, 9) : 0};
      books.treasury += kFee;
    }
    World world = bounty_world(books);
    const i128 money = money_in(world);
    for (i128 number = 1; number <= 14; ++number) {
      std::vector<Request> requests(random() % 14);
      for (Request& request : requests) {
        request = {.member = below(random, 5),
                   .kind = below(random, 7),
                   .task = below(random, 5),
                   .amount = below(random, 5) == 0 ? 0 : below(random, 900),
                   .payee = below(random, 6)};
        if (below(random, 3) == 0) request.member = kArbiter;
        if (request.kind == kUse) request.amount = below(random, 40);
        if (request.kind == kAdvance) request.amount = below(random, 7);
        if (request.kind == kAdvance && request.task < 4 && below(random, 2) == 0) {
          request.member = kArbiter;
          request.amount = books.slots[static_cast<std::size_t>(request.task)].stage + 1;
        }
      }
      play(program, world, requests);
      books.batch(number, requests);
      ASSERT_EQ(world.states, books.states()) << i << " " << static_cast<int>(number);
      EXPECT_EQ(money_in(world), money);
    }
  }
}

TEST(TaskBounty, goes_through_every_stage_in_order_and_through_no_other) {
  const auto program = bounty_program();
  for (i128 stage = kFree; stage <= kRefunded; ++stage) {
    for (i128 wanted = 0; wanted <= 7; ++wanted) {
      Books books = books_of(3, 1, 1000);
      books.slots[0] = {
          .stage = stage, .requester = 1, .opened = 1, .bounty = stage == kFree || stage >= kFinal ? 0 : 9};
      World world = bounty_world(books);
      play(program, world, {{.member = kArbiter, .kind = kAdvance, .task = 0, .amount = wanted, .payee = 2}});
      const bool moves = stage >= kProposed && stage < kFinal && wanted == stage + 1;
      EXPECT_EQ(world.states["stage"][0], moves ? wanted : stage) << static_cast<int>(stage);
      EXPECT_EQ(world.states["balance"], (Values{0, 0, moves && wanted == kFinal ? 9 : 0}));
    }
  }
}

TEST(TaskBounty, is_cancelled_before_it_is_final_and_not_before_the_deadline) {
  const auto program = bounty_program();
  for (i128 stage = kFree; stage <= kRefunded; ++stage) {
    for (const i128 age : {kDeadline - 1, kDeadline}) {
      Books books = books_of(2, 1, 1000);
      books.slots[0] = {
          .stage = stage, .requester = 1, .opened = 5, .bounty = stage == kFree || stage >= kFinal ? 0 : 9};
      World world = bounty_world(books);
      world.batch = static_cast<std::uint64_t>(5 + age);
      play(program, world, {{.member = 1, .kind = kCancel, .task = 0, .amount = 0}});
      const bool cancels = stage >= kProposed && stage < kFinal && age == kDeadline;
      EXPECT_EQ(world.states["stage"][0], cancels ? i128{kFree} : stage);
      EXPECT_EQ(world.states["deposit"], (Values{1000, cancels ? 1009 : 1000}));
    }
  }
}

TEST(TaskBounty, leaves_its_slot_when_a_final_model_is_closed) {
  const auto program = bounty_program();
  for (i128 stage = kFree; stage <= kRefunded; ++stage) {
    for (i128 member = 0; member < 3; ++member) {
      Books books = books_of(3, 1, 1000);
      books.treasury = kFee;
      books.slots[0] = {
          .stage = stage, .requester = 1, .opened = 1, .bounty = stage == kFree || stage >= kFinal ? 0 : 9};
      World world = bounty_world(books);
      play(program, world,
           {{.member = kArbiter, .kind = kUse, .task = 0, .amount = kThreshold},
            {.member = member, .kind = kClose, .task = 0, .amount = 0}});
      const i128 left = stage == kFinal ? i128{kRefunded} : i128{stage};
      const bool closes = stage >= kFinal && member < 2;
      EXPECT_EQ(world.states["stage"][0], closes ? i128{kFree} : left);
      EXPECT_EQ(world.states["uses"][0], stage >= kFinal && !closes ? kThreshold : 0);
      EXPECT_EQ(world.states["deposit"][1], stage == kFinal ? 1000 + kFee / 2 : 1000);  // the refund comes first
      play(program, world, {{.member = 2, .kind = kPropose, .task = 0, .amount = 5}});
      EXPECT_EQ(world.states["requester"][0] == 2, closes || stage == kFree);
    }
  }
}

TEST(TaskBounty, is_advanced_and_cancelled_by_nobody_else) {
  const auto program = bounty_program();
  for (i128 member = 0; member < 3; ++member) {
    for (const i128 kind : {kAdvance, kCancel, kUse}) {
      Books books = books_of(3, 1, 1000);
      const i128 stage = kind == kUse ? kFinal : kForming;
      books.slots[0] = {.stage = stage, .requester = 1, .opened = 1, .bounty = kind == kUse ? 0 : 9};
      World world = bounty_world(books);
      world.batch = 1 + kDeadline;
      const i128 amount = kind == kUse ? 7 : kTraining;
      play(program, world, {{.member = member, .kind = kind, .task = 0, .amount = amount}});
      const bool allowed = member == (kind == kCancel ? 1 : kArbiter);
      EXPECT_EQ(world.states != books.states(), allowed) << static_cast<int>(member) << " " << static_cast<int>(kind);
    }
  }
}

TEST(TaskBounty, is_released_only_on_a_final_model_and_the_fee_comes_back_once) {
  const auto program = bounty_program();
  World world = bounty_world(books_of(4, 2, 1000));
  play(program, world, {{1, kPropose, 0, 895}});
  EXPECT_EQ(world.states["deposit"], (Values{1000, 1000 - kFee - 895, 1000, 1000}));
  for (const i128 stage : {kForming, kTraining}) play(program, world, {{kArbiter, kAdvance, 0, stage, 3}});
  EXPECT_EQ(world.states["bounty"], (Values{895, 0}));
  EXPECT_EQ(world.states["balance"], Values(4));
  play(program, world, {{kArbiter, kAdvance, 0, kFinal, 4}});  // no such payee
  EXPECT_EQ(world.states["bounty"], (Values{895, 0}));
  play(program, world, {{kArbiter, kAdvance, 0, kFinal, 3}, {1, kCancel, 0, 0}});
  EXPECT_EQ(world.states["balance"], (Values{0, 0, 0, 895}));
  play(program, world, {{kArbiter, kUse, 0, kThreshold - 1}});
  EXPECT_EQ(world.states["deposit"], (Values{1000, 2, 1000, 1000}));
  play(program, world, {{kArbiter, kUse, 0, 1}});
  EXPECT_EQ(world.states["deposit"], (Values{1000, 2 + kFee / 2, 1000, 1000}));
  play(program, world, {{kArbiter, kUse, 0, 100}, {kArbiter, kAdvance, 0, kFinal, 3}});
  EXPECT_EQ(world.states["deposit"], (Values{1000, 2 + kFee / 2, 1000, 1000}));
  EXPECT_EQ(world.states["balance"], (Values{0, 0, 0, 895}));
  EXPECT_EQ(world.states["treasury"], Values{kFee - kFee / 2});
}

TEST(TaskBounty, brings_back_the_whole_fee_at_most) {
  Books books = books_of(2, 1, 0);
  books.slots[0] = {.stage = kFinal, .requester = 1, .opened = 1};
  books.treasury = kFee;
  World world = bounty_world(books);
  play(bounty_program(10000), world, {{kArbiter, kUse, 0, kThreshold}});
  EXPECT_EQ(world.states["deposit"], (Values{0, kFee}));
  EXPECT_EQ(world.states["treasury"], Values{0});
}

TEST(TaskBounty, is_opened_once_by_a_member_in_a_batch) {
  World world = bounty_world(books_of(2, 3, 1000));
  play(bounty_program(), world, {{1, kPropose, 0, 1}, {1, kPropose, 1, 2}, {0, kPropose, 2, 0}});
  EXPECT_EQ(world.states["bounty"], (Values{1, 0, 0}));
  EXPECT_EQ(world.states["deposit"], (Values{1000, 1000 - kFee - 1}));
}

TEST(TaskBounty, goes_on_where_every_account_is_full) {
  const auto program = bounty_program();
  const i128 full = i128{1} << 62;
  Books books = books_of(3, 4, full);
  books.balance = Values(3, full);
  books.treasury = full;
  const i128 most = i128{1} << 60;
  books.slots = {{.stage = kTraining, .requester = 1, .opened = 1, .bounty = most},
                 {.stage = kTraining, .requester = 1, .opened = 1, .bounty = most},
                 {.stage = kFinal, .requester = 1, .opened = 1, .uses = full},
                 {}};
  World world = bounty_world(books);
  world.batch = 1 + kDeadline;
  play(program, world,
       {{kArbiter, kAdvance, 0, kFinal, 2}, {1, kCancel, 1, 0}, {kArbiter, kUse, 2, most}, {2, kPropose, 3, most}});
  EXPECT_EQ(world.states["stage"], (Values{kFinal, kFree, kRefunded, kProposed}));
  EXPECT_EQ(world.states["deposit"], (Values{full, full, full - most - kFee}));
  EXPECT_EQ(world.states["balance"], Values(3, full));
  EXPECT_EQ(world.states["uses"], (Values{0, 0, full, 0}));
}

TEST(TaskBounty, needs_the_full_fee) {
  const auto program = bounty_program();
  for (const i128 deposit : {kFee + 895, kFee + 900}) {
    World world = bounty_world(books_of(2, 1, deposit));
    play(program, world, {{1, kPropose, 0, 900}});
    EXPECT_EQ(world.states["stage"], Values{deposit == kFee + 900 ? kProposed : kFree});
  }
}

}  // namespace
}  // namespace tally::test
