# tally_embed_programs(OUTPUT file.cpp PROGRAMS a.tally... TEMPLATES b.tally...) writes the definitions of
# library_programs() and template_library() (programs/program_library.h) from text files, again whenever one changes.
function(tally_embed_programs)
  cmake_parse_arguments(ARG "" "OUTPUT" "PROGRAMS;TEMPLATES" ${ARGN})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARG_PROGRAMS} ${ARG_TEMPLATES})
  list(LENGTH ARG_PROGRAMS count)
  set(entries "")
  foreach(path IN LISTS ARG_PROGRAMS)
    get_filename_component(name ${path} NAME_WE)
    file(READ ${path} text)
    string(APPEND entries "    {\"${name}\", R\"tally(${text})tally\"},\n")
  endforeach()
  set(templates "")
  foreach(path IN LISTS ARG_TEMPLATES)
    file(READ ${path} text)
    string(APPEND templates "${text}\n")
  endforeach()
  set(content "// Generated from programs/**/*.tally.
#include <array>

#include \"deterministic_math/programs/program_library.h\"

namespace tally::math {
namespace {

constexpr std::array<LibraryProgram, ${count}> kPrograms{{
${entries}}};

constexpr std::string_view kTemplates = R\"tally(${templates})tally\";

}  // namespace

std::span<const LibraryProgram> library_programs() { return kPrograms; }

std::string_view template_library() { return kTemplates; }

}  // namespace tally::math
")
  file(CONFIGURE OUTPUT ${ARG_OUTPUT} CONTENT "${content}" @ONLY)
endfunction()
