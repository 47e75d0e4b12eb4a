// Receipts as files: made from a batch directory, and read back. Like a manifest, a receipt has one valid form.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "fraud_proof/records/receipt.h"

namespace tally::chain {

inline constexpr std::size_t kMaxReceiptBytes = std::size_t{1} << 16;

enum class ReceiptFileReason : std::uint8_t {
  kTooLarge,
  kNotJson,
  kMissingKey,
  kUnknownKey,
  kValue,
  kNotCanonical,
  kBatch,     // the directory's header, manifest or records cannot be read
  kNoRecord,  // no record of the batch is from that address
};

[[nodiscard]] std::string write_receipt(const proof::Receipt& receipt);
[[nodiscard]] std::expected<proof::Receipt, proof::Refusal<ReceiptFileReason>> parse_receipt(std::string_view text);

/// The receipt of the first record from `signer`. Reads no more of the batch than it needs, and checks no more.
[[nodiscard]] std::expected<proof::Receipt, proof::Refusal<ReceiptFileReason>> make_receipt(
    const std::filesystem::path& batch, const proof::Address& signer);

}  // namespace tally::chain
