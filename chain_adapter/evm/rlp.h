// Recursive Length Prefix (Ethereum Yellow Paper, appendix B): the bytes of transactions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "deterministic_math/numbers/codec.h"
#include "deterministic_math/numbers/int128.h"

namespace tally::chain {

/// Writes the items of one list.
class RlpWriter {
 public:
  void bytes(math::Bytes value);
  /// Big-endian in the fewest bytes; none for 0.
  void number(math::u128 value);
  /// A number given in big-endian bytes.
  void number(std::span<const std::uint8_t, 32> big_endian);
  void list(const RlpWriter& items);

  /// The list.
  [[nodiscard]] std::vector<std::uint8_t> take() const;

 private:
  std::vector<std::uint8_t> x_items;
};

}  // namespace tally::chain
