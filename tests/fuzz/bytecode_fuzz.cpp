// Decodes and validates any bytes. What decodes must encode to the same bytes; what validates must prove.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "deterministic_math/bytecode/disassemble.h"
#include "deterministic_math/bytecode/validator.h"
#include "deterministic_math/numbers/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally::math;
  const Bytes bytes(data, size);
  const auto program = decode_program(bytes);
  if (!program) {
    TALLY_ASSERT(!describe(program.error()).empty());
    return 0;
  }
  const std::vector<std::uint8_t> again = encode_program(*program);
  TALLY_ASSERT(std::vector<std::uint8_t>(bytes.begin(), bytes.end()) == again);
  TALLY_ASSERT(!disassemble(*program, nullptr).empty());
  const auto valid = validate(*program);
  if (!valid) {
    TALLY_ASSERT(!describe(valid.error()).empty());
    return 0;
  }
  TaskShape shape;
  for (const Dim& dim : program->dims) shape.dims.push_back(dim.hi);
  const auto usable = validate_for_task(*program, shape, ~std::uint64_t{0});
  TALLY_ASSERT(usable.has_value() || !describe(usable.error()).empty());
  return 0;
}
