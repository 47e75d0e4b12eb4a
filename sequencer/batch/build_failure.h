// Ends a build from any of its depths and threads; build_batch() turns it into its error.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "sequencer/batch/batch_builder.h"

namespace tally::sequencer {

struct BuildFailure {
  BuildError error;
};

[[noreturn]] inline void fail_build(BuildReason reason, std::string message, std::string table = {},
                                    std::optional<std::uint64_t> entry = std::nullopt) {
  BuildFailure failure;
  failure.error.reason = reason;
  failure.error.message = std::move(message);
  failure.error.table = std::move(table);
  failure.error.entry = entry;
  throw failure;
}

}  // namespace tally::sequencer
