#include "chain_adapter/embedded/embedded_chain.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <thread>

#include "chain_adapter/embedded/audit.h"
#include "tests/chain_adapter/embedded/chain_file.h"

namespace tally::chain {
namespace {

using proof::Reason;
using test::ChainFile;
using test::kRiches;
using test::kStart;
using test::send;
using test::signed_bytes;
using Kind = TransactionFate::Kind;

proof::PrivateKey key(std::uint64_t number) { return development_key(number); }
proof::Address address(std::uint64_t number) { return key(number).address(); }

void expect_sound(const std::filesystem::path& file) {
  const auto report = audit(file);
  EXPECT_TRUE(report) << report.error();
}

/// A chain on which key 1 has left the task, and has its stake to withdraw.
proof::TaskId with_credit(const std::filesystem::path& file) {
  EmbeddedChain chain(file);
  const proof::TaskId task = test::create_task(chain, key(0));
  const proof::TaskSettings& settings = test::some_task().settings;
  EXPECT_EQ(send(chain, key(1), settings.min_stake, proof::Register{task}).kind, Kind::kApplied);
  EXPECT_EQ(send(chain, key(1), {}, proof::RequestExit{task, 0}).kind, Kind::kApplied);
  (void)chain.advance(settings.exit_delay_s);
  EXPECT_EQ(send(chain, key(1), {}, proof::WithdrawStake{task, 0}).kind, Kind::kApplied);
  return task;
}

/// Everything that a transaction could have changed.
struct Picture {
  Head head;
  proof::Digest hash;
  std::uint64_t transactions;
  std::uint64_t events;
  std::vector<std::pair<proof::Address, Account>> accounts;

  explicit Picture(EmbeddedChain& chain) {
    const EmbeddedStatus status = chain.status();
    head = status.head;
    hash = status.head_hash;
    transactions = status.transactions;
    events = status.events;
    for (const StoredAccount& stored : chain.accounts()) accounts.emplace_back(stored.address, stored.account);
  }
  bool operator==(const Picture& other) const {
    return head.block == other.head.block && head.time_s == other.head.time_s && hash == other.hash &&
           transactions == other.transactions && events == other.events && accounts == other.accounts;
  }
};

TEST(EmbeddedChain, begins_with_what_its_genesis_says) {
  const ChainFile file;
  EmbeddedChain chain(file.path());
  const Genesis genesis = test::genesis_for(4);
  EXPECT_EQ(chain.identity().chain_id, 77U);
  EXPECT_EQ(chain.identity().contract, contract_address(genesis_block(genesis)));
  EXPECT_EQ(chain.head().block, 0U);
  EXPECT_EQ(chain.head().time_s, kStart);
  EXPECT_EQ(chain.balance(address(3)), kRiches);
  EXPECT_EQ(chain.balance(address(4)), proof::Wei{});
  EXPECT_TRUE(chain.events(0, 10).empty());
  EXPECT_EQ(chain.status().clock, Clock::kDriven);
  expect_sound(file.path());
  EXPECT_THROW(EmbeddedChain::create(file.path(), genesis), DatabaseError);
}

TEST(EmbeddedChain, shows_an_applied_transaction_to_every_process) {
  const ChainFile file;
  EmbeddedChain chain(file.path());
  EmbeddedChain other(file.path());
  const proof::TaskId task = test::create_task(chain, key(0));
  const proof::Transaction fund = proof::Fund{.task = task};
  const TransactionId id = chain.submit({.key = key(1), .value = {250}, .transaction = fund});

  const TransactionFate fate = other.fate(id);
  EXPECT_EQ(fate.kind, Kind::kApplied);
  EXPECT_EQ(fate.block, 2U);
  EXPECT_EQ(fate.bytes, kEnvelopeBytes + proof::encode(fund).size());
  ASSERT_EQ(fate.events.size(), 1U);
  const auto& funded = std::get<proof::Funded>(fate.events[0]);
  EXPECT_EQ(funded.by, address(1));
  EXPECT_EQ(funded.amount, proof::Wei{250});
  EXPECT_EQ(other.balance(address(1)).value, kRiches.value - 250);
  EXPECT_EQ(other.balance(chain.identity().contract), proof::Wei{250});
  EXPECT_EQ(other.next_nonce(address(1)), 1U);
  EXPECT_EQ(proof::read_task_status(other.state(), task)->pool, proof::Wei{250});

  const std::vector<LoggedEvent> events = other.events(1, 10);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].position, 1U);
  EXPECT_EQ(events[0].block, 2U);
  EXPECT_EQ(events[0].time_s, kStart);
  EXPECT_EQ(events[0].transaction, id);
  EXPECT_EQ(proof::encode(events[0].event), proof::encode(fate.events[0]));
  EXPECT_EQ(other.events(0, 1).size(), 1U);
  EXPECT_TRUE(other.events(2, 10).empty());
  EXPECT_TRUE(other.events(~std::uint64_t{0}, 10).empty());
  EXPECT_EQ(other.fate({}).kind, Kind::kUnknown);
  expect_sound(file.path());
}

