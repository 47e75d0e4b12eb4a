// Where a role keeps the data of many tasks and batches on disk.
//
//   DATA/<batch id>/                     a batch directory (batch_directory.h)
//   DATA/<task id>/program.tally         the text of the task's program
//   DATA/<task id>/genesis/<state>.bin   the states before the first batch, raw little-endian elements
//
// Ids are written as 0x and 64 hex digits. Nothing in a store is believed: readers check it against the chain.
#pragma once

#include <filesystem>
#include <optional>
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

/// The directory of a batch's data in a folder that may hold it under any name: the first of these whose header has the
/// batch's id: DATA/<batch id>, the folder itself, any directory up to four levels below it that is not within a batch.
/// Without such a header, DATA/<batch id> if it is there: what it lacks is for the reader to say. What cannot be read
/// is passed over.
[[nodiscard]] std::optional<std::filesystem::path> find_batch(const std::filesystem::path& data,
                                                              const proof::BatchId& batch);

}  // namespace tally::chain
