#include "verifier/replay/description.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "chain_adapter/data/batch_tables.h"
#include "chain_adapter/files/atomic_file.h"
#include "deterministic_math/bytecode/validator.h"
#include "fraud_proof/commitments/batch_shape.h"

namespace tally::verifier {

namespace {

using Named = std::pair<std::string_view, bool>;
using FileBytes = std::vector<std::uint8_t>;

std::unexpected<Finding> found(FindingKind kind, std::string name, std::string message) {
  Finding finding;
  finding.kind = kind;
  finding.name = std::move(name);
  finding.message = std::move(message);
  return std::unexpected(std::move(finding));
}

std::expected<FileBytes, Finding> read(const chain::BatchPaths& paths, std::string_view name, std::size_t max_bytes) {
  auto bytes = chain::read_file(paths.file(name), max_bytes);
  if (!bytes) return found(FindingKind::kFile, std::string(name), std::move(bytes.error().message));
  return *std::move(bytes);
}

std::string_view text_of(const FileBytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::expected<math::CompiledProgram, Finding> read_program(const chain::BatchPaths& paths,
                                                           const chain::Manifest& manifest) {
  const auto text = read(paths, chain::kProgramTextFile, chain::kMaxProgramTextBytes);
  if (!text) return std::unexpected(text.error());
  const auto bytecode = read(paths, chain::kProgramFile, math::kMaxProgramBytes);
  if (!bytecode) return std::unexpected(bytecode.error());
  const std::string text_name(chain::kProgramTextFile);
  if (math::sha256(*text) != manifest.shape.program_sha256) {
    return found(FindingKind::kProgram, text_name, "program.tally is not the text whose SHA-256 the manifest gives");
  }
  if (math::sha256(*bytecode) != manifest.task.program_hash) {
    return found(FindingKind::kProgram, std::string(chain::kProgramFile),
                 "program.bin is not the bytecode whose hash the task gives");
  }
  math::CompileOptions options;
  options.file_name = text_name;
  for (const auto& [name, value] : manifest.shape.params) options.parameters[name] = value;
  auto compiled = math::compile(text_of(*text), options);
  if (!compiled) return found(FindingKind::kProgram, text_name, "program.tally: " + compiled.error().message);
  // The bytecode itself is validated, whatever the compiler says about the text.
  const auto program = math::load_program(*bytecode);
  if (!program) {
    return found(FindingKind::kProgram, std::string(chain::kProgramFile),
                 "program.bin is refused: " + math::describe(program.error()));
  }
  if (*program != compiled->program) {
    return found(FindingKind::kProgram, std::string(chain::kProgramFile),
                 "program.tally with the manifest's parameters does not compile to program.bin");
  }
  return *std::move(compiled);
}

/// The first key of the program's part of a manifest that differs, if any.
std::string_view different_key(const chain::ManifestShape& a, const chain::ManifestShape& b) {
  const std::array<Named, 9> keys = {
      Named{"program", a.program == b.program}, Named{"program_sha256", a.program_sha256 == b.program_sha256},
      Named{"params", a.params == b.params},    Named{"dims", a.dims == b.dims},
      Named{"fields", a.fields == b.fields},    Named{"rows", a.rows == b.rows},
      Named{"state", a.state == b.state},       Named{"tables", a.tables == b.tables},
      Named{"next", a.next == b.next}};
  const auto* const different = std::ranges::find(keys, false, &Named::second);
  return different == keys.end() ? std::string_view{} : different->first;
}

std::optional<Finding> check_shape(const Description& batch) {
  chain::ManifestShape expected = chain::manifest_shape(batch.compiled, batch.values.dims);
  expected.program_sha256 = batch.manifest.shape.program_sha256;
  if (const std::string_view key = different_key(expected, batch.manifest.shape); !key.empty()) {
    return found(FindingKind::kManifest, std::string(key),
                 "manifest.json: " + std::string(key) + " is not what the program says")
        .error();
  }
  for (const std::string& name : batch.compiled.names.objects) {
    if (!chain::is_safe_name(name)) {
      return found(FindingKind::kProgram, name, "a name of the program is no safe file name: " + name).error();
    }
  }
  if (batch.manifest.seed != math::Digest{} && !chain::uses_seed(batch.compiled)) {
    return found(FindingKind::kManifest, "seed", "manifest.json: the program uses no seed, but one is given").error();
  }
  return std::nullopt;
}

std::optional<Finding> check_header(const chain::BatchPaths& paths, const proof::BatchHeader& claimed) {
  const std::string name(chain::kHeaderFile);
  const auto bytes = read(paths, chain::kHeaderFile, proof::kHeaderBytes);
  if (!bytes) return bytes.error();
  const auto header = proof::decode_header(*bytes);
  if (!header) return found(FindingKind::kHeader, name, "header.bin: " + header.error().message).error();
  const std::array<Named, 9> same = {
      Named{"task", header->task == claimed.task},
      Named{"batch", header->number == claimed.number},
      Named{"parent", header->parent == claimed.parent},
      Named{"K", header->record_count == claimed.record_count},
      Named{"records_root", header->records_root == claimed.records_root},
      Named{"prev_state_root", header->prev_state_root == claimed.prev_state_root},
      Named{"next_state_root", header->next_state_root == claimed.next_state_root},
      Named{"tables_root", header->tables_root == claimed.tables_root},
      Named{"poster", header->poster == claimed.poster},
  };
  const auto* const different = std::ranges::find(same, false, &Named::second);
  if (different == same.end()) return std::nullopt;
  return found(FindingKind::kHeader, std::string(different->first),
               "header.bin and manifest.json disagree about " + std::string(different->first))
      .error();
}

std::optional<Finding> check_task(const Description& batch) {
  const proof::TaskPreimage& task = batch.manifest.task;
  const proof::BatchHeader& header = batch.header();
  const auto wrong = [](std::string name, std::string message) {
    return found(FindingKind::kTask, std::move(name), std::move(message)).error();
  };
  std::vector<math::i128> params;
  params.reserve(batch.compiled.parameters.size());
  for (const math::Parameter& parameter : batch.compiled.parameters) params.push_back(parameter.value);
  if (task.params != params) return wrong("params", "the task's parameters are not the program's");
  if (!std::ranges::equal(task.dims, std::span(batch.values.dims).subspan(1))) {
    return wrong("dims", "the task's dims are not the batch's");
  }
  const math::TaskShape shape{.dims = batch.values.dims, .leaf_bytes = task.settings.leaf_bytes};
  if (const auto fits = math::validate_for_task(batch.program(), shape, task.settings.max_work); !fits) {
    return wrong("program", "the task may not use its program: " + math::describe(fits.error()));
  }
  if (header.record_count < task.settings.min_records) {
    return wrong("min_records", "the batch has " + std::to_string(header.record_count) +
                                    " records, the task asks for " + std::to_string(task.settings.min_records) +
                                    " or more");
  }
  if (proof::task_id(task) != header.task) return wrong("task", "the task id is not the hash of the task's preimage");
  const bool offline = task.chain_id == 0 && task.contract == proof::Address{};
  if (!offline) return std::nullopt;
  const bool first = header.number == proof::kFirstBatch && header.parent == proof::kGenesisParent &&
                     task.genesis_root == header.prev_state_root;
  if (!first) return wrong("batch", "a batch of no chain is batch 1 with parent 0 on the task's genesis state");
  if (task.creator != header.poster || task.salt != decltype(task.salt){}) {
    return wrong("creator", "the task of a batch of no chain has its poster as creator and no salt");
  }
  return std::nullopt;
}

}  // namespace

std::expected<Description, Finding> read_description(const chain::BatchPaths& paths) {
  const std::string manifest_name(chain::kManifestFile);
  const auto text = read(paths, chain::kManifestFile, chain::kMaxManifestBytes);
  if (!text) return std::unexpected(text.error());
  auto manifest = chain::parse_manifest(text_of(*text));
  if (!manifest) return found(FindingKind::kManifest, manifest_name, "manifest.json: " + manifest.error().message);
  auto compiled = read_program(paths, *manifest);
  if (!compiled) return std::unexpected(std::move(compiled.error()));

  std::vector<std::uint64_t> dims;
  for (const auto& dim : manifest->shape.dims) dims.push_back(dim.second);
  if (auto problem = chain::check_dims(*compiled, dims)) {
    return found(FindingKind::kManifest, "dims", "manifest.json: " + *problem);
  }
  Description batch{.manifest = *std::move(manifest), .compiled = *std::move(compiled), .values = {}};
  batch.values = proof::batch_values(std::move(dims), batch.header().number, batch.manifest.seed);
  if (auto finding = check_shape(batch)) return std::unexpected(std::move(*finding));
  if (auto finding = check_header(paths, batch.header())) return std::unexpected(std::move(*finding));
  if (auto finding = check_task(batch)) return std::unexpected(std::move(*finding));
  return batch;
}

}  // namespace tally::verifier
