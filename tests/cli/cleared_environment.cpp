// Tests give every option themselves: what the user's own shell names as chain, key or data is not for them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace tally::cli {
namespace {

class ClearedEnvironment final : public ::testing::Environment {
 public:
  void SetUp() override {
    std::vector<std::string> names;
    for (char* const* entry = environ; *entry != nullptr; ++entry) {
      const std::string text = *entry;
      const bool is_of_tests = text.starts_with("TALLY_ANVIL=") || text.starts_with("TALLY_TEST_CHAIN=");
      if (text.starts_with("TALLY_") && !is_of_tests) names.push_back(text.substr(0, text.find('=')));
    }
    for (const std::string& name : names) ::unsetenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): before any thread
  }
};

const ::testing::Environment* const kCleared = ::testing::AddGlobalTestEnvironment(new ClearedEnvironment);

}  // namespace
}  // namespace tally::cli
