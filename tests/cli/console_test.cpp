#include "cli/console.h"

#include <gtest/gtest.h>

#include <limits>

namespace tally::cli {
namespace {

namespace json = boost::json;

TEST(Console, prints_json_with_two_spaces_keys_in_order_and_a_final_newline) {
  EXPECT_EQ(pretty(json::object{{"b", 1}, {"a", json::array{true, nullptr, "x"}}, {"c", json::object{{"d", -2}}}}),
            "{\n"
            "  \"b\": 1,\n"
            "  \"a\": [\n"
            "    true,\n"
            "    null,\n"
            "    \"x\"\n"
            "  ],\n"
            "  \"c\": {\n"
            "    \"d\": -2\n"
            "  }\n"
            "}\n");
  EXPECT_EQ(pretty(json::object{{"list", json::array{}}, {"object", json::object{}}}),
            "{\n  \"list\": [],\n  \"object\": {}\n}\n");
  EXPECT_EQ(pretty(json::array{}), "[]\n");
  EXPECT_EQ(pretty("a \"quoted\"\nline"), "\"a \\\"quoted\\\"\\nline\"\n");
}

TEST(Console, what_it_prints_as_json_reads_back_the_same) {
  const json::value value = {{"text", "é \\ \t \x01"},
                             {"wide", std::numeric_limits<std::uint64_t>::max()},
                             {"low", std::numeric_limits<std::int64_t>::min()},
                             {"nested", {{{"a", json::array{json::array{1}, json::object{}}}}}}};
  EXPECT_EQ(json::parse(pretty(value)), value);
}

TEST(Console, shows_control_characters_instead_of_sending_them) {
  EXPECT_EQ(harmless("a\tb\nc é €"), "a\tb\nc é €");
  EXPECT_EQ(harmless("\x1b[2J\r\x07\x7f"), "\\x1b[2J\\x0d\\x07\\x7f");
  EXPECT_EQ(harmless(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(harmless("\xc2\x9b"
                     "2J"),
            "\\xc2\\x9b"
            "2J");
  EXPECT_EQ(harmless("\xc2\xa0\xc2"), "\xc2\xa0\xc2");
}

TEST(Console, writes_bytes_in_units_of_a_thousand) {
  const std::vector<std::pair<std::uint64_t, std::string>> cases = {
      {0, "0 B"},
      {1, "1 B"},
      {999, "999 B"},
      {1000, "1.0 kB"},
      {1234567, "1.2 MB"},
      {40'000'000, "40.0 MB"},
      {4'000'000'000, "4.0 GB"},
      {7'000'000'000'000, "7.0 TB"},
      {std::numeric_limits<std::uint64_t>::max(), "18.4 EB"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(human_bytes(bytes), text);
}

TEST(Console, never_rounds_bytes_up_to_a_thousand_of_a_unit) {
  EXPECT_EQ(human_bytes(999'949), "999.9 kB");
  EXPECT_EQ(human_bytes(999'999), "1.0 MB");
  EXPECT_EQ(human_bytes(999'999'999'999), "1.0 TB");
}

TEST(Console, gives_whole_microseconds) {
  EXPECT_EQ(microseconds(0), 0);
  EXPECT_EQ(microseconds(1.5), 1'500'000);
  EXPECT_EQ(microseconds(2.5e-6), 2);
}

TEST(Console, results_go_to_standard_output_and_warnings_to_standard_error) {
  const Console console({.format = Format::kText, .verbosity = Verbosity::kNormal});
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  console.result("done", json::object{{"done", true}});
  console.warn("careful");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "done\n");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "warning: careful\n");
}

TEST(Console, quiet_leaves_out_results_and_warnings_but_not_findings) {
  const Console console({.format = Format::kText, .verbosity = Verbosity::kQuiet});
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  console.result("done", nullptr);
  console.warn("careful");
  console.finding("INVALID", nullptr);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "INVALID\n");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Console, errors_are_one_line_on_standard_error_or_json_on_standard_output) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  print_error(Format::kText, "x.npy: no such file\n\n", 2);
  print_error(Format::kJson, "x.npy: no such file\n", 2);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "tally: x.npy: no such file\n");
  EXPECT_EQ(json::parse(::testing::internal::GetCapturedStdout()),
            json::value({{"error", "x.npy: no such file"}, {"exit_code", 2}}));
}

TEST(Console, draws_no_progress_where_standard_error_is_no_terminal) {
  Console console({});
  ::testing::internal::CaptureStderr();
  console.progress("fold", 1, 2);
  console.progress("fold", 2, 2);
  console.end_progress();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace tally::cli
