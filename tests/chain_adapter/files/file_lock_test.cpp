#include "chain_adapter/files/file_lock.h"

#include <gtest/gtest.h>

#include <system_error>

#include "tests/support/temporary_folder.h"

namespace tally::chain {
namespace {

TEST(FileLock, is_held_by_one_at_a_time) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "lock";
  {
    const auto first = FileLock::take(path);
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(FileLock::take(path).has_value());
    EXPECT_TRUE(FileLock::take(folder.path() / "other").has_value());
  }
  EXPECT_TRUE(FileLock::take(path).has_value());
}

TEST(FileLock, names_what_cannot_be_made) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(static_cast<void>(FileLock::take(folder.path() / "nowhere/lock")), std::system_error);
  std::filesystem::create_symlink("elsewhere", folder.path() / "link");
  EXPECT_THROW(static_cast<void>(FileLock::take(folder.path() / "link")), std::system_error);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "elsewhere"));
}

}  // namespace
}  // namespace tally::chain
