#include "fraud_proof/hashing/kernels.h"

#if defined(__x86_64__)

// GCC 12 takes the deliberately undefined operands in its own intrinsics for mistakes.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#include <immintrin.h>

// Sixteen messages side by side: register w of the block holds word w of all of them, and each SHA-256 operation is one
// AVX-512 instruction for all sixteen. A rotate is vprord; Ch, Maj and the exclusive or of three are vpternlogd.

#define TALLY_AVX512 __attribute__((target("avx512f,avx512bw")))
#define TALLY_AVX512_INLINE __attribute__((target("avx512f,avx512bw"), always_inline)) inline

namespace tally::proof::kernels {
namespace {

constexpr std::size_t kLanes = 16;

struct State {
  __m512i word[8];
};

struct Words {
  __m512i word[16];
};

constexpr int kXor3 = 0x96;
constexpr int kChoose = 0xca;
constexpr int kMajority = 0xe8;

TALLY_AVX512_INLINE __m512i big_sigma0(__m512i x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, 2), _mm512_ror_epi32(x, 13), _mm512_ror_epi32(x, 22), kXor3);
}
TALLY_AVX512_INLINE __m512i big_sigma1(__m512i x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, 6), _mm512_ror_epi32(x, 11), _mm512_ror_epi32(x, 25), kXor3);
}
TALLY_AVX512_INLINE __m512i small_sigma0(__m512i x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, 7), _mm512_ror_epi32(x, 18), _mm512_srli_epi32(x, 3), kXor3);
}
TALLY_AVX512_INLINE __m512i small_sigma1(__m512i x) {
  return _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, 17), _mm512_ror_epi32(x, 19), _mm512_srli_epi32(x, 10), kXor3);
}

// Row r holds four 128-bit quarters; after the call row r, seen as sixteen words, holds what was column r.
TALLY_AVX512_INLINE void transpose(__m512i (&rows)[16]) {
  __m512i pairs[16];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  // fours[4 i + c], quarter q: column 4 q + c of rows 4 i ... 4 i + 3.
  __m512i fours[16];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
#pragma GCC unroll 4
  for (std::size_t c = 0; c < 4; ++c) {
    const __m512i upper_even = _mm512_shuffle_i32x4(fours[c], fours[4 + c], 0x88);
    const __m512i upper_odd = _mm512_shuffle_i32x4(fours[c], fours[4 + c], 0xdd);
    const __m512i lower_even = _mm512_shuffle_i32x4(fours[8 + c], fours[12 + c], 0x88);
    const __m512i lower_odd = _mm512_shuffle_i32x4(fours[8 + c], fours[12 + c], 0xdd);
    rows[c] = _mm512_shuffle_i32x4(upper_even, lower_even, 0x88);
    rows[8 + c] = _mm512_shuffle_i32x4(upper_even, lower_even, 0xdd);
    rows[4 + c] = _mm512_shuffle_i32x4(upper_odd, lower_odd, 0x88);
    rows[12 + c] = _mm512_shuffle_i32x4(upper_odd, lower_odd, 0xdd);
  }
}

TALLY_AVX512_INLINE __m512i byte_swap(__m512i words) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  return _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(order));
}

TALLY_AVX512_INLINE void load_blocks(Words& words, const std::uint8_t* const (&blocks)[kLanes]) {
#pragma GCC unroll 16
  for (std::size_t lane = 0; lane < kLanes; ++lane) words.word[lane] = byte_swap(_mm512_loadu_si512(blocks[lane]));
  transpose(words.word);
}

// Block 0: the prefix and the message's first 63 bytes. The byte before the message is masked out, hence not read.
TALLY_AVX512_INLINE void load_first_blocks(Words& words, std::uint8_t prefix,
                                           const std::uint8_t* const (&messages)[kLanes]) {
  const __m512i prefix_byte = _mm512_zextsi128_si512(_mm_cvtsi32_si128(prefix));
#pragma GCC unroll 16
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const auto* before = reinterpret_cast<const std::uint8_t*>(reinterpret_cast<std::uintptr_t>(messages[lane]) - 1);
    const __m512i shifted = _mm512_maskz_loadu_epi8(~__mmask64{1}, before);
    words.word[lane] = byte_swap(_mm512_or_si512(shifted, prefix_byte));
  }
  transpose(words.word);
}

