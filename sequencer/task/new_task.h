// A new task: its genesis and its program's text go to the store, and the transaction that creates it comes out, with
// the id that the chain will give it.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/data/batch_store.h"
#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/language/compile.h"
#include "fraud_proof/settlement/transaction.h"
#include "sequencer/batch/element_source.h"

namespace tally::sequencer {

struct NewTask {
  const math::CompiledProgram& program;
  std::vector<std::uint64_t> dims;  // every dim but K, in program order
  int frac_bits = math::kDefaultFracBits;
  proof::TaskSettings settings;
  proof::Salt salt{};
  std::vector<std::unique_ptr<ElementSource>> states;  // in the order of the program's
};

struct PreparedTask {
  proof::TaskId id;
  proof::TaskPreimage preimage;
  proof::CreateTask transaction;
};

/// Writes DATA/<task id>/. The error is a sentence that says what the chain would refuse, or what cannot be read.
[[nodiscard]] std::expected<PreparedTask, std::string> prepare_task(const NewTask& task,
                                                                    const chain::ChainIdentity& chain,
                                                                    const proof::Address& creator,
                                                                    const chain::BatchStore& store,
                                                                    math::TaskPool& pool);

}  // namespace tally::sequencer
