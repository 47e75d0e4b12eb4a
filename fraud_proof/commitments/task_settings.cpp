#include "fraud_proof/commitments/task_settings.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/int128.h"

namespace tally::proof {

namespace {

using SettingsRefusal = Refusal<SettingsReason>;
using Checked = std::expected<void, SettingsRefusal>;

// First byte of the encoded variants.
constexpr std::uint8_t kOpenProposers = 0;
constexpr std::uint8_t kProposerRotation = 1;
constexpr std::uint8_t kKeeperQuorum = 0;
constexpr std::uint8_t kLeafRequests = 1;

void write(math::ByteWriter& writer, const Wei& amount) {
  writer.i128be(0);
  writer.i128be(static_cast<math::i128>(amount.value));
}

void write(math::ByteWriter& writer, const std::vector<Address>& addresses) {
  writer.u16be(static_cast<std::uint16_t>(addresses.size()));
  for (const Address& address : addresses) writer.raw(address.bytes);
}

void write(math::ByteWriter& writer, const ProposerRule& rule) {
  if (const auto* const rotation = std::get_if<ProposerRotation>(&rule)) {
    writer.u8(kProposerRotation);
    writer.u64be(rotation->slot_s);
    writer.u64be(rotation->grace_s);
    write(writer, rotation->proposers);
  } else {
    writer.u8(kOpenProposers);
  }
}

void write(math::ByteWriter& writer, const Availability& availability) {
  if (const auto* const quorum = std::get_if<KeeperQuorum>(&availability)) {
    writer.u8(kKeeperQuorum);
    writer.u16be(quorum->threshold);
    write(writer, quorum->keepers);
  } else {
    const auto& requests = std::get<LeafRequests>(availability);
    writer.u8(kLeafRequests);
    writer.u64be(requests.max_requests);
    write(writer, requests.request_bond);
  }
}

/// Reads the parts of settings. The first part that cannot be represented is remembered; what follows is of no use.
class SettingsReader {
 public:
  explicit SettingsReader(math::ByteReader& reader) : x_reader(reader) {}

  Wei wei(const char* name) {
    const math::i128 high = x_reader.i128be();
    const auto low = static_cast<math::u128>(x_reader.i128be());
    if (high != 0) fail(SettingsReason::kMoneyTooLarge, std::string(name).append(" is 2^128 wei or more"));
    return {low};
  }

  ProposerRule proposer_rule() {
    const std::uint8_t kind = x_reader.u8();
    if (kind == kOpenProposers) return OpenProposers{};
    ProposerRotation rotation;
    if (kind != kProposerRotation) {
      fail(SettingsReason::kProposerRule, "the proposer rule " + std::to_string(kind) + " is unknown");
      return rotation;
    }
    rotation.slot_s = x_reader.u64be();
    rotation.grace_s = x_reader.u64be();
    rotation.proposers = addresses(kMaxProposers, SettingsReason::kProposerCount);
    return rotation;
  }

  Availability availability() {
    const std::uint8_t kind = x_reader.u8();
    if (kind == kKeeperQuorum) {
      KeeperQuorum quorum;
      quorum.threshold = x_reader.u16be();
      quorum.keepers = addresses(kMaxKeepers, SettingsReason::kKeeperCount);
      return quorum;
    }
    LeafRequests requests;
    if (kind != kLeafRequests) {
      fail(SettingsReason::kAvailability, "the availability mode " + std::to_string(kind) + " is unknown");
      return requests;
    }
    requests.max_requests = x_reader.u64be();
    requests.request_bond = wei("request_bond");
    return requests;
  }

  /// A value that cannot be represented leaves the place of the later ones unknown, so it comes before their absence.
  [[nodiscard]] Checked result() const {
    if (x_refusal) return std::unexpected(*x_refusal);
    if (!x_reader.ok()) return refuse(SettingsReason::kTruncated, "the settings end within a field");
    return {};
  }

 private:
  std::vector<Address> addresses(std::size_t limit, SettingsReason too_many) {
    const std::size_t count = x_reader.u16be();
    std::vector<Address> list;
    if (count > limit) {
      fail(too_many, std::to_string(count) + " addresses are more than " + std::to_string(limit));
      return list;
    }
    list.resize(count);
    for (Address& address : list) std::ranges::copy(x_reader.raw(address.bytes.size()), address.bytes.begin());
    return list;
  }

  void fail(SettingsReason reason, std::string message) {
    if (!x_refusal) x_refusal = SettingsRefusal{reason, std::move(message)};
  }

