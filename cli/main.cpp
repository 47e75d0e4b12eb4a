#include <exception>
#include <iostream>

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
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    app.exit(error);
    return static_cast<int>(ExitCode::kBadInput);
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
