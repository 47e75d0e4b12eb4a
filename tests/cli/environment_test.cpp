// What the command line names is used, whatever the environment names.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "cli/command_line.h"

namespace tally::cli {
namespace {

constexpr const char* kEnvironment = "environment";
constexpr const char* kFlag = "flag";

struct Tree {
  Tree() { add_commands(app, session); }

  Session session;
  CLI::App app{kAbout, kProgramName};
};

std::vector<CLI::App*> commands_of(CLI::App& app) {
  return app.get_subcommands([](CLI::App*) { return true; });
}

/// The words before the flags of each command that has no commands of its own.
void collect_paths(CLI::App& app, const std::vector<std::string>& path, std::vector<std::vector<std::string>>& paths) {
  const auto commands = commands_of(app);
  if (commands.empty()) paths.push_back(path);
  for (CLI::App* const command : commands) {
    auto longer = path;
    longer.push_back(command->get_name());
    collect_paths(*command, longer, paths);
  }
}

CLI::App& find(CLI::App& app, const std::vector<std::string>& path) {
  CLI::App* found = &app;
  for (const std::string& name : path) found = found->get_subcommand(name);
  return *found;
}

void require_nothing(CLI::App& app) {
  for (CLI::Option* const option : app.get_options()) option->required(false);
  for (CLI::App* const command : commands_of(app)) require_nothing(*command);
}

/// Variables of the environment for as long as this lives.
class Variables {
 public:
  Variables() = default;
  ~Variables() {
    for (const std::string& name : x_names) ::unsetenv(name.c_str());
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

  void set(const std::string& name) {
    ::setenv(name.c_str(), kEnvironment, 1);
    x_names.push_back(name);
  }

 private:
  std::vector<std::string> x_names;
};

std::vector<std::string> options_in(Variables& variables, const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* const option : command.get_options()) {
    if (option->get_envname().empty()) continue;
    names.push_back(option->get_name());
    variables.set(option->get_envname());
  }
  return names;
}

/// What the variable behind the option holds in the end.
std::string value_after(std::vector<std::string> words, const std::string& name) {
  Tree tree;
  require_nothing(tree.app);
  CLI::Option* const option = find(tree.app, words).get_option(name);
  if (name.starts_with('-')) words.push_back(name);
  words.emplace_back(kFlag);
  std::vector<const char*> arguments{kProgramName};
  for (const std::string& word : words) arguments.push_back(word.c_str());
  tree.app.parse(static_cast<int>(arguments.size()), arguments.data());
  option->capture_default_str();
  return option->get_default_str();
}

TEST(Environment, yields_to_what_the_command_line_names) {
  Tree tree;
  Variables variables;
  std::vector<std::vector<std::string>> paths;
  collect_paths(tree.app, {}, paths);
  std::vector<std::pair<std::vector<std::string>, std::string>> options;
  for (const auto& path : paths) {
    for (std::string& name : options_in(variables, find(tree.app, path))) options.emplace_back(path, std::move(name));
  }
  EXPECT_GT(options.size(), 50U);
  for (const auto& [path, name] : options) {
    const std::string value = value_after(path, name);
    EXPECT_TRUE(value == kFlag || value == "[" + std::string(kFlag) + "]")
        << path.front() << " " << path.back() << " " << name << " is " << value;
  }
}

TEST(Environment, names_what_every_role_works_on) {
  Tree tree;
  const auto variable = [&](const char* command, const char* option) {
    return find(tree.app, {command}).get_option(option)->get_envname();
  };
  EXPECT_EQ(variable("watch", "--task"), "TALLY_TASK");
  EXPECT_EQ(variable("aggregate", "--key"), "TALLY_KEY");
  for (const char* const command : {"watch", "defend", "post", "payout"}) {
    EXPECT_EQ(variable(command, "--data"), "TALLY_DATA") << command;
    EXPECT_EQ(variable(command, "--chain"), "TALLY_CHAIN") << command;
    EXPECT_EQ(variable(command, "--key"), "TALLY_KEY") << command;
  }
}

}  // namespace
}  // namespace tally::cli
