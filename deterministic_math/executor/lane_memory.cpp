// Lanes in and out of memory: conversions, raw elements, masks and sums.
#include <algorithm>

#include "deterministic_math/executor/lane_access.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

template <class To, class From>
TALLY_INLINE inline void copy_lanes(std::byte* dst, const std::byte* src, std::size_t count) {
  TALLY_INDEPENDENT_LANES
  for (std::size_t i = 0; i < count; ++i) put_lane<To>(dst, i, static_cast<To>(get_lane<From>(src, i)));
}

template <class To, class From>
TALLY_INLINE inline void copy_clamped(std::byte* dst, const std::byte* src, From lo, From hi, std::size_t count) {
  TALLY_INDEPENDENT_LANES
  for (std::size_t i = 0; i < count; ++i) {
    const From value = get_lane<From>(src, i);
    put_lane<To>(dst, i, static_cast<To>(value < lo ? lo : value > hi ? hi : value));
  }
}

TALLY_INLINE inline i128 sum_32(const std::byte* src, std::size_t count) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += get_lane<std::int32_t>(src, i);
  return sum;
}

// Low and high halves apart, so that neither sum leaves 64 bits.
TALLY_INLINE inline i128 sum_64(const std::byte* src, std::size_t count) {
  std::int64_t high = 0;
  std::int64_t low = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = get_lane<std::int64_t>(src, i);
    high += value >> 32;
    low += value & 0xffffffff;
  }
  return static_cast<i128>(high) * (i128{1} << 32) + low;
}

template <class T>
TALLY_INLINE inline T smallest(const std::byte* src, std::size_t count) {
  T result = get_lane<T>(src, 0);
  for (std::size_t i = 1; i < count; ++i) {
    const T value = get_lane<T>(src, i);
    result = value < result ? value : result;
  }
  return result;
}

template <class T>
TALLY_INLINE inline T largest(const std::byte* src, std::size_t count) {
  T result = get_lane<T>(src, 0);
  for (std::size_t i = 1; i < count; ++i) {
    const T value = get_lane<T>(src, i);
    result = value > result ? value : result;
  }
  return result;
}

}  // namespace

TALLY_CLONES void convert_lanes(LaneType to, std::byte* dst, LaneType from, const std::byte* src, std::size_t count) {
  with_lane_type(to, [&](auto wide) TALLY_INLINE {
    with_lane_type(from, [&](auto narrow) TALLY_INLINE {
      copy_lanes<typename decltype(wide)::Type, typename decltype(narrow)::Type>(dst, src, count);
    });
  });
}

void convert_coordinates(std::byte* dst, LaneType from, const std::byte* src, std::size_t count) {
  if (from != LaneType::k128) {
    convert_lanes(LaneType::k64, dst, from, src, count);
    return;
  }
  const Range range = type_range(ElementType::kI64);
  for (std::size_t i = 0; i < count; ++i) {
    const i128 value = get_lane<i128>(src, i);
    put_lane<std::int64_t>(dst, i, range.contains(value) ? static_cast<std::int64_t>(value) : -1);
  }
}

TALLY_CLONES void count_lanes(LaneType type, std::byte* dst, i128 base, std::size_t count) {
  with_lane_type(type, [&](auto tag) TALLY_INLINE {
    using T = typename decltype(tag)::Type;
    using U = Unsigned<T>;
    const auto start = static_cast<U>(base);
    for (std::size_t i = 0; i < count; ++i)
      put_lane<T>(dst, i, static_cast<T>(static_cast<U>(start + static_cast<U>(i))));
  });
}

TALLY_CLONES void fill_lanes(LaneType type, std::byte* dst, i128 value, std::size_t count) {
  with_lane_type(type, [&](auto tag) TALLY_INLINE {
    using T = typename decltype(tag)::Type;
    const T one = static_cast<T>(value);
    for (std::size_t i = 0; i < count; ++i) put_lane<T>(dst, i, one);
  });
}

TALLY_CLONES void load_lanes(LaneType to, std::byte* dst, ElementType from, const std::byte* src, const Range& range,
                             std::size_t count) {
  const bool plain = range.contains(type_range(from));
  const Range bounds = type_range(from);
  const i128 lo = bounds.clamp(range.lo);
  const i128 hi = bounds.clamp(range.hi);
  with_lane_type(to, [&](auto lane) TALLY_INLINE {
    with_element_type(from, [&](auto element) TALLY_INLINE {
      using To = typename decltype(lane)::Type;
      using From = typename decltype(element)::Type;
      if (plain) {
        copy_lanes<To, From>(dst, src, count);
      } else {
        copy_clamped<To, From>(dst, src, static_cast<From>(lo), static_cast<From>(hi), count);
      }
    });
  });
}

