#include "tests/support/posted_batch.h"

#include <stdexcept>

#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/data/manifest.h"
#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/merkle/tree.h"
#include "tests/support/test_batch.h"

namespace tally::test {

verifier::PostedBatch posted_batch(const std::filesystem::path& directory, const math::CompiledProgram& compiled) {
  const chain::BatchPaths paths(directory);
  const math::Program& program = compiled.program;
  const std::vector<std::uint8_t> text = read_bytes(paths.file(chain::kManifestFile));
  const chain::Manifest manifest =
      chain::parse_manifest({reinterpret_cast<const char*>(text.data()), text.size()}).value();
  verifier::PostedBatch batch{.posted = {.batch = proof::batch_id(manifest.header),
                                         .header = manifest.header,
                                         .state_commitments = {},
                                         .table_roots = {},
                                         .seed = manifest.seed},
                              .task = manifest.task,
                              .bytecode = read_bytes(paths.file(chain::kProgramFile)),
                              .posted_s = 1000};
  std::vector<std::uint64_t> dims;
  for (const auto& dim : manifest.shape.dims) dims.push_back(dim.second);
  const math::BatchValues values = proof::batch_values(dims, manifest.header.number, manifest.seed);
  const std::uint32_t leaf_bytes = manifest.task.settings.leaf_bytes;
  math::ThreadPool pool(1);
  for (const math::ObjectId id : proof::objects_of(program, math::ObjectKind::kState)) {
    const proof::TableShape shape = proof::table_shape(program.objects[id], values);
    const auto file = chain::MappedFile::open(paths.state(compiled.names.objects[id]), shape.data_bytes()).value();
    batch.posted.state_commitments.push_back(chain::commit_table(shape, leaf_bytes, file.bytes(), pool));
  }
  for (const math::ObjectId id : proof::table_objects(program)) {
    const std::vector<std::uint8_t> data = read_bytes(paths.table(compiled.names.objects[id]));
    batch.posted.table_roots.push_back(proof::tree_root_of_bytes(data, leaf_bytes));
  }
  return batch;
}

math::Accumulators claim_the_truth(std::uint64_t /*state*/, const math::Accumulators& right) { return right; }

proof::Move poster_answer(verifier::PlayedBatch& data, const proof::Game& game, std::uint16_t arity,
                          const Claim& claim) {
  if (game.phase == proof::Phase::kReveal) {
    proof::Reveal reveal;
    for (const proof::Descent& descent : game.descents) {
      if (descent.located) continue;
      proof::Reveal::Answer answer;
      if (descent.leaves == 1) {
        answer.leaf = data.leaf({.object = descent.object, .record = 0, .leaf = descent.first_leaf}).bytes;
      } else {
        answer.nodes =
            proof::reveal_nodes(data.leaf_digests(descent.object).subspan(descent.first_leaf, descent.leaves));
      }
      reveal.answers.push_back(std::move(answer));
    }
    return reveal;
  }
  if (game.phase != proof::Phase::kRespond) throw std::logic_error("it is not the poster's turn");
  const math::Item& item = data.description().program().items.at(game.item);
  math::Accumulators state = math::initial_accumulators(item);
  std::uint64_t at = 0;
  std::vector<math::Accumulators> claims;
  for (const std::uint64_t position : proof::boundary_positions(game.low, game.high, arity)) {
    math::run_steps(data.evaluation(game.item), game.item, game.entry, at, position, state);
    at = position;
    claims.push_back(claim(position, state));
  }
  return proof::Respond{.claims = proof::encode_claims(item.body.value(), claims)};
}

}  // namespace tally::test
