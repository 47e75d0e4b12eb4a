// `tally chain events`, on either kind of chain.
#include <csignal>

#include "tests/cli/tried_chain.h"

namespace tally::cli {
namespace {

namespace json = boost::json;

class EventsCommand : public ::testing::Test {
 protected:
  [[nodiscard]] Words events(const Words& more = {}) const {
    Words words = {"chain", "events", "--chain", x_chain.where()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  [[nodiscard]] json::array listed(Words more = {}) const {
    more.emplace_back("--json");
    return json::parse(tally(events(more)).out).as_array();
  }
  [[nodiscard]] static std::string number(const json::value& event, const char* name) {
    return std::to_string(event.at(name).to_number<std::uint64_t>());
  }
  /// Development key 0 leaves three commitments on the chain, each a minute after the one before.
  void commit() const {
    const auto chain = x_chain.open();
    for (std::uint8_t i = 0; i < 3; ++i) {
      x_chain.advance(60);
      proof::Commit commit;
      commit.commitment.bytes.fill(i);
      const auto fate = chain::submit_and_wait(
          *chain, {.key = chain::development_key(0), .value = {}, .transaction = proof::Transaction(commit)});
      ASSERT_FALSE(fate.refusal.has_value());
    }
  }

  Folder x_folder;
  TriedChain x_chain{x_folder.path()};
};

TEST_F(EventsCommand, prints_events_from_a_position_on) {
  EXPECT_EQ(tally(events()).out, "no events\n");
  commit();
  const json::array all = listed();
  ASSERT_EQ(all.size(), 3U);
  const json::object& last = all[2].as_object();
  EXPECT_EQ(last.at("event"), "Committed");
  EXPECT_EQ(last.at("by").as_string(), proof::to_text(chain::development_key(0).address()));
  EXPECT_EQ(
      last.at("commitment").as_string(), "0x" + [] {
        std::string digits;
        for (int i = 0; i < 32; ++i) digits += "02";
        return digits;
      }());
  for (const char* const ascending : {"position", "block"}) {
    EXPECT_LT(all[1].at(ascending).to_number<std::uint64_t>(), all[2].at(ascending).to_number<std::uint64_t>());
  }
  EXPECT_EQ(all[1].at("time_s").to_number<std::uint64_t>() + 60, all[2].at("time_s").to_number<std::uint64_t>());
  const std::string second = number(all[1], "position");
  EXPECT_EQ(listed({"--from", second}), json::array(all.begin() + 1, all.end()));
  EXPECT_EQ(listed({"--from", second, "--limit", "1"}), json::array(all.begin() + 1, all.begin() + 2));
  const std::string text = tally(events({"--from", number(all[2], "position")})).out;
  EXPECT_TRUE(text.starts_with(number(all[2], "position") + "  block " + number(all[2], "block") + "  ")) << text;
  EXPECT_NE(text.find(" UTC  Committed  by 0x"), std::string::npos) << text;
}

TEST_F(EventsCommand, follows_events_until_it_is_interrupted) {
  commit();
  test::Process process(command(events({"--follow"})), {});
  const auto lines = [&] { return std::ranges::count(process.output(), '\n'); };
  ASSERT_TRUE(process.waits_until([&] { return lines() >= 3; }));
  process.send(SIGTERM);
  const Finished finished = process.wait();
  EXPECT_EQ(finished.exit_code, kFine) << finished.err;
  EXPECT_EQ(std::ranges::count(finished.out, '\n'), 3);
}

}  // namespace
}  // namespace tally::cli
