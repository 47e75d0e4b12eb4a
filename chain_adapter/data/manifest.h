// manifest.json: what a batch directory says about itself, for people and for tools in any language.
//
// A manifest has exactly one valid form, the bytes that write_manifest() gives: parse_manifest() writes again what it
// read and refuses what differs, so a key that is missing, unknown, doubled or out of place is refused, and so is a
// space too many. Nothing in it is believed: the verifier derives every value anew. docs/spec.md (section 6.2) lists
// the keys.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chain_adapter/data/model_layout.h"
#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/language/compile.h"
#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/commitments/header.h"
#include "fraud_proof/commitments/task.h"

namespace tally::chain {

inline constexpr std::size_t kMaxManifestBytes = std::size_t{8} << 20;

struct ManifestTable {
  std::string name;
  math::ElementType type = math::ElementType::kI32;
  std::vector<std::uint64_t> dims;
  bool operator==(const ManifestTable&) const = default;
};

struct ManifestResult : ManifestTable {
  math::ObjectKind kind = math::ObjectKind::kComputed;  // or kAdvice
  bool operator==(const ManifestResult&) const = default;
};

struct ManifestModel {
  std::string file;  // model_file_name(layout.format)
  math::Digest sha256;
  bool operator==(const ManifestModel&) const = default;
};

/// The part that follows from the program's text, its parameters and the dims.
struct ManifestShape {
  std::string program;          // its name
  math::Digest program_sha256;  // of program.tally
  std::vector<std::pair<std::string, math::i128>> params;
  std::vector<std::pair<std::string, std::uint64_t>> dims;  // K first
  std::vector<std::string> fields;                          // all are i64
  std::vector<ManifestTable> rows;                          // a row's own dims, without K
  std::vector<ManifestTable> state;
  std::vector<ManifestResult> tables;
  std::vector<std::pair<std::string, std::string>> next;  // state, table
  bool operator==(const ManifestShape&) const = default;
};

struct Manifest {
  ManifestShape shape;
  math::Digest seed;
  proof::BatchHeader header;
  proof::TaskPreimage task;
  std::optional<ModelLayout> layout;  // both or neither
  std::optional<ManifestModel> model;
  bool operator==(const Manifest&) const = default;
};

/// `dims` as Program::dims, within their bounds.
[[nodiscard]] ManifestShape manifest_shape(const math::CompiledProgram& program,
                                           const std::vector<std::uint64_t>& dims);

[[nodiscard]] std::string write_manifest(const Manifest& manifest);

enum class ManifestReason : std::uint8_t {
  kTooLarge,  // more than kMaxManifestBytes
  kNotJson,
  kMissingKey,
  kUnknownKey,
  kValue,         // of another type than the key's, or out of its range
  kNotCanonical,  // not the bytes that write_manifest() gives for it
};

[[nodiscard]] std::expected<Manifest, proof::Refusal<ManifestReason>> parse_manifest(std::string_view text);

}  // namespace tally::chain
