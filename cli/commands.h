// The subcommands of `tally`: each add_* declares one on the app and leaves what it runs in Session::run.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <stop_token>

#include "cli/console.h"
#include "cli/exit_code.h"

namespace tally::cli {

struct Session {
  ConsoleSettings console;
  std::stop_token stop;
  std::function<ExitCode(Console&)> run;  // set by the callback of the chosen subcommand
};

void add_keygen(CLI::App& app, Session& session);
void add_address(CLI::App& app, Session& session);
void add_program(CLI::App& app, Session& session);
void add_aggregate(CLI::App& app, Session& session);
void add_verify(CLI::App& app, Session& session);
void add_inspect(CLI::App& app, Session& session);
void add_receipt(CLI::App& app, Session& session);
void add_chain(CLI::App& app, Session& session);
void add_lab(CLI::App& app, Session& session);
void add_defend(CLI::App& app, Session& session);

void add_task(CLI::App& app, Session& session);
void add_register(CLI::App& app, Session& session);
void add_member(CLI::App& app, Session& session);
void add_payout(CLI::App& app, Session& session);
void add_contribute(CLI::App& app, Session& session);
void add_batch(CLI::App& app, Session& session);
void add_post(CLI::App& app, Session& session);
void add_seal(CLI::App& app, Session& session);
void add_finalize(CLI::App& app, Session& session);
void add_withdraw(CLI::App& app, Session& session);
void add_watch(CLI::App& app, Session& session);
void add_keep(CLI::App& app, Session& session);
void add_game(CLI::App& app, Session& session);
void add_demo(CLI::App& app, Session& session);

/// --json and --quiet, the same on every subcommand.
void add_output_flags(CLI::App& command, Session& session);

/// The last word on a command: its output flags, and `action` on its flags and the console once it is chosen. No other
/// command may have the same flags, since the environment also fills the options of commands that are not chosen.
template <class Flags, class Action>
void run_with(CLI::App& command, Session& session, const std::shared_ptr<Flags>& flags, Action action) {
  add_output_flags(command, session);
  command.callback([flags, action, &session] {
    session.run = [flags, action](Console& console) { return action(*flags, console); };
  });
}

}  // namespace tally::cli
