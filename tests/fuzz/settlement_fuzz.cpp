// Sequences of transactions that the bytes choose, on a world of one task: the driver and the settlement assert what
// must always hold, and at the end no money may be left behind.
#include <cstddef>
#include <cstdint>

#include "tests/support/settlement_driver.h"

namespace {

using namespace tally;

/// One world for all inputs, as it was when its task was created.
struct World {
  test::SettlementWorld world{test::SettlementWorldOptions{.members = 1}};
  test::MemoryChain::History created = world.chain().history();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostSteps = 40;
  math::ByteReader bytes(math::Bytes(data, size));
  static World prepared;
  test::SettlementWorld& world = prepared.world;
  world.chain().restore(prepared.created);
  // Choices beyond the bytes are 0; a choice takes one byte, or two where it may be large.
  test::SettlementDriver driver(world, [&bytes](std::uint64_t limit) -> std::uint64_t {
    if (bytes.remaining() < 2) return 0;
    return (limit <= 256 ? bytes.u8() : bytes.u16be()) % limit;
  });
  for (std::size_t i = 0; i < kMostSteps && bytes.remaining() >= 2; ++i) driver.step();
  driver.settle();
  return 0;
}
