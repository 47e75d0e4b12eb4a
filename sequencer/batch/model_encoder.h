// Joins the layout that a manifest keeps with the writer of model files.
#pragma once

#include "chain_adapter/data/model_layout.h"
#include "sequencer/trainer/model_layout.h"

namespace tally::sequencer {

[[nodiscard]] chain::ModelLayout manifest_layout(const ModelLayout& layout);

/// Encodes models with encode_model(). Refuses layouts that manifest_layout() never gives.
[[nodiscard]] chain::ModelEncoder model_encoder();

}  // namespace tally::sequencer
