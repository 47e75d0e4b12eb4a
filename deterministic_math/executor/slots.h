// Where a code's lane vectors live: few places, so that a group of lanes stays in the nearest cache.
#pragma once

#include "deterministic_math/executor/code.h"

namespace tally::math {

/// Lets accumulators be updated in place where nothing reads the old value afterwards, and gives every slot its
/// offset; temporaries share memory once their last reader is done.
void place_slots(Code& code);

}  // namespace tally::math
