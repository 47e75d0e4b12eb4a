// The implementations behind LeafHasher. Each hashes many prefixed messages of equal length:
// out[i] = SHA-256(prefix ‖ message i), for messages that lie one behind the other.
//
// The prefix shifts each message by one byte against the 64-byte blocks of SHA-256. The kernels do not copy the message
// to make room for it: block b > 0 is read at message + 64 b - 1, block 0 is shifted in a register, and only the
// last one or two blocks, which hold the padding, are put together in memory (TailBlocks).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "deterministic_math/numbers/digest.h"

namespace tally::proof::kernels {

using math::Bytes;
using math::Digest;

struct Messages {
  std::uint8_t prefix = 0;
  /// Length of each message. `data` holds as many messages as there are digests to write.
  std::size_t message_bytes = 0;
  Bytes data;
};

/// A digest may take the place of messages that come no later in `data` than the message it belongs to, as when a level
/// of a tree is hashed in place: each kernel reads the messages it hashes together before it writes their digests.
using HashMessages = void (*)(const Messages& messages, std::span<Digest> out);

/// OpenSSL, one message after the other.
void hash_portable(const Messages& messages, std::span<Digest> out);

#if defined(__x86_64__)
/// Five interleaved streams of SHA-NI instructions.
[[nodiscard]] bool has_sha_ni();
void hash_sha_ni(const Messages& messages, std::span<Digest> out);

/// Sixteen messages in the 32-bit lanes of AVX-512 registers. What is left over goes to SHA-NI, or to OpenSSL without
/// it.
[[nodiscard]] bool has_avx512();
void hash_avx512(const Messages& messages, std::span<Digest> out);
#endif

inline constexpr std::size_t kBlockBytes = 64;

inline constexpr std::array<std::uint32_t, 8> kInitialState = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

alignas(64) inline constexpr std::array<std::uint32_t, 64> kRoundConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// How prefix ‖ message falls into blocks: `whole_blocks` without padding, then a tail of one or two with it.
struct BlockLayout {
  explicit BlockLayout(std::size_t message_bytes)
      : whole_blocks((message_bytes + 1) / kBlockBytes),
        tail_bytes((message_bytes + 1) % kBlockBytes),
        tail_blocks(tail_bytes + 9 <= kBlockBytes ? 1 : 2) {}

  std::size_t whole_blocks;
  /// Bytes of prefix ‖ message in the tail, before its 0x80.
  std::size_t tail_bytes;
  std::size_t tail_blocks;
};

/// The tails of the messages that are hashed together. What they have in common is written once.
template <std::size_t Lanes>
class TailBlocks {
 public:
  TailBlocks(std::uint8_t prefix, std::size_t message_bytes) {
    const BlockLayout layout(message_bytes);
    // A message shorter than a block brings its prefix along.
    const std::size_t prefix_bytes = layout.whole_blocks == 0 ? 1 : 0;
    x_target = prefix_bytes;
    x_source = message_bytes + prefix_bytes - layout.tail_bytes;
    x_size = layout.tail_bytes - prefix_bytes;
    const std::uint64_t bits = (message_bytes + 1) * 8;
    const std::size_t end = layout.tail_blocks * kBlockBytes;
    for (auto& tail : x_tails) {
      tail[0] = prefix;
      tail[layout.tail_bytes] = 0x80;
      for (std::size_t i = 0; i < 8; ++i) tail[end - 1 - i] = static_cast<std::uint8_t>(bits >> (8 * i));
    }
  }

  void load(std::size_t lane, const std::uint8_t* message) {
    std::copy_n(message + x_source, x_size, x_tails[lane].data() + x_target);
  }

  [[nodiscard]] const std::uint8_t* block(std::size_t lane, std::size_t index) const {
    return x_tails[lane].data() + index * kBlockBytes;
  }

 private:
  alignas(64) std::array<std::array<std::uint8_t, 2 * kBlockBytes>, Lanes> x_tails{};
  std::size_t x_source = 0;
  std::size_t x_target = 0;
  std::size_t x_size = 0;
};

}  // namespace tally::proof::kernels
