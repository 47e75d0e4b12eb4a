# Every target of the project links tally_flags; flags are set nowhere else.
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_RELEASE "-O3")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")

add_library(tally_flags INTERFACE)
target_compile_features(tally_flags INTERFACE cxx_std_23)
target_include_directories(tally_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(tally_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnull-dereference
  -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overlapping copies in every `"literal" + std::string` (its bug 105651), so -Wrestrict is off.
  target_compile_options(tally_flags INTERFACE -Wduplicated-cond -Wlogical-op -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Clang is for fuzzing and lint: that it cannot vectorise a loop among the sanitizers' checks is no news.
  target_compile_options(tally_flags INTERFACE -Wno-pass-failed)
endif()
if(TALLY_WERROR)
  target_compile_options(tally_flags INTERFACE -Werror)
endif()
if(TALLY_SANITIZE)
  target_compile_options(tally_flags INTERFACE -fsanitize=${TALLY_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tally_flags INTERFACE -fsanitize=${TALLY_SANITIZE})
  target_compile_definitions(tally_flags INTERFACE TALLY_SANITIZED=1)
endif()
if(TALLY_COVERAGE)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "TALLY_COVERAGE needs Clang: use the preset `coverage`.")
  endif()
  # The rest is left out, since counting would make it slow.
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/counted.txt CONTENT "[clang]\ndefault:skip\nsource:*/fraud_proof/*=allow\n")
  target_compile_definitions(tally_flags INTERFACE TALLY_COVERAGE=1)
  # An assertion is a call there, of which the compiler does not know that it may never return.
  target_compile_options(tally_flags INTERFACE
    -fprofile-instr-generate -fcoverage-mapping -fprofile-list=${CMAKE_BINARY_DIR}/counted.txt -Wno-return-type)
  target_link_options(tally_flags INTERFACE -fprofile-instr-generate)
endif()
if(TALLY_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "TALLY_FUZZ needs Clang: use the preset `fuzz`.")
  endif()
  target_compile_options(tally_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# For code that is compiled more often than it runs long, the command line and the tests: linked after tally_flags.
# Under sanitizers its arithmetic is checked as everywhere, and its pointers by AddressSanitizer alone.
add_library(tally_quick_flags INTERFACE)
target_compile_options(tally_quick_flags INTERFACE $<$<CONFIG:Release>:-O1>)
if(TALLY_SANITIZE MATCHES undefined)
  target_compile_options(tally_quick_flags INTERFACE
    -fno-sanitize=null,alignment,object-size,vptr,nonnull-attribute,returns-nonnull-attribute)
endif()

# The command line, of which only the arguments are fuzzed.
add_library(tally_cli_flags INTERFACE)
target_link_libraries(tally_cli_flags INTERFACE tally_quick_flags)
if(TALLY_FUZZ)
  target_compile_options(tally_cli_flags INTERFACE -O0 -fno-sanitize=undefined)
endif()
