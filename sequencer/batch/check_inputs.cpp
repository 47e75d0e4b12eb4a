#include "sequencer/batch/check_inputs.h"

#include <algorithm>
#include <string>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/batch_tables.h"
#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/bytecode/validator.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "sequencer/batch/build_failure.h"

namespace tally::sequencer {

namespace {

using math::ObjectKind;

/// Names become names of files, which have a length.
void check_names(const math::CompiledProgram& compiled) {
  for (const std::string& name : compiled.names.objects) {
    if (!chain::is_safe_name(name)) fail_build(BuildReason::kProgram, name + " is too long for the name of a file");
  }
}

void check_source(const ElementSource& source, const std::string& name, std::uint64_t length, math::ElementType type) {
  if (source.size() != length) {
    fail_build(BuildReason::kRowLength, source.name() + ": " + std::to_string(source.size()) + " elements, but " +
                                            name + " has " + std::to_string(length));
  }
  const std::size_t width = math::element_bytes(type);
  if (source.element_bytes() != 0 && source.element_bytes() != width) {
    fail_build(BuildReason::kElementType, source.name() + ": integers of " + std::to_string(source.element_bytes()) +
                                              " bytes, but " + name + " has " + std::to_string(width));
  }
}

void check_record(const BatchInputs& inputs, const RecordInput& record, const std::vector<chain::RowShape>& rows,
                  const std::vector<math::ObjectId>& fields) {
  TALLY_ASSERT(inputs.place ? record.signed_record.has_value() : record.key != nullptr);
  const std::vector<std::int64_t>& values = inputs.place ? record.signed_record->fields : record.fields;
  const std::size_t committed = inputs.place ? record.signed_record->rows.size() : rows.size();
  if (record.rows.size() != rows.size() || committed != rows.size() || values.size() != fields.size()) {
    fail_build(BuildReason::kRowCount, record.source + ": " + std::to_string(record.rows.size()) + " rows and " +
                                           std::to_string(values.size()) + " fields, but the program has " +
                                           std::to_string(rows.size()) + " and " + std::to_string(fields.size()));
  }
  for (std::size_t i = 0; i < rows.size(); ++i)
    check_source(*record.rows[i], rows[i].name, rows[i].length, rows[i].type);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const math::Range& range = inputs.program->program.objects[fields[i]].range;
    if (range.contains(values[i])) continue;
    fail_build(BuildReason::kFieldRange, record.source + ": " + inputs.program->names.objects[fields[i]] + " is " +
                                             std::to_string(values[i]) + ", outside " + math::to_string(range.lo) +
                                             ".." + math::to_string(range.hi));
  }
}

/// The program and everything that is given beside the place are those of its task.
void check_place(const BatchInputs& inputs) {
  const proof::TaskPreimage& task = inputs.place->task;
  const math::CompiledProgram& compiled = *inputs.program;
  std::vector<math::i128> params;
  for (const math::Parameter& parameter : compiled.parameters) params.push_back(parameter.value);
  const auto differs = [](const char* what) {
    fail_build(BuildReason::kTask, std::string(what) + " are not those of the task");
  };
  if (math::sha256(math::encode_program(compiled.program)) != task.program_hash || params != task.params) {
    differs("the program and its parameters");
  }
  if (!std::ranges::equal(task.dims, std::span(inputs.dims).subspan(1))) differs("the dims");
  if (inputs.frac_bits != task.frac_bits) differs("the fraction bits");
  if (inputs.settings != task.settings) differs("the settings");
  if (inputs.place->number < proof::kFirstBatch || inputs.place->number > proof::kLastBatch) {
    fail_build(BuildReason::kTask, "there is no batch " + std::to_string(inputs.place->number));
  }
}

void check_states(const BatchInputs& inputs, const math::BatchValues& values) {
  const math::CompiledProgram& compiled = *inputs.program;
  const std::vector<math::ObjectId> states = proof::objects_of(compiled.program, ObjectKind::kState);
  if (inputs.states.size() != states.size()) {
    fail_build(BuildReason::kRowCount,
               std::to_string(inputs.states.size()) + " states, but the program has " + std::to_string(states.size()));
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    const math::Object& object = compiled.program.objects[states[i]];
    check_source(*inputs.states[i], "state " + compiled.names.objects[states[i]],
                 math::element_count(object.extents, values), object.type);
  }
}

void check_advice(const BatchInputs& inputs, const math::BatchValues& values) {
  const math::CompiledProgram& compiled = *inputs.program;
  for (const SuppliedAdvice& supplied : inputs.advice) {
    const auto name = std::ranges::find(compiled.names.objects, supplied.table);
    const auto id = static_cast<std::size_t>(name - compiled.names.objects.begin());
    if (name == compiled.names.objects.end() || compiled.program.objects[id].kind != ObjectKind::kAdvice) {
      fail_build(BuildReason::kAdviceMissing, supplied.table + " is not an advice table of this program",
                 supplied.table);
    }
    const math::Object& object = compiled.program.objects[id];
    check_source(*supplied.values, "advice " + supplied.table, math::element_count(object.extents, values),
                 object.type);
  }
  for (std::size_t item = 0; item < compiled.program.items.size(); ++item) {
    if (compiled.program.items[item].kind != math::ItemKind::kAdvice) continue;
    const std::string& table = compiled.names.objects[compiled.program.items[item].results.front()];
    const bool hinted = std::ranges::any_of(compiled.hints, [&](const math::Hint& hint) {
      return hint.item == item && hint.kind != math::HintKind::kInput;
    });
    if (hinted || std::ranges::find(inputs.advice, table, &SuppliedAdvice::table) != inputs.advice.end()) continue;
    fail_build(BuildReason::kAdviceMissing, "advice " + table + " has no hint: its values must be supplied", table);
  }
}

}  // namespace

