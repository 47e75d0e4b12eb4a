// A file descriptor that is closed at the end of its scope.
#pragma once

#include <unistd.h>

#include <utility>

namespace tally::chain {

class Descriptor {
 public:
  explicit Descriptor(int value = -1) : x_value(value) {}
  ~Descriptor() {
    if (x_value >= 0) ::close(x_value);
  }
  Descriptor(Descriptor&& other) noexcept : x_value(std::exchange(other.x_value, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(x_value, other.x_value);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int value() const { return x_value; }

 private:
  int x_value;
};

}  // namespace tally::chain