TALLY_CLONES void store_lanes(ElementType to, std::byte* dst, LaneType from, const std::byte* src, std::size_t count) {
  with_element_type(to, [&](auto element) TALLY_INLINE {
    with_lane_type(from, [&](auto lane) TALLY_INLINE {
      copy_lanes<typename decltype(element)::Type, typename decltype(lane)::Type>(dst, src, count);
    });
  });
}

TALLY_CLONES void blend_lanes(LaneType type, std::byte* dst, const std::byte* src, std::span<const std::uint8_t> mask) {
  const std::uint8_t* const keep = mask.data();
  const std::size_t count = mask.size();
  with_lane_type(type, [&](auto tag) TALLY_INLINE {
    using T = typename decltype(tag)::Type;
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = 0; i < count; ++i) {
      const T fresh = get_lane<T>(src, i);
      const T old = get_lane<T>(dst, i);
      put_lane<T>(dst, i, keep[i] != 0 ? fresh : old);
    }
  });
}

TALLY_CLONES void keep_nonzero(LaneType type, std::span<std::uint8_t> mask, const std::byte* src) {
  std::uint8_t* const keep = mask.data();
  const std::size_t count = mask.size();
  with_lane_type(type, [&](auto tag) TALLY_INLINE {
    using T = typename decltype(tag)::Type;
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = 0; i < count; ++i) {
      keep[i] = static_cast<std::uint8_t>(keep[i] & static_cast<std::uint8_t>(get_lane<T>(src, i) != 0));
    }
  });
}

TALLY_CLONES void fail_zero(LaneType type, std::span<std::uint8_t> failed, const std::byte* src) {
  std::uint8_t* const fail = failed.data();
  const std::size_t count = failed.size();
  with_lane_type(type, [&](auto tag) TALLY_INLINE {
    using T = typename decltype(tag)::Type;
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = 0; i < count; ++i) {
      fail[i] = static_cast<std::uint8_t>(fail[i] | static_cast<std::uint8_t>(get_lane<T>(src, i) == 0));
    }
  });
}

TALLY_CLONES void fail_outside(LaneType type, std::span<std::uint8_t> failed, const std::byte* src,
                               const Range& range) {
  std::uint8_t* const fail = failed.data();
  const std::size_t count = failed.size();
  with_lane_type(type, [&](auto tag) TALLY_INLINE {
    using T = typename decltype(tag)::Type;
    const Range bounds = type_range(static_cast<ElementType>(type));
    if (range.hi < bounds.lo || range.lo > bounds.hi) {
      std::fill_n(fail, count, std::uint8_t{1});
      return;
    }
    const auto lo = static_cast<T>(bounds.clamp(range.lo));
    const auto hi = static_cast<T>(bounds.clamp(range.hi));
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = 0; i < count; ++i) {
      const T value = get_lane<T>(src, i);
      fail[i] = static_cast<std::uint8_t>(fail[i] | static_cast<std::uint8_t>(value < lo) |
                                          static_cast<std::uint8_t>(value > hi));
    }
  });
}

TALLY_CLONES i128 sum_lanes(LaneType type, const std::byte* src, std::size_t count) {
  switch (type) {
    case LaneType::k32:
      return sum_32(src, count);
    case LaneType::k64:
      return sum_64(src, count);
    case LaneType::k128:
      break;
  }
  u128 sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<u128>(get_lane<i128>(src, i));
  return static_cast<i128>(sum);
}

TALLY_CLONES i128 min_lanes(LaneType type, const std::byte* src, std::size_t count) {
  switch (type) {
    case LaneType::k32:
      return smallest<std::int32_t>(src, count);
    case LaneType::k64:
      return smallest<std::int64_t>(src, count);
    case LaneType::k128:
      break;
  }
  return smallest<i128>(src, count);
}

TALLY_CLONES i128 max_lanes(LaneType type, const std::byte* src, std::size_t count) {
  switch (type) {
    case LaneType::k32:
      return largest<std::int32_t>(src, count);
    case LaneType::k64:
      return largest<std::int64_t>(src, count);
    case LaneType::k128:
      break;
  }
  return largest<i128>(src, count);
}

i128 read_lane(LaneType type, const std::byte* src, std::size_t lane) {
  switch (type) {
    case LaneType::k32:
      return get_lane<std::int32_t>(src, lane);
    case LaneType::k64:
      return get_lane<std::int64_t>(src, lane);
    case LaneType::k128:
      break;
  }
  return get_lane<i128>(src, lane);
}

i128 get_element(ElementType type, const std::byte* src, std::uint64_t index) {
  i128 value = 0;
  // NOLINTNEXTLINE(bugprone-signed-char-misuse): an i8 is a number here, no character
  with_element_type(type, [&](auto tag) { value = get_lane<typename decltype(tag)::Type>(src, index); });
  return value;
}

void put_element(ElementType type, std::byte* dst, std::uint64_t index, i128 value) {
  with_element_type(type, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    put_lane<T>(dst, index, static_cast<T>(value));
  });
}

}  // namespace tally::math
