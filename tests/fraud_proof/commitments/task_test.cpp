#include "fraud_proof/commitments/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/hex.h"

namespace tally::proof {
namespace {

using test::hex;

Digest digest_of(std::uint8_t byte) {
  Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

Address address_of_byte(std::uint8_t byte) {
  Address address;
  address.bytes.fill(byte);
  return address;
}

TaskPreimage example() {
  return {.chain_id = 31'337,
          .contract = address_of_byte(0x41),
          .creator = address_of_byte(0x42),
          .salt = digest_of(0x43).bytes,
          .program_hash = digest_of(0x44),
          .dims = {1'000'000},
          .params = {},
          .frac_bits = 24,
          .settings = {.request_period_s = 86'400, .window_s = 86'400, .exit_delay_s = 1'209'600},
          .genesis_root = {digest_of(0x45)}};
}

TaskPreimage other_example() {
  TaskPreimage task = example();
  task.dims = {5, std::uint64_t{1} << 28};
  task.params = {-1, 7, math::kI128Min};
  task.frac_bits = 9;
  task.settings = {
      .leaf_bytes = 256,
      .arity = 2,
      .challenge_period_s = 1,
      .request_period_s = 2,
      .window_s = 3,
      .game_clock_s = 4,
      .move_time_s = 5,
      .censorship_budget_s = 6,
      .sequencer_bond = {~math::u128{0}},
      .challenger_bond = {8},
      .burn_bps = 10'000,
      .payout_unit = {9},
      .min_records = 10,
      .min_stake = {11},
      .exit_delay_s = 12,
      .proposer_rule =
          ProposerRotation{.slot_s = 13, .grace_s = 14, .proposers = {address_of_byte(1), address_of_byte(2)}},
      .availability =
          KeeperQuorum{.threshold = 2, .keepers = {address_of_byte(3), address_of_byte(4), address_of_byte(5)}},
      .max_work = 15,
      .max_payout_per_batch = {16}};
  return task;
}

// Known answers come from a second implementation of the layouts in Python.
TEST(Task, gives_the_known_ids) {
  EXPECT_EQ(encode(example()).size(), 464U);
  EXPECT_EQ(task_id(example()).digest.bytes,
            hex<32>("e9b19d7671d5ba9c2aa8ad21810eaf7ad554ae83acb9a40d7a58abfd58c31a2d"));
  EXPECT_EQ(task_id(other_example()).digest.bytes,
            hex<32>("95b98d0ae87633fb4166a5fd7985f281463ae1c9f540d185afd302deeb40497d"));
}

TEST(Task, round_trips) {
  EXPECT_EQ(decode_task(encode(example())).value(), example());
  EXPECT_EQ(decode_task(encode(other_example())).value(), other_example());
}

// Pitfall 6: no task has two encodings.
TEST(Task, any_changed_byte_is_refused_or_is_the_encoding_of_another_task) {
  for (const TaskPreimage& task : {example(), other_example()}) {
    const std::vector<std::uint8_t> good = encode(task);
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const std::uint8_t change : std::array<std::uint8_t, 3>{0x01, 0x80, 0xff}) {
        std::vector<std::uint8_t> bytes = good;
        bytes[i] ^= change;
        const auto decoded = decode_task(bytes);
        if (!decoded) continue;
        EXPECT_NE(*decoded, task) << i;
        EXPECT_EQ(encode(*decoded), bytes) << i;
        EXPECT_NE(task_id(*decoded), task_id(task)) << i;
      }
    }
  }
}

TEST(Task, every_shorter_or_longer_preimage_is_refused) {
  for (const TaskPreimage& task : {example(), other_example()}) {
    std::vector<std::uint8_t> bytes = encode(task);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto decoded = decode_task(math::Bytes(bytes).first(size));
      ASSERT_FALSE(decoded.has_value()) << size;
      EXPECT_EQ(decoded.error().reason, TaskReason::kTruncated) << size;
    }
    bytes.push_back(0);
    EXPECT_EQ(decode_task(bytes).error().reason, TaskReason::kTrailing);
  }
}

TEST(Task, refuses_each_wrong_field_by_name) {
  const std::vector<std::uint8_t> good = encode(example());
  struct Case {
    std::size_t place;
    std::uint8_t value;
    TaskReason reason;
  };
  const Case cases[] = {{0, 3, TaskReason::kTag},         {1, 1, TaskReason::kChainId},
                        {24, 1, TaskReason::kChainId},    {138, 65, TaskReason::kDimCount},
                        {137, 1, TaskReason::kDimCount},  {148, 65, TaskReason::kParamCount},
                        {149, 31, TaskReason::kFracBits}, {150 + 3, 1, TaskReason::kSettings}};
  for (const Case& c : cases) {
    std::vector<std::uint8_t> bytes = good;
    bytes[c.place] = c.value;
    const auto decoded = decode_task(bytes);
    ASSERT_FALSE(decoded.has_value()) << c.place;
    EXPECT_EQ(decoded.error().reason, c.reason) << c.place;
  }
}