struct RefusalCase {
  std::string_view name;
  Reason reason;
  std::function<std::vector<std::uint8_t>(const ChainIdentity&, const proof::TaskId&)> bytes;
};

const std::vector<RefusalCase>& refusal_cases() {
  static const std::vector<RefusalCase> cases = {
      {"no envelope", Reason::kMalformed, [](const auto&, const auto&) { return std::vector<std::uint8_t>(20); }},
      {"a payload that is no transaction", Reason::kMalformed,
       [](const ChainIdentity& identity, const auto&) {
         SignedTransaction envelope{.chain = identity, .payload = {0xff, 1, 2}};
         sign(envelope, key(1));
         return encode(envelope);
       }},
      {"another chain id", Reason::kWrongChain,
       [](ChainIdentity identity, const proof::TaskId& task) {
         ++identity.chain_id;
         return signed_bytes(identity, key(1), 0, {5}, proof::Fund{task});
       }},
      {"another contract", Reason::kWrongChain,
       [](ChainIdentity identity, const proof::TaskId& task) {
         identity.contract.bytes[0] ^= 1;
         return signed_bytes(identity, key(1), 0, {5}, proof::Fund{task});
       }},
      {"a signature of nobody", Reason::kBadSignature,
       [](const ChainIdentity& identity, const proof::TaskId& task) {
         auto bytes = signed_bytes(identity, key(1), 0, {5}, proof::Fund{task});
         bytes.back() = 29;
         return bytes;
       }},
      {"a nonce in the future", Reason::kWrongNonce,
       [](const ChainIdentity& identity, const proof::TaskId& task) {
         return signed_bytes(identity, key(1), 1, {5}, proof::Fund{task});
       }},
      {"a nonce that was used", Reason::kWrongNonce,
       [](const ChainIdentity& identity, const proof::TaskId& task) {
         return signed_bytes(identity, key(0), 0, {5}, proof::Fund{task});
       }},
      {"more money than there is", Reason::kInsufficientFunds,
       [](const ChainIdentity& identity, const proof::TaskId& task) {
         return signed_bytes(identity, key(1), 0, {kRiches.value + 1}, proof::Fund{task});
       }},
      {"what the settlement refuses", Reason::kNoSuchTask,
       [](const ChainIdentity& identity, const auto&) {
         return signed_bytes(identity, key(1), 0, {5}, proof::Fund{});
       }},
  };
  return cases;
}

TEST(EmbeddedChain, refuses_by_name_and_leaves_no_trace) {
  const ChainFile file;
  EmbeddedChain chain(file.path());
  const proof::TaskId task = test::create_task(chain, key(0));
  const Picture before(chain);
  for (const RefusalCase& refused : refusal_cases()) {
    SCOPED_TRACE(refused.name);
    const std::vector<std::vector<std::uint8_t>> bytes = {refused.bytes(chain.identity(), task)};
    const std::vector<Submitted> results = chain.submit_signed(bytes);
    ASSERT_EQ(results.size(), 1U);
    EXPECT_EQ(results[0].id, transaction_id(bytes[0]));
    ASSERT_EQ(results[0].fate.kind, Kind::kRefused);
    EXPECT_EQ(results[0].fate.refusal->reason, refused.reason) << results[0].fate.refusal->message;
    EXPECT_EQ(chain.fate(results[0].id).refusal->reason, refused.reason);
    EmbeddedChain other(file.path());
    EXPECT_EQ(other.fate(results[0].id).kind, Kind::kUnknown);
    EXPECT_TRUE(Picture(chain) == before);
  }
  expect_sound(file.path());
}

