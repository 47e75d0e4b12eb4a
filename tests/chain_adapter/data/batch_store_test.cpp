#include "chain_adapter/data/batch_store.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "chain_adapter/data/batch_directory.h"
#include "tests/support/temporary_folder.h"

namespace tally::chain {
namespace {

TEST(BatchStore, names_folders_by_their_ids) {
  const BatchStore store("data");
  proof::BatchId batch;
  batch.digest.bytes.back() = 0xab;
  EXPECT_EQ(store.batch(batch), "data/0x" + std::string(62, '0') + "ab");
  proof::TaskId task;
  task.digest.bytes.front() = 0x10;
  const std::string folder = "data/0x10" + std::string(62, '0');
  EXPECT_EQ(store.program(task), folder + "/program.tally");
  EXPECT_EQ(store.genesis(task, "model"), folder + "/genesis/model.bin");
}

TEST(BatchStore, holds_a_batch_once_its_header_and_manifest_are_there) {
  const test::TemporaryFolder folder;
  const BatchStore store(folder.path());
  const proof::BatchId batch;
  EXPECT_FALSE(store.holds(batch));
  std::filesystem::create_directories(store.batch(batch));
  std::ofstream(store.batch(batch) / kHeaderFile) << 'h';
  EXPECT_FALSE(store.holds(batch));
  std::ofstream(store.batch(batch) / kManifestFile) << 'm';
  EXPECT_TRUE(store.holds(batch));
}

TEST(BatchWriterRename, commits_under_the_new_name) {
  const test::TemporaryFolder folder;
  math::ThreadPool pool(1);
  auto writer = BatchWriter::create(folder.path() / "building", BatchWriter::Existing::kRefuse).value();
  writer.rename_target("named");
  ASSERT_TRUE(writer.commit(pool).has_value());
  EXPECT_TRUE(std::filesystem::is_directory(folder.path() / "named"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "building"));
}

}  // namespace
}  // namespace tally::chain
