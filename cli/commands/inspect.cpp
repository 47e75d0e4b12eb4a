// `tally inspect`: a readable summary of a batch directory. It believes what it reads; `tally verify` does not.
#include <memory>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/manifest.h"
#include "chain_adapter/files/atomic_file.h"
#include "cli/batch_files.h"
#include "cli/commands.h"

namespace tally::cli {

namespace {

constexpr const char* kTypeNames[] = {"i8", "i16", "i32", "i64", "i128"};

std::string shape_text(const chain::ManifestTable& table) {
  std::string text = table.name + ": " + kTypeNames[static_cast<std::size_t>(table.type)];
  for (const std::uint64_t dim : table.dims) text += "[" + std::to_string(dim) + "]";
  return text;
}

std::string parameters_text(const chain::ManifestShape& shape) {
  std::string text;
  for (const auto& [name, value] : shape.params) text += " " + name + "=" + math::to_string(value);
  return text;
}

std::string summary(const chain::Manifest& manifest) {
  const chain::ManifestShape& shape = manifest.shape;
  const proof::BatchHeader& header = manifest.header;
  std::string text = "program     " + shape.program + parameters_text(shape) + "\n";
  text += "dims       ";
  for (const auto& [name, value] : shape.dims) text += " " + name + "=" + std::to_string(value);
  text += "\nnumbers     fixed point, " + std::to_string(manifest.task.frac_bits) + " fraction bits; leaves of " +
          std::to_string(manifest.task.settings.leaf_bytes) + " bytes\n";
  for (const std::string& field : shape.fields) text += "field       " + field + " of each record\n";
  for (const auto& row : shape.rows) text += "row         " + shape_text(row) + " of each record\n";
  for (const auto& state : shape.state) text += "state       " + shape_text(state) + "\n";
  for (const auto& table : shape.tables) {
    const bool advice = table.kind == math::ObjectKind::kAdvice;
    text += (advice ? "advice      " : "table       ") + shape_text(table) + "\n";
  }
  for (const auto& [state, table] : shape.next) text += "next        " + state + " = " + table + "\n";
  text += "poster      " + proof::to_text(header.poster) + "\n";
  text += "batch       " + std::to_string(header.number) + ", " + std::to_string(header.record_count) + " records\n";
  text += "batch id    " + to_hex(proof::batch_id(header)) + "\n";
  text += "task        " + to_hex(header.task) + "\n";
  text += "prev state  " + to_hex(header.prev_state_root) + "\n";
  text += "next state  " + to_hex(header.next_state_root) + "\n";
  if (manifest.model) text += "model       " + manifest.model->file + "\n";
  return text;
}

ExitCode inspect(const std::string& directory, const Console& console) {
  const std::string text = read_manifest_text(directory);
  const chain::Manifest manifest = parse_manifest_of(directory, text);
  console.result(summary(manifest), boost::json::parse(text));
  return ExitCode::kFine;
}

}  // namespace

void add_inspect(CLI::App& app, Session& session) {
  auto directory = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("inspect", "Summarise a batch directory (without checking it)");
  command->add_option("directory", *directory, "The batch directory")->required();
  add_output_flags(*command, session);
  command->callback(
      [directory, &session] { session.run = [directory](Console& console) { return inspect(*directory, console); }; });
}

}  // namespace tally::cli
