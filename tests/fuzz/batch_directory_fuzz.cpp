// The files of a valid batch are changed as the bytes say, up to four times: xored, cut, written longer, replaced,
// spliced, taken from another file, or removed. The directory is valid only where each file is what it was (the
// model's may be absent), and whatever is found in it has a sentence.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/codec.h"
#include "tests/support/test_batch.h"

namespace {

using namespace tally;
using FileBytes = std::vector<std::uint8_t>;

constexpr int kMostChanges = 4;

std::filesystem::path built(const std::filesystem::path& path) {
  const test::TestBatch batch("fedavg", {.dims = {2, 5}});
  TALLY_ASSERT(test::build(batch.inputs(), path).has_value());
  return path;
}

struct World {
  test::TemporaryFolder folder;
  std::filesystem::path path = built(folder.path() / "batch");
  std::map<std::string, FileBytes> files = test::read_folder(path);
};

std::vector<std::uint8_t> some_bytes(math::ByteReader& bytes, std::size_t most) {
  const math::Bytes raw = bytes.raw(std::min(most, bytes.remaining()));
  return {raw.begin(), raw.end()};
}

const FileBytes& some_file(const World& world, math::ByteReader& bytes) {
  return std::next(world.files.begin(), static_cast<std::ptrdiff_t>(bytes.u8() % world.files.size()))->second;
}

/// What becomes of a file's bytes; nothing where it is removed.
std::optional<FileBytes> changed(const World& world, FileBytes file, math::ByteReader& bytes) {
  const std::uint8_t kind = bytes.u8() % 7;
  const std::size_t at = bytes.u16be() % (file.size() + 1);
  const auto place = file.begin() + static_cast<std::ptrdiff_t>(at);
  switch (kind) {
    case 0:
      if (at < file.size()) file[at] ^= bytes.u8();
      return file;
    case 1:
      file.resize(at);
      return file;
    case 2:
      file.resize(file.size() + bytes.u8(), bytes.u8());
      return file;
    case 3:
      return some_bytes(bytes, bytes.u16be());
    case 4: {
      const auto removed = std::min<std::ptrdiff_t>(bytes.u8(), file.end() - place);
      const FileBytes added = some_bytes(bytes, bytes.u8());
      file.insert(file.erase(place, place + removed), added.begin(), added.end());
      return file;
    }
    case 5:
      return some_file(world, bytes);
    default:
      return std::nullopt;
  }
}

/// The model as a file of its own may be absent.
bool is_optional(const std::string& name) { return name == "model.npy"; }

void put(const std::filesystem::path& path, const std::optional<FileBytes>& bytes) {
  std::filesystem::remove(path);
  if (bytes) test::write_bytes(path, *bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  math::ByteReader bytes(math::Bytes(data, size));
  const verifier::Findings findings = bytes.u8() % 2 == 0 ? verifier::Findings::kFirst : verifier::Findings::kAll;
  std::map<std::string, std::optional<FileBytes>> after;
  for (int i = 0; i < kMostChanges && bytes.remaining() > 0; ++i) {
    const auto& [name, was] =
        *std::next(world.files.begin(), static_cast<std::ptrdiff_t>(bytes.u8() % world.files.size()));
    const auto known = after.find(name);
    after[name] = changed(world, known == after.end() || !known->second ? was : *known->second, bytes);
  }
  std::erase_if(after, [](const auto& file) { return file.second == world.files.at(file.first); });
  for (const auto& [name, contents] : after) put(world.path / name, contents);
  const verifier::VerifyReport report = test::verify(world.path, findings);
  const bool whole =
      std::ranges::all_of(after, [](const auto& file) { return is_optional(file.first) && !file.second; });
  TALLY_ASSERT(report.findings.empty() == whole);
  for (const verifier::Finding& finding : report.findings) TALLY_ASSERT(!finding.message.empty());
  for (const auto& [name, contents] : after) put(world.path / name, world.files.at(name));
  return 0;
}
