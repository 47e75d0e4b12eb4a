#include "verifier/watchtower/answered_data.h"

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

#include "chain_adapter/data/work.h"
#include "chain_adapter/files/mapped_file.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/step/opening.h"

namespace tally::verifier {

namespace {

namespace fs = std::filesystem;

/// A table and 0, a row of a record, or math::kMemberObject and 0 for the records.
using DataPart = std::pair<math::ObjectId, std::uint32_t>;

fs::path file_of(const Description& batch, const chain::BatchPaths& paths, const DataPart& part) {
  const auto [object, record] = part;
  if (object == math::kMemberObject) return paths.file(chain::kRecordsFile);
  const std::string& name = batch.compiled.names.objects.at(object);
  const math::ObjectKind kind = batch.program().objects.at(object).kind;
  if (kind == math::ObjectKind::kRow) return paths.row(name, record);
  return kind == math::ObjectKind::kState ? paths.state(name) : paths.table(name);
}

/// Calls `take` with all that a batch's directory holds but the text of its program.
template <class Take>
void for_each_part(const Description& batch, const Take& take) {
  const math::Program& program = batch.program();
  take(DataPart{math::kMemberObject, 0});
  for (math::ObjectId id = 0; id < program.objects.size(); ++id) {
    const math::ObjectKind kind = program.objects[id].kind;
    if (proof::is_table(kind)) take(DataPart{id, 0});
    if (kind != math::ObjectKind::kRow) continue;
    for (std::uint32_t record = 0; record < batch.records(); ++record) take(DataPart{id, record});
  }
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

void link_data(std::span<const DataSource> sources, const Description& batch, const chain::BatchPaths& target,
               const std::stop_token& stop) {
  std::set<DataPart> linked;
  for (const DataSource& source : sources) {
    const chain::BatchPaths paths(source.directory);
    for_each_part(batch, [&](const DataPart& part) {
      if (stop.stop_requested()) throw chain::Stopped{};
      if (lacks(source.lacking, part.first, part.second) || linked.contains(part)) return;
      if (link_file(file_of(batch, paths, part), file_of(batch, target, part))) linked.insert(part);
    });
  }
}

class Assembly {
 public:
  Assembly(const Description& batch, const chain::BatchPaths& paths) : x_batch(batch), x_paths(paths) {}

  void put(const proof::OpeningKey& key, math::Bytes leaf) {
    const bool is_record = key.object == math::kMemberObject;
    const fs::path file = file_of(x_batch, x_paths, {key.object, is_record ? 0 : key.record});
    const proof::LeafLayout layout = proof::leaf_layout(committed_batch(x_batch), key.object);
    const auto [own, is_new] = x_files.emplace(file, false);
    if (is_new) own->second = make_own(file, layout.data_bytes);
    if (!own->second) return;
    const std::uint64_t first = is_record ? key.record * layout.leaf_bytes : key.leaf * layout.leaf_bytes;
    std::fstream stream;
    stream.exceptions(std::ios::failbit | std::ios::badbit);
    stream.open(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(first));
    stream.write(reinterpret_cast<const char*>(leaf.data()), static_cast<std::streamsize>(leaf.size()));
    stream.close();
  }

  void sync() const {
    for (const auto& [file, is_own] : x_files) {
      if (is_own) chain::sync_file(file);
    }
  }

 private:
  /// A copy in place of the link, or an empty file; what nobody wrote to it takes no room. False where the disk can
  /// have no file of that size.
  static bool make_own(const fs::path& file, std::uint64_t size) {
    fs::create_directories(file.parent_path());
    std::error_code unreadable;
    const fs::path source = fs::canonical(file, unreadable);
    fs::remove(file);
    const bool is_copied = !unreadable && fs::is_regular_file(source) && fs::file_size(source) <= size &&
                           fs::copy_file(source, file, unreadable);
    if (!is_copied) std::ofstream(file, std::ios::binary | std::ios::trunc).exceptions(std::ios::failbit);
    fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
    std::error_code too_large;
    fs::resize_file(file, size, too_large);
    if (too_large) fs::remove(file);
    return !too_large;
  }

  const Description& x_batch;
  const chain::BatchPaths& x_paths;
  std::map<fs::path, bool> x_files;  // whether they could be made
};

}  // namespace

void assemble_data(const PostedBatch& batch, std::span<const DataSource> sources,
                   std::span<const chain::LoggedEvent> history, const std::filesystem::path& target,
                   const std::stop_token& stop) {
  fs::remove_all(target);
  fs::create_directories(target);
  const chain::BatchPaths paths(target);
  const Description description = describe_target(batch, sources, paths);
  link_data(sources, description, paths, stop);
  const proof::CommittedBatch committed = committed_batch(description);
  Assembly assembly(description, paths);
  for (const chain::LoggedEvent& logged : history) {
    const auto* const answered = std::get_if<proof::RequestAnswered>(&logged.event);
    if (answered == nullptr) continue;
    proof::OpeningReader reader(committed, answered->openings);
    if (const auto leaf = reader.open(answered->leaf)) assembly.put(answered->leaf, *leaf);
  }
  assembly.sync();
}

}  // namespace tally::verifier
