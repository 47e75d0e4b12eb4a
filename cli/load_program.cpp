#include "cli/load_program.h"

#include <algorithm>
#include <map>

#include "chain_adapter/files/atomic_file.h"
#include "cli/exit_code.h"
#include "deterministic_math/programs/program_library.h"

namespace tally::cli {

namespace {

constexpr std::size_t kMaxSourceBytes = std::size_t{1} << 20;

struct Source {
  std::string file_name;
  std::string text;
};

std::string library_names() {
  std::string names;
  for (const math::LibraryProgram& program : math::library_programs()) {
    names += (names.empty() ? "" : ", ") + std::string(program.name);
  }
  return names;
}

Source find_source(const std::string& name_or_file) {
  if (const auto program = math::find_library_program(name_or_file)) {
    return {std::string(program->name) + ".tally", std::string(program->text)};
  }
  const auto text = chain::read_file(name_or_file, kMaxSourceBytes);
  if (!text) bad_input(text.error().message + "; programs of the library are " + library_names());
  return {name_or_file, std::string(text->begin(), text->end())};
}

std::map<std::string, math::i128> parse_parameters(const std::vector<std::string>& pairs) {
  std::map<std::string, math::i128> values;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    const auto value =
        equals == std::string::npos ? std::nullopt : math::parse_i128(std::string_view(pair).substr(equals + 1));
    if (!value || equals == 0) bad_input("--param " + pair + ": expected NAME=INTEGER");
    if (!values.emplace(pair.substr(0, equals), *value).second) {
      bad_input("--param " + pair + ": " + pair.substr(0, equals) + " is given twice");
    }
  }
  return values;
}

}  // namespace

math::CompiledProgram load_program(const std::string& name_or_file, const std::vector<std::string>& parameters) {
  const Source source = find_source(name_or_file);
  math::CompileOptions options;
  options.file_name = source.file_name;
  options.parameters = parse_parameters(parameters);
  options.template_library = math::template_library();
  auto compiled = math::compile(source.text, options);
  if (!compiled) bad_input(compiled.error().listing);
  return *std::move(compiled);
}

}  // namespace tally::cli
