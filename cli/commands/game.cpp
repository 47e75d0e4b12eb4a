// `tally game`: the disputes on a chain, and who said what in them.
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "chain_adapter/chain/wei_text.h"
#include "cli/chain_options.h"
#include "cli/commands.h"
#include "cli/parent_folder.h"
#include "verifier/transcript/transcript.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

struct GameFlags {
  std::string chain;
  std::string game;
  std::string batch;
  std::string out;
  std::vector<std::string> data;
};

std::vector<std::filesystem::path> folders(const GameFlags& flags) { return {flags.data.begin(), flags.data.end()}; }

json::object summary(const verifier::Transcript& told) {
  return {{"game_id", told.game},
          {"task", told.task},
          {"batch_id", told.batch},
          {"poster", told.poster},
          {"challenger", told.challenger},
          {"bond", told.bond},
          {"entry", told.entry},
          {"state", told.state},
          {"decided", told.decided},
          {"transactions", told.transactions},
          {"poster_bytes", told.poster_bytes},
          {"challenger_bytes", told.challenger_bytes},
          {"bytes", told.poster_bytes + told.challenger_bytes},
          {"reward", told.reward},
          {"burned", told.burned}};
}

ExitCode list(const GameFlags& flags, const Console& console) {
  const auto chain = open_chain(flags.chain, console);
  std::optional<proof::BatchId> batch;
  if (!flags.batch.empty()) batch = parse_id_argument<proof::BatchId>("--batch", flags.batch);
  std::string text;
  json::array games;
  for (const verifier::Transcript& told : verifier::tell_games(*chain, batch, folders(flags))) {
    text += (text.empty() ? "" : "\n") + told.game + "  " + (told.entry.empty() ? "withheld tables" : told.entry) +
            "  " + told.state + "  " + std::to_string(told.transactions) + " transactions, " +
            std::to_string(told.poster_bytes + told.challenger_bytes) + " bytes";
    games.emplace_back(summary(told));
  }
  console.result(text.empty() ? "no games" : text, games);
  return ExitCode::kFine;
}

verifier::Transcript tell(const GameFlags& flags, const Console& console) {
  const auto chain = open_chain(flags.chain, console);
  const auto game = parse_id_argument<proof::GameId>("game", flags.game);
  auto told = verifier::tell_game(*chain, game, folders(flags));
  if (!told) bad_input(flags.game + ": the chain has no such game");
  return *std::move(told);
}

ExitCode show(const GameFlags& flags, const Console& console) {
  const verifier::Transcript told = tell(flags, console);
  std::string text = "game        " + told.game + "\nbatch       " + told.batch + "\nposter      " + told.poster +
                     "\nchallenger  " + told.challenger + "\n";
  if (!told.entry.empty()) text += "entry       " + told.entry + "\n";
  json::array steps;
  std::size_t number = 0;
  for (const verifier::TranscriptStep& step : told.steps) {
    text += "\n" + std::to_string(++number) + "  " + time_text(step.time_s) + "  " + step.who + "  " + step.action +
            "  (" + std::to_string(step.bytes) + " bytes)\n   " + step.text + "\n";
    steps.emplace_back(json::object{{"block", step.block},
                                    {"time_s", step.time_s},
                                    {"transaction", step.transaction},
                                    {"who", step.who},
                                    {"action", step.action},
                                    {"text", step.text},
                                    {"bytes", step.bytes}});
  }
  text += "\n" + told.state + "\ncost        " + std::to_string(told.transactions) + " transactions, " +
          std::to_string(told.challenger_bytes) + " bytes by the challenger, " + std::to_string(told.poster_bytes) +
          " by the poster";
  json::object object = summary(told);
  object["steps"] = std::move(steps);
  console.result(text, object);
  return ExitCode::kFine;
}

ExitCode export_game(const GameFlags& flags, const Console& console) {
  const verifier::Transcript told = tell(flags, console);
  std::ostringstream text;
  verifier::export_json(told, text);
  if (flags.out.empty()) {
    console.result(text.str(), json::parse(text.str()));
    return ExitCode::kFine;
  }
  make_parent_folder(flags.out);
  std::ofstream file(flags.out, std::ios::trunc);
  file << text.str();
  if (!file.flush()) throw Failure(ExitCode::kOutsideWorld, flags.out + ": cannot be written");
  console.result("wrote " + flags.out, json::object{{"file", flags.out}});
  return ExitCode::kFine;
}

/// A command, with flags that no other has.
struct GameCommand {
  CLI::App* app;
  std::shared_ptr<GameFlags> flags;

  void take_game() const { app->add_option("game", flags->game, "The game's id")->required(); }
};

using Action = ExitCode (*)(const GameFlags&, const Console&);

/// What all these commands take.
GameCommand add(CLI::App& game, Session& session, const std::string& name, const std::string& help, Action action) {
  GameCommand command{.app = game.add_subcommand(name, help), .flags = std::make_shared<GameFlags>()};
  add_chain_option(*command.app, command.flags->chain);
  command.app->add_option("--data", command.flags->data, "Folder with batches, for the names of tables")
      ->envname("TALLY_DATA");
  run_with(*command.app, session, command.flags, action);
  return command;
}

}  // namespace

void add_game(CLI::App& app, Session& session) {
  CLI::App* const game = app.add_subcommand("game", "The disputes on a chain");
  game->require_subcommand(1);
  const auto all = add(*game, session, "list", "All games, in the order of their openings", list);
  all.app->add_option("--batch", all.flags->batch, "Only those over this batch");
  add(*game, session, "show", "The transcript of a game: who claimed what, which step decided, what it cost", show)
      .take_game();
  const auto exported = add(*game, session, "export", "The transcript as JSON", export_game);
  exported.take_game();
  exported.app->add_option("--out", exported.flags->out, "Write to this file");
}

}  // namespace tally::cli
