#include "sequencer/task/new_task.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/files/atomic_file.h"
#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/bytecode/validator.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/merkle/tree.h"

namespace tally::sequencer {

namespace {

constexpr std::uint64_t kPieceElements = std::uint64_t{1} << 16;

struct Genesis {
  std::vector<std::vector<std::uint8_t>> states;
  std::vector<math::Digest> roots;
  std::vector<math::Digest> commitments;
};

std::expected<std::vector<std::uint8_t>, std::string> read_state(const ElementSource& source, const std::string& name,
                                                                 const proof::TableShape& shape) {
  if (source.size() != shape.elements()) {
    return std::unexpected(source.name() + ": " + std::to_string(source.size()) + " elements, but state " + name +
                           " has " + std::to_string(shape.elements()));
  }
  std::vector<std::uint8_t> bytes(shape.data_bytes());
  const std::span<std::byte> data = std::as_writable_bytes(std::span(bytes));
  for (std::uint64_t first = 0; first < source.size(); first += kPieceElements) {
    const std::uint64_t count = std::min(kPieceElements, source.size() - first);
    auto read = source.read(first, data.subspan(first * shape.element_bytes, count * shape.element_bytes));
    if (!read) return std::unexpected(std::move(read.error()));
  }
  return bytes;
}

std::expected<Genesis, std::string> read_genesis(const NewTask& task, const math::BatchValues& values,
                                                 math::TaskPool& pool) {
  const math::Program& program = task.program.program;
  const std::vector<math::ObjectId> ids = proof::objects_of(program, math::ObjectKind::kState);
  if (ids.size() != task.states.size()) {
    return std::unexpected(std::to_string(task.states.size()) + " states, but the program has " +
                           std::to_string(ids.size()));
  }
  Genesis genesis;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const proof::TableShape shape = proof::table_shape(program.objects[ids[i]], values);
    auto bytes = read_state(*task.states[i], task.program.names.objects[ids[i]], shape);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    genesis.roots.push_back(proof::tree_root_of_bytes(*bytes, task.settings.leaf_bytes, pool));
    genesis.commitments.push_back(proof::table_commitment(shape, task.settings.leaf_bytes, genesis.roots.back()));
    genesis.states.push_back(*std::move(bytes));
  }
  return genesis;
}

void write_store(const NewTask& task, const proof::TaskId& id, const Genesis& genesis, const chain::BatchStore& store) {
  const math::CompiledProgram& compiled = task.program;
  const std::vector<math::ObjectId> ids = proof::objects_of(compiled.program, math::ObjectKind::kState);
  std::filesystem::create_directories(store.task(id) / "genesis");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    chain::write_file_atomically(store.genesis(id, compiled.names.objects[ids[i]]), genesis.states[i]);
  }
  const std::string& text = compiled.source;
  chain::write_file_atomically(store.program(id), math::unsigned_bytes(text));
}

}  // namespace

std::expected<PreparedTask, std::string> prepare_task(const NewTask& task, const chain::ChainIdentity& chain,
                                                      const proof::Address& creator, const chain::BatchStore& store,
                                                      math::TaskPool& pool) {
  const math::Program& program = task.program.program;
  // The chain asks for the worst case: as many records as the program allows.
  std::vector<std::uint64_t> dims = {program.dims.front().hi};
  dims.insert(dims.end(), task.dims.begin(), task.dims.end());
  if (auto problem = chain::check_dims(task.program, dims)) return std::unexpected(std::move(*problem));
  if (auto checked = proof::check_settings(task.settings); !checked) {
    return std::unexpected(std::move(checked.error().message));
  }
  const math::TaskShape shape{.dims = dims, .leaf_bytes = task.settings.leaf_bytes};
  if (const auto fits = math::validate_for_task(program, shape, task.settings.max_work); !fits) {
    return std::unexpected(math::describe(fits.error()));
  }
  const math::BatchValues values = proof::batch_values(dims, proof::kFirstBatch, {});
  auto genesis = read_genesis(task, values, pool);
  if (!genesis) return std::unexpected(std::move(genesis.error()));

  PreparedTask prepared;
  prepared.transaction = {.salt = task.salt,
                          .bytecode = math::encode_program(program),
                          .dims = task.dims,
                          .params = {},
                          .frac_bits = static_cast<std::uint8_t>(task.frac_bits),
                          .settings = task.settings,
                          .genesis_roots = genesis->roots};
  for (const math::Parameter& parameter : task.program.parameters) {
    prepared.transaction.params.push_back(parameter.value);
  }
  prepared.preimage = {.chain_id = chain.chain_id,
                       .contract = chain.contract,
                       .creator = creator,
                       .salt = task.salt,
                       .program_hash = math::sha256(prepared.transaction.bytecode),
                       .dims = task.dims,
                       .params = prepared.transaction.params,
                       .frac_bits = prepared.transaction.frac_bits,
                       .settings = task.settings,
                       .genesis_root = proof::state_root(genesis->commitments)};
  prepared.id = proof::task_id(prepared.preimage);
  write_store(task, prepared.id, *genesis, store);
  return prepared;
}

}  // namespace tally::sequencer