TEST(EmbeddedChain, takes_a_transaction_that_was_refused_once_its_time_has_come) {
  const ChainFile file;
  EmbeddedChain chain(file.path());
  const proof::TaskId task = test::create_task(chain, key(0));
  const std::vector<std::vector<std::uint8_t>> second = {
      signed_bytes(chain.identity(), key(1), 1, {2}, proof::Fund{task})};
  const TransactionId id = chain.submit_signed(second)[0].id;
  EXPECT_EQ(chain.fate(id).kind, Kind::kRefused);
  EXPECT_EQ(send(chain, key(1), {1}, proof::Fund{task}).kind, Kind::kApplied);
  EXPECT_EQ(chain.submit_signed(second)[0].fate.kind, Kind::kApplied);
  EXPECT_EQ(chain.fate(id).kind, Kind::kApplied);
}

TEST(EmbeddedChain, judges_each_transaction_of_a_block_by_itself) {
  const ChainFile file;
  EmbeddedChain chain(file.path());
  const proof::TaskId task = test::create_task(chain, key(0));
  const Block parent = [&] {
    const EmbeddedStatus status = chain.status();
    return Block{.number = status.head.block, .time_s = status.head.time_s, .hash = status.head_hash};
  }();
  const ChainIdentity identity = chain.identity();
  const std::vector<std::vector<std::uint8_t>> bytes = {
      signed_bytes(identity, key(1), 0, {1}, proof::Fund{task}),
      signed_bytes(identity, key(1), 0, {2}, proof::Fund{task}),  // the nonce was just used
      signed_bytes(identity, key(1), 1, {kRiches.value - 1}, proof::Fund{task}),
      signed_bytes(identity, key(1), 2, {1}, proof::Fund{task}),  // nothing is left
      signed_bytes(identity, key(2), 0, {4}, proof::Fund{task}),
  };
  const std::vector<Submitted> results = chain.submit_signed(bytes);
  const std::vector<std::optional<Reason>> expected = {std::nullopt, Reason::kWrongNonce, std::nullopt,
                                                       Reason::kInsufficientFunds, std::nullopt};
  ASSERT_EQ(results.size(), expected.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(results[i].fate.kind, expected[i] ? Kind::kRefused : Kind::kApplied);
    if (expected[i]) {
      EXPECT_EQ(results[i].fate.refusal->reason, *expected[i]);
    } else {
      EXPECT_EQ(results[i].fate.block, parent.number + 1);
      EXPECT_EQ(chain.fate(results[i].id).block, parent.number + 1);
    }
  }
  const std::vector<TransactionId> applied = {results[0].id, results[2].id, results[4].id};
  EXPECT_EQ(chain.status().head_hash, next_block(parent, kStart, applied).hash);
  EXPECT_EQ(proof::read_task_status(chain.state(), task)->pool.value, kRiches.value + 4);
  expect_sound(file.path());
}

TEST(EmbeddedChain, pays_out_of_what_the_settlement_holds) {
  const ChainFile file;
  EmbeddedChain chain(file.path());
  const proof::TaskId task = test::create_task(chain, key(0));
  const proof::Wei stake = std::get<proof::CreateTask>(proof::Transaction(test::some_task())).settings.min_stake;
  const proof::Wei paid{stake.value + 1000};
  ASSERT_EQ(send(chain, key(1), paid, proof::Register{task}).kind, Kind::kApplied);
  ASSERT_EQ(send(chain, key(1), {}, proof::RequestExit{task, 0}).kind, Kind::kApplied);
  EXPECT_EQ(send(chain, key(1), {}, proof::WithdrawStake{task, 0}).refusal->reason, Reason::kNotExited);
  (void)chain.advance(test::some_task().settings.exit_delay_s);
  ASSERT_EQ(send(chain, key(1), {}, proof::WithdrawStake{task, 0}).kind, Kind::kApplied);
  EXPECT_EQ(chain.balance(address(1)).value, kRiches.value - paid.value);
  EXPECT_EQ(chain.status().held, paid);
  ASSERT_EQ(send(chain, key(1), {}, proof::Withdraw{}).kind, Kind::kApplied);
  EXPECT_EQ(chain.balance(address(1)), kRiches);
  EXPECT_EQ(chain.status().held, proof::Wei{});
  expect_sound(file.path());
}