TALLY_AVX512_INLINE void compress(State& state, Words& words) {
  __m512i(&w)[16] = words.word;
  State s = state;
  for (std::size_t start = 0; start < 64; start += 16) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) {
      // The registers turn by one place each round instead of moving.
      __m512i& d = s.word[(3 + 16 - i) % 8];
      __m512i& h = s.word[(7 + 16 - i) % 8];
      const __m512i a = s.word[(16 - i) % 8];
      const __m512i b = s.word[(1 + 16 - i) % 8];
      const __m512i c = s.word[(2 + 16 - i) % 8];
      const __m512i e = s.word[(4 + 16 - i) % 8];
      const __m512i f = s.word[(5 + 16 - i) % 8];
      const __m512i g = s.word[(6 + 16 - i) % 8];
      const __m512i constant = _mm512_set1_epi32(static_cast<int>(kRoundConstants[start + i]));
      const __m512i sum = _mm512_add_epi32(h, _mm512_add_epi32(w[i], constant));
      const __m512i choose = _mm512_ternarylogic_epi32(e, f, g, kChoose);
      const __m512i majority = _mm512_ternarylogic_epi32(a, b, c, kMajority);
      // e is the bottleneck: each round's needs the last round's. Only three instructions lie between them.
      const __m512i new_e = _mm512_add_epi32(_mm512_add_epi32(_mm512_add_epi32(sum, d), choose), big_sigma1(e));
      h = _mm512_add_epi32(_mm512_add_epi32(_mm512_sub_epi32(majority, d), big_sigma0(a)), new_e);
      d = new_e;
      // The word that round + 16 takes.
      if (start < 48) {
        w[i] = _mm512_add_epi32(_mm512_add_epi32(w[i], small_sigma0(w[(i + 1) % 16])),
                                _mm512_add_epi32(w[(i + 9) % 16], small_sigma1(w[(i + 14) % 16])));
      }
    }
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) state.word[i] = _mm512_add_epi32(state.word[i], s.word[i]);
}

TALLY_AVX512_INLINE void store(const State& state, std::span<Digest> out) {
  __m512i rows[16];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) {
    rows[i] = byte_swap(state.word[i]);
    rows[8 + i] = _mm512_setzero_si512();
  }
  transpose(rows);
  for (std::size_t lane = 0; lane < out.size(); ++lane) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out[lane].bytes.data()), _mm512_castsi512_si256(rows[lane]));
  }
}

// `ahead` is how far behind these messages those lie that come next: their bytes are called for while these are hashed,
// since the processor itself does not see far enough ahead in sixteen places.
TALLY_AVX512 void hash_sixteen(const Messages& messages, TailBlocks<kLanes>& tails, const BlockLayout& layout,
                               std::size_t ahead, std::span<Digest> out) {
  const std::uint8_t* blocks[kLanes];
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    // Lanes without a message do that of the last one.
    const std::size_t index = std::min(lane, out.size() - 1);
    blocks[lane] = messages.data.data() + index * messages.message_bytes;
    tails.load(lane, blocks[lane]);
  }
  State state;
  for (std::size_t i = 0; i < 8; ++i) state.word[i] = _mm512_set1_epi32(static_cast<int>(kInitialState[i]));
  Words words;
  if (layout.whole_blocks > 0) {
    load_first_blocks(words, messages.prefix, blocks);
    compress(state, words);
    for (auto& block : blocks) block += kBlockBytes - 1;
  }
  for (std::size_t block = 1; block < layout.whole_blocks; ++block) {
    load_blocks(words, blocks);
    for (const std::uint8_t* pointer : blocks) _mm_prefetch(pointer + ahead, _MM_HINT_T0);
    compress(state, words);
    for (auto& pointer : blocks) pointer += kBlockBytes;
  }
  for (std::size_t block = 0; block < layout.tail_blocks; ++block) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) blocks[lane] = tails.block(lane, block);
    load_blocks(words, blocks);
    compress(state, words);
  }
  store(state, out);
}

}  // namespace

bool has_avx512() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }

void hash_avx512(const Messages& messages, std::span<Digest> out) {
  // Sixteen lanes cost about as much as ten messages on SHA-NI.
  constexpr std::size_t kFewest = 10;
  const BlockLayout layout(messages.message_bytes);
  TailBlocks<kLanes> tails(messages.prefix, messages.message_bytes);
  std::size_t done = 0;
  while (out.size() - done >= kFewest) {
    const std::size_t count = std::min(kLanes, out.size() - done);
    const Messages batch{messages.prefix, messages.message_bytes,
                         messages.data.subspan(done * messages.message_bytes, count * messages.message_bytes)};
    const std::size_t ahead = out.size() - done >= 2 * kLanes ? kLanes * messages.message_bytes : 0;
    hash_sixteen(batch, tails, layout, ahead, out.subspan(done, count));
    done += count;
  }
  if (done == out.size()) return;
  const Messages rest{messages.prefix, messages.message_bytes, messages.data.subspan(done * messages.message_bytes)};
  (has_sha_ni() ? hash_sha_ni : hash_portable)(rest, out.subspan(done));
}

}  // namespace tally::proof::kernels

#endif
