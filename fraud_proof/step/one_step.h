// The single-step fraud proof: one transition of one entry's fold, run by the chain from openings.
//
// A fold of L steps has states 0 … L+1. State 0 is the program's init, state L+1 the entry's committed results.
// Transition t leads from state t to t+1: a step at fold index t while t < L, the finish at t = L. A body without a
// fold has L = 0.
//
// The witness is the openings that the section's loads need, in load order: loads that are out of bounds or not visible
// take none, and a leaf that was opened before is not repeated (opening.h).
#pragma once

#include <cstdint>
#include <vector>

#include "deterministic_math/interpreter/interpreter.h"
#include "fraud_proof/step/opening.h"

namespace tally::proof {

struct Transition {
  std::uint16_t item = 0;
  std::uint64_t entry = 0;  // flattened
  std::uint64_t number = 0;
};

/// What a transition leads to.
struct TransitionEnd {
  enum class Kind : std::uint8_t { kAccumulators, kResults, kFail };
  Kind kind = Kind::kFail;
  math::Accumulators accumulators{};  // kAccumulators: those of the body, then 0
  math::ResultValues results{};       // kResults: one for each column, then 0
};

/// The number of transitions, L + 1. kNoSuchEntry, kNoBody.
[[nodiscard]] OrRefused<std::uint64_t> transitions(const CommittedBatch& batch, std::uint16_t item,
                                                   std::uint64_t entry);

/// Total and bounded for any bytes and any accumulators: at most 256 instructions, and one opening for each load.
[[nodiscard]] OrRefused<TransitionEnd> run_transition(const CommittedBatch& batch, const Transition& transition,
                                                      const math::Accumulators& before, math::Bytes witness);

/// The committed results of an entry, from openings of its columns in order. A check has none, and takes no bytes.
[[nodiscard]] OrRefused<math::ResultValues> open_results(const CommittedBatch& batch, std::uint16_t item,
                                                         std::uint64_t entry, math::Bytes openings);

/// The honest party's side: the bytes that the two above accept.
[[nodiscard]] std::vector<std::uint8_t> make_witness(const CommittedBatch& batch, const Transition& transition,
                                                     const math::Accumulators& before, LeafSource& source);
[[nodiscard]] std::vector<std::uint8_t> make_result_openings(const CommittedBatch& batch, std::uint16_t item,
                                                             std::uint64_t entry, LeafSource& source);

}  // namespace tally::proof
