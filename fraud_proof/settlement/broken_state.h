// Records that the machine never wrote, or that contradict one another: whatever stands behind a StateReader is
// damaged. It is the outside world's failure, not a refusal: nothing is said of the transaction.
#pragma once

#include <stdexcept>
#include <string>

namespace tally::proof {

class BrokenState : public std::runtime_error {
 public:
  explicit BrokenState(const std::string& what) : std::runtime_error("the settlement's records are broken: " + what) {}
};

}  // namespace tally::proof
