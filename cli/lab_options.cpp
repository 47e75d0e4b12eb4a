#include "cli/lab_options.h"

#include <cstdlib>
#include <string>

#include "fraud_proof/commitments/task_settings.h"

namespace tally::cli {

namespace {

/// Numbers separated by commas, each within its bounds.
template <class Number>
void add_list(CLI::App& command, const std::string& flag, std::vector<Number>& values, const CLI::Validator& valid,
              const std::string& help) {
  command.add_option(flag, values, help)->delimiter(',')->check(valid)->capture_default_str();
}

}  // namespace

CLI::App* add_lab_command(CLI::App& lab, const std::string& name, const std::string& help, LabFlags& flags) {
  CLI::App* const command = lab.add_subcommand(name, help);
  LabLists& lists = flags.lists;
  const auto leaf_size = CLI::Validator(
      [](std::string& text) {
        const bool good = text.size() <= 4 && proof::is_leaf_size(static_cast<std::uint32_t>(std::atoi(text.c_str())));
        return good ? std::string() : text + " is not a power of two from 64 to 4096";
      },
      "POWER OF TWO");
  add_list(*command, "--clients", lists.clients, CLI::Range(1, 65'536),
           "Clients (the length of the fold); like all lists with commas between");
  add_list(*command, "--parameters", lists.parameters, CLI::Range(1, 1 << 28), "Parameters of the model");
  add_list(*command, "--arity", lists.arities, CLI::Range(proof::kMinArity, proof::kMaxArity), "Segments of a round");
  add_list(*command, "--leaf-bytes", lists.leaf_bytes, leaf_size, "Bytes of a leaf");
  command->add_flag("--csv", flags.csv, "Print CSV");
  return command;
}

std::vector<LabCase> combinations(const LabLists& lists) {
  std::vector<LabCase> cases;
  for (const std::uint64_t clients : lists.clients) {
    for (const std::uint64_t parameters : lists.parameters) {
      for (const std::uint16_t arity : lists.arities) {
        for (const std::uint32_t leaf_bytes : lists.leaf_bytes)
          cases.push_back({.clients = clients, .parameters = parameters, .arity = arity, .leaf_bytes = leaf_bytes});
      }
    }
  }
  return cases;
}

}  // namespace tally::cli
