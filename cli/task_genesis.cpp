#include "cli/task_genesis.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "chain_adapter/files/atomic_file.h"
#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "sequencer/batch/update_source.h"
#include "sequencer/trainer/update_file.h"

namespace tally::cli {

namespace {

using math::CompiledProgram;
using Files = std::map<std::string, std::string>;  // by state

constexpr std::string_view kModelState = "model";
constexpr std::string_view kZero = "zero";
constexpr std::size_t kMaxRawStateBytes = std::size_t{1} << 32;

/// A model file is quantised; anything else is raw little-endian elements.
std::unique_ptr<sequencer::ElementSource> open_state(const std::string& path, int frac_bits, std::size_t width) {
  const std::filesystem::path file(path);
  if (file.extension() == ".npy" || file.extension() == ".safetensors") {
    auto opened = sequencer::UpdateFile::open(file);
    if (!opened) bad_input(opened.error().message);
    return std::make_unique<sequencer::UpdateSource>(*std::move(opened), math::QuantiseOptions{.frac_bits = frac_bits});
  }
  const auto bytes = chain::read_file(file, kMaxRawStateBytes);
  if (!bytes) bad_input(bytes.error().message);
  if (bytes->size() % width != 0) bad_input(path + ": not whole elements of " + std::to_string(width) + " bytes");
  std::vector<std::byte> data(bytes->size());
  std::ranges::copy(std::as_bytes(std::span(*bytes)), data.begin());
  return sequencer::stored_elements(path, std::move(data), width);
}

Files state_files(const GenesisFlags& flags, const CompiledProgram& compiled) {
  Files files = split_pairs(flags.states, "--state");
  if (flags.genesis != kZero) files.emplace(kModelState, flags.genesis);
  for (const auto& [name, file] : files) {
    const auto found = std::ranges::find(compiled.names.objects, name);
    const auto id = static_cast<std::size_t>(found - compiled.names.objects.begin());
    if (found == compiled.names.objects.end() || compiled.program.objects[id].kind != math::ObjectKind::kState) {
      bad_input(compiled.names.program + " has no state " + name + " for " + file);
    }
  }
  return files;
}

}  // namespace

Genesis gather_genesis(const GenesisFlags& flags, const CompiledProgram& compiled) {
  const math::Program& program = compiled.program;
  const Files files = state_files(flags, compiled);
  const std::vector<math::ObjectId> states = proof::objects_of(program, math::ObjectKind::kState);
  Genesis genesis;
  std::vector<std::optional<std::uint64_t>> known(program.dims.size());
  for (const math::ObjectId id : states) {
    const math::Object& object = program.objects[id];
    const auto file = files.find(compiled.names.objects[id]);
    genesis.states.push_back(
        file == files.end() ? nullptr : open_state(file->second, flags.frac_bits, math::element_bytes(object.type)));
    if (genesis.states.back() && object.rank == 1 && object.extents[0].kind == math::ExtentKind::kDim) {
      known[object.extents[0].value] = genesis.states.back()->size();
    }
  }
  Files given = split_pairs(flags.dims, "--dim");
  math::BatchValues values;
  values.dims.push_back(program.dims.front().lo);
  for (std::size_t i = 1; i < program.dims.size(); ++i) {
    const std::string& name = compiled.names.dims[i];
    std::optional<std::uint64_t> value = known[i];
    if (const auto found = given.find(name); found != given.end()) {
      value = parse_dim(name, found->second);
      given.erase(found);
    }
    if (!value && program.dims[i].lo == program.dims[i].hi) value = program.dims[i].lo;
    if (!value) bad_input("the program needs dim " + name + ": give --dim " + name + "=N");
    values.dims.push_back(*value);
    genesis.dims.push_back(*value);
  }
  if (!given.empty()) {
    bad_input("--dim " + given.begin()->first + ": " +
              (given.begin()->first == compiled.names.dims.front() ? "each batch has its own"
                                                                   : "the program has no such dim"));
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (genesis.states[i]) continue;
    genesis.states[i] = sequencer::zero_elements(math::element_count(program.objects[states[i]].extents, values));
  }
  return genesis;
}

}  // namespace tally::cli
