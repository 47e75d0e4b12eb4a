// Where the next batch of a task goes: the parent that it extends, and what a builder and trainers must know of it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "chain_adapter/chain/batch_index.h"
#include "chain_adapter/data/batch_store.h"
#include "fraud_proof/settlement/state.h"
#include "sequencer/batch/batch_builder.h"

namespace tally::sequencer {

enum class ExtendReason : std::uint8_t {
  kNoSuchTask,
  kNoSuchBatch,  // the chain has no such batch of this task
  kDead,         // invalid, orphaned or superseded
  kNoSeed,       // the program reads a seed, and that of the parent's children is not sealed yet
};

struct Extension {
  BatchPlace place;
  std::optional<proof::BatchHeader> parent;  // absent: the batch is the task's first
  math::Digest seed;                         // zero where the program reads none
};

/// Whether the task's program reads a seed. std::runtime_error where the chain keeps no valid program for the task.
[[nodiscard]] bool reads_seed(const proof::StateReader& chain, const proof::TaskPreimage& task);

[[nodiscard]] std::expected<Extension, proof::Refusal<ExtendReason>> extend(const proof::StateReader& chain,
                                                                            const chain::BatchIndex& index,
                                                                            const proof::TaskId& task,
                                                                            const proof::BatchId& parent);

/// The place alone, which trainers sign for: a seed is the builder's concern. Never kNoSeed.
[[nodiscard]] std::expected<BatchPlace, proof::Refusal<ExtendReason>> place_on(const proof::StateReader& chain,
                                                                               const chain::BatchIndex& index,
                                                                               const proof::TaskId& task,
                                                                               const proof::BatchId& parent);

/// The end of the line that an honest poster follows: from the last final batch on always to the first child that is
/// alive and that the store holds. A store holds only batches that its owner built, or fetched and verified.
[[nodiscard]] std::expected<proof::BatchId, proof::Refusal<ExtendReason>> latest_batch(const proof::StateReader& chain,
                                                                                       const chain::BatchStore& store,
                                                                                       const proof::TaskId& task);

}  // namespace tally::sequencer
