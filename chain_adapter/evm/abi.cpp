#include "chain_adapter/evm/abi.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "fraud_proof/encoding/words.h"
#include "fraud_proof/signing/eip712.h"

namespace tally::chain {

namespace {

constexpr std::size_t kWord = proof::kWordBytes;

std::vector<std::uint8_t> word_of(std::uint64_t value) {
  proof::WordWriter writer;
  writer.u64(value);
  const math::Bytes bytes = writer.view();
  return {bytes.begin(), bytes.end()};
}

void append(std::vector<std::uint8_t>& to, math::Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

/// Its length, and the bytes up to a whole word.
std::vector<std::uint8_t> encoded_bytes(math::Bytes value) {
  std::vector<std::uint8_t> encoded = word_of(value.size());
  append(encoded, value);
  encoded.resize((encoded.size() + kWord - 1) / kWord * kWord);
  return encoded;
}

/// A number that is a place or a length within the tuple.
OrNotAbi<std::size_t> small_number(math::Bytes tuple, std::size_t place) {
  if (place > tuple.size() || tuple.size() - place < kWord) return std::unexpected(AbiReason::kTruncated);
  proof::WordReader reader(tuple.subspan(place, kWord));
  const auto value = reader.u64();
  if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::unexpected(AbiReason::kPlace);
  return static_cast<std::size_t>(*value);
}

OrNotAbi<math::Bytes> behind(math::Bytes tuple, std::size_t place) {
  if (place > tuple.size()) return std::unexpected(AbiReason::kTruncated);
  return tuple.subspan(place);
}

/// A byte string: its length, its bytes, zeros up to a whole word.
OrNotAbi<math::Bytes> read_bytes(math::Bytes data) {
  const auto size = small_number(data, 0);
  if (!size) return std::unexpected(size.error());
  const math::Bytes rest = data.subspan(kWord);
  const std::size_t padded = (*size + kWord - 1) / kWord * kWord;
  if (rest.size() < padded) return std::unexpected(AbiReason::kTruncated);
  const math::Bytes padding = rest.subspan(*size, padded - *size);
  if (std::ranges::any_of(padding, [](std::uint8_t byte) { return byte != 0; }))
    return std::unexpected(AbiReason::kPadding);
  return rest.first(*size);
}

}  // namespace

Selector selector_of(std::string_view signature) {
  const proof::KeccakDigest digest = proof::keccak256_of_text(signature);
  Selector selector;
  std::copy_n(digest.bytes.begin(), selector.size(), selector.begin());
  return selector;
}

void AbiWriter::word(std::span<const std::uint8_t, 32> value) {
  x_parts.push_back({.head = {value.begin(), value.end()}, .tail = {}});
}

void AbiWriter::number(std::uint64_t value) { x_parts.push_back({.head = word_of(value), .tail = {}}); }

void AbiWriter::address(const proof::Address& value) {
  proof::WordWriter writer;
  writer.address(value);
  const math::Bytes bytes = writer.view();
  x_parts.push_back({.head = {bytes.begin(), bytes.end()}, .tail = {}});
}

void AbiWriter::bytes(math::Bytes value) { x_parts.push_back({.head = {}, .tail = encoded_bytes(value)}); }

void AbiWriter::list_of_bytes(std::span<const std::vector<std::uint8_t>> values) {
  AbiWriter inner;
  for (const std::vector<std::uint8_t>& value : values) inner.bytes(value);
  std::vector<std::uint8_t> tail = word_of(values.size());
  append(tail, inner.take());
  x_parts.push_back({.head = {}, .tail = std::move(tail)});
}

std::vector<std::uint8_t> AbiWriter::take() const {
  std::vector<std::uint8_t> head;
  std::vector<std::uint8_t> tails;
  for (const Part& part : x_parts) {
    append(head, part.head.empty() ? word_of(kWord * x_parts.size() + tails.size()) : part.head);
    append(tails, part.tail);
  }
  append(head, tails);
  return head;
}

std::vector<std::uint8_t> AbiWriter::call(const Selector& function) const {
  std::vector<std::uint8_t> data(function.begin(), function.end());
  append(data, take());
  return data;
}

OrNotAbi<std::array<std::uint8_t, 32>> AbiReader::word() {
  if (x_tuple.size() - x_place < kWord) return std::unexpected(AbiReason::kTruncated);
  std::array<std::uint8_t, 32> value;
  std::ranges::copy(x_tuple.subspan(x_place, kWord), value.begin());
  x_place += kWord;
  return value;
}

OrNotAbi<std::uint64_t> AbiReader::number() {
  const auto bytes = word();
  if (!bytes) return std::unexpected(bytes.error());
  const auto value = proof::WordReader(*bytes).u64();
  if (!value) return std::unexpected(AbiReason::kPadding);
  return *value;
}

OrNotAbi<proof::Address> AbiReader::address() {
  const auto bytes = word();
  if (!bytes) return std::unexpected(bytes.error());
  const auto value = proof::WordReader(*bytes).address();
  if (!value) return std::unexpected(AbiReason::kPadding);
  return *value;
}

OrNotAbi<math::Bytes> AbiReader::dynamic() {
  const auto place = small_number(x_tuple, x_place);
  if (!place) return std::unexpected(place.error());
  x_place += kWord;
  return behind(x_tuple, *place);
}

OrNotAbi<math::Bytes> AbiReader::bytes() {
  const auto data = dynamic();
  if (!data) return data;
  return read_bytes(*data);
}

OrNotAbi<std::vector<math::Bytes>> AbiReader::list_of_bytes() {
  const auto data = dynamic();
  if (!data) return std::unexpected(data.error());
  const auto count = small_number(*data, 0);
  if (!count) return std::unexpected(count.error());
  const math::Bytes values = data->subspan(kWord);
  // Each value has at least its place and its length.
  if (values.size() / (2 * kWord) < *count) return std::unexpected(AbiReason::kTruncated);
  std::vector<math::Bytes> list;
  AbiReader inner(values);
  for (std::size_t i = 0; i < *count; ++i) {
    const auto value = inner.bytes();
    if (!value) return std::unexpected(value.error());
    list.push_back(*value);
  }
  return list;
}

}  // namespace tally::chain
