#include "chain_adapter/evm/call_data.h"

#include "fraud_proof/encoding/words.h"

namespace tally::chain {

namespace {

constexpr std::string_view kFunction = "transact(bytes)";
constexpr std::string_view kShowingFunction = "transactShowing(bytes,bytes)";

/// A place or a length; one beyond all data is behind its end.
OrNotAbi<std::size_t> number_at(math::Bytes data, std::size_t place) {
  if (place > data.size() || data.size() - place < proof::kWordBytes) return std::unexpected(AbiReason::kTruncated);
  const auto number = proof::WordReader(data.subspan(place, proof::kWordBytes)).u64();
  if (!number || *number > data.size()) return std::unexpected(AbiReason::kTruncated);
  return static_cast<std::size_t>(*number);
}

}  // namespace

std::vector<std::uint8_t> call_data(math::Bytes transaction, std::span<const proof::BatchHeader> shown,
                                    const std::optional<proof::Digest>& seed) {
  AbiWriter arguments;
  arguments.bytes(transaction);
  if (shown.empty() && !seed) return arguments.call(selector_of(kFunction));
  std::vector<std::uint8_t> headers;
  for (const proof::BatchHeader& header : shown) {
    const proof::HeaderBytes bytes = encode(header);
    headers.insert(headers.end(), bytes.begin(), bytes.end());
  }
  if (seed) headers.insert(headers.end(), seed->bytes.begin(), seed->bytes.end());
  arguments.bytes(headers);
  return arguments.call(selector_of(kShowingFunction));
}

OrNotAbi<math::Bytes> called_with(math::Bytes call_data) {
  if (call_data.size() < Selector().size()) return std::unexpected(AbiReason::kTruncated);
  const math::Bytes arguments = call_data.subspan(Selector().size());
  const auto place = number_at(arguments, 0);
  if (!place) return std::unexpected(place.error());
  const auto size = number_at(arguments, *place);
  if (!size) return std::unexpected(size.error());
  const math::Bytes rest = arguments.subspan(*place + proof::kWordBytes);
  if (rest.size() < *size) return std::unexpected(AbiReason::kTruncated);
  return rest.first(*size);
}

}  // namespace tally::chain
