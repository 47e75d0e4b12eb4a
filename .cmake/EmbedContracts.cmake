# tally_embed_contracts(OUTPUT file.cpp FOLDER folder NAMES a...) writes the definition of
# chain_adapter/evm/contract_code.h, with the artifacts a.json, … of the folder embedded when CMake configures.
function(tally_embed_contracts)
  cmake_parse_arguments(ARG "" "OUTPUT;FOLDER" "NAMES" ${ARGN})
  list(LENGTH ARG_NAMES count)
  set(entries "")
  foreach(name IN LISTS ARG_NAMES)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARG_FOLDER}/${name}.json)
    file(READ ${ARG_FOLDER}/${name}.json artifact)
    string(JSON creation GET "${artifact}" bytecode)
    string(JSON code GET "${artifact}" code)
    string(JSON immutables GET "${artifact}" immutables)
    string(REGEX REPLACE "[][ \n]" "" immutables "${immutables}")
    string(APPEND entries "    {\"${name}\", \"${creation}\",\n     \"${code}\", \"${immutables}\"},\n")
  endforeach()
  set(content "// Generated from chain_adapter/evm/artifacts.
#include <array>

#include \"chain_adapter/evm/contract_code.h\"

namespace tally::chain {
namespace {

constexpr std::array<ContractText, ${count}> kContracts{{
${entries}}};

}  // namespace

std::span<const ContractText> contract_texts() { return kContracts; }

}  // namespace tally::chain
")
  file(CONFIGURE OUTPUT ${ARG_OUTPUT} CONTENT "${content}" @ONLY)
endfunction()
