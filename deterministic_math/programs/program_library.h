// The programs and templates that come with Tallystick, as text, embedded when it is built.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace tally::math {

struct LibraryProgram {
  std::string_view name;  // the file's name without .tally, which is the program's
  std::string_view text;
};

/// All programs, by name.
[[nodiscard]] std::span<const LibraryProgram> library_programs();

[[nodiscard]] std::optional<LibraryProgram> find_library_program(std::string_view name);

/// The templates that `use` may name without declaring them: CompileOptions::template_library.
[[nodiscard]] std::string_view template_library();

}  // namespace tally::math
