// Keys that everyone knows, for demonstrations and tests: never for anything of worth.
#pragma once

#include <cstdint>

#include "fraud_proof/signing/secp256k1.h"

namespace tally::chain {

/// SHA-256("tallystick development key" ‖ u64be number), read as a big-endian number.
[[nodiscard]] proof::PrivateKey development_key(std::uint64_t number);

}  // namespace tally::chain
