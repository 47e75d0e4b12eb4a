#include "tests/support/library_shapes.h"

#include <algorithm>

namespace tally::test {

namespace {

math::i128 parameter_value(const math::Parameter& parameter) {
  static const std::map<std::string, math::i128> chosen{{"rounds", 2},
                                                        {"size", 2},
                                                        {"keep", 2},
                                                        {"share", 2500},
                                                        {"quantile", 5000},
                                                        {"epoch_s", 1 << 26},
                                                        {"skew_s", 1 << 26},
                                                        {"window_s", 1 << 20},
                                                        {"pool", 1'000'003},
                                                        {"alpha", 5000},
                                                        {"beta", 3000},
                                                        {"gamma", 2000},
                                                        {"rate", 1 << 30},
                                                        {"keep_m", 966'367'642},
                                                        {"keep_v", 1'063'004'406},
                                                        {"momentum", 1 << 29},
                                                        {"bound", 50'000'000},
                                                        {"newcomer", 1 << 29},
                                                        {"limit", 35}};
  const auto found = chosen.find(parameter.name);
  const math::i128 wanted = found == chosen.end() ? 1 : found->second;
  return std::clamp(wanted, parameter.range.lo, parameter.range.hi);
}

}  // namespace

std::map<std::string, math::i128> parameters_of(const math::LibraryProgram& program) {
  math::CompileOptions options;
  options.template_library = math::template_library();
  std::map<std::string, math::i128> values;
  const std::vector<math::Parameter> declared = math::declared_parameters(program.text, options).value();
  for (const math::Parameter& parameter : declared) values[parameter.name] = parameter_value(parameter);
  return values;
}

std::vector<std::uint64_t> dims_of(const math::CompiledProgram& program, const ShapeOptions& options) {
  std::vector<std::uint64_t> dims;
  for (std::size_t i = 0; i < program.program.dims.size(); ++i) {
    const math::Dim& dim = program.program.dims[i];
    const std::uint64_t wanted =
        program.names.dims[i] == "D" ? options.length : dim.lo + options.above_least + options.apart * i;
    dims.push_back(std::clamp(wanted, dim.lo, dim.hi));
  }
  dims.front() = std::min(std::max(options.records, dims.front()), program.program.dims.front().hi);
  return dims;
}

}  // namespace tally::test
