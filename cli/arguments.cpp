#include "cli/arguments.h"

#include "cli/exit_code.h"
#include "deterministic_math/bytecode/program.h"

namespace tally::cli {

std::map<std::string, std::string> split_pairs(const std::vector<std::string>& pairs, const std::string& flag) {
  std::map<std::string, std::string> values;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) bad_input(flag + " " + pair + ": expected NAME=VALUE");
    if (!values.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second) {
      bad_input(flag + " " + pair + ": " + pair.substr(0, equals) + " is given twice");
    }
  }
  return values;
}

std::uint64_t parse_dim(const std::string& name, const std::string& text) {
  const auto value = math::parse_i128(text);
  if (!value || *value < 0 || *value > static_cast<math::i128>(math::kMaxDim)) {
    bad_input("--dim " + name + "=" + text + ": not a number from 0 to 2^28");
  }
  return static_cast<std::uint64_t>(*value);
}

}  // namespace tally::cli
