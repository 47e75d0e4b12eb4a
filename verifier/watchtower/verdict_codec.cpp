#include "verifier/watchtower/verdict_codec.h"

#include <algorithm>
#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <exception>
#include <sstream>

namespace tally::verifier {

template <class Archive>
void serialize(Archive& archive, MissingPart& part) {
  archive(part.object, part.first_record, part.records, part.leaves);
}

template <class Archive>
void serialize(Archive& archive, ComputedTable& computed) {
  archive(computed.table, computed.commitment.bytes);
}
template <class Archive>
void serialize(Archive& archive, EntryTarget& target) {
  archive(target.item, target.entry);
}
template <class Archive>
void serialize(Archive& archive, CheckTarget& target) {
  archive(target.cause, target.object, target.index);
}
template <class Archive>
void serialize(Archive& archive, Verdict& verdict) {
  archive(verdict.kind, verdict.entry, verdict.item, verdict.descend, verdict.check, verdict.missing, verdict.computed,
          verdict.message);
}

namespace {

// Another one with each change of what follows it.
constexpr std::uint32_t kLayout = 2;

}  // namespace

std::vector<std::uint8_t> encode_verdict(const Verdict& verdict) {
  std::ostringstream stream;
  cereal::PortableBinaryOutputArchive archive(stream);
  archive(kLayout, verdict);
  const std::string text = stream.str();
  const math::Bytes bytes = math::unsigned_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::optional<Verdict> decode_verdict(math::Bytes bytes) {
  try {
    std::istringstream stream(std::string(bytes.begin(), bytes.end()));
    cereal::PortableBinaryInputArchive archive(stream);
    std::uint32_t layout = 0;
    archive(layout);
    if (layout != kLayout) return std::nullopt;
    Verdict verdict;
    archive(verdict);
    if (verdict.kind > VerdictKind::kMissing || !std::ranges::equal(encode_verdict(verdict), bytes))
      return std::nullopt;
    return verdict;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace tally::verifier
