// All records of a batch at once: their number, their order and their signatures.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/records/record.h"

namespace tally::proof {

struct RecordsRefusal {
  RecordReason reason;
  /// Position of the first bad record; 0 where the whole has the wrong size.
  std::uint64_t record = 0;
  std::string message;
};

struct RecordsRule {
  RecordShape shape;
  /// K of the header.
  std::uint64_t count = 0;
  RecordOrder order = RecordOrder::kByAddressAndNonce;
};

/// `records` is the content of records.bin. Finds the first record that is bad, and its order before its signature;
/// the answer does not depend on the number of threads.
[[nodiscard]] std::expected<void, RecordsRefusal> check_records(math::Bytes records, const RecordsRule& rule,
                                                                const RecordContext& context, math::TaskPool& pool);

}  // namespace tally::proof
