// The checks of a batch's inputs that need no pass over the data.
#pragma once

#include "sequencer/batch/batch_builder.h"

namespace tally::sequencer {

/// Throws BuildFailure. Lengths are named with the source that has the wrong one.
void check_inputs(const BatchInputs& inputs);

}  // namespace tally::sequencer
