// `tally program check|show|list`: what a program means, what it costs, and its bytecode.
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/load_program.h"
#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/bytecode/cost.h"
#include "deterministic_math/bytecode/disassemble.h"
#include "deterministic_math/language/advice_lint.h"
#include "deterministic_math/programs/program_library.h"
#include "deterministic_math/ranges/range_proof.h"

namespace tally::cli {

namespace {

namespace json = boost::json;
using math::CodeSection;
using math::CompiledProgram;
using math::Range;

struct ProgramFlags {
  std::string program;
  std::vector<std::string> parameters;
  std::uint32_t leaf_bytes = 1024;
  bool lint = false;
};

std::string range_text(const Range& range) { return math::to_string(range.lo) + ".." + math::to_string(range.hi); }

json::object range_json(const Range& range) {
  return {{"lo", math::to_string(range.lo)}, {"hi", math::to_string(range.hi)}};
}

/// A line of the report, and the same for scripts.
struct Report {
  std::string text;
  json::object value;
};

void report_values(const CompiledProgram& compiled, Report& report) {
  json::array objects;
  report.text += "values\n";
  for (std::size_t id = 0; id < compiled.program.objects.size(); ++id) {
    const math::Object& object = compiled.program.objects[id];
    const bool proved = object.origin == math::RangeOrigin::kProved;
    report.text +=
        "  " + compiled.names.objects[id] + " in " + range_text(object.range) + (proved ? " (proved)" : "") + "\n";
    json::object value{{"name", compiled.names.objects[id]}, {"proved", proved}};
    value["range"] = range_json(object.range);
    objects.push_back(std::move(value));
  }
  report.value["values"] = std::move(objects);
}

json::object cost_json(const math::SectionCost& cost) {
  return {{"instructions", cost.instructions},
          {"openings", cost.openings},
          {"opening_bytes", cost.opening_bytes},
          {"gas", cost.gas}};
}

std::string cost_text(const char* section, const math::SectionCost& cost) {
  return std::string("    ") + section + ": " + std::to_string(cost.instructions) + " instructions, " +
         std::to_string(cost.openings) + " openings of at most " + std::to_string(cost.opening_bytes) + " bytes, " +
         std::to_string(cost.gas) + " gas\n";
}

void report_items(const CompiledProgram& compiled, std::uint32_t leaf_bytes, Report& report) {
  math::TaskShape shape{.dims = {}, .leaf_bytes = leaf_bytes};
  for (const math::Dim& dim : compiled.program.dims) shape.dims.push_back(dim.hi);
  json::array items;
  report.text += "items, at the largest dims and leaves of " + std::to_string(leaf_bytes) + " bytes\n";
  for (std::size_t item = 0; item < compiled.program.items.size(); ++item) {
    const auto& body = compiled.program.items[item].body;
    report.text += "  " + compiled.names.items[item] + (body ? "" : ": claimed, without a check") + "\n";
    json::object value{{"name", compiled.names.items[item]}};
    if (body) {
      json::array accumulators;
      for (std::size_t j = 0; j < body->accumulators.size(); ++j) {
        const std::string& name = compiled.names.accumulators[item][j];
        report.text += "    " + name + " in " + range_text(body->accumulators[j]) + "\n";
        accumulators.push_back(json::object{{"name", name}, {"range", range_json(body->accumulators[j])}});
      }
      value["accumulators"] = std::move(accumulators);
      const auto finish = math::section_cost(compiled.program, shape, item, CodeSection::kFinish);
      if (body->fold == math::FoldKind::kFold) {
        const auto step = math::section_cost(compiled.program, shape, item, CodeSection::kStep);
        report.text += cost_text("step", step);
        value["step"] = cost_json(step);
      }
      report.text += cost_text("finish", finish);
      value["finish"] = cost_json(finish);
    }
    items.push_back(std::move(value));
  }
  report.value["items"] = std::move(items);
}

/// False where the lint found a fault; a search that was cut short is only told.
bool report_lint(const CompiledProgram& compiled, Report& report) {
  bool clean = true;
  json::array findings;
  for (const math::LintFinding& finding : math::lint_advice(compiled, {})) {
    clean = clean && finding.kind == math::LintKind::kNotEnumerated;
    report.text += "lint: " + finding.description + "\n";
    findings.emplace_back(finding.description);
  }
  if (findings.empty()) report.text += "lint: exactly one advice passes in every tiny batch tried\n";
  report.value["lint"] = std::move(findings);
  return clean;
}

ExitCode check(const ProgramFlags& flags, Console& console) {
  const CompiledProgram compiled = load_program(flags.program, flags.parameters);
  const std::vector<std::uint8_t> bytes = math::encode_program(compiled.program);
  const std::string hash = math::to_hex(math::program_hash(compiled.program));
  Report report;
  report.value = {{"program", compiled.names.program}, {"hash", hash}, {"bytes", bytes.size()}};
  report.text =
      compiled.names.program + ": valid, " + std::to_string(bytes.size()) + " bytes of bytecode\nhash " + hash + "\n";
  json::object parameters;
  for (const math::Parameter& parameter : compiled.parameters) {
    report.text += "param " + parameter.name + " = " + math::to_string(parameter.value) + "\n";
    parameters[parameter.name] = math::to_string(parameter.value);
  }
  report.value["params"] = std::move(parameters);
  report_values(compiled, report);
  report_items(compiled, flags.leaf_bytes, report);
  const bool clean = !flags.lint || report_lint(compiled, report);
  if (clean) {
    console.result(report.text, report.value);
    return ExitCode::kFine;
  }
  console.finding(report.text, report.value);
  return ExitCode::kFoundInvalid;
}

ExitCode show(const ProgramFlags& flags, const Console& console) {
  const CompiledProgram compiled = load_program(flags.program, flags.parameters);
  const std::string listing = math::disassemble(compiled.program, &compiled.names);
  const std::string hash = math::to_hex(math::program_hash(compiled.program));
  console.result("# " + compiled.names.program + " " + hash + "\n" + listing,
                 json::object{{"program", compiled.names.program},
                              {"hash", hash},
                              {"bytecode", math::to_hex(math::encode_program(compiled.program))},
                              {"listing", listing}});
  return ExitCode::kFine;
}

/// The first line of the comment that heads a program's text.
std::string headline(std::string_view text) {
  if (!text.starts_with('#')) return {};
  text.remove_prefix(std::min(text.size(), text.find_first_not_of("# ")));
  return std::string(text.substr(0, text.find('\n')));
}

ExitCode list(const Console& console) {
  std::string text;
  json::array programs;
  for (const math::LibraryProgram& program : math::library_programs()) {
    math::CompileOptions options;
    options.template_library = math::template_library();
    const auto parameters = math::declared_parameters(program.text, options);
    json::array names;
    std::string flags;
    for (const math::Parameter& parameter : parameters.value_or(std::vector<math::Parameter>{})) {
      names.emplace_back(parameter.name);
      flags += " --param " + parameter.name + "=…";
    }
    text += std::string(program.name) + flags + "\n    " + headline(program.text) + "\n";
    programs.push_back(json::object{{"name", program.name}, {"params", names}, {"about", headline(program.text)}});
  }
  console.result(text, programs);
  return ExitCode::kFine;
}

void add_program_arguments(CLI::App& command, ProgramFlags& flags) {
  command.add_option("program", flags.program, "A .tally file, or the name of a program of the library")->required();
  command.add_option("--param", flags.parameters, "A parameter of the program, NAME=INTEGER; repeatable");
}

}  // namespace

void add_program(CLI::App& app, Session& session) {
  auto flags = std::make_shared<ProgramFlags>();
  CLI::App* program = app.add_subcommand("program", "Check, show and list programs");
  program->require_subcommand(1);

  CLI::App* check_command = program->add_subcommand("check", "Ranges of every value, cost of each section, hash");
  add_program_arguments(*check_command, *flags);
  check_command->add_option("--leaf-bytes", flags->leaf_bytes, "Leaf size that openings are counted with")
      ->check(CLI::IsMember({64, 128, 256, 512, 1024, 2048, 4096}))
      ->capture_default_str();
  check_command->add_flag("--lint", flags->lint, "Also try tiny batches: exactly one advice must pass in each");
  add_output_flags(*check_command, session);
  check_command->callback(
      [flags, &session] { session.run = [flags](Console& console) { return check(*flags, console); }; });

  CLI::App* show_command = program->add_subcommand("show", "Print the bytecode");
  add_program_arguments(*show_command, *flags);
  add_output_flags(*show_command, session);
  show_command->callback(
      [flags, &session] { session.run = [flags](Console& console) { return show(*flags, console); }; });

  CLI::App* list_command = program->add_subcommand("list", "List the programs of the library");
  add_output_flags(*list_command, session);
  list_command->callback([&session] { session.run = [](Console& console) { return list(console); }; });
}

}  // namespace tally::cli
