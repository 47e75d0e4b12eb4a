// Evaluates the items of a batch in program order into the files that its tables become.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/work.h"
#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/executor/executor.h"
#include "sequencer/batch/batch_builder.h"

namespace tally::sequencer {

class TableFiller {
 public:
  /// Makes the tables' files in the folder of `paths`. `inputs` gets the tables' memory; everything else in it is set
  /// before fill() is called. All arguments outlive this object.
  TableFiller(const math::CompiledProgram& program, const math::BatchValues& values, const chain::BatchPaths& paths,
              math::Inputs& inputs);

  /// Throws BuildFailure where an entry is FAIL.
  void fill(const std::vector<SuppliedAdvice>& advice, math::TaskPool& pool, const chain::Work& work);

  /// By object id; empty for others than advice and computed tables.
  [[nodiscard]] std::span<const std::byte> data(math::ObjectId table) const { return x_files.at(table).bytes(); }

 private:
  void supply(const SuppliedAdvice& advice);
  void advise(std::size_t item, std::uint64_t first, std::uint64_t count, math::TaskPool& pool);

  const math::CompiledProgram& x_program;
  const math::BatchValues& x_values;
  math::Inputs& x_inputs;
  std::map<math::ObjectId, chain::MappedFile> x_files;
};

}  // namespace tally::sequencer
