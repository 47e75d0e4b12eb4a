// Any text: compile() ends with a program that the validator accepts, or with an error that points into the text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "deterministic_math/language/compile.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/programs/program_library.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally::math;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CompileOptions options;
  options.template_library = template_library();
  if (const auto declared = declared_parameters(text, options)) {
    for (const Parameter& parameter : *declared) options.parameters[parameter.name] = parameter.range.lo;
  }
  const auto compiled = compile(text, options);
  if (!compiled) {
    TALLY_ASSERT(!compiled.error().listing.empty());
    TALLY_ASSERT(compiled.error().span.line >= 1 && compiled.error().span.column >= 1);
    return 0;
  }
  // The source that it commits to stands alone and means the same.
  options.template_library = {};
  const auto again = compile(compiled->source, options);
  TALLY_ASSERT(again.has_value() && again->program == compiled->program);
  return 0;
}
