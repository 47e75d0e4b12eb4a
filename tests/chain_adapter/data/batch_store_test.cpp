#include "chain_adapter/data/batch_store.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "chain_adapter/data/batch_directory.h"
#include "fraud_proof/commitments/header.h"
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

class FindBatch : public testing::Test {
 protected:
  FindBatch() {
    x_header.number = 7;
    x_header.record_count = 1;
  }
  [[nodiscard]] proof::BatchId id() const { return proof::batch_id(x_header); }
  [[nodiscard]] const std::filesystem::path& data() const { return x_folder.path(); }
  [[nodiscard]] std::filesystem::path named() const { return BatchStore(data()).batch(id()); }
  void make(const std::filesystem::path& directory) const {
    std::filesystem::create_directories(directory);
    const proof::HeaderBytes bytes = proof::encode(x_header);
    std::ofstream(directory / kHeaderFile, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  /// Its header is a file that opens, and cannot be read.
  static void make_unreadable(const std::filesystem::path& directory) {
    std::filesystem::create_directories(directory);
    std::filesystem::create_symlink("/proc/self/mem", directory / kHeaderFile);
  }

 private:
  test::TemporaryFolder x_folder;
  proof::BatchHeader x_header;
};

TEST_F(FindBatch, takes_the_directory_that_has_the_batchs_name_first) {
  make(data() / "another");
  make(named());
  EXPECT_EQ(find_batch(data(), id()), named());
}

TEST_F(FindBatch, finds_it_under_any_name_up_to_four_levels_down) {
  EXPECT_EQ(find_batch(data() / "nowhere", id()), std::nullopt);
  make(data() / "1/2/3/4/5");
  EXPECT_EQ(find_batch(data(), id()), std::nullopt);
  EXPECT_EQ(find_batch(data() / "1", id()), data() / "1/2/3/4/5");
  EXPECT_EQ(find_batch(data() / "1/2/3/4/5", id()), data() / "1/2/3/4/5");
  make(data() / "1/2/b/c");
  EXPECT_EQ(find_batch(data(), id()), data() / "1/2/b/c");
}

TEST_F(FindBatch, passes_over_what_cannot_be_read) {
  for (int i = 0; i < 20; ++i) make_unreadable(data() / ("bad" + std::to_string(i)));
  make_unreadable(named());
  std::filesystem::create_symlink(data(), data() / "round");
  std::filesystem::create_symlink("nothing", data() / "dangling");
  make(data() / "some/where");
  EXPECT_EQ(find_batch(data(), id()), data() / "some/where");
}

TEST_F(FindBatch, takes_the_named_directory_without_a_header_where_there_is_nothing_better) {
  std::filesystem::create_directories(named());
  EXPECT_EQ(find_batch(data(), id()), named());
  make(data() / "better");
  EXPECT_EQ(find_batch(data(), id()), data() / "better");
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
