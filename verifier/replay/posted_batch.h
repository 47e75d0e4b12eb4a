// A batch as the chain knows it: the only thing that a directory's contents are held against.
//
// A directory may claim anything about itself. What a batch is follows from its Posted event, its task's preimage and
// the bytecode that the chain keeps; a directory only adds data, which must hash to the posted roots, and names for
// people, where its program text compiles to that very bytecode.
#pragma once

#include <cstdint>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "fraud_proof/settlement/event.h"
#include "fraud_proof/step/committed_batch.h"
#include "verifier/replay/description.h"

namespace tally::verifier {

struct PostedBatch {
  proof::Posted posted{};
  proof::TaskPreimage task{};
  std::vector<std::uint8_t> bytecode{};
  std::uint64_t posted_s = 0;
};

/// Never fails for what the chain accepted; std::runtime_error where program, task, header, commitments and roots do
/// not belong together. Without a usable program text, objects are called object_7 and items item_3.
[[nodiscard]] Description describe_posted(const PostedBatch& batch, const chain::BatchPaths& paths);

/// What openings are checked against; lives as long as the description.
[[nodiscard]] proof::CommittedBatch committed_batch(const Description& batch);

}  // namespace tally::verifier
