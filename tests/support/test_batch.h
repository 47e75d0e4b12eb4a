// Small batches for tests: random inputs for any program, built into a directory, and forged again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/executor/task_pool.h"
#include "deterministic_math/language/compile.h"
#include "fraud_proof/signing/secp256k1.h"
#include "sequencer/batch/batch_builder.h"
#include "tests/support/temporary_folder.h"
#include "verifier/replay/verify_batch.h"

namespace tally::test {

struct TestBatchOptions {
  std::map<std::string, math::i128> parameters{};
  std::vector<std::uint64_t> dims = {3, 5};  // as the program's
  std::uint32_t leaf_bytes = 64;
  std::uint64_t random_seed = 1;
};

/// Inputs of a batch: random but equal for equal options.
class TestBatch {
 public:
  /// `program` is the name of a library program, or a program's text.
  explicit TestBatch(std::string_view program, TestBatchOptions options = {});

  [[nodiscard]] const math::CompiledProgram& program() const { return x_program; }
  [[nodiscard]] const std::vector<proof::PrivateKey>& keys() const { return x_keys; }
  /// Fresh inputs each time, all the same.
  [[nodiscard]] sequencer::BatchInputs inputs() const;

 private:
  TestBatchOptions x_options;
  math::CompiledProgram x_program;
  std::vector<proof::PrivateKey> x_keys;
};

/// Builds without progress or interruption.
[[nodiscard]] std::expected<sequencer::BuiltBatch, sequencer::BuildError> build(sequencer::BatchInputs inputs,
                                                                                const std::filesystem::path& target,
                                                                                unsigned threads = 1);

[[nodiscard]] verifier::VerifyReport verify(const std::filesystem::path& batch,
                                            verifier::Findings findings = verifier::Findings::kFirst,
                                            unsigned threads = 1);

[[nodiscard]] std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path);
/// Overwrites one byte in place.
void write_byte(const std::filesystem::path& path, std::size_t place, std::uint8_t value);
void write_bytes(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes);

/// Makes header and manifest commit to whatever records and tables a batch directory holds, as a cheat would.
void recommit(const std::filesystem::path& batch, const math::CompiledProgram& program);

/// Adds to the integer at an index of a table's file, and commits to it.
void forge_table(const std::filesystem::path& batch, const math::CompiledProgram& program, const std::string& table,
                 std::uint64_t index, math::i128 change);

/// Every file below a folder, by its relative path.
[[nodiscard]] std::map<std::string, std::vector<std::uint8_t>> read_folder(const std::filesystem::path& folder);

}  // namespace tally::test
