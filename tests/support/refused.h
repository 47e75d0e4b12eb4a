// EXPECT_TRUE(refused(result, Reason::kNoSuchTask)): that something was refused for exactly that reason.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "fraud_proof/refusals/reason.h"

namespace tally::test {

template <class T>
[[nodiscard]] testing::AssertionResult refused(const proof::OrRefused<T>& result, proof::Reason reason) {
  if (result) return testing::AssertionFailure() << "accepted, not refused as " << to_string(reason);
  if (result.error().reason != reason) {
    return testing::AssertionFailure() << "refused as " << to_string(result.error().reason) << " ("
                                       << result.error().message << "), not as " << to_string(reason);
  }
  if (result.error().message.empty()) return testing::AssertionFailure() << "refused without a message";
  return testing::AssertionSuccess();
}

template <class T>
[[nodiscard]] testing::AssertionResult accepted(const proof::OrRefused<T>& result) {
  if (result) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "refused as " << to_string(result.error().reason) << ": "
                                     << result.error().message;
}

}  // namespace tally::test
