// The keeper: stores the inputs of a batch that is about to be posted, checks what it stored, and signs that it has it.
//
// What is checked is the stored copy, not the original: records, rows, states and advice must hash to what the header
// commits to. A keeper vouches that the inputs can be had, not that the batch is right; records that are out of order
// or not signed are refused all the same, since no honest poster has any.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "chain_adapter/data/work.h"
#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/commitments/header.h"
#include "fraud_proof/signing/secp256k1.h"

namespace tally::verifier {

struct KeepOptions {
  math::TaskPool* pool = nullptr;
  std::stop_token stop;
  chain::Progress progress;
};

struct KeptBatch {
  proof::BatchId batch{};
  std::filesystem::path folder;  // STORE/<batch id>
  proof::Signature signature{};
  /// In the task's list of keepers; absent: the key is not in it.
  std::optional<std::uint16_t> position{};
  std::uint64_t bytes = 0;  // of inputs
};

/// The error is a sentence that says what is missing or wrong; nothing is signed then, and nothing new is stored. A
/// batch that was kept before is checked again and signed again. Throws chain::Stopped, and std::system_error where
/// files cannot be read or written.
[[nodiscard]] std::expected<KeptBatch, std::string> keep_batch(const std::filesystem::path& directory,
                                                               const std::filesystem::path& store,
                                                               const proof::PrivateKey& key,
                                                               const KeepOptions& options);

}  // namespace tally::verifier
