#include "fraud_proof/settlement/fields.h"

namespace tally::proof {

void FieldReader::get(Wei& value) {
  const math::i128 high = x_reader.i128be();
  value.value = static_cast<math::u128>(x_reader.i128be());
  if (high != 0) fail("2^128 wei or more");
}

void FieldReader::get(BatchHeader& value) {
  const math::Bytes bytes = x_reader.raw(kHeaderBytes);
  if (!x_reader.ok()) return;
  const auto header = decode_header(bytes);
  if (!header) return fail(header.error().message);
  value = *header;
}

void FieldReader::get(TaskSettings& value) {
  auto settings = decode_settings(x_reader);
  if (!x_reader.ok()) return;
  if (!settings) return fail(settings.error().message);
  value = *std::move(settings);
}

void FieldReader::get(TaskPreimage& value) {
  const math::Bytes bytes = take_bytes();
  if (!x_reader.ok()) return;
  auto task = decode_task(bytes);
  if (!task) return fail(task.error().message);
  value = *std::move(task);
}

}  // namespace tally::proof
