// An update file as a source of elements: quantised as it is read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "deterministic_math/numbers/quantiser.h"
#include "sequencer/batch/element_source.h"
#include "sequencer/trainer/update_file.h"

namespace tally::sequencer {

class UpdateSource final : public ElementSource {
 public:
  UpdateSource(UpdateFile file, const math::QuantiseOptions& options) : x_file(std::move(file)), x_options(options) {}

  [[nodiscard]] std::string name() const override { return x_file.path().string(); }
  [[nodiscard]] std::uint64_t size() const override { return x_file.element_count(); }
  [[nodiscard]] std::size_t element_bytes() const override { return sizeof(std::int32_t); }
  void prefetch(std::uint64_t first, std::size_t count) const override { x_file.prefetch(first, count); }
  [[nodiscard]] std::expected<void, std::string> read(std::uint64_t first, std::span<std::byte> out) const override;

  [[nodiscard]] const UpdateFile& file() const { return x_file; }
  [[nodiscard]] std::uint64_t clipped() const override { return x_clipped.load(std::memory_order_relaxed); }

 private:
  UpdateFile x_file;
  math::QuantiseOptions x_options;
  mutable std::atomic<std::uint64_t> x_clipped = 0;
};

}  // namespace tally::sequencer
