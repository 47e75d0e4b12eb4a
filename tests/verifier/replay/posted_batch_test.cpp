#include "verifier/replay/posted_batch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/posted_batch.h"
#include "tests/support/test_batch.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;

class DescribePosted : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(test::build(x_batch.inputs(), directory()).has_value());
    x_posted = test::posted_batch(directory(), x_batch.program());
  }
  [[nodiscard]] fs::path directory() const { return x_folder.path() / "batch"; }
  [[nodiscard]] Description described(const PostedBatch& batch) const {
    return describe_posted(batch, chain::BatchPaths(directory()));
  }

  test::TemporaryFolder x_folder;
  test::TestBatch x_batch{"fedavg"};
  PostedBatch x_posted;
};

// Pitfall 30: another program than the task's is noticed before anything is judged by it.
TEST_F(DescribePosted, refuses_each_thing_that_is_not_the_batchs_own) {
  struct Case {
    std::string message;
    std::function<void(PostedBatch&)> change;
  };
  const std::string header = "the chain's header fields of batch ";
  const std::string states = "the chain's state commitments of batch ";
  const std::string roots = "the chain's table roots of batch ";
  const std::vector<Case> cases = {
      {"the chain's bytecode is not the program of task ", [](PostedBatch& batch) { batch.bytecode.back() ^= 1; }},
      {"the chain's bytecode is not the program of task ",
       [](PostedBatch& batch) { batch.task.program_hash.bytes[0] ^= 1; }},
      {"is refused: ",
       [](PostedBatch& batch) {
         batch.bytecode.pop_back();
         batch.task.program_hash = math::sha256(batch.bytecode);
       }},
      {"batch 0x", [](PostedBatch& batch) { batch.task.dims.at(0) = std::uint64_t{1} << 40; }},
      {header, [](PostedBatch& batch) { batch.posted.batch.digest.bytes[0] ^= 1; }},
      {header, [](PostedBatch& batch) { batch.posted.header.records_root.bytes[0] ^= 1; }},
      {states, [](PostedBatch& batch) { batch.posted.state_commitments.at(0).bytes[0] ^= 1; }},
      {states, [](PostedBatch& batch) { batch.posted.state_commitments.pop_back(); }},
      {states, [](PostedBatch& batch) { batch.posted.state_commitments.emplace_back(); }},
      {roots, [](PostedBatch& batch) { batch.posted.table_roots.at(0).bytes[0] ^= 1; }},
      {roots, [](PostedBatch& batch) { batch.posted.table_roots.pop_back(); }},
      {roots, [](PostedBatch& batch) { batch.posted.table_roots.emplace_back(); }},
  };
  EXPECT_NO_THROW(static_cast<void>(described(x_posted)));
  for (const Case& one : cases) {
    PostedBatch changed = x_posted;
    one.change(changed);
    try {
      static_cast<void>(described(changed));
      ADD_FAILURE() << one.message;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(one.message), std::string::npos) << error.what();
    }
  }
}

TEST_F(DescribePosted, takes_names_from_the_text_of_the_very_program_alone) {
  EXPECT_EQ(described(x_posted).compiled.names.objects, x_batch.program().names.objects);
  const auto nameless = [&] {
    const Description description = described(x_posted);
    EXPECT_EQ(description.program(), x_batch.program().program);
    return description.compiled.names.objects.back() ==
           "object_" + std::to_string(x_batch.program().names.objects.size() - 1);
  };
  const fs::path text = directory() / "program.tally";
  std::vector<std::uint8_t> bytes = test::read_bytes(text);
  const std::vector<std::uint8_t> right = bytes;
  const std::string other = "program p\ndim K in 1..4\ntable t: i64 { return K }\n";
  test::write_bytes(text, {other.begin(), other.end()});
  EXPECT_TRUE(nameless());
  test::write_bytes(text, {});
  EXPECT_TRUE(nameless());
  fs::remove(text);
  EXPECT_TRUE(nameless());
  test::write_bytes(text, right);
  EXPECT_FALSE(nameless());
}

}  // namespace
}  // namespace tally::verifier