  math::ByteReader& x_reader;
  std::optional<SettingsRefusal> x_refusal;
};

bool is_strictly_ascending(const std::vector<Address>& addresses) {
  return addresses.front() != Address{} &&
         std::ranges::adjacent_find(addresses, std::ranges::greater_equal{}) == addresses.end();
}

Checked check_proposers(const ProposerRotation& rotation) {
  const std::size_t count = rotation.proposers.size();
  if (rotation.slot_s == 0) return refuse(SettingsReason::kProposerSlot, "a proposer's slot is 0 seconds long");
  if (count == 0 || count > kMaxProposers) {
    return refuse(SettingsReason::kProposerCount, "a rotation has 1 to 64 proposers, not " + std::to_string(count));
  }
  if (!is_strictly_ascending(rotation.proposers)) {
    return refuse(SettingsReason::kProposerOrder, "proposers are not nonzero addresses in strictly ascending order");
  }
  return {};
}

Checked check_quorum(const KeeperQuorum& quorum) {
  const std::size_t count = quorum.keepers.size();
  if (count == 0 || count > kMaxKeepers) {
    return refuse(SettingsReason::kKeeperCount, "a quorum has 1 to 32 keepers, not " + std::to_string(count));
  }
  if (!is_strictly_ascending(quorum.keepers)) {
    return refuse(SettingsReason::kKeeperOrder, "keepers are not nonzero addresses in strictly ascending order");
  }
  if (quorum.threshold == 0 || quorum.threshold > count) {
    return refuse(SettingsReason::kThreshold, "a threshold of " + std::to_string(quorum.threshold) + " signatures of " +
                                                  std::to_string(count) + " keepers");
  }
  return {};
}

}  // namespace

void encode(const TaskSettings& settings, math::ByteWriter& writer) {
  TALLY_ASSERT(check_settings(settings).has_value());
  writer.u32be(settings.leaf_bytes);
  writer.u16be(settings.arity);
  writer.u64be(settings.challenge_period_s);
  writer.u64be(settings.request_period_s);
  writer.u64be(settings.window_s);
  writer.u64be(settings.game_clock_s);
  writer.u64be(settings.move_time_s);
  writer.u64be(settings.censorship_budget_s);
  write(writer, settings.sequencer_bond);
  write(writer, settings.challenger_bond);
  writer.u16be(settings.burn_bps);
  write(writer, settings.payout_unit);
  writer.u64be(settings.min_records);
  write(writer, settings.min_stake);
  writer.u64be(settings.exit_delay_s);
  write(writer, settings.proposer_rule);
  write(writer, settings.availability);
  writer.u64be(settings.max_work);
  write(writer, settings.max_payout_per_batch);
}

std::expected<TaskSettings, SettingsRefusal> decode_settings(math::ByteReader& reader) {
  SettingsReader parts(reader);
  TaskSettings settings;
  settings.leaf_bytes = reader.u32be();
  settings.arity = reader.u16be();
  settings.challenge_period_s = reader.u64be();
  settings.request_period_s = reader.u64be();
  settings.window_s = reader.u64be();
  settings.game_clock_s = reader.u64be();
  settings.move_time_s = reader.u64be();
  settings.censorship_budget_s = reader.u64be();
  settings.sequencer_bond = parts.wei("sequencer_bond");
  settings.challenger_bond = parts.wei("challenger_bond");
  settings.burn_bps = reader.u16be();
  settings.payout_unit = parts.wei("payout_unit");
  settings.min_records = reader.u64be();
  settings.min_stake = parts.wei("min_stake");
  settings.exit_delay_s = reader.u64be();
  settings.proposer_rule = parts.proposer_rule();
  settings.availability = parts.availability();
  settings.max_work = reader.u64be();
  settings.max_payout_per_batch = parts.wei("max_payout_per_batch");
  if (auto read = parts.result(); !read) return std::unexpected(std::move(read.error()));
  if (auto checked = check_settings(settings); !checked) return std::unexpected(std::move(checked.error()));
  return settings;
}

Checked check_settings(const TaskSettings& settings) {
  if (!is_leaf_size(settings.leaf_bytes)) {
    return refuse(SettingsReason::kLeafBytes,
                  "leaf_bytes is " + std::to_string(settings.leaf_bytes) + ", not a power of two in 64..4096");
  }
  if (settings.arity < kMinArity || settings.arity > kMaxArity) {
    return refuse(SettingsReason::kArity, "arity is " + std::to_string(settings.arity) + ", outside 2..64");
  }
  if (settings.burn_bps < kMinBurnBps || settings.burn_bps > kMaxBurnBps) {
    return refuse(SettingsReason::kBurnShare,
                  "burn_bps is " + std::to_string(settings.burn_bps) + ", outside 5000..10000");
  }
  if (const auto* const rotation = std::get_if<ProposerRotation>(&settings.proposer_rule)) {
    if (auto checked = check_proposers(*rotation); !checked) return checked;
  }
  if (const auto* const quorum = std::get_if<KeeperQuorum>(&settings.availability)) return check_quorum(*quorum);
  const math::u128 last_window = math::u128{settings.request_period_s} + 2 * math::u128{settings.window_s};
  if (last_window > settings.challenge_period_s) {
    return refuse(SettingsReason::kRequestTimes, "challenge_period is " + std::to_string(settings.challenge_period_s) +
                                                     " s, less than request_period and two windows, " +
                                                     math::to_string(static_cast<math::i128>(last_window)) + " s");
  }
  return {};
}

}  // namespace tally::proof
