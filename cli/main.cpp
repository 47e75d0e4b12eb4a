#include <algorithm>
#include <exception>
#include <span>
#include <string_view>

#include "cli/commands.h"
#include "cli/interrupt.h"

namespace tally::cli {

void add_output_flags(CLI::App& command, Session& session) {
  command.add_flag_callback("--json", [&session] { session.console.format = Format::kJson; }, "Print JSON for scripts");
  command.add_flag_callback(
      "-q,--quiet", [&session] { session.console.verbosity = Verbosity::kQuiet; }, "Print errors only");
}

namespace {

constexpr const char* kFooter =
    "Exit codes: 0 fine, 1 found invalid, 2 usage or bad input, 3 the outside world failed\n"
    "(disk, permissions, interruption). Run `tally COMMAND --help` for the flags of a command.";

int report(const Session& session, ExitCode code, const std::string& message) {
  print_error(session.console.format, message, static_cast<int>(code));
  return static_cast<int>(code);
}

/// What CLI11 refuses; as JSON too, though it may not have read as far as that flag.
int report_usage(const CLI::App& app, const Session& session, std::span<char*> words, const CLI::ParseError& error) {
  Session told = session;
  if (std::ranges::find(words, std::string_view("--json")) != words.end()) told.console.format = Format::kJson;
  if (words.size() > 1 && words[1][0] != '-') {
    const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
    if (std::ranges::find(commands, words[1], &CLI::App::get_name) == commands.end()) {
      return report(told, ExitCode::kBadInput, std::string(words[1]) + ": no such command; see tally --help");
    }
  }
  if (told.console.format == Format::kJson) return report(told, ExitCode::kBadInput, error.what());
  app.exit(error);
  return static_cast<int>(ExitCode::kBadInput);
}

int run(int argc, char** argv) {
  const Interrupt interrupt;
  Session session;
  session.stop = interrupt.token();
  CLI::App app("Tallystick: an optimistic rollup for federated learning.", "tally");
  app.footer(kFooter);
  app.require_subcommand(1);
  add_keygen(app, session);
  add_address(app, session);
  add_program(app, session);
  add_aggregate(app, session);
  add_verify(app, session);
  add_inspect(app, session);
  add_receipt(app, session);
  add_chain(app, session);
  add_task(app, session);
  add_register(app, session);
  add_member(app, session);
  add_contribute(app, session);
  add_batch(app, session);
  add_post(app, session);
  add_seal(app, session);
  add_finalize(app, session);
  add_payout(app, session);
  add_withdraw(app, session);
  add_lab(app, session);
  add_defend(app, session);
  add_watch(app, session);
  add_keep(app, session);
  add_game(app, session);
  add_demo(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return report_usage(app, session, std::span(argv, static_cast<std::size_t>(argc)), error);
  }
  Console console(session.console);
  try {
    return static_cast<int>(session.run(console));
  } catch (const Failure& failure) {
    console.end_progress();
    return report(session, failure.code(), failure.what());
  } catch (const std::exception& error) {
    console.end_progress();
    return report(session, ExitCode::kOutsideWorld, error.what());
  }
}

}  // namespace
}  // namespace tally::cli

int main(int argc, char** argv) { return tally::cli::run(argc, argv); }
