// What a decoder or a check gives back instead of a value: the exact reason, and a sentence that names the place.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace tally::proof {

template <class Reason>
struct Refusal {
  Reason reason;
  std::string message;
};

template <class Reason>
[[nodiscard]] std::unexpected<Refusal<Reason>> refuse(Reason reason, std::string message) {
  return std::unexpected(Refusal<Reason>{reason, std::move(message)});
}

}  // namespace tally::proof