TEST(TaskSettings, refuses_each_wrong_value_by_name) {
  std::set<SettingsReason> seen;
  const auto refused = [&](SettingsReason reason, const std::function<void(TaskSettings&)>& change) {
    TaskSettings settings;
    ASSERT_TRUE(check_settings(settings).has_value());
    change(settings);
    const auto checked = check_settings(settings);
    ASSERT_FALSE(checked.has_value()) << int(reason);
    EXPECT_EQ(checked.error().reason, reason) << checked.error().message;
    seen.insert(reason);
  };
  const auto rotation = [](std::uint64_t slot_s, std::vector<Address> proposers) {
    return ProposerRotation{.slot_s = slot_s, .grace_s = 1, .proposers = std::move(proposers)};
  };
  const auto ascending = [](std::size_t count) {
    std::vector<Address> addresses(count);
    for (std::size_t i = 0; i < count; ++i) addresses[i] = address_of_byte(static_cast<std::uint8_t>(i + 1));
    return addresses;
  };
  const Address one = address_of_byte(1);
  const Address two = address_of_byte(2);
  for (const std::uint32_t leaf_bytes : {0U, 32U, 96U, 8192U}) {
    refused(SettingsReason::kLeafBytes, [&](TaskSettings& s) { s.leaf_bytes = leaf_bytes; });
  }
  refused(SettingsReason::kArity, [](TaskSettings& s) { s.arity = 1; });
  refused(SettingsReason::kArity, [](TaskSettings& s) { s.arity = 65; });
  refused(SettingsReason::kBurnShare, [](TaskSettings& s) { s.burn_bps = 4'999; });
  refused(SettingsReason::kBurnShare, [](TaskSettings& s) { s.burn_bps = 10'001; });
  refused(SettingsReason::kRequestTimes,
          [](TaskSettings& s) { s.challenge_period_s = s.request_period_s + 2 * s.window_s - 1; });
  refused(SettingsReason::kRequestTimes, [](TaskSettings& s) { s.window_s = std::uint64_t{1} << 63; });
  refused(SettingsReason::kProposerSlot, [&](TaskSettings& s) { s.proposer_rule = rotation(0, {one}); });
  refused(SettingsReason::kProposerCount, [&](TaskSettings& s) { s.proposer_rule = rotation(1, {}); });
  refused(SettingsReason::kProposerCount, [&](TaskSettings& s) { s.proposer_rule = rotation(1, ascending(65)); });
  refused(SettingsReason::kProposerOrder, [&](TaskSettings& s) { s.proposer_rule = rotation(1, {two, one}); });
  refused(SettingsReason::kProposerOrder, [&](TaskSettings& s) { s.proposer_rule = rotation(1, {one, one}); });
  refused(SettingsReason::kProposerOrder, [&](TaskSettings& s) { s.proposer_rule = rotation(1, {Address{}}); });
  refused(SettingsReason::kKeeperCount, [&](TaskSettings& s) { s.availability = KeeperQuorum{1, {}}; });
  refused(SettingsReason::kKeeperCount, [&](TaskSettings& s) { s.availability = KeeperQuorum{1, ascending(33)}; });
  refused(SettingsReason::kKeeperOrder, [&](TaskSettings& s) { s.availability = KeeperQuorum{1, {two, one}}; });
  refused(SettingsReason::kKeeperOrder, [&](TaskSettings& s) { s.availability = KeeperQuorum{1, {one, one}}; });
  refused(SettingsReason::kKeeperOrder, [&](TaskSettings& s) { s.availability = KeeperQuorum{1, {Address{}}}; });
  refused(SettingsReason::kThreshold, [&](TaskSettings& s) { s.availability = KeeperQuorum{0, {one}}; });
  refused(SettingsReason::kThreshold, [&](TaskSettings& s) { s.availability = KeeperQuorum{2, {one}}; });

  // What no value of the type can hold is refused when it is read.
  math::ByteWriter writer;
  encode(TaskSettings{}, writer);
  const std::vector<std::uint8_t> good = writer.take();
  ASSERT_EQ(good.size(), 282U);
  const auto refused_bytes = [&](SettingsReason reason, std::size_t place, std::vector<std::uint8_t> values) {
    std::vector<std::uint8_t> bytes = good;
    std::ranges::copy(values, bytes.begin() + static_cast<std::ptrdiff_t>(place));
    math::ByteReader reader(bytes);
    const auto decoded = decode_settings(reader);
    ASSERT_FALSE(decoded.has_value()) << place;
    EXPECT_EQ(decoded.error().reason, reason) << place << ' ' << decoded.error().message;
    seen.insert(reason);
  };
  for (const std::size_t money : {54U, 86U, 120U, 160U, 210U, 250U}) {
    refused_bytes(SettingsReason::kMoneyTooLarge, money, {1});
    refused_bytes(SettingsReason::kMoneyTooLarge, money + 15, {1});
  }
  refused_bytes(SettingsReason::kProposerRule, 200, {2});
  refused_bytes(SettingsReason::kProposerCount, 200, std::vector<std::uint8_t>(20, 1));
  refused_bytes(SettingsReason::kAvailability, 201, {2});
  refused_bytes(SettingsReason::kKeeperCount, 201, {0, 0, 1, 0, 33});
  refused_bytes(SettingsReason::kBurnShare, 118, {0, 0});
  math::ByteReader reader(math::Bytes(good).first(281));
  EXPECT_EQ(decode_settings(reader).error().reason, SettingsReason::kTruncated);
  seen.insert(SettingsReason::kTruncated);
  EXPECT_EQ(seen.size(), 14U) << "a reason is not covered";
}

}  // namespace
}  // namespace tally::proof
