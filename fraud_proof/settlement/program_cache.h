// Programs of tasks, decoded once.
#pragma once

#include <map>
#include <memory>

#include "deterministic_math/bytecode/program.h"
#include "fraud_proof/settlement/settlement.h"

namespace tally::proof {

class ProgramCache {
 public:
  /// Of a task's program, which was validated when the task was created. The reference lives as long as the cache.
  [[nodiscard]] const math::Program& of_task(const StateReader& state, const TaskRecord& task);

 private:
  std::map<Digest, std::unique_ptr<const math::Program>> x_programs;  // by hash
};

}  // namespace tally::proof
