#include "verifier/replay/check_model.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/files/mapped_file.h"

namespace tally::verifier {

std::optional<Finding> check_model(const Description& batch, const chain::BatchPaths& paths,
                                   std::optional<std::span<const std::byte>> model, const chain::ModelEncoder& encode) {
  if (!batch.manifest.model) return std::nullopt;
  const chain::ManifestModel& claimed = *batch.manifest.model;
  const auto wrong = [&](std::string what) {
    Finding finding;
    finding.kind = FindingKind::kModel;
    finding.name = claimed.file;
    finding.message = claimed.file + ": " + std::move(what);
    return finding;
  };
  if (!model) return wrong("the program has no i32 table next_model that it could be written from");
  if (!encode) return wrong("cannot be checked without a writer of model files");
  const std::span<const std::int32_t> values{reinterpret_cast<const std::int32_t*>(model->data()),
                                             model->size() / sizeof(std::int32_t)};
  std::vector<std::uint8_t> bytes;
  bytes.reserve(model->size());
  const auto encoded = encode(*batch.manifest.layout, values, batch.manifest.task.frac_bits,
                              [&](math::Bytes piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  if (!encoded) return wrong("cannot be written: " + encoded.error());
  if (math::sha256(bytes) != claimed.sha256) return wrong("the manifest's SHA-256 is not that of table next_model");
  const auto file = chain::MappedFile::open(paths.file(claimed.file), bytes.size());
  if (!file) {
    if (file.error().reason == chain::FileReason::kMissing) return std::nullopt;
    return wrong(file.error().message);
  }
  if (!std::ranges::equal(file->bytes(), std::as_bytes(std::span(bytes)))) return wrong("is not table next_model");
  return std::nullopt;
}

}  // namespace tally::verifier
