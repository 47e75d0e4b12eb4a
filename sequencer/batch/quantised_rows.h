// Rows as the builder's folds read them: on its first touch a block is quantised from its update, hashed and written to
// its row file.
#pragma once

#include <cstdint>
#include <span>

#include "chain_adapter/data/hashed_rows.h"
#include "sequencer/batch/batch_builder.h"

namespace tally::sequencer {

class QuantisedRows final : public chain::HashedRows {
 public:
  /// `records` in the batch's order; they outlive this object.
  QuantisedRows(chain::RowFiles files, math::ObjectId first_row, std::uint32_t leaf_bytes,
                std::span<const RecordInput> records, chain::Work& work)
      : HashedRows(std::move(files), first_row, leaf_bytes, work), x_records(records) {}

 protected:
  [[nodiscard]] std::span<const std::byte> produce(const chain::RowBlock& block, std::span<std::byte> scratch) override;
  void keep(const chain::RowBlock& block, std::span<const std::byte> bytes) override;

 private:
  std::span<const RecordInput> x_records;
};

}  // namespace tally::sequencer
