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
    return stored(block, scratch);
  }
  void keep(const chain::RowBlock& /*block*/, std::span<const std::byte> /*bytes*/) override {}
};

}  // namespace tally::verifier