// Whatever a damaged file says, the process lives on and the file is named.
TEST(EmbeddedChain, names_the_file_where_what_it_says_cannot_be) {
  struct Damage {
    std::string sql;
    std::string mentions;
  };
  const std::vector<Damage> damages = {
      {"UPDATE accounts SET balance = '0' WHERE address = (SELECT contract FROM meta)", "less than it is to pay"},
      {"UPDATE accounts SET balance = '340282366920938463463374607431768211455' WHERE address <> (SELECT contract FROM "
       "meta)",
       "2^128 wei or more"},
      {"PRAGMA ignore_check_constraints = ON; UPDATE meta SET clock = 3", "a clock of kind 3"},
      {"DELETE FROM records WHERE hex(key) LIKE '03%'", "a task without its status"},
      {"UPDATE records SET record = x'00' WHERE hex(key) LIKE '0E%'", "records are broken"},
      {"UPDATE records SET record = zeroblob(4) WHERE hex(key) LIKE '01%'", "not the one of its hash"},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.sql);
    const ChainFile file(test::genesis_for(4), test::Where::kMemory);
    const proof::TaskId task = with_credit(file.path());
    {
      Database database(file.path(), embedded_schema());
      database.execute(damage.sql);
      ASSERT_GT(database.changes(), 0);
    }
    try {
      EmbeddedChain chain(file.path());
      (void)send(chain, key(1), {}, proof::Withdraw{});
      (void)send(chain, key(2), test::some_task().settings.min_stake, proof::Register{task});
      ADD_FAILURE() << "it was taken for sound";
    } catch (const DatabaseError& error) {
      EXPECT_EQ(error.fault(), DatabaseFault::kDamaged);
      EXPECT_NE(std::string(error.what()).find(file.path().string()), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(damage.mentions), std::string::npos) << error.what();
    }
  }
}

TEST(EmbeddedChain, marks_passed_time_with_an_empty_block) {
  const ChainFile file;
  EmbeddedChain chain(file.path());
  const Head head = chain.advance(60);
  EXPECT_EQ(head.block, 1U);
  EXPECT_EQ(head.time_s, kStart + 60);
  EXPECT_EQ(chain.head().time_s, kStart + 60);
  EXPECT_EQ(chain.advance(0).block, 2U);
  (void)test::create_task(chain, key(0));
  EXPECT_EQ(chain.head().block, 3U);
  EXPECT_EQ(chain.events(0, 1)[0].time_s, kStart + 60);
  EXPECT_THROW((void)chain.advance(kMaxChainNumber), std::invalid_argument);
  EXPECT_EQ(chain.head().block, 3U);
  expect_sound(file.path());
}

TEST(EmbeddedChain, goes_by_the_hosts_clock_but_never_back) {
  const auto now = [] {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(since).count());
  };
  const ChainFile past(test::genesis_for(1, Clock::kWall));
  EmbeddedChain chain(past.path());
  const std::uint64_t before = now();
  EXPECT_GE(chain.head().time_s, before);
  EXPECT_EQ(chain.head().block, 0U) << "looking makes no block";
  (void)test::create_task(chain, key(0));
  EXPECT_EQ(chain.head().block, 2U) << "an empty block, for the years since genesis, and the transaction's";
  const std::uint64_t time_s = chain.events(0, 1)[0].time_s;
  EXPECT_GE(time_s, before);
  EXPECT_LE(time_s, now());
  EXPECT_THROW((void)chain.advance(1), std::invalid_argument);
  expect_sound(past.path());

  Genesis genesis = test::genesis_for(1, Clock::kWall);
  genesis.time_s = now() + 1'000'000;
  const ChainFile future(genesis);
  EmbeddedChain ahead(future.path());
  (void)test::create_task(ahead, key(0));
  EXPECT_EQ(ahead.head().block, 1U);
  EXPECT_EQ(ahead.head().time_s, genesis.time_s);
}

TEST(EmbeddedChain, lets_two_processes_use_one_key) {
  const ChainFile file;
  EmbeddedChain first(file.path());
  EmbeddedChain second(file.path());
  const proof::TaskId task = test::create_task(first, key(0));
  for (std::uint64_t i = 1; i <= 10; ++i) {
    EXPECT_EQ(send(i % 2 == 0 ? first : second, key(0), {1}, proof::Fund{task}).kind, Kind::kApplied);
    EXPECT_EQ(first.next_nonce(address(0)), i + 1);
  }
  expect_sound(file.path());
}

TEST(EmbeddedChain, remembers_the_latest_refusals) {
  const ChainFile file;
  EmbeddedChain chain(file.path());
  std::vector<std::vector<std::uint8_t>> bytes;
  for (std::size_t i = 0; i < kRememberedRefusals + 2; ++i) {
    bytes.emplace_back(8);
    for (std::size_t byte = 0; byte < 8; ++byte) bytes.back()[byte] = static_cast<std::uint8_t>(i >> (8 * byte));
  }
  const std::vector<Submitted> results = chain.submit_signed(bytes);
  EXPECT_EQ(chain.fate(results[0].id).kind, Kind::kUnknown);
  EXPECT_EQ(chain.fate(results[1].id).kind, Kind::kUnknown);
  EXPECT_EQ(chain.fate(results[2].id).kind, Kind::kRefused);
  EXPECT_EQ(chain.fate(results.back().id).kind, Kind::kRefused);
}

