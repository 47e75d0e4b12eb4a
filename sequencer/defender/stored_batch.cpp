#include "sequencer/defender/stored_batch.h"

#include <utility>

#include "chain_adapter/data/manifest.h"
#include "chain_adapter/files/atomic_file.h"
#include "deterministic_math/bytecode/validator.h"
#include "deterministic_math/bytecode/visibility.h"
#include "fraud_proof/commitments/batch_shape.h"

namespace tally::sequencer {

namespace {

namespace fs = std::filesystem;
using math::ObjectKind;

/// The names of a program's objects, as the manifest lists them.
std::expected<std::vector<std::string>, std::string> object_names(const math::Program& program,
                                                                  const chain::ManifestShape& shape) {
  std::vector<std::string> names(program.objects.size());
  bool complete = true;
  const auto name_all = [&](const std::vector<math::ObjectId>& ids, const auto& listed) {
    complete = complete && ids.size() == listed.size();
    for (std::size_t i = 0; complete && i < ids.size(); ++i) {
      names[ids[i]] = listed[i].name;
      complete = chain::is_safe_name(listed[i].name);
    }
  };
  name_all(proof::objects_of(program, ObjectKind::kRow), shape.rows);
  name_all(proof::objects_of(program, ObjectKind::kState), shape.state);
  name_all(proof::table_objects(program), shape.tables);
  if (!complete) return std::unexpected("manifest.json does not list the rows, states and tables of the program");
  return names;
}

std::expected<chain::Manifest, std::string> read_manifest(const chain::BatchPaths& paths) {
  const auto text = chain::read_file(paths.file(chain::kManifestFile), chain::kMaxManifestBytes);
  if (!text) return std::unexpected(text.error().message);
  auto manifest = chain::parse_manifest({reinterpret_cast<const char*>(text->data()), text->size()});
  if (!manifest) return std::unexpected("manifest.json: " + manifest.error().message);
  return *std::move(manifest);
}

}  // namespace

std::expected<std::unique_ptr<StoredBatch>, std::string> StoredBatch::open(const proof::TaskPreimage& task,
                                                                           const proof::ProgramRecord& program,
                                                                           const proof::Posted& posted,
                                                                           const fs::path& directory) {
  auto loaded = math::load_program(program.bytecode);
  if (!loaded) return std::unexpected("the task's program is refused: " + math::describe(loaded.error()));
  const chain::BatchPaths paths(directory);
  const auto manifest = read_manifest(paths);
  if (!manifest) return std::unexpected(directory.string() + ": " + manifest.error());
  auto names = object_names(*loaded, manifest->shape);
  if (!names) return std::unexpected(directory.string() + ": " + names.error());
  math::CompiledProgram compiled;
  compiled.program = *std::move(loaded);
  compiled.names.objects = *std::move(names);
  const math::BatchValues values =
      proof::batch_values(proof::batch_dims(task, posted.header.record_count), posted.header.number, posted.seed);
  auto files = chain::open_batch_files(compiled, values, paths);
  if (!files) return std::unexpected(std::move(files.error().file.message));
  return std::unique_ptr<StoredBatch>(
      new StoredBatch(posted, task, std::move(compiled), values, paths, *std::move(files)));
}

StoredBatch::StoredBatch(const proof::Posted& posted, const proof::TaskPreimage& task, math::CompiledProgram compiled,
                         math::BatchValues values, chain::BatchPaths paths, chain::BatchFiles files)
    : x_header(posted.header),
      x_settings(task.settings),
      x_compiled(std::move(compiled)),
      x_batch{.program = x_compiled.program,
              .header = x_header,
              .leaf_bytes = x_settings.leaf_bytes,
              .values = std::move(values)},
      x_paths(std::move(paths)),
      x_files(std::move(files)),
      x_columns(chain::record_columns(x_compiled.program, math::unsigned_bytes(x_files.records.bytes()))),
      x_rows(x_files.rows, chain::first_row(x_compiled.program)),
      x_inputs(chain::batch_inputs(x_compiled.program, x_columns, x_files.tables, x_rows)),
      x_leaves(x_batch, x_files, chain::posted_commitments(x_batch, posted.state_commitments, posted.table_roots)) {}

void StoredBatch::check_inputs(std::uint16_t item, std::uint64_t row_bytes) {
  const math::Program& program = x_batch.program;
  const std::set<math::ObjectId> objects = math::loaded_objects(*program.items[item].body);
  const auto is_row = [&](math::ObjectId object) { return program.objects[object].kind == ObjectKind::kRow; };
  std::uint64_t reached = 0;
  for (const math::ObjectId object : objects) {
    if (is_row(object))
      reached += x_header.record_count * proof::row_shape(program.objects[object], x_batch.values).data_bytes();
  }
  for (const math::ObjectId object : objects) {
    if (x_checked.contains(object) || (is_row(object) && reached > row_bytes)) continue;
    // A row's commitment is in its record.
    if (is_row(object)) x_leaves.check_data(math::kMemberObject, 0);
    const std::uint64_t parts = is_row(object) ? x_header.record_count : 1;
    for (std::uint32_t record = 0; record < parts; ++record) x_leaves.check_data(object, record);
    x_checked.insert(object);
  }
}

std::optional<std::string> StoredBatch::find_damage() const {
  const auto files = chain::open_batch_files(x_compiled, x_batch.values, x_paths);
  return files ? std::nullopt : std::optional(files.error().file.message);
}

PosterData StoredBatch::data() {
  return {.batch = x_batch, .inputs = x_inputs, .leaves = x_leaves, .leaf_digests = [this](math::ObjectId table) {
            return x_leaves.leaf_digests(table);
          }};
}

}  // namespace tally::sequencer
