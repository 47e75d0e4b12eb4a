#include "deterministic_math/interpreter/interpreter.h"

#include <algorithm>

#include "deterministic_math/numbers/assert.h"

namespace tally::math {
namespace {

// Between two calls of Evaluation::between_steps: some milliseconds.
constexpr std::uint64_t kInstructionsInARow = std::uint64_t{1} << 18;

SectionContext context_of(const Evaluation& evaluation, std::size_t item, std::uint64_t entry, SectionKind kind) {
  return {.program = evaluation.program,
          .values = evaluation.values,
          .item = item,
          .entry = entry,
          .fold = 0,
          .kind = kind,
          .constants = evaluation.program.constants};
}

}  // namespace

i128 read_element(std::span<const std::byte> data, ElementType type, std::uint64_t index) {
  const std::size_t width = element_bytes(type);
  TALLY_ASSERT(index < data.size() / width);
  u128 value = 0;
  for (std::size_t i = width; i-- > 0;) value = (value << 8) | static_cast<u128>(data[index * width + i]);
  const auto unused = static_cast<unsigned>(128 - 8 * width);
  return static_cast<i128>(value << unused) >> unused;
}

void write_element(std::span<std::byte> data, ElementType type, std::uint64_t index, i128 value) {
  const std::size_t width = element_bytes(type);
  TALLY_ASSERT(index < data.size() / width && type_range(type).contains(value));
  for (std::size_t i = 0; i < width; ++i) {
    data[index * width + i] = static_cast<std::byte>(static_cast<u128>(value) >> (8 * i));
  }
}

i128 InputsAccess::load(ObjectId object, std::uint64_t element) {
  const Inputs& inputs = x_evaluation.inputs;
  const Object& loaded = x_evaluation.program.objects[object];
  switch (loaded.kind) {
    case ObjectKind::kMember:
      TALLY_ASSERT(element < inputs.members.size());
      return inputs.members[element];
    case ObjectKind::kNonce:
      TALLY_ASSERT(element < inputs.nonces.size());
      return inputs.nonces[element];
    case ObjectKind::kField:
      TALLY_ASSERT(object < inputs.fields.size() && element < inputs.fields[object].size());
      return inputs.fields[object][element];
    case ObjectKind::kRow:
      return load_row(object, element);
    case ObjectKind::kState:
    case ObjectKind::kAdvice:
    case ObjectKind::kComputed:
      TALLY_ASSERT(object < inputs.tables.size());
      return read_element(inputs.tables[object], loaded.type, element);
  }
  return 0;
}

i128 InputsAccess::load_row(ObjectId object, std::uint64_t element) {
  const Object& row = x_evaluation.program.objects[object];
  const std::uint64_t length = extent_value(row.extents[1], x_evaluation.values);
  const std::uint64_t record = element / length;
  const std::uint64_t position = element % length;
  const std::uint64_t first = position - position % kRowBlock;
  if (x_row != object || x_record != record || x_first != first) {
    TALLY_ASSERT(x_evaluation.inputs.rows != nullptr);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kRowBlock, length - first));
    x_scratch.resize(kRowBlock * element_bytes(row.type));
    x_block = x_evaluation.inputs.rows->view(object, record, first, count, x_scratch);
    x_row = object;
    x_record = record;
    x_first = first;
  }
  return read_element(x_block, row.type, position - first);
}

std::uint64_t fold_length(const Program& program, const BatchValues& values, std::size_t item) {
  const std::optional<Body>& body = program.items[item].body;
  if (!body || body->fold == FoldKind::kNone) return 0;
  return extent_value(body->length, values);
}

Accumulators initial_accumulators(const Item& item) {
  Accumulators accumulators{};
  if (item.body) std::ranges::copy(item.body->init, accumulators.begin());
  return accumulators;
}

void run_steps(const Evaluation& evaluation, std::size_t item, std::uint64_t entry, std::uint64_t first,
               std::uint64_t last, Accumulators& accumulators) {
  TALLY_ASSERT(evaluation.program.items[item].body.has_value());
  const Body& body = *evaluation.program.items[item].body;
  InputsAccess access(evaluation);
  SectionContext context = context_of(evaluation, item, entry, SectionKind::kStep);
  const std::span<i128> used = std::span(accumulators).first(body.init.size());
  const std::uint64_t steps_in_a_row = std::max<std::uint64_t>(1, kInstructionsInARow / (body.step.size() + 1));
  context.fold = first;
  while (context.fold < last) {
    if (evaluation.between_steps != nullptr) (*evaluation.between_steps)();
    const std::uint64_t end = context.fold + std::min(steps_in_a_row, last - context.fold);
    for (; context.fold < end; ++context.fold) {
      const SectionOutcome outcome = run_section(context, body.step, access, used, {});
      TALLY_ASSERT(outcome == SectionOutcome::kDone || outcome == SectionOutcome::kSkipped);
    }
  }
}

std::optional<ResultValues> run_finish(const Evaluation& evaluation, std::size_t item, std::uint64_t entry,
                                       const Accumulators& accumulators) {
  TALLY_ASSERT(evaluation.program.items[item].body.has_value());
  const Body& body = *evaluation.program.items[item].body;
  InputsAccess access(evaluation);
  Accumulators copy = accumulators;
  ResultValues results{};
  const SectionOutcome outcome = run_section(context_of(evaluation, item, entry, SectionKind::kFinish), body.finish,
                                             access, std::span(copy).first(body.init.size()), results);
  if (outcome == SectionOutcome::kFail) return std::nullopt;
  return results;
}

std::optional<ResultValues> evaluate_entry(const Evaluation& evaluation, std::size_t item, std::uint64_t entry) {
  TALLY_ASSERT(evaluation.program.items[item].body.has_value());
  Accumulators accumulators = initial_accumulators(evaluation.program.items[item]);
  run_steps(evaluation, item, entry, 0, fold_length(evaluation.program, evaluation.values, item), accumulators);
  return run_finish(evaluation, item, entry, accumulators);
}

}  // namespace tally::math
