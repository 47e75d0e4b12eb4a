// The dims and the first states of a new task, from its command line.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "deterministic_math/language/compile.h"
#include "sequencer/batch/element_source.h"

namespace tally::cli {

struct GenesisFlags {
  std::vector<std::string> dims;    // NAME=N
  std::string genesis = "zero";     // the state `model`: a model file, or `zero`
  std::vector<std::string> states;  // NAME=FILE
  int frac_bits = 24;
};

struct Genesis {
  std::vector<std::uint64_t> dims;  // all but K, in program order
  std::vector<std::unique_ptr<sequencer::ElementSource>> states;
};

/// A dim is given, or fixed by the program, or is the length of the model. A Failure names the flag.
[[nodiscard]] Genesis gather_genesis(const GenesisFlags& flags, const math::CompiledProgram& program);

}  // namespace tally::cli
