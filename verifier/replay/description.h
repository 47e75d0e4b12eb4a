// What a batch says about itself, held against its own parts: manifest, program and header, before any data.
#pragma once

#include <expected>
#include <filesystem>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/manifest.h"
#include "deterministic_math/language/compile.h"
#include "verifier/replay/verify_batch.h"

namespace tally::verifier {

struct Description {
  chain::Manifest manifest;
  math::CompiledProgram compiled;
  math::BatchValues values;

  [[nodiscard]] const math::Program& program() const { return compiled.program; }
  [[nodiscard]] const proof::BatchHeader& header() const { return manifest.header; }
  [[nodiscard]] std::uint32_t leaf_bytes() const { return manifest.task.settings.leaf_bytes; }
  [[nodiscard]] std::uint64_t records() const { return manifest.header.record_count; }
};

/// Nothing that comes out of this contradicts itself: the program is valid and compiled from the text, the dims are
/// within its bounds, names are safe, and manifest, header and task agree.
[[nodiscard]] std::expected<Description, Finding> read_description(const chain::BatchPaths& paths);

}  // namespace tally::verifier
