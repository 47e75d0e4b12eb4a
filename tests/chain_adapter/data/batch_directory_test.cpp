#include "chain_adapter/data/batch_directory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temporary_folder.h"

namespace tally::chain {
namespace {

namespace fs = std::filesystem;
using Existing = BatchWriter::Existing;
using test::TemporaryFolder;

constexpr std::array<std::uint8_t, 3> kBytes = {1, 2, 3};

void write_batch(const fs::path& target, Existing existing) {
  math::ThreadPool pool(2);
  BatchWriter writer = BatchWriter::create(target, existing).value();
  writer.write(kHeaderFile, kBytes);
  writer.write(kManifestFile, kBytes);
  EXPECT_TRUE(writer.commit(pool).has_value());
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

TEST(BatchDirectory, names_are_safe_as_file_names) {
  for (const char* const name : {"a", "next_model", "p.x", "p.q.r2", "_", "K"}) EXPECT_TRUE(is_safe_name(name)) << name;
  for (const char* const name : {"", ".", "..", ".a", "a.", "a..b", "a/b", "/a", "a b", "a\\b", "a\n", "ü", "-a"}) {
    EXPECT_FALSE(is_safe_name(name)) << name;
  }
  EXPECT_FALSE(is_safe_name(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_safe_name(std::string(200, 'a')));
  EXPECT_FALSE(is_safe_name(std::string(201, 'a')));
}

TEST(BatchDirectory, appears_whole_when_it_is_committed_and_not_before) {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "new" / "batch";
  {
    math::ThreadPool pool(1);
    BatchWriter writer = BatchWriter::create(target, Existing::kRefuse).value();
    writer.write(kHeaderFile, kBytes);
    EXPECT_FALSE(fs::exists(target));
    EXPECT_TRUE(writer.commit(pool).has_value());
    EXPECT_TRUE(fs::exists(target / kHeaderFile));
  }
  EXPECT_EQ(entries(target.parent_path()), 1U);
  EXPECT_EQ(fs::file_size(target / kHeaderFile), 3U);
}

TEST(BatchDirectory, a_writer_that_ends_early_leaves_nothing) {
  const TemporaryFolder folder;
  {
    const BatchWriter writer = BatchWriter::create(folder.path() / "batch", Existing::kRefuse).value();
    writer.write(kHeaderFile, kBytes);
    EXPECT_EQ(entries(folder.path()), 1U);
  }
  EXPECT_EQ(entries(folder.path()), 0U);
}

TEST(BatchDirectory, removes_what_a_killed_writer_left_and_leaves_a_living_one_alone) {
  const TemporaryFolder folder;
  // A child that has ended and been waited for: its number belongs to nobody.
  const ::pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const fs::path dead = folder.path() / (".batch.tmp-" + std::to_string(child));
  const fs::path living = folder.path() / (".batch.tmp-" + std::to_string(::getppid()));
  const fs::path other = folder.path() / (".other.tmp-" + std::to_string(child));
  for (const fs::path& path : {dead, living, other}) {
    fs::create_directories(path / "rows");
    std::ofstream(path / "rows/0.bin") << "x";
  }
  write_batch(folder.path() / "batch", Existing::kRefuse);
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(fs::exists(living / "rows/0.bin"));
  EXPECT_TRUE(fs::exists(other / "rows/0.bin"));
}

TEST(BatchDirectory, refuses_to_replace_a_batch_unless_told_to) {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "batch";
  fs::create_directory(target);
  write_batch(target, Existing::kRefuse);  // an empty folder is no batch
  const auto refused = BatchWriter::create(target, Existing::kRefuse);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, TargetReason::kExists);
  std::ofstream(target / "rows" / "old.bin") << "x";
  write_batch(target, Existing::kReplace);
  EXPECT_FALSE(fs::exists(target / "rows" / "old.bin"));
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(BatchDirectory, never_replaces_what_came_to_its_place_while_it_was_written) {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "batch";
  math::ThreadPool pool(1);
  {
    BatchWriter late = BatchWriter::create(target, Existing::kRefuse).value();
    fs::create_directory(target);
    std::ofstream(target / "notes.txt") << "x";
    const auto committed = late.commit(pool);
    ASSERT_FALSE(committed.has_value());
    EXPECT_EQ(committed.error().reason, TargetReason::kNotABatch);
  }
  EXPECT_TRUE(fs::exists(target / "notes.txt"));
  fs::remove(target / "notes.txt");
  {
    BatchWriter late = BatchWriter::create(target, Existing::kRefuse).value();
    std::ofstream(target / kManifestFile) << "x";
    std::ofstream(target / kHeaderFile) << "x";
    EXPECT_EQ(late.commit(pool).error().reason, TargetReason::kExists);
  }
  EXPECT_TRUE(fs::exists(target / kHeaderFile));
  EXPECT_EQ(entries(folder.path()), 1U);
}

TEST(BatchDirectory, never_replaces_a_folder_that_holds_other_files) {
  const TemporaryFolder folder;
  const fs::path target = folder.path() / "batch";
  write_batch(target, Existing::kRefuse);
  std::ofstream(target / "notes.txt") << "x";
  const auto refused = BatchWriter::create(target, Existing::kReplace);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, TargetReason::kNotABatch);
  EXPECT_NE(refused.error().message.find("notes.txt"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(fs::exists(target / "notes.txt"));
}

TEST(BatchDirectory, never_replaces_what_is_not_a_batch) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "file";
  std::ofstream(file) << "x";
  fs::create_directory(folder.path() / "home");
  std::ofstream(folder.path() / "home/letter") << "x";
  fs::create_directory_symlink(folder.path() / "home", folder.path() / "link");
  for (const char* const name : {"file", "home", "link"}) {
    for (const Existing existing : {Existing::kRefuse, Existing::kReplace}) {
      const auto refused = BatchWriter::create(folder.path() / name, existing);
      ASSERT_FALSE(refused.has_value()) << name;
      EXPECT_EQ(refused.error().reason, TargetReason::kNotABatch) << name;
    }
  }
  EXPECT_EQ(entries(folder.path()), 3U);
}

}  // namespace
}  // namespace tally::chain
