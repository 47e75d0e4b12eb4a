#include "chain_adapter/data/manifest.h"

#include <algorithm>
#include <array>

#include "chain_adapter/data/json_reader.h"
#include "chain_adapter/data/json_writer.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

using math::ElementType;

constexpr std::array<std::string_view, 5> kTypeNames = {"i8", "i16", "i32", "i64", "i128"};
constexpr std::string_view kAdvice = "advice";
constexpr std::string_view kComputed = "computed";
constexpr std::string_view kNpy = "npy";
constexpr std::string_view kSafetensors = "safetensors";

constexpr std::array<std::string_view, 26> kKeys = {"program",
                                                    "program_sha256",
                                                    "params",
                                                    "frac_bits",
                                                    "leaf_bytes",
                                                    "dims",
                                                    "fields",
                                                    "rows",
                                                    "state",
                                                    "tables",
                                                    "next",
                                                    "seed",
                                                    "poster",
                                                    "task",
                                                    "batch",
                                                    "parent",
                                                    "records_root",
                                                    "prev_state_root",
                                                    "next_state_root",
                                                    "tables_root",
                                                    "batch_id",
                                                    "chain_id",
                                                    "verifying_contract",
                                                    "task_preimage",
                                                    "layout",
                                                    "model"};

// A preimage holds at most 64 dims, 64 params and 64 addresses beside its fixed fields.
constexpr std::size_t kMaxPreimageBytes = 8192;

std::string_view type_name(ElementType type) { return kTypeNames.at(static_cast<std::size_t>(type)); }

// Writing, in the order of the keys.

void write_hex(JsonWriter& json, std::string_view key, math::Bytes bytes) {
  json.key(key);
  json.string(math::to_hex(bytes));
}

void write_text(JsonWriter& json, std::string_view key, std::string_view text) {
  json.key(key);
  json.string(text);
}

void write_numbers(JsonWriter& json, std::string_view key, const std::vector<std::uint64_t>& numbers) {
  json.key(key);
  json.begin_array();
  for (const std::uint64_t number : numbers) json.integer(number);
  json.end_array();
}

void write_table(JsonWriter& json, const ManifestTable& table) {
  write_text(json, "name", table.name);
  write_text(json, "type", type_name(table.type));
  write_numbers(json, "dims", table.dims);
}

void write_tables(JsonWriter& json, std::string_view key, const std::vector<ManifestTable>& tables) {
  json.key(key);
  json.begin_array();
  for (const ManifestTable& table : tables) {
    json.begin_object();
    write_table(json, table);
    json.end_object();
  }
  json.end_array();
}

void write_shape(JsonWriter& json, const ManifestShape& shape, const proof::TaskPreimage& task) {
  write_text(json, "program", shape.program);
  write_hex(json, "program_sha256", shape.program_sha256.bytes);
  json.key("params");
  json.begin_object();
  for (const auto& [name, value] : shape.params) {
    json.key(name);
    json.wide_integer(value);
  }
  json.end_object();
  json.key("frac_bits");
  json.integer(task.frac_bits);
  json.key("leaf_bytes");
  json.integer(task.settings.leaf_bytes);
  json.key("dims");
  json.begin_object();
  for (const auto& [name, value] : shape.dims) {
    json.key(name);
    json.integer(value);
  }
  json.end_object();
  json.key("fields");
  json.begin_array();
  for (const std::string& field : shape.fields) {
    json.begin_object();
    write_text(json, "name", field);
    write_text(json, "type", type_name(ElementType::kI64));
    json.end_object();
  }
  json.end_array();
  write_tables(json, "rows", shape.rows);
  write_tables(json, "state", shape.state);
  json.key("tables");
  json.begin_array();
  for (const ManifestResult& table : shape.tables) {
    json.begin_object();
    write_table(json, table);
    write_text(json, "kind", table.kind == math::ObjectKind::kAdvice ? kAdvice : kComputed);
    json.end_object();
  }
  json.end_array();
  json.key("next");
  json.begin_object();
  for (const auto& [state, table] : shape.next) write_text(json, state, table);
  json.end_object();
}

void write_header(JsonWriter& json, const proof::BatchHeader& header) {
  write_hex(json, "poster", header.poster.bytes);
  write_hex(json, "task", header.task.digest.bytes);
  json.key("batch");
  json.integer(header.number);
  write_hex(json, "parent", header.parent.digest.bytes);
  write_hex(json, "records_root", header.records_root.bytes);
  write_hex(json, "prev_state_root", header.prev_state_root.digest.bytes);
  write_hex(json, "next_state_root", header.next_state_root.digest.bytes);
  write_hex(json, "tables_root", header.tables_root.bytes);
  write_hex(json, "batch_id", proof::batch_id(header).digest.bytes);
}

