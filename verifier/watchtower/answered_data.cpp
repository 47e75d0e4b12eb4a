#include "verifier/watchtower/answered_data.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <system_error>
#include <variant>

#include "chain_adapter/files/atomic_file.h"
#include "fraud_proof/step/opening.h"

namespace tally::verifier {

namespace {

namespace fs = std::filesystem;

/// Links to the files that a batch is made of, under the same names, wherever in `source` they lead to.
void link_files(const Description& batch, const chain::BatchPaths& source, const chain::BatchPaths& target) {
  const auto link = [](const fs::path& from, const fs::path& to) {
    std::error_code ignored;
    if (!fs::is_regular_file(from, ignored)) return;
    fs::create_directories(to.parent_path());
    fs::create_symlink(fs::absolute(from), to);
  };
  for (const std::string_view name : {chain::kProgramTextFile, chain::kRecordsFile}) {
    link(source.file(name), target.file(name));
  }
  const math::Program& program = batch.program();
  for (std::size_t id = 0; id < program.objects.size(); ++id) {
    const std::string& name = batch.compiled.names.objects[id];
    switch (program.objects[id].kind) {
      case math::ObjectKind::kMember:
      case math::ObjectKind::kNonce:
      case math::ObjectKind::kField:
        break;
      case math::ObjectKind::kRow:
        for (std::uint64_t record = 0; record < batch.records(); ++record) {
          link(source.row(name, record), target.row(name, record));
        }
        break;
      case math::ObjectKind::kState:
        link(source.state(name), target.state(name));
        break;
      case math::ObjectKind::kAdvice:
      case math::ObjectKind::kComputed:
        link(source.table(name), target.table(name));
        break;
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
  const chain::BatchPaths paths(target);
  const Description description = describe_posted(batch, chain::BatchPaths(source.value_or(target)));
  if (source) link_files(description, chain::BatchPaths(*source), paths);
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
