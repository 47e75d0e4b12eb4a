// What must never happen, and did.
#pragma once

#include <stdexcept>
#include <string>

namespace tally::simulator {

class Violation : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace tally::simulator
