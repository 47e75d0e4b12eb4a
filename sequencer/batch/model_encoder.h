// The writer of model files in the form that builders and verifiers borrow it.
#pragma once

#include "chain_adapter/data/model_layout.h"

namespace tally::sequencer {

/// Encodes models with encode_model(). Refuses layouts that fail check_layout() or have another number of parameters.
[[nodiscard]] chain::ModelEncoder model_encoder();

}  // namespace tally::sequencer
