// A program of the library as the server's rule, run by the executor as a builder runs it.
#pragma once

#include <string_view>

#include "sequencer/training/federated.h"

namespace tally::sequencer::training {

/// `name` must be a program without parameters whose tables need no advice, with row `updates`, state `model`, result
/// `next_model` and at most the field `examples`. Throws std::invalid_argument for any other.
[[nodiscard]] FixedRule program_rule(std::string_view name);

}  // namespace tally::sequencer::training
