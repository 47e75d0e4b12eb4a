// `tally lab gas`: what transactions and whole disputes cost on an EVM chain, measured on a node of its own.
#include "cli/commands/lab_gas.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>

#include "chain_adapter/evm/evm_chain.h"
#include "cli/arguments.h"
#include "cli/development_node.h"
#include "cli/lab_options.h"
#include "cli/load_program.h"
#include "cli/number_table.h"
#include "deterministic_math/bytecode/validator.h"
#include "verifier/lab/gas_node.h"
#include "verifier/lab/transactions.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

/// The same each time, so that gas is: times stand in transactions.
constexpr std::uint64_t kStart = 1'700'000'000;

struct GasFlags {
  LabFlags lab{
      .lists = {.clients = {1'000}, .parameters = {10'000'000}, .arities = {32}, .leaf_bytes = {64, 256, 1'024}}};
  std::string program = "fedavg";
  std::vector<std::string> parameters;
  std::vector<std::string> dims;
  bool transactions = false;
};

/// A folder that its user is done with at once: what holds its files open keeps them.
class BriefFolder {
 public:
  BriefFolder() {
    std::string path = (fs::temp_directory_path() / "tally-lab-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path);
    x_path = path;
  }
  ~BriefFolder() {
    std::error_code ignored;
    fs::remove_all(x_path, ignored);
  }
  BriefFolder(const BriefFolder&) = delete;
  BriefFolder& operator=(const BriefFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return x_path; }

 private:
  fs::path x_path;
};

/// A node, and the settlement on it.
struct Laboratory {
  Laboratory() : rpc(chain::rpc_client(process.url())), node(rpc), chain(node) {}

  BriefFolder folder;
  DevelopmentNode process{folder.path(), kStart, NodeLeaves::kNothing};
  chain::RpcClient rpc;
  verifier::GasNode node;
  verifier::LabChain chain;
};

/// By name, none of which is that of a list.
std::map<std::string, std::uint64_t> other_dims(const math::CompiledProgram& compiled, const GasFlags& flags) {
  const std::vector<std::string>& names = compiled.names.dims;
  std::map<std::string, std::uint64_t> dims;
  for (const auto& [name, value] : split_pairs(flags.dims, "--dim")) {
    if (name == "D" || std::find(names.begin() + 1, names.end(), name) == names.end())
      bad_input("--dim " + name + ": " + compiled.names.program + " has no such dim beside those of the lists");
    dims[name] = parse_dim(name, value);
  }
  return dims;
}

/// K and D are what the case says, other dims are given, or the least that the program takes.
verifier::DisputeCase dispute_of(const math::CompiledProgram& compiled,
                                 const std::map<std::string, std::uint64_t>& given, const LabCase& each) {
  const math::Program& program = compiled.program;
  verifier::DisputeCase dispute{.dims = {each.clients}, .leaf_bytes = each.leaf_bytes, .arity = each.arity};
  for (std::size_t i = 1; i < program.dims.size(); ++i) {
    const std::string& name = compiled.names.dims[i];
    if (name == "D") {
      dispute.dims.push_back(each.parameters);
    } else {
      const auto found = given.find(name);
      dispute.dims.push_back(found != given.end() ? found->second : std::max<std::uint64_t>(program.dims[i].lo, 1));
    }
  }
  math::TaskShape shape{.dims = dispute.dims, .leaf_bytes = each.leaf_bytes};
  shape.dims.front() = program.dims.front().hi;
  const bool takes_clients = program.dims.front().lo <= each.clients && each.clients <= program.dims.front().hi;
  if (!takes_clients) bad_input(compiled.names.program + " does not take " + std::to_string(each.clients) + " clients");
  if (const auto valid = validate_for_task(program, shape, ~std::uint64_t{0}); !valid)
    bad_input(compiled.names.program + ": " + describe(valid.error()));
  if (!dearest_item(program, dispute))
    bad_input(compiled.names.program + " computes no table, or reads the seed, which made-up batches have not");
  return dispute;
}

std::vector<verifier::DisputeCase> disputes_of(const math::CompiledProgram& compiled, const GasFlags& flags) {
  const auto dims = other_dims(compiled, flags);
  std::vector<verifier::DisputeCase> disputes;
  for (const LabCase& each : combinations(flags.lab.lists)) disputes.push_back(dispute_of(compiled, dims, each));
  return disputes;
}

NumberTable measure_disputes(const math::Program& program, const std::vector<verifier::DisputeCase>& disputes,
                             const std::vector<LabCase>& cases, Laboratory& laboratory, Console& console) {
  NumberTable table{.columns = {{"clients", "clients"},
                                {"parameters", "parameters"},
                                {"arity", "arity"},
                                {"leaf_bytes", "leaf"},
                                {"transactions", "txs"},
                                {"open_gas", "open"},
                                {"proof_gas", "proof"},
                                {"challenger_gas", "challenger"},
                                {"poster_gas", "poster"},
                                {"gas", "all"}},
                    .rows = {}};
  laboratory.chain.mark();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    console.progress("playing", i, cases.size());
    laboratory.chain.go_back();
    const verifier::DisputeSteps steps = dearest_dispute(program, disputes[i], laboratory.chain);
    std::uint64_t posters = 0;
    for (const verifier::DisputeStep& step : steps) posters += step.is_posters ? step.gas : 0;
    const LabCase& each = cases[i];
    table.rows.push_back({each.clients, each.parameters, each.arity, each.leaf_bytes, steps.size(), steps.front().gas,
                          steps.back().gas, total_gas(steps) - posters, posters, total_gas(steps)});
  }
  console.end_progress();
  return table;
}

