// The row files of a batch: rows/<row>/<k>.bin. Up to some thousands are mapped; of more, each access opens one file,
// since processes may not map or open as many as a batch may have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/files/descriptor.h"
#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/bytecode/program.h"

namespace tally::chain {

/// A signed vector that each record has.
struct RowShape {
  std::string name;
  math::ElementType type = math::ElementType::kI32;
  std::uint64_t length = 0;

  [[nodiscard]] std::uint64_t bytes() const { return length * math::element_bytes(type); }
};

struct RowFileRefusal {
  std::size_t row = 0;
  std::uint64_t record = 0;
  FileRefusal file;
};

class RowFiles {
 public:
  /// Every file must be there, regular, and of the size that its shape says. Names must be safe.
  [[nodiscard]] static std::expected<RowFiles, RowFileRefusal> open(const BatchPaths& paths,
                                                                    std::vector<RowShape> shapes,
                                                                    std::uint64_t records);
  /// Makes folders and files.
  [[nodiscard]] static RowFiles create(const BatchPaths& paths, std::vector<RowShape> shapes, std::uint64_t records);

  [[nodiscard]] const std::vector<RowShape>& shapes() const { return x_shapes; }
  [[nodiscard]] std::uint64_t records() const { return x_records; }

  /// `size` bytes at `offset`: in memory that lasts as this object does, or in `scratch`, which is as large at least.
  [[nodiscard]] std::span<const std::byte> read(std::size_t row, std::uint64_t record, std::uint64_t offset,
                                                std::size_t size, std::span<std::byte> scratch) const;
  void write(std::size_t row, std::uint64_t record, std::uint64_t offset, std::span<const std::byte> data) const;

 private:
  RowFiles(const BatchPaths& paths, std::vector<RowShape> shapes, std::uint64_t records)
      : x_paths(paths), x_shapes(std::move(shapes)), x_records(records) {}

  [[nodiscard]] std::size_t place(std::size_t row, std::uint64_t record) const { return row * x_records + record; }
  [[nodiscard]] std::filesystem::path path(std::size_t row, std::uint64_t record) const;

  BatchPaths x_paths;
  std::vector<RowShape> x_shapes;
  std::uint64_t x_records = 0;
  std::vector<MappedFile> x_mapped;    // by place; empty where there are too many files
  std::vector<Descriptor> x_writable;  // the same, of files being written
};

}  // namespace tally::chain
