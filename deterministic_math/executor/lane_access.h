// Unaligned, alias-free access to integers in raw memory, and the dispatch from lane types to C++ types. Private to the
// executor and the hints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "deterministic_math/executor/clones.h"
#include "deterministic_math/executor/lanes.h"

namespace tally::math {

template <class T>
TALLY_INLINE inline T get_lane(const std::byte* memory, std::size_t index) {
  T value;
  std::memcpy(&value, memory + index * sizeof(T), sizeof(T));
  return value;
}

template <class T>
TALLY_INLINE inline void put_lane(std::byte* memory, std::size_t index, T value) {
  std::memcpy(memory + index * sizeof(T), &value, sizeof(T));
}

// std::make_unsigned does not know __int128 in strict mode.
template <class T>
struct UnsignedOf {
  using Type = std::make_unsigned_t<T>;
};
template <>
struct UnsignedOf<i128> {
  using Type = u128;
};
template <class T>
using Unsigned = typename UnsignedOf<T>::Type;

template <class T>
struct TypeTag {
  using Type = T;
};

template <class F>
TALLY_INLINE inline void with_lane_type(LaneType type, F&& function) {
  switch (type) {
    case LaneType::k32:
      function(TypeTag<std::int32_t>{});
      break;
    case LaneType::k64:
      function(TypeTag<std::int64_t>{});
      break;
    case LaneType::k128:
      function(TypeTag<i128>{});
      break;
  }
}

template <class F>
TALLY_INLINE inline void with_element_type(ElementType type, F&& function) {
  switch (type) {
    case ElementType::kI8:
      function(TypeTag<std::int8_t>{});
      break;
    case ElementType::kI16:
      function(TypeTag<std::int16_t>{});
      break;
    case ElementType::kI32:
      function(TypeTag<std::int32_t>{});
      break;
    case ElementType::kI64:
      function(TypeTag<std::int64_t>{});
      break;
    case ElementType::kI128:
      function(TypeTag<i128>{});
      break;
  }
}

}  // namespace tally::math
