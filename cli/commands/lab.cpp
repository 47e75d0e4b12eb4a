// `tally lab dispute`: what disputes cost, over sizes and settings, as a table or CSV.
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/commands/lab_gas.h"
#include "cli/lab_options.h"
#include "cli/load_program.h"
#include "cli/number_table.h"
#include "fraud_proof/commitments/task_settings.h"
#include "verifier/lab/dispute.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

ExitCode measure(const LabFlags& flags, Console& console) {
  const math::CompiledProgram fedavg = load_program("fedavg", {});
  NumberTable table{.columns = {{"clients", "clients"},
                                {"parameters", "parameters"},
                                {"arity", "arity"},
                                {"leaf_bytes", "leaf"},
                                {"transactions", "txs"},
                                {"rounds", "rounds"},
                                {"challenger_bytes", "challenger"},
                                {"poster_bytes", "poster"},
                                {"total_bytes", "total"},
                                {"largest_transaction", "largest tx"}},
                    .rows = {}};
  const std::vector<LabCase> cases = combinations(flags.lists);
  for (const LabCase& each : cases) {
    console.progress("playing", table.rows.size(), cases.size());
    const verifier::DisputeCost cost = verifier::measure_dispute(
        fedavg.program, {.dims = {each.clients, each.parameters}, .leaf_bytes = each.leaf_bytes, .arity = each.arity});
    table.rows.push_back({each.clients, each.parameters, each.arity, each.leaf_bytes, cost.transactions, cost.rounds,
                          cost.challenger_bytes, cost.poster_bytes, cost.bytes(), cost.largest_bytes});
  }
  console.end_progress();
  console.result(flags.csv ? csv_of(table)
                           : "Disputes over one parameter of fedavg, to the end (bytes on chain)\n" + text_of(table),
                 json::object{{"disputes", json_of(table)}});
  return ExitCode::kFine;
}

void add_dispute(CLI::App& lab, Session& session) {
  const auto flags = std::make_shared<LabFlags>(LabFlags{.lists = {.clients = {10, 100, 1'000, 10'000},
                                                                   .parameters = {1'000, 10'000'000},
                                                                   .arities = {2, 8, 32, 64},
                                                                   .leaf_bytes = {proof::kDefaultLeafBytes}}});
  CLI::App* const command = add_lab_command(
      lab, "dispute",
      "Play disputes over one forged parameter of fedavg through the settlement, to their end, and count transactions\n"
      "and bytes. Every combination of the lists is played. The batches are made up: only what is opened is there, so\n"
      "that models of any size take no time; the openings are as long as in any batch. The poster lies at the first\n"
      "step, in the middle, at the last, or at the end only: the dearest of these games is shown.",
      *flags);
  run_with(*command, session, flags, measure);
}

}  // namespace

void add_lab(CLI::App& app, Session& session) {
  CLI::App* lab = app.add_subcommand("lab", "Measure what the protocol costs");
  lab->require_subcommand(1);
  add_dispute(*lab, session);
  add_lab_gas(*lab, session);
}

}  // namespace tally::cli
