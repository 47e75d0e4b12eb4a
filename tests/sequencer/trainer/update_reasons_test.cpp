// Every reason to refuse an update file is produced by name in some test of this folder.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace tally::sequencer {
namespace {

TEST(UpdateReasons, are_each_named_by_a_test) {
  const std::filesystem::path source = TALLY_SOURCE_DIR;
  const auto read = [](const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
  };
  std::string tests;
  for (const char* name : {"npy", "safetensors", "update_file", "model_writer", "examples_csv"}) {
    tests += read(source / "tests/sequencer/trainer" / (std::string(name) + "_test.cpp"));
  }
  const auto check = [&](const std::string& header, const std::string& type) {
    const std::string text = read(source / "sequencer/trainer" / header);
    const std::size_t begin = text.find("enum class " + type + " ");
    ASSERT_NE(begin, std::string::npos);
    const std::string body = text.substr(begin, text.find("};", begin) - begin);
    int reasons = 0;
    for (std::size_t at = body.find("\n  k"); at != std::string::npos; at = body.find("\n  k", at + 1)) {
      const std::string reason = body.substr(at + 3, body.find(',', at) - at - 3);
      EXPECT_NE(tests.find(type + "::" + reason), std::string::npos) << reason;
      ++reasons;
    }
    EXPECT_GE(reasons, 8);
  };
  check("update_error.h", "UpdateReason");
  check("examples_csv.h", "ExamplesReason");
}

}  // namespace
}  // namespace tally::sequencer
