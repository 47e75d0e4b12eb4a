#include "deterministic_math/programs/program_library.h"

#include <algorithm>

namespace tally::math {

std::optional<LibraryProgram> find_library_program(std::string_view name) {
  const auto programs = library_programs();
  const auto found = std::ranges::find(programs, name, &LibraryProgram::name);
  if (found == programs.end()) return std::nullopt;
  return *found;
}

}  // namespace tally::math
