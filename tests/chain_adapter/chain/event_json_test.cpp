#include "chain_adapter/chain/event_json.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

namespace tally::chain {
namespace {

namespace json = boost::json;

template <class Written>
json::object parsed(const Written& written) {
  return json::parse(to_json(written)).as_object();
}

template <class Bytes>
Bytes filled(std::uint8_t byte) {
  Bytes bytes;
  bytes.bytes.fill(byte);
  return bytes;
}

std::string hex_of(std::string_view byte) {
  std::string text = "0x";
  for (int i = 0; i < 32; ++i) text += byte;
  return text;
}

proof::Game bisection() {
  proof::Game game{.id = {filled<proof::Digest>(1)},
                   .task = {filled<proof::Digest>(2)},
                   .batch = {filled<proof::Digest>(3)},
                   .poster = filled<proof::Address>(4),
                   .challenger = filled<proof::Address>(5),
                   .bond = {math::u128{1} << 100},
                   .phase = proof::Phase::kNarrow,
                   .poster_clock_s = 6,
                   .challenger_clock_s = 7,
                   .moved_at_s = 8,
                   .item = 9,
                   .entry = 10,
                   .low = 11,
                   .high = 12,
                   .claims = {0xab}};
  game.at_low[0] = -5;
  game.at_high[0] = math::kI128Max;
  game.results[0] = 3;
  return game;
}

TEST(EventJson, says_where_an_event_stands_and_what_it_holds) {
  const LoggedEvent event{
      .position = 5,
      .block = 6,
      .time_s = 7,
      .transaction = {filled<proof::Digest>(0xaa)},
      .event = proof::Registered{
          .task = {filled<proof::Digest>(0xbb)}, .member = 3, .wallet = {}, .stake = {math::u128{1} << 100}}};
  EXPECT_EQ(to_json(event),
            "{\n  \"position\": 5,\n  \"block\": 6,\n  \"time_s\": 7,\n  \"transaction\": \"" + hex_of("aa") +
                "\",\n  \"event\": \"Registered\",\n  \"task\": \"" + hex_of("bb") +
                "\",\n  \"member\": 3,\n  \"wallet\": \"0x0000000000000000000000000000000000000000\",\n" +
                "  \"stake\": \"1267650600228229401496703205376\"\n}\n");
}

TEST(EventJson, shows_a_bisection) {
  const json::object game = parsed(bisection());
  EXPECT_EQ(game.at("phase"), "narrow");
  EXPECT_TRUE(game.at("delegate").is_null());
  EXPECT_EQ(game.at("bond"), "1267650600228229401496703205376");
  EXPECT_EQ(game.at("entry"), 10);
  EXPECT_EQ(game.at("low"), 11);
  EXPECT_EQ(game.at("at_low").as_array()[0], -5);
  EXPECT_EQ(game.at("at_high").as_array()[0], "170141183460469231731687303715884105727");
  EXPECT_EQ(game.at("claims"), "0xab");
  EXPECT_TRUE(game.at("descents").as_array().empty());
}

TEST(EventJson, shows_a_descent) {
  proof::Game game{.delegate = filled<proof::Address>(1), .phase = proof::Phase::kDescend};
  game.descents.push_back({.object = 3,
                           .first_leaf = 4,
                           .leaves = 5,
                           .node = filled<proof::Digest>(6),
                           .children = {filled<proof::Digest>(7)},
                           .located = false});
  const json::object shown = parsed(game);
  EXPECT_TRUE(shown.at("entry").is_null());
  EXPECT_EQ(shown.at("delegate"), "0x0101010101010101010101010101010101010101");
  const json::object& descent = shown.at("descents").as_array()[0].as_object();
  EXPECT_EQ(descent.at("object"), 3);
  EXPECT_EQ(descent.at("located"), false);
  EXPECT_EQ(descent.at("children").as_array()[0].as_string(), hex_of("07"));
}

TEST(EventJson, names_every_move_and_shows_what_it_says) {
  const std::pair<proof::Move, std::string_view> rows[] = {
      {proof::Reveal{{{.nodes = {filled<proof::Digest>(0)}, .leaf = {1}}}},
       R"({"move":"reveal","answers":[{"nodes":["0x0000000000000000000000000000000000000000000000000000000000000000"],"leaf":"0x01"}]})"},
      {proof::Descend{{1, 2}}, R"({"move":"descend","children":[1,2]})"},
      {proof::Choose{3, 4, {5}}, R"({"move":"choose","item":3,"entry":4,"openings":"0x05"})"},
      {proof::Respond{{6}}, R"({"move":"respond","claims":"0x06"})"},
      {proof::Narrow{7}, R"({"move":"narrow","segment":7})"},
      {proof::Prove{{8}}, R"({"move":"prove","witness":"0x08"})"},
      {proof::NarrowAndProve{9, {10}}, R"({"move":"narrow_and_prove","segment":9,"witness":"0x0a"})"}};
  static_assert(std::size(rows) == std::variant_size_v<proof::Move>);
  for (const auto& [move, text] : rows) EXPECT_EQ(json::serialize(json::parse(to_json(move))), text);
}

template <std::size_t... kIndex>
std::vector<proof::Event> one_of_each(std::index_sequence<kIndex...>) {
  return {proof::Event(std::in_place_index<kIndex>)...};
}

TEST(EventJson, knows_every_event) {
  std::set<std::string> names;
  for (const proof::Event& event : one_of_each(std::make_index_sequence<std::variant_size_v<proof::Event>>())) {
    const json::object shown = parsed(event);
    EXPECT_EQ(shown.at("event").as_string(), std::string(proof::name_of(event)));
    EXPECT_GT(shown.size(), 1U) << proof::name_of(event);
    names.insert(std::string(shown.at("event").as_string()));
  }
  EXPECT_EQ(names.size(), std::variant_size_v<proof::Event>);
}

TEST(EventJson, shows_the_end_of_a_game_and_of_a_batch) {
  const json::object ended = parsed(proof::Event(proof::GameEnded{.game = {filled<proof::Digest>(1)},
                                                                  .batch = {},
                                                                  .outcome = proof::GameOutcome::kChallengerTimeout,
                                                                  .move = std::nullopt}));
  EXPECT_EQ(ended.at("outcome").as_string(), std::string(to_string(proof::GameOutcome::kChallengerTimeout)));
  EXPECT_TRUE(ended.at("move").is_null());
  const json::object proved =
      parsed(proof::Event(proof::GameEnded{.game = {}, .batch = {}, .move = proof::Narrow{.segment = 3}}));
  EXPECT_EQ(proved.at("move").as_object().at("segment"), 3);
  const json::object lost =
      parsed(proof::Event(proof::BatchInvalid{.cause = proof::LossCause::kRecordSigner, .reward = {1}, .burned = {2}}));
  EXPECT_EQ(lost.at("cause").as_string(), std::string(to_string(proof::LossCause::kRecordSigner)));
  EXPECT_EQ(lost.at("burned"), "2");
}

TEST(EventJson, shows_a_task_with_all_its_settings) {
  proof::TaskPreimage task{.chain_id = 5, .dims = {7}, .params = {-8, math::i128{1} << 90}};
  task.settings.proposer_rule =
      proof::ProposerRotation{.slot_s = 60, .grace_s = 10, .proposers = {filled<proof::Address>(1)}};
  task.settings.availability = proof::KeeperQuorum{.threshold = 1, .keepers = {filled<proof::Address>(2)}};
  const json::object shown = parsed(task);
  EXPECT_EQ(shown.at("dims").as_array()[0], 7);
  EXPECT_EQ(shown.at("params").as_array()[0], -8);
  EXPECT_EQ(shown.at("params").as_array()[1], "1237940039285380274899124224");
  const json::object& settings = shown.at("settings").as_object();
  EXPECT_EQ(settings.at("proposer_rule"), "rotation");
  EXPECT_EQ(settings.at("slot_s"), 60);
  EXPECT_EQ(settings.at("availability"), "quorum");
  EXPECT_EQ(settings.at("keepers").as_array().size(), 1U);
  EXPECT_EQ(settings.at("arity"), 32);
  EXPECT_EQ(settings.at("sequencer_bond"), "1000000000000000000");
  task.settings = {};
  const json::object plain = parsed(task.settings);
  EXPECT_EQ(plain.at("proposer_rule"), "open");
  EXPECT_EQ(plain.at("availability"), "requests");
  EXPECT_EQ(plain.at("max_requests"), 65'536);
}

}  // namespace
}  // namespace tally::chain
