// Lanes: one instruction applied to a run of entries (or of fold indices) at a time.
//
// A lane vector is raw memory that holds `count` integers of one lane type. A lane type is chosen where the proved
// range of a value allows it, so operations need not care about overflow; they wrap. Operands are lane vectors of the
// operation's own type, or one value for all lanes. An output may be the same memory as an input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "deterministic_math/bytecode/program.h"

namespace tally::math {

enum class LaneType : std::uint8_t { k32 = 2, k64 = 3, k128 = 4 };

[[nodiscard]] constexpr std::size_t lane_bytes(LaneType type) { return std::size_t{1} << static_cast<unsigned>(type); }

/// The narrowest lane type that holds every value of a range.
[[nodiscard]] LaneType lane_type(const Range& range);

enum class Spread : std::uint8_t { kLanes, kUniform };

/// `data` holds one value per lane, or (kUniform) an i128 whose low bytes are read.
struct LaneOperand {
  const std::byte* data = nullptr;
  Spread spread = Spread::kLanes;
};

/// dst[i] = op(a[i], b[i], c[i]) for the arithmetic and comparing operations, with `imm` for kWrap. Not for kPrf.
void compute_lanes(Op op, LaneType type, std::byte* dst, const LaneOperand& a, const LaneOperand& b,
                   const LaneOperand& c, std::int32_t imm, std::size_t count);

/// The same on one value of 128 bits.
[[nodiscard]] i128 compute_scalar(Op op, i128 a, i128 b, i128 c, std::int32_t imm);

/// Values that do not fit the narrower type are truncated.
void convert_lanes(LaneType to, std::byte* dst, LaneType from, const std::byte* src, std::size_t count);

/// As convert_lanes to 64 bits, but a value that does not fit becomes -1, which is out of bounds for every index.
void convert_coordinates(std::byte* dst, LaneType from, const std::byte* src, std::size_t count);

/// dst[i] = base + i
void count_lanes(LaneType type, std::byte* dst, i128 base, std::size_t count);

void fill_lanes(LaneType type, std::byte* dst, i128 value, std::size_t count);

/// Raw elements to lanes, clamped to `range`.
void load_lanes(LaneType to, std::byte* dst, ElementType from, const std::byte* src, const Range& range,
                std::size_t count);

/// Lanes to raw elements; every value fits.
void store_lanes(ElementType to, std::byte* dst, LaneType from, const std::byte* src, std::size_t count);

/// dst[i] = mask[i] ? src[i] : dst[i]
void blend_lanes(LaneType type, std::byte* dst, const std::byte* src, std::span<const std::uint8_t> mask);

/// mask[i] = mask[i] && src[i] != 0
void keep_nonzero(LaneType type, std::span<std::uint8_t> mask, const std::byte* src);

/// failed[i] = failed[i] || src[i] == 0
void fail_zero(LaneType type, std::span<std::uint8_t> failed, const std::byte* src);

/// failed[i] = failed[i] || src[i] outside range
void fail_outside(LaneType type, std::span<std::uint8_t> failed, const std::byte* src, const Range& range);

/// The exact sum (min, max) of `count` lanes; count < 2^31, and at least 1 for min and max.
[[nodiscard]] i128 sum_lanes(LaneType type, const std::byte* src, std::size_t count);
[[nodiscard]] i128 min_lanes(LaneType type, const std::byte* src, std::size_t count);
[[nodiscard]] i128 max_lanes(LaneType type, const std::byte* src, std::size_t count);

[[nodiscard]] i128 read_lane(LaneType type, const std::byte* src, std::size_t lane);

/// One raw element.
[[nodiscard]] i128 get_element(ElementType type, const std::byte* src, std::uint64_t index);
void put_element(ElementType type, std::byte* dst, std::uint64_t index, i128 value);

}  // namespace tally::math
