// The data files of a batch directory, opened together, and what folds read of them.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/row_files.h"
#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/executor/inputs.h"
#include "deterministic_math/language/compile.h"

namespace tally::chain {

/// By object: states, advice and computed tables.
using TableFiles = std::map<math::ObjectId, MappedFile>;

struct BatchFiles {
  MappedFile records;
  RowFiles rows;
  TableFiles tables;
  std::vector<std::string> names;  // of the program's objects, by id
};

struct BatchFileRefusal {
  std::string name;  // of the row, state or table; "records.bin"
  std::optional<std::uint64_t> record{};
  FileRefusal file;
};

/// Every file must be there, regular, and of the size that the program and the dims say. Names must be safe.
[[nodiscard]] std::expected<BatchFiles, BatchFileRefusal> open_batch_files(const math::CompiledProgram& compiled,
                                                                           const math::BatchValues& values,
                                                                           const BatchPaths& paths);

/// The records by columns.
struct RecordColumns {
  std::vector<std::uint64_t> members;
  std::vector<std::uint64_t> nonces;
  std::vector<std::vector<std::int64_t>> fields;  // in program order
  std::vector<std::vector<math::Digest>> rows;    // commitments, in program order
};

/// `bytes` is whole records.
[[nodiscard]] RecordColumns record_columns(const math::Program& program, math::Bytes bytes);

/// What loads reach. The parts must outlive it.
[[nodiscard]] math::Inputs batch_inputs(const math::Program& program, const RecordColumns& columns,
                                        const TableFiles& tables, math::RowSource& rows);

/// Rows as they stand in their files.
class PlainRows final : public math::RowSource {
 public:
  /// `first_row` is the object id of the program's first row; the others follow it.
  PlainRows(const RowFiles& files, math::ObjectId first_row) : x_files(files), x_first_row(first_row) {}

  [[nodiscard]] std::span<const std::byte> view(math::ObjectId row, std::uint64_t record, std::uint64_t first,
                                                std::size_t count, std::span<std::byte> scratch) override;

 private:
  const RowFiles& x_files;
  math::ObjectId x_first_row;
};

/// 0 where the program has no rows.
[[nodiscard]] math::ObjectId first_row(const math::Program& program);

}  // namespace tally::chain
