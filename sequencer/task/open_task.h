// A task as those who work on it have it: what the chain keeps of it, and its program compiled from the text in the
// store. The chain knows only bytecode; the text must compile to exactly that.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_store.h"
#include "deterministic_math/language/compile.h"
#include "fraud_proof/settlement/state.h"
#include "sequencer/batch/element_source.h"

namespace tally::sequencer {

enum class OpenTaskReason : std::uint8_t {
  kNoSuchTask,   // the chain has none with that id
  kNoText,       // the store has no program.tally for it
  kOtherText,    // the text does not compile, or not to the task's bytecode
  kOtherStates,  // states in the store are missing, or of another size
};

struct OpenTask {
  proof::TaskId id;
  proof::TaskRecord record;
  math::CompiledProgram program;

  [[nodiscard]] const proof::TaskPreimage& preimage() const { return record.preimage; }
  /// All dims for a batch of that many records.
  [[nodiscard]] std::vector<std::uint64_t> dims(std::uint64_t records) const;
};

[[nodiscard]] std::expected<OpenTask, proof::Refusal<OpenTaskReason>> open_task(const proof::StateReader& chain,
                                                                                const chain::BatchStore& store,
                                                                                const proof::TaskId& id);

/// The states that a batch on `parent` extends: those of the parent's directory with its `next` tables in their places,
/// or the genesis. Files stay mapped as long as the sources live.
[[nodiscard]] std::expected<std::vector<std::unique_ptr<ElementSource>>, proof::Refusal<OpenTaskReason>>
previous_states(const OpenTask& task, const chain::BatchStore& store, const proof::BatchId& parent);

}  // namespace tally::sequencer
