// Verdicts as bytes, for the watchtower's memory alone.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "deterministic_math/numbers/digest.h"
#include "verifier/replay/judge.h"

namespace tally::verifier {

/// Without its alarms.
[[nodiscard]] std::vector<std::uint8_t> encode_verdict(const Verdict& verdict);

/// Absent where the bytes are not what this program would write: another version may have written them.
[[nodiscard]] std::optional<Verdict> decode_verdict(math::Bytes bytes);

}  // namespace tally::verifier
