// A model update as a trainer has it: a .npy or .safetensors file, seen as one flat vector of fixed-point integers.
//
// The file is mapped, and read in ranges: nothing ever holds a whole update. It must not be shortened while it is open
// (the operating system would end the process); replace files by renaming, as every writer here does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <vector>

#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/numbers/quantiser.h"
#include "sequencer/trainer/layout_names.h"
#include "sequencer/trainer/npy.h"
#include "sequencer/trainer/update_error.h"

namespace tally::sequencer {

class UpdateFile {
 public:
  /// Checks the whole header and the size of the file; no number is read yet. The format follows from the extension.
  [[nodiscard]] static std::expected<UpdateFile, UpdateError> open(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return x_path; }
  [[nodiscard]] const ModelLayout& layout() const { return x_contents.layout; }
  [[nodiscard]] std::uint64_t element_count() const { return x_first.back(); }

  /// Fixed-point elements first … first + out.size() - 1 of the flattened vector, which must exist. Floats are
  /// quantised; i32 is fixed point already. May be called from several threads at once. After an error the contents of
  /// `out` are unspecified.
  [[nodiscard]] std::expected<math::QuantiseStats, UpdateError> read(std::uint64_t first, std::span<std::int32_t> out,
                                                                     const math::QuantiseOptions& options) const;

  /// Brings the bytes of fixed-point elements first … first + count - 1 into memory, so that reading from a disk and
  /// quantising can be timed apart.
  void prefetch(std::uint64_t first, std::uint64_t count) const;

 private:
  UpdateFile(std::filesystem::path path, chain::MappedFile file, FileContents contents);

  [[nodiscard]] UpdateError describe(const math::QuantiseError& error, std::size_t tensor, std::uint64_t begin,
                                     const math::QuantiseOptions& options) const;

  std::filesystem::path x_path;
  chain::MappedFile x_file;
  FileContents x_contents;
  std::vector<std::uint64_t> x_first;  // of each tensor in the flattened vector; then the total
};

}  // namespace tally::sequencer
