// `tally program check`, `show` and `list`.
#include "tests/cli/tally.h"

namespace tally::cli {
namespace {

namespace json = boost::json;

TEST(ProgramCommand, lists_the_library_with_its_parameters) {
  const Finished listed = tally({"program", "list"});
  EXPECT_EQ(listed.exit_code, kFine);
  for (const std::string line : {"fedavg\n    Federated averaging of model deltas.\n", "krum --param f=…\n",
                                 "trimmed_mean --param cut=…\n", "norm_clip --param bound=…\n", "median\n"}) {
    EXPECT_NE(listed.out.find(line), std::string::npos) << listed.out;
  }
  const json::array programs = json::parse(tally({"program", "list", "--json"}).out).as_array();
  const auto* const fedavg = std::ranges::find_if(
      programs, [](const json::value& program) { return program.at("name") == json::value("fedavg"); });
  ASSERT_NE(fedavg, programs.end());
  EXPECT_EQ(fedavg->at("params"), json::array{});
}

TEST(ProgramCommand, every_program_of_the_library_checks_and_shows_the_same_hash) {
  const std::vector<Words> programs = {{"fedavg"},
                                       {"fedavg_weights"},
                                       {"median"},
                                       {"krum", "--param", "f=2"},
                                       {"trimmed_mean", "--param", "cut=2"},
                                       {"norm_clip", "--param", "bound=1000"}};
  for (const Words& program : programs) {
    Words words = {"program", "check", "--json"};
    std::ranges::copy(program, std::back_inserter(words));
    const Finished checked = tally(words);
    EXPECT_EQ(checked.exit_code, kFine) << checked.out;
    words[1] = "show";
    const Finished shown = tally(words);
    EXPECT_EQ(shown.exit_code, kFine) << shown.out;
    EXPECT_EQ(parsed(checked).at("hash"), parsed(shown).at("hash"));
    EXPECT_EQ(2 + 2 * parsed(checked).at("bytes").to_number<std::size_t>(),
              parsed(shown).at("bytecode").as_string().size());
  }
}

TEST(ProgramCommand, check_tells_ranges_and_the_cost_of_each_section) {
  const Finished checked = tally({"program", "check", "krum", "--param", "f=1", "--leaf-bytes", "256"});
  EXPECT_EQ(checked.exit_code, kFine);
  for (const std::string text :
       {"krum: valid, ", "\nhash 0x", "\nparam f = 1\n", "\n  distance in 0..309485009677229880665702400 (proved)\n",
        "at the largest dims and leaves of 256 bytes\n", "    s in 0..309485009677229880665702400\n",
        "    step: ", " openings of at most ", " gas\n", "  far: claimed, without a check\n"}) {
    EXPECT_NE(checked.out.find(text), std::string::npos) << text << "\n" << checked.out;
  }
  expect_refusal(tally({"program", "check", "krum", "--param", "f=1", "--leaf-bytes", "100"}), kBadInput,
                 "--leaf-bytes");
}

TEST(ProgramCommand, a_bad_program_is_shown_with_a_caret_under_the_place) {
  const Folder folder;
  const std::string text = "program bad\ndim K in 1..9\nrow u: i32[D]\n";
  const Words words = {"program", "check", folder.put("bad.tally", text).string()};
  const Finished finished = tally(words);
  expect_refusal(
      finished, kBadInput,
      "bad.tally:3:12: error: `D` is not declared before this place; names are declared before they are used\n"
      "    row u: i32[D]\n"
      "               ^\n");
  EXPECT_FALSE(finished.err.ends_with("\n\n"));
  expect_refusal(tally({"program", "show", words[2]}), kBadInput, "bad.tally:3:12: error: ");
}

TEST(ProgramCommand, a_range_that_cannot_be_proved_is_told_with_the_range) {
  const Folder folder;
  const std::string text =
      "program wide\ndim K in 1..9\nrecord x: i64 in 0..1000\n"
      "table t: i8 { fold k in K { s = s + x[k] } from s = 0 return s }\n";
  expect_refusal(tally({"program", "check", folder.put("wide.tally", text).string()}), kBadInput, "0 .. 9000");
}

TEST(ProgramCommand, lint_finds_advice_that_is_not_unique) {
  const Folder folder;
  const std::string head =
      "program pick\ndim K in 1..3\nrecord x: i64 in 0..2\nadvice top: i64 in 0..2 hint kth(k in K: x[k], K - 1) {\n"
      "  fold k in K { over = over + (x[k] > top) at = at + (x[k] == top) } from over = 0, at = 0\n";
  const std::string good = folder.put("good.tally", head + "  require over == 0 and at > 0\n}\n").string();
  const std::string loose = folder.put("loose.tally", head + "  require over == 0\n}\n").string();
  const Finished clean = tally({"program", "check", good, "--lint"});
  EXPECT_EQ(clean.exit_code, kFine) << clean.out << clean.err;
  EXPECT_NE(clean.out.find("lint: "), std::string::npos);
  const Finished faulty = tally({"program", "check", loose, "--lint"});
  EXPECT_EQ(faulty.exit_code, kFoundInvalid) << faulty.out << faulty.err;
  EXPECT_NE(faulty.out.find("lint: "), std::string::npos);
  EXPECT_NE(faulty.out.find("top"), std::string::npos);
  EXPECT_EQ(tally({"program", "check", loose}).exit_code, kFine);
}

}  // namespace
}  // namespace tally::cli
