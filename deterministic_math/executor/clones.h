// Run-time dispatch for vector kernels: a function marked TALLY_CLONES is compiled for several levels of x86-64 and the
// best one that the machine has is chosen when the program is loaded. Kernels are plain loops over lanes.
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(TALLY_SANITIZED)
#define TALLY_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define TALLY_CLONES
#endif

// The loop bodies of a clone must be inlined into it to be compiled for its level.
#define TALLY_INLINE __attribute__((always_inline))

// The lanes of the next loop are independent: its output may be one of its inputs at the same index, never at another.
#if defined(__clang__)
#define TALLY_INDEPENDENT_LANES _Pragma("clang loop vectorize(assume_safety)")
#else
#define TALLY_INDEPENDENT_LANES _Pragma("GCC ivdep")
#endif
