#include "cli/demo/forge.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/batch_store.h"
#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/data/manifest.h"
#include "chain_adapter/files/atomic_file.h"
#include "cli/batch_files.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "sequencer/defender/defense_view.h"
#include "sequencer/defender/stored_batch.h"

namespace tally::cli {

namespace {

std::vector<std::uint8_t> read_all(const std::filesystem::path& path) {
  auto bytes = chain::read_file(path, std::size_t{1} << 32);
  if (!bytes) throw std::runtime_error(bytes.error().message);
  return *std::move(bytes);
}

/// The weight is the sum `inside` over the kept values, divided by their number: one unit more of the weight is that
/// number more in the sum.
std::vector<std::uint8_t> forge_claims(const sequencer::OpenTask& task, const proof::CommittedBatch& batch,
                                       const proof::Game& game, const std::vector<std::uint8_t>& honest) {
  const math::Body& body = *batch.program.items[game.item].body;
  const auto& names = task.program.names.accumulators[game.item];
  const auto inside = static_cast<std::size_t>(std::ranges::find(names, "inside") - names.begin());
  const math::i128 kept = static_cast<math::i128>(batch.header.record_count) - 2 * task.preimage().params.front();
  const auto positions = proof::boundary_positions(game.low, game.high, task.preimage().settings.arity);
  auto claims = proof::decode_claims(body, positions.size(), honest);
  if (!claims || inside == names.size()) throw std::logic_error("claims of another program");
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (positions[i] >= kFirstForgedStep) (*claims)[i].at(inside) += kept;
  }
  return proof::encode_claims(body, *claims);
}

}  // namespace

void defend_forgery(chain::ChainAdapter& chain, const proof::PrivateKey& forger, const std::filesystem::path& data,
                    const sequencer::OpenTask& task) {
  sequencer::DefenseView view(forger.address());
  view.follow(chain);
  for (const auto& [id, game] : view.games()) {
    if (proof::to_move(game.phase) != proof::Side::kPoster) continue;
    const proof::Posted& posted = view.batches().at(game.batch);
    const auto directory = chain::find_batch(data, game.batch);
    if (!directory) continue;
    const auto program = proof::read_program(chain.state(), task.preimage().program_hash).value();
    const auto stored = sequencer::StoredBatch::open(task.preimage(), program, posted, *directory);
    if (!stored) throw std::runtime_error(stored.error());
    auto answer = sequencer::answer((*stored)->data(), game, task.preimage().settings.arity);
    if (!answer) continue;
    if (auto* const respond = std::get_if<proof::Respond>(&answer->move)) {
      respond->claims = forge_claims(task, (*stored)->batch(), game, respond->claims);
    }
    const proof::Transaction move =
        proof::MakeMove{.header = posted.header, .game = game, .move = std::move(answer->move)};
    static_cast<void>(chain::submit_and_wait(chain, {.key = forger, .value = {}, .transaction = move}));
  }
}

proof::BatchId forge_weight(const std::filesystem::path& directory, const sequencer::OpenTask& task,
                            std::uint64_t entry, math::TaskPool& pool) {
  const chain::BatchPaths paths(directory);
  const math::Program& program = task.program.program;
  const auto& names = task.program.names.objects;
  chain::Manifest manifest = parse_manifest_of(directory.string(), read_manifest_text(directory.string()));
  const math::BatchValues values =
      proof::batch_values(task.dims(manifest.header.record_count), manifest.header.number, manifest.seed);
  const auto commit = [&](math::ObjectId id, std::span<const std::uint8_t> bytes) {
    return chain::commit_table(proof::table_shape(program.objects[id], values), task.preimage().settings.leaf_bytes,
                               std::as_bytes(bytes), pool);
  };
  std::vector<math::Digest> states;
  for (const math::ObjectId id : proof::objects_of(program, math::ObjectKind::kState)) {
    states.push_back(commit(id, read_all(paths.state(names[id]))));
  }
  std::vector<math::Digest> tables;
  for (const math::ObjectId id : proof::table_objects(program)) {
    std::vector<std::uint8_t> bytes = read_all(paths.table(names[id]));
    if (names[id] == chain::kModelTable) {
      const std::span<std::byte> data = std::as_writable_bytes(std::span(bytes));
      const math::ElementType type = program.objects[id].type;
      math::write_element(data, type, entry, math::read_element(data, type, entry) + 1);
      chain::write_file_atomically(paths.table(names[id]), bytes);
    }
    tables.push_back(commit(id, bytes));
  }
  manifest.header.tables_root = proof::tables_root(tables);
  manifest.header.next_state_root = proof::state_root(proof::next_state(program, states, tables));
  chain::write_file_atomically(paths.file(chain::kHeaderFile), proof::encode(manifest.header));
  const std::string text = chain::write_manifest(manifest);
  chain::write_file_atomically(paths.file(chain::kManifestFile), math::unsigned_bytes(text));
  const proof::BatchId id = proof::batch_id(manifest.header);
  std::filesystem::rename(directory, directory.parent_path() / to_hex(id));
  return id;
}

}  // namespace tally::cli
