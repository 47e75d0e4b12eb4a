#include "fraud_proof/settlement/changes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "fraud_proof/settlement/money.h"

namespace tally::proof {
namespace {

constexpr Wei kMost{~math::u128{0}};

class MapState final : public StateReader {
 public:
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override {
    const auto found = x_records.find(std::string(key.begin(), key.end()));
    return found == x_records.end() ? std::nullopt : std::optional(found->second);
  }
  void write(const Effects& effects) {
    for (const Write& write : effects.writes) {
      x_records[std::string(write.key.begin(), write.key.end())] = write.record;
    }
  }

 private:
  std::map<std::string, std::vector<std::uint8_t>> x_records;
};

Address address(std::uint8_t last) {
  Address made;
  made.bytes.back() = last;
  return made;
}

TEST(Changes, reads_what_it_wrote_and_before_that_what_was_there) {
  MapState state;
  Changes first(state);
  first.put(credit_key(address(1)), Wei{5});
  first.put(credit_key(address(2)), Wei{6});
  state.write(first.take());

  Changes second(state);
  EXPECT_EQ(read_credit(second, address(1)), Wei{5});
  second.put(credit_key(address(1)), Wei{7});
  EXPECT_EQ(read_credit(second, address(1)), Wei{7});
  EXPECT_EQ(read_credit(second, address(2)), Wei{6});
  EXPECT_EQ(read_credit(second, address(3)), Wei{});
  EXPECT_EQ(read_credit(state, address(1)), Wei{5});
}

TEST(Changes, gives_each_written_record_once_in_order_of_keys_and_none_that_was_only_read) {
  const MapState state;
  Changes changes(state);
  changes.put(credit_key(address(9)), Wei{1});
  changes.put(credit_key(address(3)), Wei{2});
  changes.put(credit_key(address(9)), Wei{3});
  static_cast<void>(read_burned(changes));
  const Effects effects = changes.take();
  ASSERT_EQ(effects.writes.size(), 2U);
  EXPECT_EQ(effects.writes[0].key, credit_key(address(3)));
  EXPECT_EQ(effects.writes[1].key, credit_key(address(9)));
  EXPECT_EQ(effects.writes[1].record, encode_record(Wei{3}));
}

TEST(Changes, credits_and_burns_add_up_to_the_last_wei_and_refuse_the_next) {
  const MapState state;
  Changes changes(state);
  ASSERT_TRUE(changes.credit(address(1), Wei{kMost.value - 1}).has_value());
  ASSERT_TRUE(changes.credit(address(1), Wei{1}).has_value());
  EXPECT_EQ(read_credit(changes, address(1)), kMost);
  const auto beyond = changes.credit(address(1), Wei{1});
  ASSERT_FALSE(beyond.has_value());
  EXPECT_EQ(beyond.error().reason, Reason::kMoneyOverflow);

  ASSERT_TRUE(changes.burn(kMost).has_value());
  EXPECT_EQ(read_burned(changes), kMost);
  const auto burned = changes.burn(Wei{1});
  ASSERT_FALSE(burned.has_value());
  EXPECT_EQ(burned.error().reason, Reason::kMoneyOverflow);
}

TEST(Changes, nothing_is_written_for_a_credit_of_nothing) {
  const MapState state;
  Changes changes(state);
  ASSERT_TRUE(changes.credit(address(1), {}).has_value());
  ASSERT_TRUE(changes.burn({}).has_value());
  EXPECT_TRUE(changes.take().writes.empty());
}

TEST(Changes, every_kind_of_record_that_holds_money_counts_for_conservation) {
  const auto conserved = [](auto key, auto record, Wei value) {
    const MapState state;
    Changes changes(state);
    changes.put(key, record);
    return changes.conserves(value);
  };
  const TaskId task{math::sha256({})};
  const Wei amount{1'000};
  const Wei other{999};
  const auto counts = [&](auto key, auto record) {
    return conserved(key, record, amount) && !conserved(key, record, other);
  };
  EXPECT_TRUE(counts(task_status_key(task), TaskStatus{.pool = amount}));
  EXPECT_TRUE(counts(member_key(task, 0), MemberRecord{.stake = amount}));
  EXPECT_TRUE(counts(node_key(task, {}), NodeRecord{.bond = amount}));
  EXPECT_TRUE(counts(game_key({}), GameRecord{.bond = amount}));
  EXPECT_TRUE(counts(request_key({}, {}), RequestRecord{.bond = amount}));
  EXPECT_TRUE(counts(credit_key({}), amount));
  EXPECT_TRUE(counts(burned_key(), amount));

  EXPECT_TRUE(conserved(paid_key(task, 1, 2), amount, {}));
  EXPECT_TRUE(conserved(paid_in_batch_key({}), amount, {}));
  EXPECT_TRUE(conserved(program_key({}), ProgramRecord{}, {}));
  EXPECT_TRUE(conserved(binding_key(task, {}), BindingRecord{}, {}));
  EXPECT_TRUE(conserved(child_key(task, {}, 0), BatchId{}, {}));
  EXPECT_TRUE(conserved(seed_key(task, {}), Digest{}, {}));
  EXPECT_TRUE(conserved(commitment_key({}, {}), CommitmentRecord{}, {}));
  EXPECT_TRUE(conserved(task_key(task), TaskRecord{}, {}));
}

TEST(Changes, a_payment_needs_a_record_that_falls_by_as_much) {
  MapState state;
  Changes deposit(state);
  deposit.put(credit_key(address(1)), Wei{10});
  state.write(deposit.take());

  Changes unbacked(state);
  unbacked.pay(address(1), Wei{10});
  EXPECT_FALSE(unbacked.conserves({}));

  Changes backed(state);
  backed.put(credit_key(address(1)), Wei{});
  backed.pay(address(1), Wei{10});
  EXPECT_TRUE(backed.conserves({}));
  EXPECT_FALSE(backed.conserves(Wei{1}));
}

TEST(Money, a_split_is_exact_for_the_largest_bond) {
  const Split half = split_bond(kMost, 5'000);
  EXPECT_EQ(half.burned.value, kMost.value / 2);
  EXPECT_EQ(half.reward.value, kMost.value - kMost.value / 2);
  EXPECT_EQ(split_bond(kMost, 10'000).burned, kMost);
  EXPECT_EQ(split_bond({}, 7'777).burned, Wei{});
  EXPECT_EQ(split_bond({9'999}, 5'001).burned, Wei{5'000});
}

RC_GTEST_PROP(Money, a_split_burns_the_floor_of_the_share, (std::uint64_t bond, std::uint16_t share)) {
  const auto burn_bps = static_cast<std::uint16_t>(share % (kMaxBurnBps + 1));
  const Split split = split_bond({bond}, burn_bps);
  RC_ASSERT(split.burned.value == math::u128{bond} * burn_bps / 10'000);
  RC_ASSERT(split.burned.value + split.reward.value == bond);
}

TEST(Money, is_described_in_decimal) {
  EXPECT_EQ(describe(Wei{}), "0 wei");
  EXPECT_EQ(describe(kMost), "340282366920938463463374607431768211455 wei");
}

}  // namespace
}  // namespace tally::proof
