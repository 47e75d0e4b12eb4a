// `tally demo`: federated training on a chain, three frauds included.
#include "cli/demo/demo.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/threads.h"

namespace tally::cli {

namespace {

ExitCode demo(DemoSettings settings, const Console& console) {
  if (settings.trainers <= 2 * settings.malicious) {
    bad_input("--malicious " + std::to_string(settings.malicious) +
              ": the rule needs more than twice as many trainers");
  }
  settings.threads = thread_count(settings.threads);
  const boost::json::object story = run_demo(settings, console);
  if (console.json()) console.result("", story);
  return ExitCode::kFine;
}

}  // namespace

void add_demo(CLI::App& app, Session& session) {
  const auto settings = std::make_shared<DemoSettings>();
  settings->threads = 0;
  CLI::App* const command =
      app.add_subcommand("demo", "Train on a chain, with frauds that are caught, and leave it all in a folder");
  command->add_option("folder", settings->folder, "A new folder for everything")->required();
  const std::map<std::string, DemoChainKind> kinds = {{"embedded", DemoChainKind::kEmbedded},
                                                      {"evm", DemoChainKind::kEvm}};
  command->add_option("--chain", settings->chain, "embedded: in a file; evm: on a node, which anvil is")
      ->transform(CLI::CheckedTransformer(kinds).description("embedded|evm"))
      ->default_str("embedded");
  command->add_option("--rounds", settings->rounds, "Rounds of training")
      ->check(CLI::Range(kMinDemoRounds, 1'000))
      ->capture_default_str();
  command->add_option("--trainers", settings->trainers, "Trainers")->check(CLI::Range(3, 500))->capture_default_str();
  command->add_option("--malicious", settings->malicious, "How many of them flip the sign of their updates")
      ->check(CLI::Range(0, 249))
      ->capture_default_str();
  command->add_option("--seed", settings->seed, "Seed of the data and the training")->capture_default_str();
  add_threads_option(*command, settings->threads);
  add_output_flags(*command, session);
  command->callback(
      [settings, &session] { session.run = [settings](const Console& console) { return demo(*settings, console); }; });
}

}  // namespace tally::cli
