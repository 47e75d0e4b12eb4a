// A batch directory as if it had been posted, and its poster in a game: what a watchtower's parts need without a chain.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "deterministic_math/language/compile.h"
#include "fraud_proof/game/game.h"
#include "verifier/challenger/played_batch.h"
#include "verifier/replay/posted_batch.h"

namespace tally::test {

/// Commits to the directory's data as it is, with the header of its manifest.
[[nodiscard]] verifier::PostedBatch posted_batch(const std::filesystem::path& directory,
                                                 const math::CompiledProgram& program);

/// What a poster claims the accumulators are in a state, where the truth is `right`.
using Claim = std::function<math::Accumulators(std::uint64_t state, const math::Accumulators& right)>;
[[nodiscard]] math::Accumulators claim_the_truth(std::uint64_t state, const math::Accumulators& right);

/// The poster's answer from its own data, which is what it committed to.
[[nodiscard]] proof::Move poster_answer(verifier::PlayedBatch& data, const proof::Game& game, std::uint16_t arity,
                                        const Claim& claim = claim_the_truth);

}  // namespace tally::test
