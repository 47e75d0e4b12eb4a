// A transition is run from the one witness that an honest party makes, and from no other bytes; any bytes are judged,
// under any accumulators. The first bytes say which transition and which accumulators; then either the witness itself,
// or changes to the honest one as position (u16be) and difference.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/committed_memory.h"
#include "tests/support/random_program.h"
#include "tests/support/small_program.h"

namespace {

using namespace tally;

struct World {
  World() { static_cast<void>(test::compute_tables(program, data)); }

  test::Rng rng{7};
  math::Program program = test::small_program();
  test::RandomBatch data{program, rng, {.max_dim = 8}};
};

std::vector<std::uint8_t> changed(std::vector<std::uint8_t> witness, math::ByteReader& changes) {
  while (changes.remaining() >= 3 && !witness.empty()) {
    const std::size_t at = changes.u16be() % witness.size();
    witness[at] ^= changes.u8();
  }
  return witness;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  static test::CommittedMemory committed(world.program, world.data.values(), world.data.inputs(), 64);
  const proof::CommittedBatch& batch = committed.batch();
  math::ByteReader reader(math::Bytes(data, size));
  const std::uint8_t mode = reader.u8();
  const proof::Transition transition{reader.u8(), reader.u8(), reader.u8()};
  math::Accumulators before{};
  before[0] = reader.i128be();
  const math::Bytes rest = reader.raw(reader.remaining());

  const auto count = proof::transitions(batch, transition.item, transition.entry);
  if (!count || transition.number >= *count) {
    TALLY_ASSERT(!proof::run_transition(batch, transition, before, rest).has_value());
    return 0;
  }
  const std::vector<std::uint8_t> honest = proof::make_witness(batch, transition, before, committed);
  math::ByteReader changes(rest);
  const std::vector<std::uint8_t> witness =
      mode % 2 == 0 ? changed(honest, changes) : std::vector<std::uint8_t>(rest.begin(), rest.end());
  const auto end = proof::run_transition(batch, transition, before, witness);
  TALLY_ASSERT(end.has_value() == (witness == honest));
  TALLY_ASSERT(end.has_value() || !end.error().message.empty());
  return 0;
}
