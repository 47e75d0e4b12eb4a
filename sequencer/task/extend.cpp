#include "sequencer/task/extend.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "deterministic_math/bytecode/validator.h"
#include "fraud_proof/commitments/batch_shape.h"

namespace tally::sequencer {

namespace {

using Refused = proof::Refusal<ExtendReason>;

bool is_alive(proof::BatchStatus status) {
  return status == proof::BatchStatus::kPending || status == proof::BatchStatus::kFinal;
}

std::unexpected<Refused> no_such_task(const proof::TaskId& task) {
  return proof::refuse(ExtendReason::kNoSuchTask, to_hex(task) + ": the chain has no such task");
}

}  // namespace

bool reads_seed(const proof::StateReader& chain, const proof::TaskPreimage& task) {
  const auto record = proof::read_program(chain, task.program_hash);
  if (!record) throw std::runtime_error("the chain has no program " + math::to_hex(task.program_hash));
  const auto program = math::load_program(record->bytecode);
  if (!program) throw std::runtime_error("the chain has a program that the validator refuses");
  return proof::reads_seed(*program);
}

std::expected<BatchPlace, Refused> place_on(const proof::StateReader& chain, const chain::BatchIndex& index,
                                            const proof::TaskId& task, const proof::BatchId& parent) {
  const auto record = proof::read_task(chain, task);
  if (!record) return no_such_task(task);
  BatchPlace place{.task = record->preimage, .parent = parent, .state = record->preimage.genesis_root};
  if (parent == proof::kGenesisParent) return place;
  const auto status = proof::batch_status(chain, task, parent);
  const chain::IndexedBatch* const posted = index.find(parent);
  if (!status || posted == nullptr || posted->posted.header.task != task) {
    return proof::refuse(ExtendReason::kNoSuchBatch,
                         to_hex(parent) + ": the task has no such batch" + index.what_is_missing(parent));
  }
  if (!is_alive(*status)) {
    return proof::refuse(ExtendReason::kDead, to_hex(parent) + " is " + std::string(to_string(*status)) +
                                                  ": what extends it could never become final");
  }
  place.number = posted->posted.header.number + 1;
  place.state = posted->posted.header.next_state_root;
  return place;
}

std::expected<Extension, Refused> extend(const proof::StateReader& chain, const chain::BatchIndex& index,
                                         const proof::TaskId& task, const proof::BatchId& parent) {
  auto place = place_on(chain, index, task, parent);
  if (!place) return std::unexpected(std::move(place.error()));
  Extension extension{.place = *std::move(place), .parent = std::nullopt, .seed = {}};
  if (const chain::IndexedBatch* const posted = index.find(parent)) extension.parent = posted->posted.header;
  if (!reads_seed(chain, extension.place.task)) return extension;
  const auto seed = proof::read_seed(chain, task, parent);
  if (!seed) {
    return proof::refuse(ExtendReason::kNoSeed,
                         "the seed of the batches on " + to_hex(parent) + " is not sealed yet; anyone may seal it");
  }
  extension.seed = *seed;
  return extension;
}

std::expected<proof::BatchId, Refused> latest_batch(const proof::StateReader& chain, const chain::BatchStore& store,
                                                    const proof::TaskId& task) {
  const auto status = proof::read_task_status(chain, task);
  if (!status) return no_such_task(task);
  proof::BatchId latest = status->final_batch;
  while (true) {
    const auto node = proof::read_node(chain, task, latest);
    if (!node) return no_such_task(task);
    std::optional<proof::BatchId> next;
    for (std::uint64_t position = node->first_live; position < node->children && !next; ++position) {
      const auto child = proof::read_child(chain, task, latest, position);
      if (!child || !store.holds(*child)) continue;
      const auto alive = proof::batch_status(chain, task, *child);
      if (alive && is_alive(*alive)) next = *child;
    }
    if (!next) return latest;
    latest = *next;
  }
}

}  // namespace tally::sequencer
