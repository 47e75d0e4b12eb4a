// The names of chain_adapter/data/model_layout.h that the readers and writers of model files use throughout.
#pragma once

#include "chain_adapter/data/model_layout.h"

namespace tally::sequencer {

using chain::element_bytes;
using chain::element_count;
using chain::ModelFormat;
using chain::ModelLayout;
using chain::printable;
using chain::TensorLayout;
using chain::TensorType;

}  // namespace tally::sequencer
