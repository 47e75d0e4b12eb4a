// Evaluates the items of a batch in program order into the files that its tables become.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/batch_tables.h"
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
  /// Null where an advice item has no hint, or one that needs supplied values.
  [[nodiscard]] const math::Hint* usable_hint(std::size_t item) const;
  /// Fills the same entries of items [range.item, end).
  void fill_items(const chain::EntryRange& range, std::size_t end, math::TaskPool& pool);
  void evaluate(const chain::EntryRange& range, math::TaskPool& pool);
  /// Finds the advice of an item, and of those right behind it, before `limit`, that come out of the same pass. Gives
  /// the first item that is not done.
  std::size_t advise(const chain::EntryRange& range, std::size_t limit, math::TaskPool& pool);

  const math::CompiledProgram& x_program;
  const math::BatchValues& x_values;
  math::Inputs& x_inputs;
  std::map<math::ObjectId, chain::MappedFile> x_files;
  std::set<std::size_t> x_supplied;  // advice items
};

}  // namespace tally::sequencer
