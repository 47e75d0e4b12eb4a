#include <algorithm>
#include <exception>
#include <filesystem>
#include <span>
#include <string_view>

#include "cli/command_line.h"
#include "cli/interrupt.h"

namespace tally::cli {

namespace {

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
  CLI::App app(kAbout, kProgramName);
  app.set_version_flag("--version", std::string(kProgramName) + " " + TALLY_VERSION, "Print the version and end");
  add_commands(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return report_usage(app, session, std::span(argv, static_cast<std::size_t>(argc)), error);
  }
  Console console(session.console, session.stop);
  try {
    return static_cast<int>(session.run(console));
  } catch (const Failure& failure) {
    console.end_progress();
    return report(session, failure.code(), failure.what());
  } catch (const std::filesystem::filesystem_error& error) {
    console.end_progress();
    return report(session, ExitCode::kOutsideWorld, error.path1().string() + ": " + error.code().message());
  } catch (const std::exception& error) {
    console.end_progress();
    return report(session, ExitCode::kOutsideWorld, error.what());
  }
}

}  // namespace
}  // namespace tally::cli

int main(int argc, char** argv) { return tally::cli::run(argc, argv); }
