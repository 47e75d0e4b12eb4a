#include "chain_adapter/files/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

namespace tally::chain {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "tally_files_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category());
    x_folder = name;
  }
  void TearDown() override { fs::remove_all(x_folder); }

  [[nodiscard]] std::size_t names_in_folder() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(x_folder), fs::directory_iterator()));
  }

  fs::path x_folder;
};

const std::vector<std::uint8_t> kHello = {'h', 'e', 'l', 'l', 'o'};
const std::vector<std::uint8_t> kBye = {'b', 'y', 'e'};

TEST_F(AtomicFileTest, a_written_file_reads_back_with_its_mode) {
  const fs::path path = x_folder / "secret";
  write_file_atomically(path, kHello, kSecretFileMode);
  EXPECT_EQ(read_file(path, 5).value(), kHello);
  struct stat status = {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, kSecretFileMode);
  EXPECT_EQ(names_in_folder(), 1U);
}

TEST_F(AtomicFileTest, without_commit_the_old_file_stays_and_nothing_else_is_left) {
  const fs::path path = x_folder / "file";
  write_file_atomically(path, kHello);
  {
    AtomicFile file(path);
    file.write(kBye);
  }
  EXPECT_EQ(read_file(path, 100).value(), kHello);
  EXPECT_EQ(names_in_folder(), 1U);
}

TEST_F(AtomicFileTest, commit_replaces_the_old_file) {
  const fs::path path = x_folder / "file";
  write_file_atomically(path, kHello);
  AtomicFile file(path);
  file.write(kBye);
  file.write(kHello);
  EXPECT_EQ(read_file(path, 100).value(), kHello);
  file.commit();
  EXPECT_EQ(read_file(path, 100).value().size(), 8U);
  EXPECT_EQ(names_in_folder(), 1U);
}

TEST_F(AtomicFileTest, commit_new_never_replaces_a_file) {
  const fs::path path = x_folder / "file";
  {
    AtomicFile file(path);
    file.write(kHello);
    file.commit_new();
  }
  {
    AtomicFile file(path);
    file.write(kBye);
    try {
      file.commit_new();
      FAIL() << "a file was replaced";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code().value(), EEXIST);
    }
  }
  EXPECT_EQ(read_file(path, 100).value(), kHello);
  EXPECT_EQ(names_in_folder(), 1U);
}

TEST_F(AtomicFileTest, a_missing_folder_is_an_error_that_names_the_path) {
  try {
    write_file_atomically(x_folder / "absent" / "file", kHello);
    FAIL() << "written into a folder that does not exist";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("absent/file"), std::string::npos);
    EXPECT_EQ(error.code().value(), ENOENT);
  }
}

TEST_F(AtomicFileTest, read_refuses_the_missing_the_irregular_and_the_large) {
  EXPECT_EQ(read_file(x_folder / "absent", 100).error().reason, FileReason::kMissing);
  EXPECT_EQ(read_file(x_folder, 100).error().reason, FileReason::kNotRegular);
  const fs::path pipe = x_folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_file(pipe, 100).error().reason, FileReason::kNotRegular);
  const fs::path path = x_folder / "file";
  write_file_atomically(path, kHello);
  EXPECT_EQ(read_file(path, 4).error().reason, FileReason::kTooLarge);
  EXPECT_NE(read_file(path, 4).error().message.find("file"), std::string::npos);
  EXPECT_TRUE(read_file(path, 5).has_value());
}

TEST_F(AtomicFileTest, a_file_that_claims_no_size_is_still_bounded) {
  EXPECT_EQ(read_file("/proc/self/status", 16).error().reason, FileReason::kTooLarge);
  EXPECT_GT(read_file("/proc/self/status", 1 << 20).value().size(), 16U);
}

TEST_F(AtomicFileTest, an_empty_file_reads_as_nothing) {
  write_file_atomically(x_folder / "empty", {});
  EXPECT_TRUE(read_file(x_folder / "empty", 0).value().empty());
}

}  // namespace
}  // namespace tally::chain
