#include "chain_adapter/data/batch_files.h"

#include <utility>

#include "chain_adapter/data/batch_tables.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"

namespace tally::chain {

using math::ObjectId;
using math::ObjectKind;

namespace {

std::expected<TableFiles, BatchFileRefusal> open_tables(const math::CompiledProgram& compiled,
                                                        const math::BatchValues& values, const BatchPaths& paths) {
  TableFiles tables;
  for (std::size_t id = 0; id < compiled.program.objects.size(); ++id) {
    const math::Object& object = compiled.program.objects[id];
    const bool is_state = object.kind == ObjectKind::kState;
    if (!is_state && object.kind != ObjectKind::kAdvice && object.kind != ObjectKind::kComputed) continue;
    const std::string& name = compiled.names.objects[id];
    auto file = MappedFile::open(is_state ? paths.state(name) : paths.table(name),
                                 proof::table_shape(object, values).data_bytes());
    if (!file) return std::unexpected(BatchFileRefusal{.name = name, .file = std::move(file.error())});
    tables.emplace(static_cast<ObjectId>(id), *std::move(file));
  }
  return tables;
}

}  // namespace

std::expected<BatchFiles, BatchFileRefusal> open_batch_files(const math::CompiledProgram& compiled,
                                                             const math::BatchValues& values, const BatchPaths& paths) {
  const std::uint64_t count = values.dims.at(0);
  const std::uint64_t record_bytes = proof::record_shape(compiled.program).record_bytes();
  auto records = MappedFile::open(paths.file(kRecordsFile), count * record_bytes);
  if (!records) {
    return std::unexpected(BatchFileRefusal{.name = std::string(kRecordsFile), .file = std::move(records.error())});
  }
  auto rows = RowFiles::open(paths, row_shapes(compiled, values), count);
  if (!rows) {
    RowFileRefusal& refusal = rows.error();
    return std::unexpected(BatchFileRefusal{.name = row_shapes(compiled, values).at(refusal.row).name,
                                            .record = refusal.record,
                                            .file = std::move(refusal.file)});
  }
  auto tables = open_tables(compiled, values, paths);
  if (!tables) return std::unexpected(std::move(tables.error()));
  return BatchFiles{.records = *std::move(records),
                    .rows = *std::move(rows),
                    .tables = *std::move(tables),
                    .names = compiled.names.objects};
}

RecordColumns record_columns(const math::Program& program, math::Bytes bytes) {
  const proof::RecordShape shape = proof::record_shape(program);
  const std::size_t width = shape.record_bytes();
  TALLY_ASSERT(bytes.size() % width == 0);
  RecordColumns columns;
  columns.fields.resize(shape.fields);
  columns.rows.resize(shape.rows);
  for (std::size_t at = 0; at < bytes.size(); at += width) {
    const proof::Record record = proof::decode_record(bytes.subspan(at, width), shape).value();
    columns.members.push_back(record.member);
    columns.nonces.push_back(record.nonce);
    for (std::size_t i = 0; i < shape.fields; ++i) columns.fields[i].push_back(record.fields[i]);
    for (std::size_t i = 0; i < shape.rows; ++i) columns.rows[i].push_back(record.rows[i]);
  }
  return columns;
}

math::Inputs batch_inputs(const math::Program& program, const RecordColumns& columns, const TableFiles& tables,
                          math::RowSource& rows) {
  math::Inputs inputs;
  inputs.members = columns.members;
  inputs.nonces = columns.nonces;
  inputs.fields.resize(program.objects.size());
  inputs.tables.resize(program.objects.size());
  const std::vector<ObjectId> fields = proof::objects_of(program, ObjectKind::kField);
  for (std::size_t i = 0; i < fields.size(); ++i) inputs.fields[fields[i]] = columns.fields[i];
  for (const auto& [id, file] : tables) inputs.tables[id] = file.bytes();
  inputs.rows = &rows;
  return inputs;
}

std::span<const std::byte> PlainRows::view(ObjectId row, std::uint64_t record, std::uint64_t first, std::size_t count,
                                           std::span<std::byte> scratch) {
  TALLY_ASSERT(row >= x_first_row);
  const auto place = static_cast<std::size_t>(row - x_first_row);
  const std::size_t width = math::element_bytes(x_files.shapes().at(place).type);
  return x_files.read(place, record, first * width, count * width, scratch);
}

ObjectId first_row(const math::Program& program) {
  const std::vector<ObjectId> rows = proof::objects_of(program, ObjectKind::kRow);
  return rows.empty() ? ObjectId{0} : rows.front();
}

}  // namespace tally::chain