void write_layout(JsonWriter& json, const ModelLayout& layout) {
  json.begin_object();
  write_text(json, "format", layout.format == ModelFormat::kNpy ? kNpy : kSafetensors);
  json.key("metadata");
  json.begin_object();
  for (const auto& [key, value] : layout.metadata) write_text(json, key, value);
  json.end_object();
  json.key("tensors");
  json.begin_array();
  for (const TensorLayout& tensor : layout.tensors) {
    json.begin_object();
    write_text(json, "name", tensor.name);
    write_text(json, "dtype", to_string(tensor.type));
    write_numbers(json, "shape", tensor.shape);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

// Reading. Keys that repeat what stands elsewhere (frac_bits, batch_id and the like) need not be read: the comparison
// with the canonical text holds them to it.

ElementType read_type(const JsonValue& json) {
  const std::string name = json.text();
  const auto* const found = std::ranges::find(kTypeNames, name);
  if (found == kTypeNames.end()) {
    json.refuse("an element type");
    return ElementType::kI32;
  }
  return static_cast<ElementType>(found - kTypeNames.begin());
}

std::vector<std::uint64_t> read_numbers(const JsonValue& json) {
  std::vector<std::uint64_t> numbers;
  for (const JsonValue& number : json.elements()) numbers.push_back(number.natural());
  return numbers;
}

ManifestTable read_table(const JsonValue& json) {
  return {.name = json["name"].text(), .type = read_type(json["type"]), .dims = read_numbers(json["dims"])};
}

std::vector<ManifestTable> read_tables(const JsonValue& json) {
  static constexpr std::array<std::string_view, 3> kTableKeys = {"name", "type", "dims"};
  std::vector<ManifestTable> tables;
  for (const JsonValue& table : json.elements()) {
    table.expect_keys(kTableKeys);
    tables.push_back(read_table(table));
  }
  return tables;
}

std::vector<ManifestResult> read_results(const JsonValue& json) {
  static constexpr std::array<std::string_view, 4> kResultKeys = {"name", "type", "dims", "kind"};
  std::vector<ManifestResult> tables;
  for (const JsonValue& table : json.elements()) {
    table.expect_keys(kResultKeys);
    ManifestResult result;
    static_cast<ManifestTable&>(result) = read_table(table);
    const std::string kind = table["kind"].text();
    if (kind != kAdvice && kind != kComputed) table["kind"].refuse("advice or computed");
    result.kind = kind == kAdvice ? math::ObjectKind::kAdvice : math::ObjectKind::kComputed;
    tables.push_back(std::move(result));
  }
  return tables;
}

ManifestShape read_shape(const JsonValue& json) {
  static constexpr std::array<std::string_view, 2> kFieldKeys = {"name", "type"};
  ManifestShape shape;
  shape.program = json["program"].text();
  json["program_sha256"].hex(shape.program_sha256.bytes);
  for (const auto& [name, value] : json["params"].members()) shape.params.emplace_back(name, value.wide_integer());
  for (const auto& [name, value] : json["dims"].members()) shape.dims.emplace_back(name, value.natural());
  for (const JsonValue& field : json["fields"].elements()) {
    field.expect_keys(kFieldKeys);
    shape.fields.push_back(field["name"].text());
  }
  shape.rows = read_tables(json["rows"]);
  shape.state = read_tables(json["state"]);
  shape.tables = read_results(json["tables"]);
  for (const auto& [state, table] : json["next"].members()) shape.next.emplace_back(state, table.text());
  return shape;
}

proof::BatchHeader read_header(const JsonValue& json, const ManifestShape& shape) {
  proof::BatchHeader header;
  json["poster"].hex(header.poster.bytes);
  json["task"].hex(header.task.digest.bytes);
  header.number = json["batch"].natural(proof::kLastBatch);
  json["parent"].hex(header.parent.digest.bytes);
  json["records_root"].hex(header.records_root.bytes);
  json["prev_state_root"].hex(header.prev_state_root.digest.bytes);
  json["next_state_root"].hex(header.next_state_root.digest.bytes);
  json["tables_root"].hex(header.tables_root.bytes);
  if (shape.dims.empty()) {
    json["dims"].refuse("an object that begins with K");
  } else {
    header.record_count = shape.dims.front().second;
  }
  return header;
}

proof::TaskPreimage read_task(const JsonValue& json) {
  const std::vector<std::uint8_t> bytes = json.hex_bytes(kMaxPreimageBytes);
  auto task = proof::decode_task(bytes);
  if (task) return *std::move(task);
  json.refuse("a task's preimage: " + task.error().message);
  return {};
}

ModelLayout read_layout(const JsonValue& json) {
  static constexpr std::array<std::string_view, 3> kLayoutKeys = {"format", "metadata", "tensors"};
  static constexpr std::array<std::string_view, 3> kTensorKeys = {"name", "dtype", "shape"};
  json.expect_keys(kLayoutKeys);
  ModelLayout layout;
  const std::string format = json["format"].text();
  if (format != kNpy && format != kSafetensors) json["format"].refuse("npy or safetensors");
  layout.format = format == kNpy ? ModelFormat::kNpy : ModelFormat::kSafetensors;
  for (const auto& [key, value] : json["metadata"].members()) layout.metadata.emplace(key, value.text());
  for (const JsonValue& tensor : json["tensors"].elements()) {
    tensor.expect_keys(kTensorKeys);
    const auto type = tensor_type_from(tensor["dtype"].text());
    if (!type) tensor["dtype"].refuse("F16, BF16, F32, F64 or I32");
    layout.tensors.push_back({.name = tensor["name"].text(),
                              .type = type.value_or(TensorType::kF32),
                              .shape = read_numbers(tensor["shape"])});
  }
  if (const auto checked = check_layout(layout); !checked)
    json.refuse("a layout that a file can have: " + checked.error());
  return layout;
}

void read_model(const JsonValue& json, Manifest& manifest) {
  static constexpr std::array<std::string_view, 2> kModelKeys = {"file", "sha256"};
  const JsonValue layout = json["layout"];
  const JsonValue model = json["model"];
  if (layout.is_null() != model.is_null()) model.refuse("null or not as layout is");
  if (layout.is_null() || model.is_null()) return;
  manifest.layout = read_layout(layout);
  model.expect_keys(kModelKeys);
  ManifestModel& read = manifest.model.emplace();
  read.file = model["file"].text();
  if (read.file != model_file_name(manifest.layout->format)) model["file"].refuse("the name for layout.format");
  model["sha256"].hex(read.sha256.bytes);
}

ManifestReason reason_of(JsonReason reason) {
  switch (reason) {
    case JsonReason::kNotJson:
      return ManifestReason::kNotJson;
    case JsonReason::kMissingKey:
      return ManifestReason::kMissingKey;
    case JsonReason::kUnknownKey:
      return ManifestReason::kUnknownKey;
    case JsonReason::kValue:
      return ManifestReason::kValue;
  }
  TALLY_ASSERT(false);
}

}  // namespace

std::string write_manifest(const Manifest& manifest) {
  JsonWriter json;
  json.begin_object();
  write_shape(json, manifest.shape, manifest.task);
  write_hex(json, "seed", manifest.seed.bytes);
  write_header(json, manifest.header);
  json.key("chain_id");
  json.integer(manifest.task.chain_id);
  write_hex(json, "verifying_contract", manifest.task.contract.bytes);
  write_hex(json, "task_preimage", proof::encode(manifest.task));
  json.key("layout");
  manifest.layout ? write_layout(json, *manifest.layout) : json.null();
  json.key("model");
  if (manifest.model) {
    json.begin_object();
    write_text(json, "file", manifest.model->file);
    write_hex(json, "sha256", manifest.model->sha256.bytes);
    json.end_object();
  } else {
    json.null();
  }
  json.end_object();
  return json.take();
}

std::expected<Manifest, proof::Refusal<ManifestReason>> parse_manifest(std::string_view text) {
  if (text.size() > kMaxManifestBytes) {
    return proof::refuse(ManifestReason::kTooLarge, "longer than " + std::to_string(kMaxManifestBytes) + " bytes");
  }
  std::optional<JsonFailure> failure;
  const auto document = parse_json(text, failure);
  Manifest manifest;
  if (document) {
    const JsonValue json(&*document, "", failure);
    json.expect_keys(kKeys);
    manifest.shape = read_shape(json);
    json["seed"].hex(manifest.seed.bytes);
    manifest.header = read_header(json, manifest.shape);
    manifest.task = read_task(json["task_preimage"]);
    read_model(json, manifest);
  }
  if (failure) return proof::refuse(reason_of(failure->reason), failure->message);
  if (write_manifest(manifest) != text) {
    return proof::refuse(ManifestReason::kNotCanonical, "not in the one form that a manifest with its contents has");
  }
  return manifest;
}

}  // namespace tally::chain
