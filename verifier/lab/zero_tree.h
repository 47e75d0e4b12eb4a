// Trees over data that is all zeros but for one leaf: what the laboratory commits to instead of gigabytes.
#pragma once

#include <cstdint>

#include "fraud_proof/merkle/inclusion.h"
#include "fraud_proof/step/opening.h"

namespace tally::verifier {

/// The path of leaf `index`, which the layout has, where every other leaf holds zeros.
[[nodiscard]] proof::InclusionPath zero_path(const proof::LeafLayout& layout, std::uint64_t index);

}  // namespace tally::verifier
