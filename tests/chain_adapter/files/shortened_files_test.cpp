#include "chain_adapter/files/shortened_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

#include "chain_adapter/files/mapped_file.h"
#include "tests/support/temporary_folder.h"

namespace tally::chain {
namespace {

constexpr std::size_t kPage = 4096;

class ShortenedFiles : public testing::Test {
 protected:
  ShortenedFiles() : x_path(x_folder.path() / "file") {
    std::ofstream(x_path, std::ios::binary) << std::string(5 * kPage, 'x');
  }
  void shorten(std::size_t size) const { std::filesystem::resize_file(x_path, size); }
  [[nodiscard]] MappedFile map() const { return MappedFile::open(x_path).value(); }
  static std::size_t count(const MappedFile& file, char value) {
    return static_cast<std::size_t>(std::ranges::count(file.bytes(), static_cast<std::byte>(value)));
  }

 private:
  test::TemporaryFolder x_folder;
  std::filesystem::path x_path;
};

using ShortenedFilesDeathTest = ShortenedFiles;

#ifdef TALLY_SANITIZED
// The sanitizer's handler stands behind ours: it says what it was, and exits.
testing::ExitedWithCode ended_by_bus_error() { return testing::ExitedWithCode(1); }
constexpr const char* kLastWords = "AddressSanitizer: BUS";
#else
testing::KilledBySignal ended_by_bus_error() { return testing::KilledBySignal(SIGBUS); }
constexpr const char* kLastWords = "";
#endif

TEST_F(ShortenedFiles, read_as_zeros_where_they_are_tolerated) {
  const ToleratesShortenedFiles tolerant;
  const MappedFile file = map();
  const MappedFile same = map();
  EXPECT_EQ(count(file, 'x'), 5 * kPage);
  shorten(kPage + 10);
  // The page with the new end is there as a whole.
  EXPECT_EQ(count(file, 'x'), kPage + 10);
  EXPECT_EQ(count(file, 0), 4 * kPage - 10);
  shorten(0);
  EXPECT_EQ(count(same, 0), 5 * kPage);
}

TEST_F(ShortenedFilesDeathTest, end_the_process_where_they_are_not) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        {
          const ToleratesShortenedFiles tolerant;
        }
        const MappedFile file = map();
        shorten(0);
        std::exit(count(file, 0) == 0 ? 2 : 3);
      },
      ended_by_bus_error(), kLastWords);
}

TEST_F(ShortenedFilesDeathTest, do_not_hide_errors_elsewhere) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const ToleratesShortenedFiles tolerant;
        static_cast<void>(std::raise(SIGBUS));
        static_cast<void>(std::raise(SIGBUS));
      },
      ended_by_bus_error(), kLastWords);
}

}  // namespace
}  // namespace tally::chain
