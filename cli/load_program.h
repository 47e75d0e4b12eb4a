// A program by its name in the library or by its file, compiled with the parameters of the command line.
#pragma once

#include <string>
#include <vector>

#include "deterministic_math/language/compile.h"

namespace tally::cli {

/// `parameters` are NAME=VALUE. A Failure carries the compiler's listing, or says which parameters are missing.
[[nodiscard]] math::CompiledProgram load_program(const std::string& name_or_file,
                                                 const std::vector<std::string>& parameters);

}  // namespace tally::cli
