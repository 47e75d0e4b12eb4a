// Rows as the verifier's folds read them: on its first touch a block of a row file is hashed.
#pragma once

#include <span>
#include <utility>

#include "chain_adapter/data/hashed_rows.h"

namespace tally::verifier {

class StoredRows final : public chain::HashedRows {
 public:
  StoredRows(chain::RowFiles files, math::ObjectId first_row, std::uint32_t leaf_bytes, chain::Work& work)
      : HashedRows(std::move(files), first_row, leaf_bytes, work) {}

 protected:
  [[nodiscard]] std::span<const std::byte> produce(const chain::RowBlock& block,
                                                   std::span<std::byte> scratch) override {
    const std::span<const std::byte> bytes = stored(block, scratch);
    // Read once from front to back, as the processor expects it: hashing reads many leaves at a time, and would wait
    // for memory at each of them.
    constexpr std::size_t kCacheLine = 64;
    for (std::size_t at = 0; at < bytes.size(); at += kCacheLine) {
      static_cast<void>(*static_cast<const volatile std::byte*>(&bytes[at]));
    }
    return bytes;
  }
  void keep(const chain::RowBlock& /*block*/, std::span<const std::byte> /*bytes*/) override {}
};

}  // namespace tally::verifier
