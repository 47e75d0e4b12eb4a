// `tally defend`: answer, for a poster, the games and requests about its batches.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/chain/event_json.h"
#include "cli/chain_options.h"
#include "cli/commands.h"
#include "cli/signing_keys.h"
#include "sequencer/defender/defender.h"

namespace tally::cli {

namespace {

namespace json = boost::json;
using std::chrono::seconds;

/// Between tries while the chain cannot be read.
constexpr seconds kLongestPause(60);

struct DefendFlags {
  std::string where;
  KeyFlags key;
  std::string data;
  std::vector<std::string> posters;
  bool once = false;
  bool stubborn = false;
  unsigned poll_s = 2;
};

std::string subject(const sequencer::Defense& defense) {
  if (defense.game) return "game " + to_hex(*defense.game);
  const proof::OpeningKey& leaf = defense.leaf.value();
  return "object " + std::to_string(leaf.object) + ", record " + std::to_string(leaf.record) + ", leaf " +
         std::to_string(leaf.leaf) + " of batch " + to_hex(defense.batch);
}

std::string action(const sequencer::Defense& defense) {
  if (defense.kind == sequencer::Defense::Kind::kTimeout) return "claim the challenger's timeout";
  return defense.phase ? std::string(chain::name_of(*defense.phase)) : "give a leaf";
}

json::object to_json(const sequencer::Defense& defense) {
  json::object object{
      {"kind", to_string(defense.kind)}, {"outcome", to_string(defense.outcome)}, {"batch", to_hex(defense.batch)}};
  if (defense.game) object["game"] = to_hex(*defense.game);
  if (defense.phase) object["phase"] = chain::name_of(*defense.phase);
  if (defense.leaf) {
    object["leaf"] = {{"object", defense.leaf->object}, {"record", defense.leaf->record}, {"leaf", defense.leaf->leaf}};
  }
  if (defense.deadline_s != proof::kNever) object["deadline_s"] = defense.deadline_s;
  object["prepare_microseconds"] = microseconds(defense.prepare_s);
  object["bytes"] = defense.bytes;
  if (!defense.message.empty()) object["message"] = defense.message;
  return object;
}

json::object to_json(const sequencer::DefenseReport& report) {
  json::array defenses;
  for (const sequencer::Defense& defense : report.defenses) defenses.push_back(to_json(defense));
  return {{"defenses", std::move(defenses)},
          {"sent", report.sent},
          {"open_games", report.open_games},
          {"open_requests", report.open_requests}};
}

std::string to_text(const sequencer::DefenseReport& report) {
  std::string text;
  for (const sequencer::Defense& defense : report.defenses) {
    text += std::string(to_string(defense.outcome)) + ": " + action(defense) + ", " + subject(defense);
    if (!defense.message.empty()) text += " (" + defense.message + ")";
    text += "\n";
  }
  text +=
      std::to_string(report.open_games) + " games and " + std::to_string(report.open_requests) + " requests are open";
  if (report.sent > 0) text += "; " + std::to_string(report.sent) + " answers were sent, and are in no block yet";
  return text;
}

/// What could not be defended is worth an alarm.
ExitCode exit_code(const sequencer::DefenseReport& report) {
  ExitCode code = ExitCode::kFine;
  for (const sequencer::Defense& defense : report.defenses) {
    if (defense.outcome == sequencer::Defense::Outcome::kFailed) return ExitCode::kOutsideWorld;
    if (defense.outcome == sequencer::Defense::Outcome::kRefused) code = ExitCode::kFoundInvalid;
  }
  return code;
}

void print(const sequencer::DefenseReport& report, const Console& console) {
  if (exit_code(report) == ExitCode::kFine) {
    console.result(to_text(report), to_json(report));
  } else {
    console.finding(to_text(report), to_json(report));
  }
}

ExitCode defend(const DefendFlags& flags, const std::stop_token& stop, Console& console) {
  if (!std::filesystem::is_directory(flags.data)) bad_input("--data " + flags.data + ": no such folder");
  std::vector<proof::Address> posters;
  for (const std::string& poster : flags.posters) posters.push_back(parse_address_argument("--for", poster));
  const proof::PrivateKey key = load_key(flags.key, console);
  const auto chain = open_chain(flags.where, console);
  sequencer::Defender defender(key, flags.data,
                               flags.stubborn ? sequencer::Doubt::kAnswer : sequencer::Doubt::kStaySilent, {},
                               std::move(posters));
  if (flags.once) {
    sequencer::DefenseReport report = defender.defend_once(*chain);
    for (; report.unfinished && !stop.stop_requested(); report = defender.defend_once(*chain)) print(report, console);
    print(report, console);
    if (!report.unfinished) return exit_code(report);
    console.note("interrupted; the next run goes on from here");
    return ExitCode::kOutsideWorld;
  }
  const seconds poll(flags.poll_s);
  seconds wait = poll;
  while (!stop.stop_requested()) {
    try {
      const sequencer::DefenseReport report = defender.defend_once(*chain);
      if (!report.defenses.empty() || (report.sent > 0 && stop.stop_requested())) print(report, console);
      if (report.unfinished) continue;
      wait = poll;
    } catch (const std::exception& error) {
      wait = std::min(2 * wait, kLongestPause);
      console.warn(std::string(error.what()) + "; trying again in " + std::to_string(wait.count()) + " s");
    }
    chain::sleep_unless_stopped(stop, wait);
  }
  return ExitCode::kFine;
}

}  // namespace

void add_defend(CLI::App& app, Session& session) {
  auto flags = std::make_shared<DefendFlags>();
  CLI::App* command = app.add_subcommand("defend", "Answer the games and requests about the batches that a key posted");
  add_chain_option(*command, flags->where);
  add_key_options(*command, flags->key);
  command->add_option("--data", flags->data, "The folder below which the batches' directories are")
      ->envname("TALLY_DATA")
      ->required();
  command
      ->add_option("--for", flags->posters, "A poster that named the key as its delegate; may be given several times")
      ->envname("TALLY_DEFEND_FOR");
  command->add_flag("--once", flags->once, "Answer what waits now, and end");
  command->add_flag("--stubborn", flags->stubborn, "Answer also where the data contradict what was posted");
  command->add_option("--poll-s", flags->poll_s, "Seconds between two looks at the chain")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  add_output_flags(*command, session);
  command->callback([flags, &session] {
    session.run = [flags, &session](Console& console) { return defend(*flags, session.stop, console); };
  });
}

}  // namespace tally::cli
