// Any bytes of a record's width are a record, are written back as they came, and are judged without a crash.
#include <cstddef>
#include <cstdint>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/records/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally;
  if (size < 2) return 0;
  const proof::RecordShape shape{.rows = data[0] % (proof::kMaxRecordRows + 1),
                                 .fields = data[1] % (proof::kMaxRecordFields + 1)};
  const math::Bytes bytes(data + 2, size - 2);
  const auto record = proof::decode_record(bytes, shape);
  TALLY_ASSERT(record.has_value() == (bytes.size() == shape.record_bytes()));
  if (!record) return 0;
  const auto encoded = proof::encode(*record);
  TALLY_ASSERT(math::sha256(encoded) == math::sha256(bytes));
  const proof::RecordContext context;
  static_cast<void>(proof::check_signature(*record, context));
  TALLY_ASSERT(!proof::check_order(*record, *record, proof::RecordOrder::kByAddressAndNonce).has_value());
  TALLY_ASSERT(!proof::check_order(*record, *record, proof::RecordOrder::kByMember).has_value());
  return 0;
}
