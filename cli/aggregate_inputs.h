// What `tally aggregate` gathers from its command line: the updates, their fields and keys, the state to start from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/signing_keys.h"
#include "sequencer/batch/batch_builder.h"

namespace tally::cli {

struct AggregateFlags {
  // On chain.
  std::string task;
  std::string parent = "latest";
  std::string chain;
  std::string data;
  std::string key;
  bool leave_out_refused = false;

  std::string program;
  std::vector<std::string> parameters;
  std::vector<std::string> dims;
  std::vector<std::string> updates;
  std::string examples;
  std::vector<std::string> fields;
  std::string state = "zeros";
  std::vector<std::string> advice;
  std::string keys;
  std::string password_file;
  std::string poster;
  std::string seed;
  std::string out;
  int frac_bits = math::kDefaultFracBits;
  std::uint32_t leaf_bytes = proof::kDefaultLeafBytes;
  bool clip = false;
  bool replace = false;
  unsigned threads = 0;
};

/// A Failure names the flag, file, line or parameter that is wrong. `compiled` and `keys` must outlive the result.
[[nodiscard]] sequencer::BatchInputs gather_inputs(const AggregateFlags& flags, const math::CompiledProgram& compiled,
                                                   const std::vector<std::filesystem::path>& updates,
                                                   const SigningKeys& keys);

/// Advice with `hint input`: files of fixed point, or of floats that are quantised.
[[nodiscard]] std::vector<sequencer::SuppliedAdvice> supplied_advice(const AggregateFlags& flags, int frac_bits);

/// What stands in a folder for its records: updates, or the signed records alone where the program has no rows.
enum class Contents : std::uint8_t { kUpdates, kRecords };

/// The update files that the command line names: folders stand for the files in them. In order of their paths,
/// whatever the order of the arguments; none twice.
[[nodiscard]] std::vector<std::filesystem::path> find_updates(const std::vector<std::string>& arguments,
                                                              Contents contents = Contents::kUpdates);

}  // namespace tally::cli