TEST(EmbeddedChain, takes_no_transaction_of_more_than_128_KiB) {
  const ChainFile file;
  EmbeddedChain chain(file.path());
  const proof::Transaction large = proof::AnswerRequest{.openings = std::vector<std::uint8_t>(128 * 1024)};
  EXPECT_THROW((void)chain.submit({.key = key(0), .value = {}, .transaction = large}), std::length_error);
}

TEST(EmbeddedChain, is_opened_by_name) {
  const ChainFile file;
  EXPECT_EQ(open_chain("embedded:" + file.path().string())->identity().chain_id, 77U);
  const auto chain = open_chain(file.path().string());
  const TransactionFate fate = submit_and_wait(*chain, {.key = key(0), .value = {}, .transaction = test::some_task()});
  EXPECT_EQ(fate.kind, Kind::kApplied);
  const TransactionFate again = submit_and_wait(*chain, {.key = key(0), .value = {}, .transaction = test::some_task()});
  EXPECT_EQ(again.refusal->reason, Reason::kTaskExists);
  for (const std::string_view where : {"", "embedded:", "ftp://node.example", "embedded:https://x"}) {
    EXPECT_THROW((void)open_chain(where), std::invalid_argument) << where;
  }
}

// The same transactions on a chain in memory and on the file: the same events, refusals and balances.
RC_GTEST_PROP(EmbeddedChain, does_what_a_chain_in_memory_does, ()) {
  constexpr std::uint64_t kAccounts = 4;
  const ChainFile file(test::genesis_for(kAccounts), test::Where::kMemory);
  EmbeddedChain chain(file.path());
  test::MemoryChain memory(
      {.chain_id = 77, .contract = chain.identity().contract, .base_fee = {1'000'000'000}, .start_s = kStart});
  std::vector<proof::PrivateKey> keys;
  for (std::uint64_t i = 0; i < kAccounts; ++i) {
    keys.push_back(key(i));
    memory.give(keys.back().address(), kRiches);
  }
  const proof::TaskId task = test::create_task(chain, keys[0]);
  RC_ASSERT(memory.send(keys[0].address(), {}, test::some_task()).has_value());
  const auto stake = test::some_task().settings.min_stake.value;
  const auto steps = *rc::gen::inRange(1, 40);
  for (int step = 0; step < steps; ++step) {
    const proof::PrivateKey& sender = keys[*rc::gen::inRange<std::size_t>(0, kAccounts)];
    const std::uint64_t member = *rc::gen::inRange<std::uint64_t>(0, 4);
    const proof::Wei value{*rc::gen::element<math::u128>(0, 1, stake, stake + 7, kRiches.value)};
    if (*rc::gen::inRange(0, 6) == 0) {
      const std::uint64_t seconds = *rc::gen::inRange<std::uint64_t>(1, 20'000);
      (void)chain.advance(seconds);
      memory.advance(seconds);
      memory.mine(1);
      continue;
    }
    const proof::Transaction transaction = *rc::gen::element<proof::Transaction>(
        proof::Fund{task}, proof::Register{task}, proof::RequestExit{task, member}, proof::WithdrawStake{task, member},
        proof::UnbindKey{task, member, sender.address()}, proof::Withdraw{}, proof::Fund{}, test::some_task());
    const TransactionFate fate = send(chain, sender, value, transaction);
    const auto effects = memory.send(sender.address(), value, transaction);
    RC_ASSERT((fate.kind == Kind::kApplied) == effects.has_value());
    if (!effects) {
      RC_ASSERT(fate.refusal->reason == effects.error().reason);
      continue;
    }
    RC_ASSERT(fate.events.size() == effects->events.size());
    for (std::size_t i = 0; i < fate.events.size(); ++i) {
      RC_ASSERT(proof::encode(fate.events[i]) == proof::encode(effects->events[i]));
    }
  }
  for (const proof::PrivateKey& account : keys) {
    RC_ASSERT(chain.balance(account.address()) == memory.balance(account.address()));
  }
  RC_ASSERT(chain.status().held == memory.held());
  const auto report = audit(file.path());
  RC_ASSERT(report.has_value());
}

}  // namespace
}  // namespace tally::chain
