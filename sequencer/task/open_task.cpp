#include "sequencer/task/open_task.h"

#include <algorithm>
#include <utility>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/files/atomic_file.h"
#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/bytecode/codec.h"
#include "fraud_proof/commitments/batch_shape.h"

namespace tally::sequencer {

namespace {

namespace fs = std::filesystem;
using Refused = proof::Refusal<OpenTaskReason>;

std::expected<math::CompiledProgram, Refused> compile_text(const std::string& text, const fs::path& path,
                                                           const proof::TaskPreimage& task) {
  math::CompileOptions options;
  options.file_name = path.string();
  const auto declared = math::declared_parameters(text, options);
  if (!declared) return proof::refuse(OpenTaskReason::kOtherText, declared.error().listing);
  if (declared->size() != task.params.size()) {
    return proof::refuse(OpenTaskReason::kOtherText, path.string() + ": the text has " +
                                                         std::to_string(declared->size()) + " parameters, the task " +
                                                         std::to_string(task.params.size()));
  }
  for (std::size_t i = 0; i < declared->size(); ++i) options.parameters[(*declared)[i].name] = task.params[i];
  auto compiled = math::compile(text, options);
  if (!compiled) return proof::refuse(OpenTaskReason::kOtherText, compiled.error().listing);
  if (math::sha256(math::encode_program(compiled->program)) != task.program_hash) {
    return proof::refuse(
        OpenTaskReason::kOtherText,
        path.string() + ": the text does not compile to the bytecode that the chain has for this task");
  }
  return *std::move(compiled);
}

class MappedElements final : public ElementSource {
 public:
  MappedElements(fs::path path, chain::MappedFile file, std::size_t width)
      : x_path(std::move(path)), x_file(std::move(file)), x_width(width) {}
  [[nodiscard]] std::string name() const override { return x_path.string(); }
  [[nodiscard]] std::uint64_t size() const override { return x_file.bytes().size() / x_width; }
  [[nodiscard]] std::size_t element_bytes() const override { return x_width; }
  [[nodiscard]] std::expected<void, std::string> read(std::uint64_t first, std::span<std::byte> out) const override {
    std::ranges::copy(x_file.bytes().subspan(first * x_width, out.size()), out.begin());
    return {};
  }

 private:
  fs::path x_path;
  chain::MappedFile x_file;
  std::size_t x_width;
};

}  // namespace

std::vector<std::uint64_t> OpenTask::dims(std::uint64_t records) const {
  return proof::batch_dims(preimage(), records);
}

std::expected<OpenTask, Refused> open_task(const proof::StateReader& chain, const chain::BatchStore& store,
                                           const proof::TaskId& id) {
  auto record = proof::read_task(chain, id);
  if (!record) {
    return proof::refuse(OpenTaskReason::kNoSuchTask, to_hex(id) + ": the chain has no such task");
  }
  const fs::path path = store.program(id);
  const auto text = chain::read_file(path, chain::kMaxProgramTextBytes);
  if (!text) {
    return proof::refuse(OpenTaskReason::kNoText,
                         text.error().message + "; copy it from whoever created the task, or from any of its batches");
  }
  auto program = compile_text({text->begin(), text->end()}, path, record->preimage);
  if (!program) return std::unexpected(std::move(program.error()));
  return OpenTask{.id = id, .record = *std::move(record), .program = *std::move(program)};
}

std::expected<std::vector<std::unique_ptr<ElementSource>>, Refused> previous_states(const OpenTask& task,
                                                                                    const chain::BatchStore& store,
                                                                                    const proof::BatchId& parent) {
  const math::Program& program = task.program.program;
  // No state or `next` table has K among its dims, so any K does.
  const math::BatchValues values = proof::batch_values(task.dims(program.dims.front().lo), proof::kFirstBatch, {});
  const chain::BatchPaths paths(store.batch(parent));
  std::vector<std::unique_ptr<ElementSource>> states;
  for (const math::ObjectId id : proof::objects_of(program, math::ObjectKind::kState)) {
    const auto next = std::ranges::find(program.next, id, &math::Next::state);
    const std::string& name = task.program.names.objects[id];
    fs::path path;
    if (parent == proof::kGenesisParent) {
      path = store.genesis(task.id, name);
    } else {
      path = next == program.next.end() ? paths.state(name) : paths.table(task.program.names.objects[next->table]);
    }
    const proof::TableShape shape = proof::table_shape(program.objects[id], values);
    auto file = chain::MappedFile::open(path, shape.data_bytes());
    if (!file) return proof::refuse(OpenTaskReason::kOtherStates, std::move(file.error().message));
    states.push_back(std::make_unique<MappedElements>(std::move(path), *std::move(file), shape.element_bytes));
  }
  return states;
}

}  // namespace tally::sequencer
