// What a dispute costs: games over one forged entry, played to their end on the laboratory's chain.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "verifier/lab/lab_chain.h"
#include "verifier/lab/made_up_batch.h"

namespace tally::verifier {

struct DisputeCase {
  /// All of the program's dims, K first.
  std::vector<std::uint64_t> dims;
  std::uint32_t leaf_bytes = proof::kDefaultLeafBytes;
  std::uint16_t arity = 32;
};

/// Posts a batch that is committed, in a task of its own.
[[nodiscard]] proof::BatchHeader create_and_post(MadeUpBatch& batch, const proof::TaskSettings& settings,
                                                 LabChain& chain);

/// One of its transactions.
struct DisputeStep {
  std::string_view name;    // open_game, or that of the move
  bool is_posters = false;  // or the challenger's
  std::uint64_t bytes = 0;  // of the encoded transaction, header and game state included
  std::uint64_t gas = 0;    // where a node says it
};
using DisputeSteps = std::vector<DisputeStep>;

[[nodiscard]] std::uint64_t total_gas(const DisputeSteps& steps);

struct DisputeCost {
  std::uint64_t transactions = 0;
  std::uint64_t rounds = 0;  // responses of the poster
  std::uint64_t challenger_bytes = 0;
  std::uint64_t poster_bytes = 0;
  std::uint64_t largest_bytes = 0;  // of one transaction
  [[nodiscard]] std::uint64_t bytes() const { return challenger_bytes + poster_bytes; }
};

/// Where the poster's claims turn false: at the first step, in the middle, at the last step, or only at the end.
enum class FalseFrom : std::uint8_t { kFirstStep, kMiddle, kLastStep, kResult };
inline constexpr std::array kAllFalseFrom = {FalseFrom::kFirstStep, FalseFrom::kMiddle, FalseFrom::kLastStep,
                                             FalseFrom::kResult};

/// The table whose entries cost most to dispute: that of the section with the greatest bound (bytecode/cost.h). Absent:
/// the program computes none, or reads the seed, which a made-up batch has not.
[[nodiscard]] std::optional<std::uint16_t> dearest_item(const math::Program& program, const DisputeCase& dispute);

/// A made-up batch whose middle entry of the dearest item is not what its fold gives is posted, each time in a task of
/// its own, and the games over that entry are played to their end. What they took, from the challenger's first
/// transaction on, in the order of kAllFalseFrom. The program has a dearest item, and takes the case's dims.
[[nodiscard]] std::vector<DisputeSteps> play_disputes(const math::Program& program, const DisputeCase& dispute,
                                                      LabChain& chain);

/// The most that one of these games takes, of each.
[[nodiscard]] DisputeCost measure_dispute(const math::Program& program, const DisputeCase& dispute);

}  // namespace tally::verifier
