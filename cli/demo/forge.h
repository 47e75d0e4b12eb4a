// What a corrupt sequencer does to a batch that it has built: only for demonstrations of how that ends.
#pragma once

#include <cstdint>
#include <filesystem>

#include "chain_adapter/chain/chain.h"
#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/commitments/ids.h"
#include "fraud_proof/signing/secp256k1.h"
#include "sequencer/task/open_task.h"

namespace tally::cli {

/// Adds one unit in the last place to an entry of next_model, commits to it, and gives the directory the name that it
/// then has. Everything but that entry is as it should be.
[[nodiscard]] proof::BatchId forge_weight(const std::filesystem::path& directory, const sequencer::OpenTask& task,
                                          std::uint64_t entry, math::TaskPool& pool);

/// From this step of a fold on, the forger claims accumulators that its forged weight would follow from.
inline constexpr std::uint64_t kFirstForgedStep = 14;

/// The forger's answers in all games about its batches that wait for it: true up to kFirstForgedStep, and then lies
/// that would lead to what it has posted. Batches whose data is not below `data` are left undefended.
void defend_forgery(chain::ChainAdapter& chain, const proof::PrivateKey& forger, const std::filesystem::path& data,
                    const sequencer::OpenTask& task);

}  // namespace tally::cli
