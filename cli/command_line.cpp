#include "cli/command_line.h"

namespace tally::cli {

namespace {

constexpr const char* kFooter =
    "Exit codes: 0 fine, 1 found invalid, 2 usage or bad input, 3 the outside world failed\n"
    "(disk, permissions, interruption). Run `tally COMMAND --help` for the flags of a command.";

}  // namespace

void add_output_flags(CLI::App& command, Session& session) {
  command.add_flag_callback("--json", [&session] { session.console.format = Format::kJson; }, "Print JSON for scripts");
  command.add_flag_callback(
      "-q,--quiet", [&session] { session.console.verbosity = Verbosity::kQuiet; }, "Print errors only");
}

void add_commands(CLI::App& app, Session& session) {
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
}

}  // namespace tally::cli
