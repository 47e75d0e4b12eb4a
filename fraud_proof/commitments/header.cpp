#include "fraud_proof/commitments/header.h"

#include <algorithm>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/tags.h"
#include "fraud_proof/encoding/words.h"

namespace tally::proof {

HeaderBytes encode(const BatchHeader& header) {
  WordWriter words;
  words.u64(kHeaderVersion);
  words.bytes32(header.task.digest.bytes);
  words.u64(header.number);
  words.bytes32(header.parent.digest.bytes);
  words.u64(header.record_count);
  words.bytes32(header.records_root.bytes);
  words.bytes32(header.prev_state_root.digest.bytes);
  words.bytes32(header.next_state_root.digest.bytes);
  words.bytes32(header.tables_root.bytes);
  words.address(header.poster);
  TALLY_ASSERT(words.view().size() == kHeaderBytes);
  HeaderBytes bytes;
  std::ranges::copy(words.view(), bytes.begin());
  return bytes;
}

std::expected<BatchHeader, Refusal<HeaderReason>> decode_header(math::Bytes bytes) {
  if (bytes.size() != kHeaderBytes) {
    return refuse(HeaderReason::kSize, "the header has " + std::to_string(bytes.size()) + " bytes, not 320");
  }
  WordReader words(bytes);
  if (words.u64() != kHeaderVersion) return refuse(HeaderReason::kVersion, "the header's version is not 1");
  BatchHeader header;
  header.task.digest = words.digest();
  const auto number = words.u64();
  if (!number) return refuse(HeaderReason::kNumberPadding, "the header's batch number does not fit 64 bits");
  if (*number < kFirstBatch || *number > kLastBatch) {
    return refuse(HeaderReason::kNumberOutOfRange,
                  "the header's batch number is " + std::to_string(*number) + ", outside 1..2^40");
  }
  header.number = *number;
  header.parent.digest = words.digest();
  const auto record_count = words.u64();
  if (!record_count) {
    return refuse(HeaderReason::kRecordCountPadding, "the header's number of records does not fit 64 bits");
  }
  header.record_count = *record_count;
  header.records_root = words.digest();
  header.prev_state_root.digest = words.digest();
  header.next_state_root.digest = words.digest();
  header.tables_root = words.digest();
  const auto poster = words.address();
  if (!poster) return refuse(HeaderReason::kPosterPadding, "the header's poster does not fit 20 bytes");
  header.poster = *poster;
  return header;
}

BatchId batch_id(const BatchHeader& header) {
  math::ByteWriter bytes = tagged(HashTag::kBatch);
  bytes.raw(encode(header));
  return {math::sha256(bytes.view())};
}

Digest keeper_message(const BatchId& batch) {
  math::ByteWriter bytes = tagged(HashTag::kKeeper);
  bytes.raw(batch.digest.bytes);
  return math::sha256(bytes.view());
}

Digest batch_seed(const Digest& block_hash, const BatchId& parent) {
  math::ByteWriter bytes = tagged(HashTag::kSeed);
  bytes.raw(block_hash.bytes);
  bytes.raw(parent.digest.bytes);
  return math::sha256(bytes.view());
}

GameId game_id(const GameKey& key) {
  math::ByteWriter bytes = tagged(HashTag::kGame);
  bytes.raw(key.batch.digest.bytes);
  bytes.raw(key.challenger.bytes);
  bytes.u16be(key.body);
  bytes.u64be(key.index);
  bytes.raw(key.salt.bytes);
  return {math::sha256(bytes.view())};
}

}  // namespace tally::proof
