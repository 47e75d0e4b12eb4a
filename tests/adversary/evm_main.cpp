// The tests of this folder, with the contracts on a node beside each chain, which judge all that is asked of it.
//
// Of the programs of the library a few by default, all of them and all tests where TALLY_ALL_ON_EVM says so (./dev
// soak).
#include <gtest/gtest.h>

#include "tests/support/evm_mirror.h"
#include "tests/support/wanted_count.h"

namespace {

constexpr const char* kFew =
    "LyingPosters.*:LeavingMembers.*:Library/*/fedavg:Library/*/median:Library/*/contribution_ledger";

}  // namespace

int main(int argc, char** argv) {
  if (tally::test::wanted_count("TALLY_ALL_ON_EVM", 0) == 0) GTEST_FLAG_SET(filter, kFew);
  testing::InitGoogleTest(&argc, argv);
  static_cast<void>(tally::test::mirror_all_chains());
  return RUN_ALL_TESTS();
}
