#include "verifier/watchtower/answered_data.h"

#include <algorithm>
#include <map>
#include <variant>

#include "chain_adapter/files/atomic_file.h"
#include "fraud_proof/step/opening.h"

namespace tally::verifier {

namespace {

namespace fs = std::filesystem;

/// Everything of `source`, as links, under the same names.
void link_all(const fs::path& source, const fs::path& target) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source)) {
    // By the names alone: where a file is a link, its target's place is of no account.
    const fs::path place = target / entry.path().lexically_relative(source);
    if (entry.is_directory()) {
      fs::create_directories(place);
    } else if (entry.is_regular_file()) {
      fs::create_symlink(fs::absolute(entry.path()), place);
    }
  }
}

class Assembly {
 public:
  Assembly(const Description& batch, const chain::BatchPaths& paths) : x_batch(batch), x_paths(paths) {}

  void put(const proof::OpeningKey& key, math::Bytes leaf) {
    const fs::path file = file_of(key);
    const bool is_record = key.object == math::kMemberObject;
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
  [[nodiscard]] fs::path file_of(const proof::OpeningKey& key) const {
    const std::string& name = x_batch.compiled.names.objects.at(key.object);
    const math::ObjectKind kind = x_batch.program().objects.at(key.object).kind;
    if (key.object == math::kMemberObject) return x_paths.file(chain::kRecordsFile);
    if (kind == math::ObjectKind::kRow) return x_paths.row(name, key.record);
    return kind == math::ObjectKind::kState ? x_paths.state(name) : x_paths.table(name);
  }

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

void assemble_answers(const PostedBatch& batch, const std::optional<std::filesystem::path>& source,
                      std::span<const chain::LoggedEvent> history, const std::filesystem::path& target) {
  fs::remove_all(target);
  fs::create_directories(target);
  if (source) link_all(*source, target);
  const chain::BatchPaths paths(target);
  const Description description = describe_posted(batch, paths);
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
