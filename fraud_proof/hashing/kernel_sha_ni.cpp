#include "fraud_proof/hashing/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

// One stream of SHA-NI waits four cycles for every sha256rnds2, of which the processor can start one every two cycles.
// Independent messages fill the gaps. Two would do for sha256rnds2 alone; five also hide the message schedule and the
// loads of what does not fit into sixteen registers.
//
// The instructions keep the state as two registers, ABEF and CDGH, in the order of Intel's SHA Extensions paper (2013).

#define TALLY_SHA_NI __attribute__((target("sha,avx")))
#define TALLY_SHA_NI_INLINE __attribute__((target("sha,avx"), always_inline)) inline

namespace tally::proof::kernels {
namespace {

struct State {
  __m128i abef;
  __m128i cdgh;
};

struct Words {
  __m128i quad[4];
};

TALLY_SHA_NI_INLINE const __m128i* as_vector(const std::uint8_t* bytes) {
  return reinterpret_cast<const __m128i*>(bytes);
}

TALLY_SHA_NI_INLINE __m128i byte_swap(__m128i words) {
  return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

TALLY_SHA_NI_INLINE State initial_state() {
  const auto word = [](std::size_t i) { return static_cast<int>(kInitialState[i]); };
  return {_mm_set_epi32(word(0), word(1), word(4), word(5)), _mm_set_epi32(word(2), word(3), word(6), word(7))};
}

TALLY_SHA_NI_INLINE void store(const State& state, Digest& out) {
  const __m128i feba = _mm_shuffle_epi32(state.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(state.cdgh, 0xb1);
  auto* target = reinterpret_cast<__m128i*>(out.bytes.data());
  _mm_storeu_si128(target, byte_swap(_mm_blend_epi16(feba, dchg, 0xf0)));
  _mm_storeu_si128(target + 1, byte_swap(_mm_alignr_epi8(dchg, feba, 8)));
}

TALLY_SHA_NI_INLINE Words load_block(const std::uint8_t* block) {
  Words words;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) words.quad[i] = byte_swap(_mm_loadu_si128(as_vector(block + 16 * i)));
  return words;
}

// Block 0: the prefix and the message's first 63 bytes.
TALLY_SHA_NI_INLINE Words load_first_block(std::uint8_t prefix, const std::uint8_t* message) {
  Words words;
  const __m128i shifted = _mm_slli_si128(_mm_loadu_si128(as_vector(message)), 1);
  words.quad[0] = byte_swap(_mm_or_si128(shifted, _mm_cvtsi32_si128(prefix)));
#pragma GCC unroll 3
  for (std::size_t i = 1; i < 4; ++i) {
    words.quad[i] = byte_swap(_mm_loadu_si128(as_vector(message + 16 * i - 1)));
  }
  return words;
}

template <std::size_t Lanes>
TALLY_SHA_NI_INLINE void compress(State (&states)[Lanes], Words (&words)[Lanes]) {
  State before[Lanes];
#pragma GCC unroll 8
  for (std::size_t lane = 0; lane < Lanes; ++lane) before[lane] = states[lane];
#pragma GCC unroll 16
  for (std::size_t group = 0; group < 16; ++group) {
    const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(kRoundConstants.data() + 4 * group));
#pragma GCC unroll 8
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
      State& state = states[lane];
      __m128i& newest = words[lane].quad[group % 4];
      __m128i& next = words[lane].quad[(group + 1) % 4];
      __m128i& previous = words[lane].quad[(group + 3) % 4];
      const __m128i input = _mm_add_epi32(newest, constants);
      state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, input);
      if (group >= 3 && group < 15) {
        next = _mm_sha256msg2_epu32(_mm_add_epi32(next, _mm_alignr_epi8(newest, previous, 4)), newest);
      }
      state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32(input, 0x0e));
      if (group >= 1 && group < 13) previous = _mm_sha256msg1_epu32(previous, newest);
    }
  }
#pragma GCC unroll 8
  for (std::size_t lane = 0; lane < Lanes; ++lane) {
    states[lane].abef = _mm_add_epi32(states[lane].abef, before[lane].abef);
    states[lane].cdgh = _mm_add_epi32(states[lane].cdgh, before[lane].cdgh);
  }
}

// Hashes the messages from `first` on in steps of `Lanes`, as many as fill the lanes; returns the first one left.
template <std::size_t Lanes>
TALLY_SHA_NI std::size_t hash_lanes(const Messages& messages, std::span<Digest> out, std::size_t first) {
  if (first + Lanes > out.size()) return first;
  const BlockLayout layout(messages.message_bytes);
  TailBlocks<Lanes> tails(messages.prefix, messages.message_bytes);
  for (; first + Lanes <= out.size(); first += Lanes) {
    // The bytes of the messages that come next are called for while these are hashed.
    const std::size_t ahead = out.size() - first >= 2 * Lanes ? Lanes * messages.message_bytes : 0;
    const std::uint8_t* message[Lanes];
    State states[Lanes];
    Words words[Lanes];
    for (std::size_t lane = 0; lane < Lanes; ++lane) {
      message[lane] = messages.data.data() + (first + lane) * messages.message_bytes;
      states[lane] = initial_state();
      tails.load(lane, message[lane]);
    }
    if (layout.whole_blocks > 0) {
      for (std::size_t lane = 0; lane < Lanes; ++lane) {
        words[lane] = load_first_block(messages.prefix, message[lane]);
      }
      compress(states, words);
    }
    for (std::size_t block = 1; block < layout.whole_blocks; ++block) {
      for (std::size_t lane = 0; lane < Lanes; ++lane) {
        const std::uint8_t* bytes = message[lane] + block * kBlockBytes - 1;
        words[lane] = load_block(bytes);
        _mm_prefetch(bytes + ahead, _MM_HINT_T0);
      }
      compress(states, words);
    }
    for (std::size_t block = 0; block < layout.tail_blocks; ++block) {
      for (std::size_t lane = 0; lane < Lanes; ++lane) words[lane] = load_block(tails.block(lane, block));
      compress(states, words);
    }
    for (std::size_t lane = 0; lane < Lanes; ++lane) store(states[lane], out[first + lane]);
  }
  return first;
}

}  // namespace

bool has_sha_ni() { return __builtin_cpu_supports("avx") && __builtin_cpu_supports("sha"); }

void hash_sha_ni(const Messages& messages, std::span<Digest> out) {
  std::size_t done = hash_lanes<5>(messages, out, 0);
  done = hash_lanes<2>(messages, out, done);
  hash_lanes<1>(messages, out, done);
}

}  // namespace tally::proof::kernels

#endif
