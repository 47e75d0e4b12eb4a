#include "verifier/keeper/keeper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "chain_adapter/keys/development_keys.h"
#include "tests/support/test_batch.h"

namespace tally::verifier {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using test::TestBatch;

class Keeper : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(test::build(x_batch.inputs(), x_path).has_value()); }

  [[nodiscard]] std::expected<KeptBatch, std::string> keep() {
    return keep_batch(x_path, x_store, x_key, {.pool = &x_pool, .stop = {}, .progress = {}});
  }

  TemporaryFolder x_folder;
  TestBatch x_batch{"median", {.dims = {3, 5}}};
  fs::path x_path = x_folder.path() / "batch";
  fs::path x_store = x_folder.path() / "store";
  proof::PrivateKey x_key = chain::development_key(77);
  math::ThreadPool x_pool{1};
};

TEST_F(Keeper, stores_inputs_and_signs_the_batch) {
  const auto kept = keep();
  ASSERT_TRUE(kept.has_value()) << kept.error();
  const auto signer = proof::recover_signer(kept->signature, proof::keeper_message(kept->batch).bytes);
  ASSERT_TRUE(signer.has_value());
  EXPECT_EQ(*signer, x_key.address());
  const auto original = test::read_folder(x_path);
  const auto stored = test::read_folder(kept->folder);
  for (const auto& [name, bytes] : stored) EXPECT_EQ(bytes, original.at(name)) << name;
  EXPECT_TRUE(stored.contains("rows/updates/2.bin"));
  EXPECT_TRUE(stored.contains("records.bin"));
  EXPECT_FALSE(stored.contains("tables/next_model.bin"));
}

TEST_F(Keeper, signs_again_what_it_has) {
  const auto first = keep();
  ASSERT_TRUE(first.has_value());
  const auto second = keep();
  ASSERT_TRUE(second.has_value()) << second.error();
  EXPECT_EQ(second->batch, first->batch);
}

TEST_F(Keeper, looks_at_its_copy_before_it_signs_again) {
  const auto first = keep();
  ASSERT_TRUE(first.has_value());
  test::write_byte(first->folder / "rows/updates/1.bin", 3, 0x5a);
  const auto second = keep();
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().find("record 1"), std::string::npos) << second.error();
}

// Of each input each byte counts; the model file and the names of files do not.
TEST_F(Keeper, signs_nothing_and_keeps_nothing_where_an_input_is_wrong_or_missing) {
  for (const auto& [name, bytes] : test::read_folder(x_path)) {
    const bool is_computed = name.starts_with("tables/next_model");
    if (name.starts_with("model.") || is_computed) continue;
    std::vector<std::uint8_t> changed = bytes;
    changed.at(changed.size() / 2) ^= 1;
    test::write_bytes(x_path / name, changed);
    EXPECT_FALSE(keep().has_value()) << name;
    fs::remove(x_path / name);
    EXPECT_FALSE(keep().has_value()) << name;
    test::write_bytes(x_path / name, bytes);
    EXPECT_FALSE(fs::exists(x_store) && !fs::is_empty(x_store)) << name;
  }
  EXPECT_TRUE(keep().has_value());
}

}  // namespace
}  // namespace tally::verifier
