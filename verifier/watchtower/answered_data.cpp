#include "verifier/watchtower/answered_data.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <system_error>
#include <variant>
#include <vector>

#include "chain_adapter/files/atomic_file.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/step/opening.h"

namespace tally::verifier {

namespace {

namespace fs = std::filesystem;

fs::path file_of(const Description& batch, const chain::BatchPaths& paths, const DataPart& part) {
  const auto [object, record] = part;
  if (object == math::kMemberObject) return paths.file(chain::kRecordsFile);
  const std::string& name = batch.compiled.names.objects.at(object);
  const math::ObjectKind kind = batch.program().objects.at(object).kind;
  if (kind == math::ObjectKind::kRow) return paths.row(name, record);
  return kind == math::ObjectKind::kState ? paths.state(name) : paths.table(name);
}

/// All that a batch's directory holds but the text of its program.
std::vector<DataPart> parts_of(const Description& batch) {
  const math::Program& program = batch.program();
  std::vector<DataPart> parts{{math::kMemberObject, 0}};
  for (math::ObjectId id = 0; id < program.objects.size(); ++id) {
    const math::ObjectKind kind = program.objects[id].kind;
    if (proof::is_table(kind)) parts.emplace_back(id, 0);
    if (kind != math::ObjectKind::kRow) continue;
    for (std::uint32_t record = 0; record < batch.records(); ++record) parts.emplace_back(id, record);
  }
  return parts;
}

bool link_file(const fs::path& from, const fs::path& to) {
  std::error_code ignored;
  if (!fs::is_regular_file(from, ignored)) return false;
  fs::create_directories(to.parent_path());
  fs::create_symlink(fs::absolute(from), to);
  return true;
}

/// With the names of the first source whose text is the program's, which is linked to.
Description describe_target(const PostedBatch& batch, std::span<const DataSource> sources,
                            const chain::BatchPaths& target) {
  const fs::path text = target.file(chain::kProgramTextFile);
  const Description nameless = describe_posted(batch, target);
  for (const DataSource& source : sources) {
    if (!link_file(chain::BatchPaths(source.directory).file(chain::kProgramTextFile), text)) continue;
    Description named = describe_posted(batch, target);
    if (named.compiled.names.objects != nameless.compiled.names.objects) return named;
    fs::remove(text);
  }
  return nameless;
}

void link_data(std::span<const DataSource> sources, const Description& batch, const chain::BatchPaths& target) {
  std::set<DataPart> linked;
  for (const DataSource& source : sources) {
    const chain::BatchPaths paths(source.directory);
    for (const DataPart& part : parts_of(batch)) {
      if (source.lacking.contains(part) || linked.contains(part)) continue;
      if (link_file(file_of(batch, paths, part), file_of(batch, target, part))) linked.insert(part);
    }
  }
}

class Assembly {
 public:
  Assembly(const Description& batch, const chain::BatchPaths& paths) : x_batch(batch), x_paths(paths) {}

  void put(const proof::OpeningKey& key, math::Bytes leaf) {
    const bool is_record = key.object == math::kMemberObject;
    const fs::path file = file_of(x_batch, x_paths, {key.object, is_record ? 0 : key.record});
    const proof::LeafLayout layout = proof::leaf_layout(committed_batch(x_batch), key.object);
    auto& bytes = x_files[file];
    if (bytes.empty()) bytes = read(file, layout.data_bytes);
    const std::uint64_t first = is_record ? key.record * layout.leaf_bytes : key.leaf * layout.leaf_bytes;
    std::ranges::copy(leaf, bytes.begin() + static_cast<std::ptrdiff_t>(first));
  }

  void write() const {
    for (const auto& [file, bytes] : x_files) {
      fs::create_directories(file.parent_path());
      fs::remove(file);
      chain::write_file_atomically(file, bytes);
    }
  }

 private:
  [[nodiscard]] static std::vector<std::uint8_t> read(const fs::path& file, std::uint64_t size) {
    auto bytes = chain::read_file(file, size);
    std::vector<std::uint8_t> contents = bytes ? *std::move(bytes) : std::vector<std::uint8_t>{};
    contents.resize(size);
    return contents;
  }

  const Description& x_batch;
  const chain::BatchPaths& x_paths;
  std::map<fs::path, std::vector<std::uint8_t>> x_files;
};

}  // namespace

void assemble_data(const PostedBatch& batch, std::span<const DataSource> sources,
                   std::span<const chain::LoggedEvent> history, const std::filesystem::path& target) {
  fs::remove_all(target);
  fs::create_directories(target);
  const chain::BatchPaths paths(target);
  const Description description = describe_target(batch, sources, paths);
  link_data(sources, description, paths);
  const proof::CommittedBatch committed = committed_batch(description);
  Assembly assembly(description, paths);
  for (const chain::LoggedEvent& logged : history) {
    const auto* const answered = std::get_if<proof::RequestAnswered>(&logged.event);
    if (answered == nullptr) continue;
    proof::OpeningReader reader(committed, answered->openings);
    if (const auto leaf = reader.open(answered->leaf)) assembly.put(answered->leaf, *leaf);
  }
  assembly.write();
}

}  // namespace tally::verifier
