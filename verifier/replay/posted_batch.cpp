#include "verifier/replay/posted_batch.h"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "chain_adapter/data/batch_leaves.h"
#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/files/atomic_file.h"
#include "deterministic_math/bytecode/validator.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "verifier/replay/readable.h"

namespace tally::verifier {

namespace {

[[nodiscard]] bool names_are_safe(const math::CompiledProgram& compiled) {
  const std::set<std::string> distinct(compiled.names.objects.begin(), compiled.names.objects.end());
  return distinct.size() == compiled.names.objects.size() &&
         std::ranges::all_of(compiled.names.objects, [](const std::string& name) { return chain::is_safe_name(name); });
}

/// The directory's program text, compiled with the parameters that the chain keeps; absent unless it gives `program`.
std::optional<math::CompiledProgram> compile_text(const chain::BatchPaths& paths, const math::Program& program,
                                                  std::span<const math::i128> params) {
  const auto bytes = where_readable(
      [&] { return chain::read_file(paths.file(chain::kProgramTextFile), chain::kMaxProgramTextBytes); });
  if (!bytes) return std::nullopt;
  const std::string_view text{reinterpret_cast<const char*>(bytes->data()), bytes->size()};
  math::CompileOptions options;
  options.file_name = std::string(chain::kProgramTextFile);
  // Bounds of a parameter may depend on those before it, so values are given one after the other.
  for (std::size_t given = 0; given <= params.size(); ++given) {
    const auto declared = math::declared_parameters(text, options);
    if (!declared || declared->size() != params.size()) return std::nullopt;
    if (given < params.size()) options.parameters[(*declared)[given].name] = params[given];
  }
  auto compiled = math::compile(text, options);
  if (!compiled || compiled->program != program || !names_are_safe(*compiled)) return std::nullopt;
  return *std::move(compiled);
}

math::CompiledProgram without_names(math::Program program) {
  math::CompiledProgram compiled;
  compiled.names.program = "program";
  for (std::size_t i = 0; i < program.dims.size(); ++i) compiled.names.dims.push_back("dim_" + std::to_string(i));
  for (std::size_t i = 0; i < program.objects.size(); ++i) {
    compiled.names.objects.push_back("object_" + std::to_string(i));
  }
  for (std::size_t i = 0; i < program.items.size(); ++i) {
    compiled.names.items.push_back("item_" + std::to_string(i));
    std::vector<std::string> accumulators;
    const std::size_t count = program.items[i].body ? program.items[i].body->init.size() : 0;
    for (std::size_t j = 0; j < count; ++j) accumulators.push_back("a" + std::to_string(j));
    compiled.names.accumulators.push_back(std::move(accumulators));
  }
  compiled.program = std::move(program);
  return compiled;
}

/// Throws where the event does not hold what its header commits to. Nothing else here compares the two.
void check_event(const Description& batch, const proof::Posted& posted) {
  const auto require = [&](bool right, const std::string& what) {
    if (!right)
      throw std::runtime_error("the chain's " + what + " of batch " + to_hex(posted.batch) + " are not its own");
  };
  require(proof::batch_id(posted.header) == posted.batch, "header fields");
  const math::Program& program = batch.program();
  require(posted.state_commitments.size() == proof::objects_of(program, math::ObjectKind::kState).size() &&
              proof::state_root(posted.state_commitments) == posted.header.prev_state_root,
          "state commitments");
  require(posted.table_roots.size() == proof::table_objects(program).size(), "table roots");
  const auto commitments =
      chain::posted_commitments(committed_batch(batch), posted.state_commitments, posted.table_roots);
  require(proof::tables_root(commitments.tables) == posted.header.tables_root, "table roots");
}

}  // namespace

Description describe_posted(const PostedBatch& batch, const chain::BatchPaths& paths) {
  if (math::sha256(batch.bytecode) != batch.task.program_hash) {
    throw std::runtime_error("the chain's bytecode is not the program of task " + to_hex(batch.posted.header.task));
  }
  auto program = math::load_program(batch.bytecode);
  if (!program) {
    throw std::runtime_error("the program of task " + to_hex(batch.posted.header.task) +
                             " is refused: " + math::describe(program.error()));
  }
  std::vector<std::uint64_t> dims = proof::batch_dims(batch.task, batch.posted.header.record_count);
  auto compiled = compile_text(paths, *program, batch.task.params);
  if (!compiled) compiled = without_names(*std::move(program));
  if (const auto problem = chain::check_dims(*compiled, dims)) {
    throw std::runtime_error("batch " + to_hex(batch.posted.batch) + ": " + *problem);
  }
  Description description{.manifest = {}, .compiled = *std::move(compiled), .values = {}};
  description.manifest.shape = chain::manifest_shape(description.compiled, dims);
  description.manifest.seed = batch.posted.seed;
  description.manifest.header = batch.posted.header;
  description.manifest.task = batch.task;
  description.values = proof::batch_values(std::move(dims), batch.posted.header.number, batch.posted.seed);
  check_event(description, batch.posted);
  return description;
}

proof::CommittedBatch committed_batch(const Description& batch) {
  return {
      .program = batch.program(), .header = batch.header(), .leaf_bytes = batch.leaf_bytes(), .values = batch.values};
}

}  // namespace tally::verifier
