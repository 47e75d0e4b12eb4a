// The tests of the settlement (tests/fraud_proof/settlement), with the contracts on a node beside each chain.
#include <gtest/gtest.h>

#include "tests/support/evm_mirror.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  tally::test::mirror_all_chains();
  return RUN_ALL_TESTS();
}
