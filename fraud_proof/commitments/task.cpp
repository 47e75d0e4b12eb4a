#include "fraud_proof/commitments/task.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/tags.h"
#include "fraud_proof/encoding/words.h"

namespace tally::proof {

namespace {

template <std::size_t N>
void read(math::ByteReader& reader, std::array<std::uint8_t, N>& out) {
  std::ranges::copy(reader.raw(N), out.begin());
}

}  // namespace

std::vector<std::uint8_t> encode(const TaskPreimage& task) {
  TALLY_ASSERT(task.dims.size() <= kMaxTaskDims);
  TALLY_ASSERT(task.params.size() <= kMaxTaskParams);
  TALLY_ASSERT(task.frac_bits <= math::kMaxFracBits);
  math::ByteWriter writer = tagged(HashTag::kTask);
  WordWriter chain_id;
  chain_id.u64(task.chain_id);
  writer.raw(chain_id.view());
  writer.raw(task.contract.bytes);
  writer.raw(task.creator.bytes);
  writer.raw(task.salt);
  writer.raw(task.program_hash.bytes);
  writer.u16be(static_cast<std::uint16_t>(task.dims.size()));
  for (const std::uint64_t dim : task.dims) writer.u64be(dim);
  writer.u16be(static_cast<std::uint16_t>(task.params.size()));
  for (const math::i128 param : task.params) writer.i128be(param);
  writer.u8(task.frac_bits);
  encode(task.settings, writer);
  writer.raw(task.genesis_root.digest.bytes);
  return writer.take();
}

std::expected<TaskPreimage, Refusal<TaskReason>> decode_task(math::Bytes bytes) {
  const auto truncated = [] { return refuse(TaskReason::kTruncated, "the task's preimage ends within a field"); };
  math::ByteReader reader(bytes);
  const std::uint8_t tag = reader.u8();
  const math::Bytes chain_word = reader.raw(kWordBytes);
  if (!reader.ok()) return truncated();
  if (tag != static_cast<std::uint8_t>(HashTag::kTask)) {
    return refuse(TaskReason::kTag, "the task's preimage begins with " + std::to_string(tag) + ", not 5");
  }
  const auto chain_id = WordReader(chain_word).u64();
  if (!chain_id) return refuse(TaskReason::kChainId, "the task's chain id does not fit 64 bits");

  TaskPreimage task;
  task.chain_id = *chain_id;
  read(reader, task.contract.bytes);
  read(reader, task.creator.bytes);
  read(reader, task.salt);
  read(reader, task.program_hash.bytes);
  const std::size_t dims = reader.u16be();
  if (dims > kMaxTaskDims) return refuse(TaskReason::kDimCount, std::to_string(dims) + " dims are more than 64");
  for (std::size_t i = 0; i < dims; ++i) task.dims.push_back(reader.u64be());
  const std::size_t params = reader.u16be();
  if (params > kMaxTaskParams) {
    return refuse(TaskReason::kParamCount, std::to_string(params) + " params are more than 64");
  }
  for (std::size_t i = 0; i < params; ++i) task.params.push_back(reader.i128be());
  task.frac_bits = reader.u8();
  if (task.frac_bits > math::kMaxFracBits) {
    return refuse(TaskReason::kFracBits, std::to_string(task.frac_bits) + " fraction bits are more than 30");
  }
  auto settings = decode_settings(reader);
  if (!reader.ok()) return truncated();
  if (!settings) return refuse(TaskReason::kSettings, std::move(settings.error().message));
  task.settings = *std::move(settings);
  read(reader, task.genesis_root.digest.bytes);
  if (!reader.ok()) return truncated();
  if (!reader.finished()) {
    return refuse(TaskReason::kTrailing,
                  std::to_string(reader.remaining()) + " bytes follow the end of the task's preimage");
  }
  return task;
}

TaskId task_id(const TaskPreimage& task) { return {math::sha256(encode(task))}; }

}  // namespace tally::proof
