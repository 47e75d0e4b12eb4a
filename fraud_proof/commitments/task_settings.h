// The economic settings of a task: fixed when it is created, and hashed into its id. Fields stand in their encoded
// order; docs/spec.md gives widths and limits.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <variant>
#include <vector>

#include "deterministic_math/numbers/codec.h"
#include "deterministic_math/numbers/int128.h"
#include "fraud_proof/commitments/table_commitment.h"
#include "fraud_proof/encoding/refusal.h"
#include "fraud_proof/signing/address.h"

namespace tally::proof {

/// Money, in the chain's smallest unit. On the wire 256 bits, of which the upper 128 are zero.
struct Wei {
  math::u128 value = 0;
  auto operator<=>(const Wei&) const = default;
};

inline constexpr std::uint16_t kMinArity = 2;
inline constexpr std::uint16_t kMaxArity = 64;
inline constexpr std::uint16_t kMinBurnBps = 5'000;
inline constexpr std::uint16_t kMaxBurnBps = 10'000;
inline constexpr std::size_t kMaxProposers = 64;
inline constexpr std::size_t kMaxKeepers = 32;

/// Anyone may post.
struct OpenProposers {
  auto operator<=>(const OpenProposers&) const = default;
};

/// Proposers take turns, one slot each in the order of the list; after the grace period of a slot any other proposer
/// of the list may post in it too.
struct ProposerRotation {
  std::uint64_t slot_s = 0;
  std::uint64_t grace_s = 0;
  /// Strictly ascending and none 0.
  std::vector<Address> proposers{};
  auto operator<=>(const ProposerRotation&) const = default;
};

using ProposerRule = std::variant<OpenProposers, ProposerRotation>;

/// A post carries the signatures of `threshold` of these keepers.
struct KeeperQuorum {
  std::uint16_t threshold = 0;
  /// Strictly ascending and none 0.
  std::vector<Address> keepers{};
  auto operator<=>(const KeeperQuorum&) const = default;
};

/// Anyone may demand an input leaf, for a bond each; a batch has at most `max_requests` input leaves.
struct LeafRequests {
  std::uint64_t max_requests = 0;
  Wei request_bond{};
  auto operator<=>(const LeafRequests&) const = default;
};

using Availability = std::variant<KeeperQuorum, LeafRequests>;

/// The defaults are a valid task for small experiments.
struct TaskSettings {
  std::uint32_t leaf_bytes = kDefaultLeafBytes;
  std::uint16_t arity = 32;
  std::uint64_t challenge_period_s = 604'800;
  /// T_req: leaves may be requested while the batch is younger than this.
  std::uint64_t request_period_s = 187'200;
  std::uint64_t window_s = 90'000;
  std::uint64_t game_clock_s = 259'200;
  std::uint64_t move_time_s = 3'600;
  std::uint64_t censorship_budget_s = 86'400;
  Wei sequencer_bond{1'000'000'000'000'000'000};
  Wei challenger_bond{100'000'000'000'000'000};
  std::uint16_t burn_bps = kMinBurnBps;
  /// Wei per unit of a payable entry.
  Wei payout_unit{};
  std::uint64_t min_records = 0;
  Wei min_stake{};
  std::uint64_t exit_delay_s = 1'814'400;
  ProposerRule proposer_rule = OpenProposers{};
  Availability availability = LeafRequests{.max_requests = 65'536, .request_bond = {10'000'000'000'000'000}};
  std::uint64_t max_work = std::uint64_t{1} << 50;
  Wei max_payout_per_batch{};
  auto operator<=>(const TaskSettings&) const = default;
};

enum class SettingsReason : std::uint8_t {
  kTruncated,      // the bytes end within a field
  kMoneyTooLarge,  // an amount of 2^128 wei or more
  kLeafBytes,      // not a power of two in 64..4096
  kArity,          // not in 2..64
  kBurnShare,      // not in 5000..10000
  kRequestTimes,   // T_req + 2 windows > T where leaves can be requested
  kProposerRule,   // an unknown rule
  kProposerSlot,   // a slot of no length
  kProposerCount,  // not 1..kMaxProposers
  kProposerOrder,  // not strictly ascending, or 0
  kAvailability,   // an unknown mode
  kKeeperCount,    // not 1..kMaxKeepers
  kKeeperOrder,    // not strictly ascending, or 0
  kThreshold,      // not in 1..number of keepers
};

/// The settings keep check_settings().
void encode(const TaskSettings& settings, math::ByteWriter& writer);

/// Reads settings, and nothing behind them. What it gives back keeps check_settings().
[[nodiscard]] std::expected<TaskSettings, Refusal<SettingsReason>> decode_settings(math::ByteReader& reader);

/// The limits that need nothing but the settings themselves.
[[nodiscard]] std::expected<void, Refusal<SettingsReason>> check_settings(const TaskSettings& settings);

}  // namespace tally::proof
