// The first byte of everything that is hashed with SHA-256: no two kinds of preimage can ever be the same bytes.
// (0x10 begins the preimages of PRF, in the interpreter of programs.)
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>

#include "deterministic_math/numbers/codec.h"

namespace tally::proof {

enum class HashTag : std::uint8_t {
  kLeaf = 0x00,           // RFC 9162, section 2.1.1
  kNode = 0x01,           // RFC 9162, section 2.1.1
  kTable = 0x02,          // table_commitment
  kBatch = 0x03,          // batch_id
  kKeeper = 0x04,         // what a keeper signs
  kTask = 0x05,           // task_id
  kGame = 0x06,           // game_id
  kSeed = 0x07,           // a batch's seed
  kGameState = 0x08,      // what the chain stores of a game
  kCommitment = 0x09,     // a proof that is committed before it is shown
  kTransaction = 0x0a,    // of the embedded chain: what is signed
  kBlock = 0x0b,          // of the embedded chain
  kTransactionId = 0x0c,  // of the embedded chain
};

inline constexpr std::array kHashTags = {
    HashTag::kLeaf,        HashTag::kNode,  HashTag::kTable,        HashTag::kBatch,     HashTag::kKeeper,
    HashTag::kTask,        HashTag::kGame,  HashTag::kSeed,         HashTag::kGameState, HashTag::kCommitment,
    HashTag::kTransaction, HashTag::kBlock, HashTag::kTransactionId};
static_assert(std::ranges::adjacent_find(kHashTags, std::ranges::greater_equal{}) == kHashTags.end(),
              "strictly ascending, so all distinct");

/// A writer whose first byte is the tag.
[[nodiscard]] inline math::ByteWriter tagged(HashTag tag) {
  math::ByteWriter writer;
  writer.u8(static_cast<std::uint8_t>(tag));
  return writer;
}

}  // namespace tally::proof
