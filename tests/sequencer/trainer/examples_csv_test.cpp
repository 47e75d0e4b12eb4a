#include "sequencer/trainer/examples_csv.h"

#include <gtest/gtest.h>

namespace tally::sequencer {
namespace {

const std::vector<std::string> kFiles = {"anna.npy", "bert.npy", "d,ora.safetensors"};

TEST(ExamplesCsv, reads_names_and_stems_in_any_order) {
  for (const char* text : {"anna,3\nbert,4\nd,ora,5\n", "name,examples\nd,ora.safetensors,5\nbert.npy,4\nanna,3",
                           "\xef\xbb\xbf"
                           "client , n\r\n\r\n \"d,ora\" , 5\r\n bert\t,4\r\nanna.npy,3\r\n\r\n"}) {
    const auto examples = parse_examples_csv(text, kFiles, {});
    ASSERT_TRUE(examples.has_value()) << examples.error().message;
    EXPECT_EQ(*examples, (std::vector<std::int64_t>{3, 4, 5}));
  }
}

TEST(ExamplesCsv, prefers_a_file_name_to_a_stem) {
  const std::vector<std::string> files = {"a.npy", "a.npy.npy"};
  const auto examples = parse_examples_csv("a.npy,1\na.npy.npy,2\n", files, {});
  ASSERT_TRUE(examples.has_value()) << examples.error().message;
  EXPECT_EQ(*examples, (std::vector<std::int64_t>{1, 2}));
}

struct Refused {
  std::string text;
  ExamplesReason reason;
  std::size_t line;
  std::string says;
};

// Pitfall 37: weights are never taken at face value.
TEST(ExamplesCsv, refuses_bad_tables_with_the_line) {
  const std::string good = "anna,3\nbert,4\n";
  const std::vector<Refused> cases = {
      {std::string(kMaxExamplesCsvBytes + 1, '\n'), ExamplesReason::kTooLarge, 0, "16777216"},
      {good + "dora", ExamplesReason::kSyntax, 3, "line 3: name,examples is expected"},
      {good + ",5", ExamplesReason::kSyntax, 3, "expected"},
      {good + "\"d,ora,5", ExamplesReason::kSyntax, 3, "expected"},
      {good + "\"d\"ora\",5", ExamplesReason::kSyntax, 3, "expected"},
      {good + "d,ora,", ExamplesReason::kNotANumber, 3, "'' is not a whole number"},
      {good + "d,ora,five", ExamplesReason::kNotANumber, 3, "'five'"},
      {good + "d,ora,5.0", ExamplesReason::kNotANumber, 3, "'5.0'"},
      {"anna,many\n", ExamplesReason::kNotANumber, 1, "'many'"},
      {good + "d,ora,0", ExamplesReason::kOutOfRange, 3, "0 is not in 1..32767"},
      {good + "d,ora,-1", ExamplesReason::kOutOfRange, 3, "-1 is not in"},
      {good + "d,ora,32768", ExamplesReason::kOutOfRange, 3, "32768 is not in"},
      {good + "d,ora,99999999999999999999", ExamplesReason::kOutOfRange, 3, "99999999999999999999 is not in"},
      {good + "dora,5", ExamplesReason::kUnknown, 3, "'dora'"},
      {"dora,5\n" + good, ExamplesReason::kUnknown, 1, "'dora'"},
      {"\nname,examples\n" + good, ExamplesReason::kUnknown, 2, "'name'"},
      {good + "anna.npy,5", ExamplesReason::kDuplicate, 3, "'anna.npy' has line 1 already"},
      {good, ExamplesReason::kMissing, 0, "no line is named 'd,ora.safetensors'"},
      {"", ExamplesReason::kMissing, 0, "'anna.npy'"},
  };
  for (const Refused& test : cases) {
    const auto examples = parse_examples_csv(test.text, kFiles, {});
    ASSERT_FALSE(examples.has_value()) << test.says;
    EXPECT_EQ(examples.error().reason, test.reason) << examples.error().message;
    EXPECT_EQ(examples.error().line, test.line) << examples.error().message;
    EXPECT_NE(examples.error().message.find(test.says), std::string::npos) << examples.error().message;
  }
}

TEST(ExamplesCsv, asks_for_the_extension_where_a_stem_is_shared) {
  const std::vector<std::string> files = {"a.npy", "a.safetensors"};
  const auto examples = parse_examples_csv("a,1\n", files, {});
  ASSERT_FALSE(examples.has_value());
  EXPECT_EQ(examples.error().reason, ExamplesReason::kAmbiguous);
  EXPECT_TRUE(parse_examples_csv("a.npy,1\na.safetensors,2\n", files, {}).has_value());
}

}  // namespace
}  // namespace tally::sequencer