std::vector<verifier::TransactionCost> measure_transactions(const math::Program& fedavg, Laboratory& laboratory,
                                                            Console& console) {
  std::vector<verifier::TransactionCost> costs;
  const auto add = [&](std::vector<verifier::TransactionCost> more) {
    costs.insert(costs.end(), more.begin(), more.end());
    console.progress("sending", costs.size(), costs.size() + 1);
  };
  break_in(fedavg, laboratory.chain);
  add(verifier::measure_posts(laboratory.chain));
  add(measure_moves(fedavg, laboratory.chain));
  add(verifier::measure_proofs(laboratory.chain));
  console.end_progress();
  return costs;
}

std::string text_of(const std::vector<verifier::TransactionCost>& costs) {
  std::string text = "Single transactions: 1,000 records; leaves of 1,024 bytes under 20 levels; arity 32 (gas)\n";
  for (const verifier::TransactionCost& cost : costs) {
    std::string name = cost.name;
    name.resize(40, ' ');
    text += "  " + name + std::to_string(cost.gas);
    if (cost.goal) text += "  (goal " + std::to_string(*cost.goal) + ")";
    text += "\n";
  }
  return text;
}

std::string csv_of(const std::vector<verifier::TransactionCost>& costs) {
  std::string text = "transaction,gas,goal\n";
  for (const verifier::TransactionCost& cost : costs)
    text +=
        '"' + cost.name + "\"," + std::to_string(cost.gas) + "," + (cost.goal ? std::to_string(*cost.goal) : "") + "\n";
  return text;
}

json::array json_of(const std::vector<verifier::TransactionCost>& costs) {
  json::array rows;
  for (const verifier::TransactionCost& cost : costs) {
    json::object row{{"transaction", cost.name}, {"gas", cost.gas}};
    if (cost.goal) row["goal"] = *cost.goal;
    rows.push_back(std::move(row));
  }
  return rows;
}

ExitCode show_transactions(const GasFlags& flags, Console& console) {
  const math::CompiledProgram fedavg = load_program("fedavg", {});
  Laboratory laboratory;
  const auto costs = measure_transactions(fedavg.program, laboratory, console);
  console.result(flags.lab.csv ? csv_of(costs) : text_of(costs), json::object{{"transactions", json_of(costs)}});
  return ExitCode::kFine;
}

ExitCode show_disputes(const GasFlags& flags, Console& console) {
  const math::CompiledProgram compiled = load_program(flags.program, flags.parameters);
  const math::CompiledProgram fedavg = load_program("fedavg", {});
  const std::vector<verifier::DisputeCase> disputes = disputes_of(compiled, flags);
  Laboratory laboratory;
  break_in(fedavg.program, laboratory.chain);
  const NumberTable table =
      measure_disputes(compiled.program, disputes, combinations(flags.lab.lists), laboratory, console);
  const std::string& name = compiled.names.program;
  console.result(flags.lab.csv
                     ? csv_of(table)
                     : "Disputes over one entry of " + name + ", both sides, to the end (gas)\n" + text_of(table),
                 json::object{{"program", name}, {"disputes", json_of(table)}});
  return ExitCode::kFine;
}

}  // namespace

void add_lab_gas(CLI::App& lab, Session& session) {
  const auto flags = std::make_shared<GasFlags>();
  CLI::App* const command = add_lab_command(
      lab, "gas",
      "Play disputes over one forged entry on an EVM chain, and show what they cost in gas, both sides; or what "
      "single\n"
      "transactions cost (--transactions). The chain is that of a node which this starts and ends (anvil, which\n"
      "TALLY_ANVIL names or the PATH has; the newest fork that it knows), with the contracts of this program. Batches\n"
      "are made up as for `lab dispute`. Of a program that entry is disputed whose section the validator's bound says\n"
      "is dearest.",
      flags->lab);
  command->add_option("--program", flags->program, "A program of the library, or its file")->capture_default_str();
  command->add_option("--param", flags->parameters, "A parameter of the program, NAME=VALUE; repeatable");
  command->add_option("--dim", flags->dims, "Another dim, NAME=VALUE, else the least; repeatable");
  CLI::Option* const single =
      command->add_flag("--transactions", flags->transactions, "Single transactions of fixed sizes, with their goals");
  for (const char* const of_disputes :
       {"--clients", "--parameters", "--arity", "--leaf-bytes", "--program", "--param", "--dim"})
    single->excludes(command->get_option(of_disputes));
  run_with(*command, session, flags, [](const GasFlags& given, Console& console) {
    return given.transactions ? show_transactions(given, console) : show_disputes(given, console);
  });
}

}  // namespace tally::cli
