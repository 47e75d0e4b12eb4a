// The batch header: ten 32-byte big-endian words that name everything a batch claims. Its hash is the batch's id.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>

#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/commitments/ids.h"
#include "fraud_proof/encoding/refusal.h"
#include "fraud_proof/signing/address.h"

namespace tally::proof {

inline constexpr std::uint64_t kHeaderVersion = 1;
inline constexpr std::size_t kHeaderBytes = 320;

/// The words in their order, after the version.
struct BatchHeader {
  TaskId task{};
  std::uint64_t number = kFirstBatch;
  BatchId parent{};
  /// K, the number of records.
  std::uint64_t record_count = 0;
  Digest records_root{};
  StateRoot prev_state_root{};
  StateRoot next_state_root{};
  Digest tables_root{};
  Address poster{};
  auto operator<=>(const BatchHeader&) const = default;
};

enum class HeaderReason : std::uint8_t {
  kSize,                // not kHeaderBytes
  kVersion,             // the first word is not 1
  kNumberPadding,       // a nonzero byte above the low 64 bits
  kNumberOutOfRange,    // not in kFirstBatch..kLastBatch
  kRecordCountPadding,  // a nonzero byte above the low 64 bits
  kPosterPadding,       // a nonzero byte above the 20 of the address
};

using HeaderBytes = std::array<std::uint8_t, kHeaderBytes>;

[[nodiscard]] HeaderBytes encode(const BatchHeader& header);
/// Accepts exactly what encode() gives for a header whose number is in range.
[[nodiscard]] std::expected<BatchHeader, Refusal<HeaderReason>> decode_header(math::Bytes bytes);

/// SHA-256(0x03 ‖ header).
[[nodiscard]] BatchId batch_id(const BatchHeader& header);

/// What a keeper signs for a batch whose inputs it has stored and checked: SHA-256(0x04 ‖ batch_id).
[[nodiscard]] Digest keeper_message(const BatchId& batch);

/// The seed of a batch's programs: SHA-256(0x07 ‖ hash of the sealing block ‖ parent's id). Which block seals is kept
/// by the chain.
[[nodiscard]] Digest batch_seed(const Digest& block_hash, const BatchId& parent);

/// A game is named by what it disputes, never by a counter: body and index of the entry, and a salt of the challenger.
struct GameKey {
  BatchId batch{};
  Address challenger{};
  std::uint16_t body = 0;
  std::uint64_t index = 0;
  Digest salt{};
};

/// SHA-256(0x06 ‖ batch_id ‖ challenger ‖ u16be body ‖ u64be index ‖ salt).
[[nodiscard]] GameId game_id(const GameKey& key);

}  // namespace tally::proof
