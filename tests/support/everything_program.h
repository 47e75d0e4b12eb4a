// A program with a little of everything that a dispute can be about.
#pragma once

#include <string_view>

namespace tally::test {

/// Advice with a range and a check, a loop, two results of one body, a scan, a check of its own, entries that can FAIL.
inline constexpr std::string_view kEverything = R"(
program everything
dim K in 1..64
dim D in 1..64
record w: i64 in 1..9
row    x: i32[D]
state  s: i32[D]
state  kept: i64[4] in -5..5
advice top[d in D]: i64 in -1000..1000 hint kth(k in K: min(max(x[k, d], -1000), 1000), K - 1) {
  fold k in K { m = max(m, min(max(x[k, d], -1000), 1000)) } from m = -1000
  require top[d] == m
}
loop t in 3 {
  table a[d in D]: i64 in -100000..100000 {
    fold k in K { n = n + min(max(x[k, d], -100), 100) * w[k] } from n = 0
    return n + min(max(s[d], -1000), 1000) + min(max(b[t - 1, d], -1000), 1000)
  }
  table b[d in D]: i64 in -900000..900000 {
    return a[t, d] * 3 + t + top[d]
  }
}
table sum[d in D]: i64 {
  return min(max(sum[d - 1] + b[2, d], -1000000000), 1000000000)
}
table lo: i64 in -100000..0, hi: i64 in 0..100000 {
  fold d in D { u = min(u, a[2, d])  v = max(v, a[2, d]) } from u = 0, v = 0
  return u, v
}
check {
  require lo <= hi
}
table next_s[d in D]: i32 {
  return clamp(sum[d] + kept[0], i32)
}
next s = next_s
)";

}  // namespace tally::test
