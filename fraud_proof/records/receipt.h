// A receipt: proof to one participant that its record is in a batch. It holds the record, its place and path in the
// records tree, and the header whose hash is the batch's id; who trusts the id (from a chain, or from the poster's
// mouth) needs nothing else.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/commitments/header.h"
#include "fraud_proof/encoding/refusal.h"
#include "fraud_proof/signing/address.h"

namespace tally::proof {

struct Receipt {
  std::uint64_t chain_id = 0;
  Address verifying_contract;
  BatchHeader header;
  std::uint64_t index = 0;  // of the record; the count is the header's
  std::uint16_t rows = 0;   // a record's shape
  std::uint16_t fields = 0;
  std::vector<std::uint8_t> record;
  std::vector<math::Digest> path;  // from the leaf's sibling upwards
  bool operator==(const Receipt&) const = default;
};

enum class ReceiptReason : std::uint8_t {
  kRecordSize,  // not that of a record of this shape
  kIndex,       // not below the header's count
  kPath,        // does not lead from the record to records_root
  kSignature,   // does not recover the record's address for this task, batch and state
};

/// The address whose record is in the batch.
[[nodiscard]] std::expected<Address, Refusal<ReceiptReason>> check_receipt(const Receipt& receipt);

}  // namespace tally::proof
