// What was written to a batch directory, as folds read it, and the plain interpreter's word on it: a judge that shares
// nothing with the verifier but the definition of a step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/language/compile.h"

namespace tally::test {

class WrittenBatch final : public math::RowSource {
 public:
  /// Program and values outlive it. Every file has the size that they say.
  WrittenBatch(const std::filesystem::path& path, const math::CompiledProgram& compiled,
               const math::BatchValues& values);

  std::span<const std::byte> view(math::ObjectId row, std::uint64_t record, std::uint64_t first, std::size_t count,
                                  std::span<std::byte> scratch) override;

  /// The first entry that is not what the interpreter says, or FAIL, or advice out of its range.
  [[nodiscard]] std::optional<std::string> first_wrong() const;

 private:
  void read_records();
  [[nodiscard]] std::optional<std::string> wrong_entry(std::size_t item, std::uint64_t entry) const;
  [[nodiscard]] math::i128 element(math::ObjectId table, std::uint64_t place) const;

  const math::CompiledProgram& x_compiled;
  const math::BatchValues& x_values;
  chain::BatchPaths x_paths;
  std::vector<std::uint64_t> x_members;
  std::vector<std::uint64_t> x_nonces;
  std::map<math::ObjectId, std::vector<std::int64_t>> x_fields;
  std::map<std::pair<math::ObjectId, std::uint64_t>, std::vector<std::uint8_t>> x_rows;
  std::map<math::ObjectId, std::vector<std::uint8_t>> x_bytes;
  math::Inputs x_inputs;
};

}  // namespace tally::test
