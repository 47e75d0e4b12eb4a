#include "fraud_proof/hashing/kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

// Sixteen messages side by side: register w of the block holds word w of all of them, and each SHA-256 operation is one
// AVX-512 instruction for all sixteen. A rotate is vprord; Ch, Maj and the exclusive or of three are vpternlogd.

#define TALLY_AVX512 __attribute__((target("avx512f,avx512bw")))
#define TALLY_AVX512_INLINE __attribute__((target("avx512f,avx512bw"), always_inline)) inline

namespace tally::proof::kernels {
namespace {

constexpr std::size_t kLanes = 16;

// The compilers' own vectors where they have the operation: GCC 12 gives many of its intrinsics an undefined operand,
// which it then keeps on the stack.
using Vector = std::uint32_t __attribute__((vector_size(64)));

struct State {
  Vector word[8];
};

struct Words {
  Vector word[16];
};

TALLY_AVX512_INLINE __m512i raw(Vector vector) { return reinterpret_cast<__m512i>(vector); }
TALLY_AVX512_INLINE Vector words_of(__m512i vector) { return reinterpret_cast<Vector>(vector); }

template <int Imm>
TALLY_AVX512_INLINE Vector ternary(Vector a, Vector b, Vector c) {
  return words_of(_mm512_ternarylogic_epi32(raw(a), raw(b), raw(c), Imm));
}

template <int Count>
TALLY_AVX512_INLINE Vector rotate_right(Vector x) {
  return (x >> Count) | (x << (32 - Count));
}

constexpr int kXor3 = 0x96;
constexpr int kChoose = 0xca;
constexpr int kMajority = 0xe8;

TALLY_AVX512_INLINE Vector big_sigma0(Vector x) {
  return ternary<kXor3>(rotate_right<2>(x), rotate_right<13>(x), rotate_right<22>(x));
}
TALLY_AVX512_INLINE Vector big_sigma1(Vector x) {
  return ternary<kXor3>(rotate_right<6>(x), rotate_right<11>(x), rotate_right<25>(x));
}
TALLY_AVX512_INLINE Vector small_sigma0(Vector x) {
  return ternary<kXor3>(rotate_right<7>(x), rotate_right<18>(x), x >> 3);
}
TALLY_AVX512_INLINE Vector small_sigma1(Vector x) {
  return ternary<kXor3>(rotate_right<17>(x), rotate_right<19>(x), x >> 10);
}

// In each 128-bit quarter the four words named: 0 ... 3 of a, 4 ... 7 of b.
template <int I0, int I1, int I2, int I3>
TALLY_AVX512_INLINE Vector in_quarters(Vector a, Vector b) {
  constexpr auto kAt = [](int quarter, int i) { return 4 * quarter + (i < 4 ? i : 12 + i); };
  return __builtin_shufflevector(a, b, kAt(0, I0), kAt(0, I1), kAt(0, I2), kAt(0, I3),  //
                                 kAt(1, I0), kAt(1, I1), kAt(1, I2), kAt(1, I3),        //
                                 kAt(2, I0), kAt(2, I1), kAt(2, I2), kAt(2, I3),        //
                                 kAt(3, I0), kAt(3, I1), kAt(3, I2), kAt(3, I3));
}

// Quarters First and First + 2 of a, then of b.
template <int First>
TALLY_AVX512_INLINE Vector every_other_quarter(Vector a, Vector b) {
  constexpr int kA = 4 * First;
  constexpr int kB = 16 + kA;
  return __builtin_shufflevector(a, b, kA, kA + 1, kA + 2, kA + 3, kA + 8, kA + 9, kA + 10, kA + 11,  //
                                 kB, kB + 1, kB + 2, kB + 3, kB + 8, kB + 9, kB + 10, kB + 11);
}

// Turns sixteen rows of sixteen words into the columns.
TALLY_AVX512_INLINE void transpose(Vector (&rows)[16]) {
  Vector pairs[16];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 16; i += 2) {
    pairs[i] = in_quarters<0, 4, 1, 5>(rows[i], rows[i + 1]);
    pairs[i + 1] = in_quarters<2, 6, 3, 7>(rows[i], rows[i + 1]);
  }
  // fours[i + c], quarter q: column 4 q + c of rows i ... i + 3.
  Vector fours[16];
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 16; i += 4) {
    fours[i] = in_quarters<0, 1, 4, 5>(pairs[i], pairs[i + 2]);
    fours[i + 1] = in_quarters<2, 3, 6, 7>(pairs[i], pairs[i + 2]);
    fours[i + 2] = in_quarters<0, 1, 4, 5>(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = in_quarters<2, 3, 6, 7>(pairs[i + 1], pairs[i + 3]);
  }
#pragma GCC unroll 4
  for (std::size_t c = 0; c < 4; ++c) {
    const Vector upper_even = every_other_quarter<0>(fours[c], fours[4 + c]);
    const Vector upper_odd = every_other_quarter<1>(fours[c], fours[4 + c]);
    const Vector lower_even = every_other_quarter<0>(fours[8 + c], fours[12 + c]);
    const Vector lower_odd = every_other_quarter<1>(fours[8 + c], fours[12 + c]);
    rows[c] = every_other_quarter<0>(upper_even, lower_even);
    rows[8 + c] = every_other_quarter<1>(upper_even, lower_even);
    rows[4 + c] = every_other_quarter<0>(upper_odd, lower_odd);
    rows[12 + c] = every_other_quarter<1>(upper_odd, lower_odd);
  }
}

TALLY_AVX512_INLINE Vector byte_swap(Vector words) {
  constexpr std::uint32_t kFirst = 0x00010203;
  const Vector order = Vector{kFirst, kFirst + 0x04040404, kFirst + 0x08080808, kFirst + 0x0c0c0c0c,  //
                              kFirst, kFirst + 0x04040404, kFirst + 0x08080808, kFirst + 0x0c0c0c0c,  //
                              kFirst, kFirst + 0x04040404, kFirst + 0x08080808, kFirst + 0x0c0c0c0c,  //
                              kFirst, kFirst + 0x04040404, kFirst + 0x08080808, kFirst + 0x0c0c0c0c};
  return words_of(_mm512_shuffle_epi8(raw(words), raw(order)));
}

TALLY_AVX512_INLINE void load_blocks(Words& words, const std::uint8_t* const (&blocks)[kLanes]) {
#pragma GCC unroll 16
  for (std::size_t lane = 0; lane < kLanes; ++lane)
    words.word[lane] = byte_swap(words_of(_mm512_loadu_si512(blocks[lane])));
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
    words.word[lane] = byte_swap(words_of(_mm512_or_si512(shifted, prefix_byte)));
  }
  transpose(words.word);
}

