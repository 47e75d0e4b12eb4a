#include "chain_adapter/evm/rlp.h"

#include <algorithm>
#include <array>

namespace tally::chain {

namespace {

constexpr std::size_t kLongest = 55;  // that one byte gives the length of
constexpr std::uint8_t kBytes = 0x80;
constexpr std::uint8_t kList = 0xc0;

math::Bytes without_leading_zeros(math::Bytes big_endian) {
  const auto first = std::ranges::find_if(big_endian, [](std::uint8_t byte) { return byte != 0; });
  return big_endian.subspan(static_cast<std::size_t>(first - big_endian.begin()));
}

std::array<std::uint8_t, 16> big_endian_of(math::u128 value) {
  std::array<std::uint8_t, 16> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * (15 - i)));
  return bytes;
}

void append(std::vector<std::uint8_t>& to, math::Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

void append_length(std::vector<std::uint8_t>& to, std::uint8_t kind, std::size_t length) {
  if (length <= kLongest) {
    to.push_back(static_cast<std::uint8_t>(kind + length));
    return;
  }
  const auto bytes = big_endian_of(length);
  const math::Bytes digits = without_leading_zeros(bytes);
  to.push_back(static_cast<std::uint8_t>(kind + kLongest + digits.size()));
  append(to, digits);
}

}  // namespace

void RlpWriter::bytes(math::Bytes value) {
  if (value.size() != 1 || value.front() >= kBytes) append_length(x_items, kBytes, value.size());
  append(x_items, value);
}

void RlpWriter::number(math::u128 value) {
  const auto digits = big_endian_of(value);
  bytes(without_leading_zeros(digits));
}

void RlpWriter::number(std::span<const std::uint8_t, 32> big_endian) { bytes(without_leading_zeros(big_endian)); }

void RlpWriter::list(const RlpWriter& items) { append(x_items, items.take()); }

std::vector<std::uint8_t> RlpWriter::take() const {
  std::vector<std::uint8_t> list;
  append_length(list, kList, x_items.size());
  append(list, x_items);
  return list;
}

}  // namespace tally::chain