void check_inputs(const BatchInputs& inputs) {
  TALLY_ASSERT(inputs.program != nullptr);
  const math::CompiledProgram& compiled = *inputs.program;
  if (auto problem = chain::check_dims(compiled, inputs.dims)) fail_build(BuildReason::kDims, std::move(*problem));
  if (inputs.dims.front() != inputs.records.size()) {
    fail_build(BuildReason::kDims, compiled.names.dims.front() + " is " + std::to_string(inputs.dims.front()) +
                                       ", but there are " + std::to_string(inputs.records.size()) + " records");
  }
  check_names(compiled);
  if (const auto valid = math::validate(compiled.program); !valid) {
    fail_build(BuildReason::kProgram, math::describe(valid.error()));
  }
  if (inputs.frac_bits < 0 || inputs.frac_bits > math::kMaxFracBits) {
    fail_build(BuildReason::kTask, std::to_string(inputs.frac_bits) + " fraction bits, outside 0..30");
  }
  if (auto checked = proof::check_settings(inputs.settings); !checked) {
    fail_build(BuildReason::kTask, std::move(checked.error().message));
  }
  if (inputs.records.size() < inputs.settings.min_records) {
    fail_build(BuildReason::kTask, std::to_string(inputs.records.size()) + " records, but the task asks for " +
                                       std::to_string(inputs.settings.min_records) + " or more");
  }
  if (inputs.place) check_place(inputs);
  const math::TaskShape shape{.dims = inputs.dims, .leaf_bytes = inputs.settings.leaf_bytes};
  if (const auto fits = math::validate_for_task(compiled.program, shape, inputs.settings.max_work); !fits) {
    fail_build(BuildReason::kProgram, math::describe(fits.error()));
  }
  if (inputs.seed != math::Digest{} && !chain::uses_seed(compiled)) {
    fail_build(BuildReason::kSeed, "a seed is given, but the program uses none");
  }
  const math::BatchValues values =
      proof::batch_values(inputs.dims, inputs.place ? inputs.place->number : proof::kFirstBatch, inputs.seed);
  const std::vector<chain::RowShape> rows = chain::row_shapes(compiled, values);
  const std::vector<math::ObjectId> fields = proof::objects_of(compiled.program, ObjectKind::kField);
  for (const RecordInput& record : inputs.records) check_record(inputs, record, rows, fields);
  check_states(inputs, values);
  check_advice(inputs, values);
}

}  // namespace tally::sequencer