TALLY_AVX512_INLINE void compress(State& state, Words& words) {
  Vector(&w)[16] = words.word;
  State s = state;
  for (std::size_t start = 0; start < 64; start += 16) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < 16; ++i) {
      // The registers turn by one place each round instead of moving.
      Vector& d = s.word[(3 + 16 - i) % 8];
      Vector& h = s.word[(7 + 16 - i) % 8];
      const Vector a = s.word[(16 - i) % 8];
      const Vector b = s.word[(1 + 16 - i) % 8];
      const Vector c = s.word[(2 + 16 - i) % 8];
      const Vector e = s.word[(4 + 16 - i) % 8];
      const Vector f = s.word[(5 + 16 - i) % 8];
      const Vector g = s.word[(6 + 16 - i) % 8];
      const Vector sum = h + (w[i] + kRoundConstants[start + i]);
      // e is the bottleneck: each round's needs the last round's. Only three instructions lie between them.
      const Vector new_e = ((sum + d) + ternary<kChoose>(e, f, g)) + big_sigma1(e);
      h = ((ternary<kMajority>(a, b, c) - d) + big_sigma0(a)) + new_e;
      d = new_e;
      // The word that round + 16 takes.
      if (start < 48)
        w[i] = (w[i] + small_sigma0(w[(i + 1) % 16])) + (w[(i + 9) % 16] + small_sigma1(w[(i + 14) % 16]));
    }
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) state.word[i] += s.word[i];
}

TALLY_AVX512_INLINE void store(const State& state, std::span<Digest> out) {
  Vector rows[16];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) {
    rows[i] = byte_swap(state.word[i]);
    rows[8 + i] = Vector{};
  }
  transpose(rows);
  for (std::size_t lane = 0; lane < out.size(); ++lane) {
    _mm512_mask_storeu_epi32(out[lane].bytes.data(), 0x00ff, raw(rows[lane]));
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
  for (std::size_t i = 0; i < 8; ++i) state.word[i] = Vector{} + kInitialState[i];
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
