// `tally lab dispute`: what disputes cost, over sizes and settings, as a table or CSV.
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/load_program.h"
#include "fraud_proof/commitments/task_settings.h"
#include "verifier/lab/dispute.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

struct DisputeFlags {
  std::vector<std::uint64_t> clients{10, 100, 1'000, 10'000};
  std::vector<std::uint64_t> parameters{1'000, 10'000'000};
  std::vector<std::uint16_t> arities{2, 8, 32, 64};
  std::vector<std::uint32_t> leaf_bytes{proof::kDefaultLeafBytes};
  bool csv = false;
};

struct Measured {
  verifier::DisputeCase dispute{};
  verifier::DisputeCost cost{};
};

constexpr std::array kColumns = {"clients", "parameters",       "arity",        "leaf_bytes",  "transactions",
                                 "rounds",  "challenger_bytes", "poster_bytes", "total_bytes", "largest_transaction"};

std::array<std::uint64_t, kColumns.size()> values_of(const Measured& row) {
  const verifier::DisputeCase& dispute = row.dispute;
  return {
      dispute.dims[0], dispute.dims[1],           dispute.arity,         dispute.leaf_bytes, row.cost.transactions,
      row.cost.rounds, row.cost.challenger_bytes, row.cost.poster_bytes, row.cost.bytes(),   row.cost.largest_bytes};
}

std::string csv_of(const std::vector<Measured>& rows) {
  std::string text;
  for (const char* column : kColumns) text += std::string(text.empty() ? "" : ",") + column;
  for (const Measured& row : rows) {
    char separator = '\n';
    for (const std::uint64_t value : values_of(row)) {
      text += separator + std::to_string(value);
      separator = ',';
    }
  }
  return text + "\n";
}

std::string table_of(const std::vector<Measured>& rows) {
  const auto right = [](const std::string& word, std::size_t width) {
    return std::string(width > word.size() ? width - word.size() : 0, ' ') + word;
  };
  constexpr std::array kHeads = {"clients", "parameters", "arity",  "leaf",  "txs",
                                 "rounds",  "challenger", "poster", "total", "largest tx"};
  constexpr std::size_t kWidth = 12;
  std::string text = "Disputes over one parameter of fedavg, to the end (bytes on chain)\n";
  for (const char* head : kHeads) text += right(head, kWidth);
  for (const Measured& row : rows) {
    text += "\n";
    for (const std::uint64_t value : values_of(row)) text += right(std::to_string(value), kWidth);
  }
  return text + "\n";
}

json::value json_of(const std::vector<Measured>& rows) {
  json::array disputes;
  for (const Measured& row : rows) {
    json::object dispute;
    const auto values = values_of(row);
    for (std::size_t i = 0; i < kColumns.size(); ++i) dispute[kColumns[i]] = values[i];
    disputes.push_back(std::move(dispute));
  }
  return json::object{{"disputes", std::move(disputes)}};
}

ExitCode measure(const DisputeFlags& flags, Console& console) {
  const math::CompiledProgram fedavg = load_program("fedavg", {});
  std::vector<Measured> rows;
  const std::uint64_t total =
      flags.clients.size() * flags.parameters.size() * flags.arities.size() * flags.leaf_bytes.size();
  for (const std::uint64_t clients : flags.clients) {
    for (const std::uint64_t parameters : flags.parameters) {
      for (const std::uint16_t arity : flags.arities) {
        for (const std::uint32_t leaf_bytes : flags.leaf_bytes) {
          const verifier::DisputeCase dispute{.dims = {clients, parameters}, .leaf_bytes = leaf_bytes, .arity = arity};
          console.progress("playing", rows.size(), total);
          rows.push_back({dispute, measure_dispute(fedavg.program, dispute)});
        }
      }
    }
  }
  console.end_progress();
  console.result(flags.csv ? csv_of(rows) : table_of(rows), json_of(rows));
  return ExitCode::kFine;
}

/// Numbers separated by commas, each within its bounds.
template <class Number>
void add_list(CLI::App& command, const std::string& flag, std::vector<Number>& values, const CLI::Validator& valid,
              const std::string& help) {
  command.add_option(flag, values, help)->delimiter(',')->check(valid)->capture_default_str();
}

void add_dispute(CLI::App& lab, Session& session) {
  auto flags = std::make_shared<DisputeFlags>();
  CLI::App* command = lab.add_subcommand(
      "dispute",
      "Play disputes over one forged parameter of fedavg through the settlement, to their end, and count transactions\n"
      "and bytes. Every combination of the lists is played. The batches are made up: clients change that parameter\n"
      "alone, so that models of any size take no time; the openings are as long as in any batch. The poster lies at\n"
      "the first step, in the middle, at the last, or at the end only: the dearest of these games is shown.");
  const auto leaf_size = CLI::Validator(
      [](std::string& text) {
        const bool good = text.size() <= 4 && proof::is_leaf_size(static_cast<std::uint32_t>(std::atoi(text.c_str())));
        return good ? std::string() : text + " is not a power of two from 64 to 4096";
      },
      "POWER OF TWO");
  add_list(*command, "--clients", flags->clients, CLI::Range(1, 65'536), "Clients (the length of the fold)");
  add_list(*command, "--parameters", flags->parameters, CLI::Range(1, 1 << 28), "Parameters of the model");
  add_list(*command, "--arity", flags->arities, CLI::Range(proof::kMinArity, proof::kMaxArity), "Segments of a round");
  add_list(*command, "--leaf-bytes", flags->leaf_bytes, leaf_size, "Bytes of a leaf");
  command->add_flag("--csv", flags->csv, "Print CSV");
  add_output_flags(*command, session);
  command->callback(
      [flags, &session] { session.run = [flags](Console& console) { return measure(*flags, console); }; });
}

}  // namespace

void add_lab(CLI::App& app, Session& session) {
  CLI::App* lab = app.add_subcommand("lab", "Measure what the protocol costs");
  lab->require_subcommand(1);
  add_dispute(*lab, session);
}

}  // namespace tally::cli
