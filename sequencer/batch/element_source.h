// Where a builder gets the elements of a row, a state or supplied advice from: a file of floats that is quantised on
// the way, integers in memory, zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tally::sequencer {

class ElementSource {
 public:
  virtual ~ElementSource() = default;

  /// What messages call it: a file's path, for one.
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Width of the integers that read() writes; 0 where it can write any.
  [[nodiscard]] virtual std::size_t element_bytes() const = 0;

  /// Brings elements [first, first + count) into memory. Only so that reading and quantising are timed apart.
  virtual void prefetch(std::uint64_t first, std::size_t count) const;
  /// Elements that read() moved into the range of their type so far.
  [[nodiscard]] virtual std::uint64_t clipped() const;

  /// Writes elements from `first` on to `out`, little-endian in the type of the object it is for; `out` holds whole
  /// elements within size(). Called from several threads at once. The error is a sentence that names the source.
  [[nodiscard]] virtual std::expected<void, std::string> read(std::uint64_t first, std::span<std::byte> out) const = 0;
};

/// `size` elements, all zero.
[[nodiscard]] std::unique_ptr<ElementSource> zero_elements(std::uint64_t size);

/// Little-endian elements of `element_bytes` bytes each, kept in memory. `bytes` holds whole elements.
[[nodiscard]] std::unique_ptr<ElementSource> stored_elements(std::string name, std::vector<std::byte> bytes,
                                                             std::size_t element_bytes);

}  // namespace tally::sequencer
