// Where a role keeps the data of many tasks and batches on disk.
//
//   DATA/<batch id>/                     a batch directory (batch_directory.h)
//   DATA/<task id>/program.tally         the text of the task's program
//   DATA/<task id>/genesis/<state>.bin   the states before the first batch, raw little-endian elements
//
// Ids are written as 0x and 64 hex digits. Nothing in a store is believed: readers check it against the chain.
#pragma once

#include <filesystem>
#include <string_view>

#include "fraud_proof/commitments/ids.h"

namespace tally::chain {

class BatchStore {
 public:
  explicit BatchStore(std::filesystem::path data) : x_data(std::move(data)) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return x_data; }
  [[nodiscard]] std::filesystem::path batch(const proof::BatchId& id) const { return x_data / to_hex(id); }
  /// Whether a header and a manifest are there.
  [[nodiscard]] bool holds(const proof::BatchId& id) const;

  [[nodiscard]] std::filesystem::path task(const proof::TaskId& id) const { return x_data / to_hex(id); }
  [[nodiscard]] std::filesystem::path program(const proof::TaskId& id) const;
  /// `state` is a safe name.
  [[nodiscard]] std::filesystem::path genesis(const proof::TaskId& id, std::string_view state) const;

 private:
  std::filesystem::path x_data;
};

}  // namespace tally::chain
