// A task is named by the hash of everything that fixes it: where it lives, who made it, its program, dimensions,
// parameters, settings and first state. Whoever has the preimage can check the name.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <vector>

#include "deterministic_math/numbers/int128.h"
#include "deterministic_math/numbers/quantiser.h"
#include "fraud_proof/commitments/ids.h"
#include "fraud_proof/commitments/task_settings.h"

namespace tally::proof {

/// A program has at most 64 items, so no more dims or params.
inline constexpr std::size_t kMaxTaskDims = 64;
inline constexpr std::size_t kMaxTaskParams = 64;

struct TaskPreimage {
  std::uint64_t chain_id = 0;
  Address contract{};
  Address creator{};
  std::array<std::uint8_t, 32> salt{};
  /// SHA-256 of the bytecode.
  Digest program_hash{};
  /// Every dim of the program but K, in program order.
  std::vector<std::uint64_t> dims{};
  /// Every param of the program, in program order.
  std::vector<math::i128> params{};
  /// Model values are q * 2^-frac_bits: without this an aggregate has no meaning. At most math::kMaxFracBits.
  std::uint8_t frac_bits = math::kDefaultFracBits;
  TaskSettings settings{};
  StateRoot genesis_root{};
  auto operator<=>(const TaskPreimage&) const = default;
};

enum class TaskReason : std::uint8_t {
  kTruncated,   // the bytes end within a field
  kTrailing,    // bytes after the genesis root
  kTag,         // the first byte is not 0x05
  kChainId,     // a chain id of 2^64 or more
  kDimCount,    // more than kMaxTaskDims
  kParamCount,  // more than kMaxTaskParams
  kFracBits,    // more than math::kMaxFracBits
  kSettings,    // the settings are refused; the message says why
};

/// The bytes that are hashed, 0x05 included.
[[nodiscard]] std::vector<std::uint8_t> encode(const TaskPreimage& task);
[[nodiscard]] std::expected<TaskPreimage, Refusal<TaskReason>> decode_task(math::Bytes bytes);

[[nodiscard]] TaskId task_id(const TaskPreimage& task);

}  // namespace tally::proof
