// The tests of the settlement (tests/fraud_proof/settlement), with the contracts on a node beside each chain.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/evm_mirror.h"

namespace {

/// Of the transactions, with each kind of move and proof, these were seen to do nothing at all where gas
/// ends within a call of the contracts' own.
class StarvesAllKinds final : public testing::Environment {
 public:
  explicit StarvesAllKinds(const std::set<std::string>& kinds) : x_kinds(kinds) {}
  void TearDown() override {
    const bool are_all_run =
        testing::UnitTest::GetInstance()->test_to_run_count() == testing::UnitTest::GetInstance()->total_test_count();
    if (are_all_run) {
      EXPECT_GE(x_kinds.size(), 30U);
    }
  }

 private:
  const std::set<std::string>& x_kinds;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new StarvesAllKinds(tally::test::mirror_all_chains()));
  return RUN_ALL_TESTS();
}
