#include "tests/support/random_body.h"

#include <algorithm>
#include <limits>

#include "deterministic_math/bytecode/visibility.h"

namespace tally::test {

using namespace tally::math;
using Register = SectionWriter::Register;

SectionWriter::SectionWriter(Program& program, std::size_t item, Kind kind, Rng& rng)
    : x_program(program), x_item(item), x_kind(kind), x_rng(rng) {
  x_ranges.fill(to_interval({0, 0}));
  x_next = program.items[item].body->init.size();
  const i128 large = i128{1} << 100;
  std::fill_n(x_ranges.begin(), x_next, to_interval({-large, large}));
}

Register SectionWriter::emit(Instruction instruction, const Interval& range) {
  // Registers run out in long sections: the last ones are then used again.
  const auto dst = static_cast<Register>(std::min(x_next, kRegisters - 1));
  ++x_next;
  instruction.dst = dst;
  x_code.push_back(instruction);
  x_ranges[dst] = range;
  return dst;
}

Register SectionWriter::constant(i128 value) {
  const Interval range = to_interval({value, value});
  if (value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max()) {
    return emit({.op = Op::kImm, .imm = static_cast<std::int32_t>(value)}, range);
  }
  auto at = std::ranges::find(x_program.constants, value);
  if (at == x_program.constants.end()) at = x_program.constants.insert(at, value);
  return emit({.op = Op::kConst, .imm = static_cast<std::int32_t>(at - x_program.constants.begin())}, range);
}

Register SectionWriter::variable(Variable variable) {
  const Item& item = x_program.items[x_item];
  const auto index = [&](const Extent& extent) {
    const std::uint64_t count = extent_max(extent, x_program);
    return to_interval({0, count == 0 ? 0 : static_cast<i128>(count) - 1});
  };
  Interval range = to_interval({1, kMaxBatchNumber});
  if (variable == Variable::kIndex0) range = index(item.extents[0]);
  if (variable == Variable::kIndex1) range = index(item.extents[1]);
  if (variable == Variable::kFold) range = index(item.body->length);
  return emit({.op = Op::kVar, .imm = static_cast<std::int32_t>(variable)}, range);
}

Register SectionWriter::load(ObjectId object, Register first, Register second) {
  const std::uint8_t rank = x_program.objects[object].rank;
  const Object& loaded = x_program.objects[object];
  Range range = load_site(x_program, x_item, object).clamp;
  if (owner_item(x_program, object) == x_item && loaded.origin == RangeOrigin::kProved) range = type_range(loaded.type);
  return emit(
      {.op = Op::kLoad, .a = rank > 0 ? first : Register{0}, .b = rank > 1 ? second : Register{0}, .imm = object},
      to_interval(range));
}

Register SectionWriter::binary(Op op, Register a, Register b) {
  Interval range = op == Op::kMul && a == b ? square(x_ranges[a]) : apply(op, x_ranges[a], x_ranges[b]);
  if (!range.finite()) {
    a = within_bits(a, 40);
    b = within_bits(b, 40);
    range = apply(op, x_ranges[a], x_ranges[b]);
  }
  return emit({.op = op, .a = a, .b = op == Op::kIsqrt ? Register{0} : b}, range);
}

Register SectionWriter::select(Register condition, Register a, Register b) {
  return emit({.op = Op::kSel, .a = a, .b = b, .imm = condition}, join(x_ranges[a], x_ranges[b]));
}

Register SectionWriter::wrap(Register a, std::int32_t bits) {
  return emit({.op = Op::kWrap, .a = a, .imm = bits}, wrap_interval(x_ranges[a], bits));
}

Register SectionWriter::clamped(Register a, const Range& range) {
  if (x_ranges[a].within(range)) return a;
  return binary(Op::kMax, binary(Op::kMin, a, constant(range.hi)), constant(range.lo));
}

Register SectionWriter::within_bits(Register a, unsigned bits) {
  const i128 limit = i128{1} << bits;
  if (x_ranges[a].within({-limit, limit})) return a;
  return pick(x_rng, 0, 1) == 0 ? wrap(a, static_cast<std::int32_t>(bits)) : clamped(a, {-limit, limit});
}

Register SectionWriter::at_least(Register a, i128 least) {
  return x_ranges[a].within({least, kI128Max}) ? a : binary(Op::kMax, a, constant(least));
}

Register SectionWriter::random_variable() {
  const Item& item = x_program.items[x_item];
  const std::uint64_t choice = pick(x_rng, 0, 7);
  if (choice < 2 && x_kind == Kind::kStep) return variable(Variable::kFold);
  if (choice < 4 && item.rank > 0) return variable(Variable::kIndex0);
  if (choice < 6 && item.rank > 1) return variable(Variable::kIndex1);
  if (choice == 6) return variable(Variable::kBatch);
  const std::size_t dim = pick(x_rng, 0, x_program.dims.size() - 1);
  const Dim& chosen = x_program.dims[dim];
  return emit({.op = Op::kVar, .imm = kFirstDimVariable + static_cast<std::int32_t>(dim)},
              to_interval({chosen.lo, chosen.hi}));
}

Register SectionWriter::leaf() {
  switch (pick(x_rng, 0, 5)) {
    case 0:
      return constant(static_cast<i128>(pick(x_rng, 0, 200)) - 100);
    case 1:
      return constant(pick_value(x_rng, {kI128Min, kI128Max}, ValueStyle::kExtreme) >> pick(x_rng, 0, 100));
    case 2:
      if (const std::size_t count = x_program.items[x_item].body->init.size(); count > 0) {
        return static_cast<Register>(pick(x_rng, 0, count - 1));
      }
      return random_variable();
    case 3:
      // Any register: an older value, or a 0 that nothing wrote.
      return static_cast<Register>(pick(x_rng, 0, kRegisters - 1));
    default:
      return random_variable();
  }
}

Register SectionWriter::random_load(unsigned depth) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    const auto object = static_cast<ObjectId>(pick(x_rng, 0, x_program.objects.size() - 1));
    if (load_site(x_program, x_item, object).rule == LoadRule::kNever) continue;
    std::array<Register, kMaxRank> coordinates{};
    for (std::size_t axis = 0; axis < x_program.objects[object].rank; ++axis) {
      coordinates[axis] = pick(x_rng, 0, 4) == 0 && depth > 0 ? value(depth - 1) : random_variable();
      if (pick(x_rng, 0, 4) == 0) coordinates[axis] = binary(Op::kSub, coordinates[axis], constant(1));
    }
    return load(object, coordinates[0], coordinates[1]);
  }
  return leaf();
}

Register SectionWriter::random_arithmetic(unsigned depth) {
  static constexpr std::array kPlain = {Op::kAdd, Op::kSub, Op::kMul, Op::kMin, Op::kMax, Op::kLt, Op::kLe, Op::kEq};
  static constexpr std::array kDivisions = {Op::kDiv, Op::kMod, Op::kDivRound};
  static constexpr std::array kShifts = {Op::kShl, Op::kShr, Op::kShrRound};
  const Register a = value(depth - 1);
  switch (pick(x_rng, 0, 9)) {
    case 0: {
      const Register divisor = at_least(value(depth - 1), 1);
      return binary(kDivisions[pick(x_rng, 0, 2)], a, divisor);
    }
    case 1: {
      const Register count = clamped(value(depth - 1), {0, pick(x_rng, 0, 1) == 0 ? 126 : 20});
      return binary(kShifts[pick(x_rng, 0, 2)], a, count);
    }
    case 2:
      return binary(Op::kIsqrt, at_least(a, 0), 0);
    case 3:
      return wrap(a, static_cast<std::int32_t>(pick(x_rng, 1, 127)));
    case 4:
      return binary(Op::kMul, within_bits(a, 60), within_bits(a, 60));
    default:
      return binary(kPlain[pick(x_rng, 0, kPlain.size() - 1)], a, value(depth - 1));
  }
}

Register SectionWriter::value(unsigned depth) {
  if (depth == 0 || full()) return leaf();
  switch (pick(x_rng, 0, 9)) {
    case 0:
      return leaf();
    case 1:
    case 2:
    case 3:
      return random_load(depth);
    case 4: {
      const Register chosen = condition(depth - 1);
      const Register a = value(depth - 1);
      return select(chosen, a, value(depth - 1));
    }
    case 5: {
      if (pick(x_rng, 0, 3) != 0) return random_arithmetic(depth);
      const bool seeded = pick(x_rng, 0, 1) == 0;
      const Register counter = clamped(value(depth - 1), {0, (i128{1} << 63) - 1});
      const Register a = seeded ? variable(Variable::kSeedHigh) : value(depth - 1);
      const Register b = seeded ? variable(Variable::kSeedLow) : value(depth - 1);
      const Register word = emit({.op = Op::kPrf, .a = a, .b = b, .imm = counter}, to_interval({0, 0xffffffff}));
      if (!seeded) return word;
      // Nothing else may read the halves.
      for (const Register half : {a, b}) {
        if (half == word) continue;
        x_code.push_back({.op = Op::kImm, .dst = half, .imm = 0});
        x_ranges[half] = to_interval({0, 0});
      }
      return word;
    }
    default:
      return random_arithmetic(depth);
  }
}

Register SectionWriter::condition(unsigned depth) {
  static constexpr std::array kComparisons = {Op::kLt, Op::kLe, Op::kEq};
  const Register a = value(depth);
  return binary(kComparisons[pick(x_rng, 0, 2)], a, value(depth));
}

void SectionWriter::accumulate(Op op, Register accumulator, Register value) {
  x_code.push_back({.op = op, .dst = accumulator, .a = accumulator, .b = value});
}

void SectionWriter::move_to(Register accumulator, Register value) {
  x_code.push_back({.op = Op::kMov, .dst = accumulator, .a = value});
}

void SectionWriter::skip_unless(Register condition) { x_code.push_back({.op = Op::kSkipZ, .a = condition}); }

void SectionWriter::require(Register condition) { x_code.push_back({.op = Op::kReq, .a = condition}); }

void SectionWriter::give(std::size_t column, Register value) {
  x_code.push_back({.op = Op::kRet, .a = value, .imm = static_cast<std::int32_t>(column)});
}

namespace {

using Kind = SectionWriter::Kind;

/// Brings a value to what column `column` may hold: its type, or (mostly) its declared range.
void give_fitting(SectionWriter& writer, const Program& program, std::size_t item, std::size_t column, Register value,
                  Rng& rng) {
  const Object& table = program.objects[program.items[item].results[column]];
  const bool may_fail = table.origin == RangeOrigin::kDeclared && pick(rng, 0, 3) == 0;
  if (may_fail) return writer.give(column, value);
  if (table.origin == RangeOrigin::kDeclared) return writer.give(column, writer.clamped(value, table.range));
  if (table.type == ElementType::kI128) return writer.give(column, value);
  const auto bits = static_cast<std::int32_t>(8 * element_bytes(table.type));
  writer.give(column, pick(rng, 0, 1) == 0 ? writer.wrap(value, bits) : writer.clamped(value, type_range(table.type)));
}

std::vector<Instruction> random_step(Program& program, std::size_t item, Rng& rng) {
  SectionWriter writer(program, item, Kind::kStep, rng);
  if (pick(rng, 0, 2) == 0) writer.skip_unless(writer.condition(1));
  const std::size_t accumulators = program.items[item].body->init.size();
  for (std::size_t j = 0; j < accumulators; ++j) {
    const auto accumulator = static_cast<Register>(j);
    const Register value = writer.within_bits(writer.value(3), static_cast<unsigned>(pick(rng, 1, 60)));
    switch (pick(rng, 0, 6)) {
      case 0:
        writer.accumulate(Op::kSub, accumulator, value);
        break;
      case 1:
        writer.accumulate(Op::kMin, accumulator, value);
        break;
      case 2:
        writer.accumulate(Op::kMax, accumulator, value);
        break;
      case 3:
        writer.move_to(accumulator, writer.select(writer.condition(1), accumulator, value));
        break;
      default:
        writer.accumulate(Op::kAdd, accumulator, value);
        break;
    }
  }
  return writer.take();
}

std::vector<Instruction> random_finish(Program& program, std::size_t item, Rng& rng) {
  SectionWriter writer(program, item, Kind::kFinish, rng);
  if (pick(rng, 0, 3) == 0) writer.require(writer.condition(2));
  const Item& finished = program.items[item];
  const std::size_t columns = finished.kind == ItemKind::kTable ? finished.results.size() : 0;
  for (std::size_t column = 0; column < columns; ++column) {
    give_fitting(writer, program, item, column, writer.value(4), rng);
  }
  return writer.take();
}

Extent random_length(const Program& program, Rng& rng) {
  if (pick(rng, 0, 5) == 0) return {ExtentKind::kConstant, pick(rng, 0, 9)};
  return {ExtentKind::kDim, pick(rng, 0, program.dims.size() - 1)};
}

/// An object of a kind whose extents begin with the given ones.
std::optional<ObjectId> find_object(const Program& program, ObjectKind kind, std::vector<Extent> extents, Rng& rng) {
  std::vector<ObjectId> found;
  for (std::size_t id = 0; id < program.objects.size(); ++id) {
    const Object& object = program.objects[id];
    if (object.kind == kind && object.rank >= extents.size() &&
        std::equal(extents.begin(), extents.end(), object.extents.begin())) {
      found.push_back(static_cast<ObjectId>(id));
    }
  }
  if (found.empty()) return std::nullopt;
  return found[pick(rng, 0, found.size() - 1)];
}

constexpr Extent kRecordsExtent{ExtentKind::kDim, 0};

/// One accumulator that adds `value(writer)` at each step; the finish returns it in every column.
template <class Value>
Body adding_body(Program& program, std::size_t item, Extent length, Rng& rng, Value value) {
  Body& body = *program.items[item].body;
  body = {.fold = FoldKind::kFold, .length = length, .init = {0}, .accumulators = {}, .step = {}, .finish = {}};
  SectionWriter step(program, item, Kind::kStep, rng);
  step.accumulate(Op::kAdd, 0, value(step));
  body.step = step.take();
  SectionWriter finish(program, item, Kind::kFinish, rng);
  for (std::size_t column = 0; column < program.items[item].results.size(); ++column) {
    const Register divisor = finish.constant(static_cast<i128>(pick(rng, 1, 9)));
    const Register scaled = pick(rng, 0, 1) == 0 ? Register{0} : finish.binary(Op::kDivRound, 0, divisor);
    give_fitting(finish, program, item, column, scaled, rng);
  }
  body.finish = finish.take();
  return body;
}

/// table[d] fold k: row[k, d] * field[k], with or without a guard.
std::optional<Body> weighted_column(Program& program, std::size_t item, Rng& rng) {
  const auto field = find_object(program, ObjectKind::kField, {kRecordsExtent}, rng);
  const auto row = find_object(program, ObjectKind::kRow, {kRecordsExtent, program.items[item].extents[0]}, rng);
  if (!row || !field) return std::nullopt;
  const bool guarded = pick(rng, 0, 1) == 0;
  return adding_body(program, item, kRecordsExtent, rng, [&](SectionWriter& step) {
    const Register k = step.variable(Variable::kFold);
    const Register weight = step.within_bits(step.load(*field, k, 0), 30);
    if (guarded) step.skip_unless(step.binary(Op::kLt, step.constant(0), weight));
    const Register d = step.variable(Variable::kIndex0);
    return step.binary(Op::kMul, step.within_bits(step.load(*row, k, d), 40), weight);
  });
}

/// table[k] fold d: row[k, d]^2.
std::optional<Body> squared_norm(Program& program, std::size_t item, Rng& rng) {
  const auto row = find_object(program, ObjectKind::kRow, {kRecordsExtent}, rng);
  if (!row) return std::nullopt;
  return adding_body(program, item, program.objects[*row].extents[1], rng, [&](SectionWriter& step) {
    const Register k = step.variable(Variable::kIndex0);
    const Register d = step.variable(Variable::kFold);
    const Register value = step.within_bits(step.load(*row, k, d), 40);
    return step.binary(Op::kMul, value, value);
  });
}

/// table[i, j] fold d where i < j: (row[i, d] - row[j, d])^2.
std::optional<Body> squared_distance(Program& program, std::size_t item, Rng& rng) {
  const auto row = find_object(program, ObjectKind::kRow, {kRecordsExtent}, rng);
  if (!row) return std::nullopt;
  return adding_body(program, item, program.objects[*row].extents[1], rng, [&](SectionWriter& step) {
    const Register i = step.variable(Variable::kIndex0);
    const Register j = step.variable(Variable::kIndex1);
    const Register d = step.variable(Variable::kFold);
    step.skip_unless(step.binary(Op::kLt, i, j));
    const Register left = step.within_bits(step.load(*row, i, d), 40);
    const Register difference = step.binary(Op::kSub, left, step.within_bits(step.load(*row, j, d), 40));
    return step.binary(Op::kMul, difference, difference);
  });
}

/// table[m] fold k where key[k] == m: value[k].
std::optional<Body> bucket(Program& program, std::size_t item, Rng& rng) {
  const auto key = find_object(program, ObjectKind::kField, {kRecordsExtent}, rng);
  const auto value = find_object(program, ObjectKind::kField, {kRecordsExtent}, rng);
  if (!key || !value) return std::nullopt;
  const bool by_member = pick(rng, 0, 1) == 0;
  return adding_body(program, item, kRecordsExtent, rng, [&](SectionWriter& step) {
    const Register e = step.variable(Variable::kFold);
    const Register m = step.variable(Variable::kIndex0);
    step.skip_unless(step.binary(Op::kEq, step.load(by_member ? kMemberObject : *key, e, 0), m));
    return step.within_bits(step.load(*value, e, 0), 50);
  });
}

/// table[i] = table[i-1] + field[i], without a fold.
std::optional<Body> prefix(Program& program, std::size_t item, Rng& rng) {
  const auto field = find_object(program, ObjectKind::kField, {}, rng);
  const ObjectId own = program.items[item].results.front();
  const ElementType type = program.objects[own].type;
  if (!field || program.items[item].results.size() != 1 || element_bytes(type) < 8) return std::nullopt;
  Body& body = *program.items[item].body;
  body = {};
  SectionWriter finish(program, item, Kind::kFinish, rng);
  const Register i = finish.variable(Variable::kIndex0);
  const Register previous = finish.load(own, finish.binary(Op::kSub, i, finish.constant(1)), 0);
  const Register small = finish.within_bits(finish.load(*field, i, 0), 20);
  const Register sum = type == ElementType::kI128 ? finish.constant(0) : previous;
  finish.move_to(sum, previous);
  finish.accumulate(Op::kAdd, sum, small);
  finish.give(0, sum);
  body.finish = finish.take();
  return body;
}

}  // namespace

Body random_body(Program& program, std::size_t item, Rng& rng) {
  Body& body = program.items[item].body.emplace();
  if (pick(rng, 0, 3) != 0) {
    body.fold = FoldKind::kFold;
    body.length = random_length(program, rng);
    const std::uint64_t accumulators = pick(rng, 0, 9) == 0 ? kMaxAccumulators : pick(rng, 1, 3);
    for (std::uint64_t j = 0; j < accumulators; ++j) {
      body.init.push_back(pick_value(rng, {-(i128{1} << 70), i128{1} << 70}, ValueStyle::kUniform));
    }
    body.step = random_step(program, item, rng);
  }
  body.finish = random_finish(program, item, rng);
  return body;
}

std::optional<Body> shaped_body(Program& program, std::size_t item, Rng& rng) {
  const Item& shaped = program.items[item];
  if (shaped.kind != ItemKind::kTable || shaped.loop != kOutside || shaped.rank == 0) return std::nullopt;
  program.items[item].body.emplace();
  if (shaped.rank == 2) return squared_distance(program, item, rng);
  switch (pick(rng, 0, 3)) {
    case 0:
      return weighted_column(program, item, rng);
    case 1:
      return squared_norm(program, item, rng);
    case 2:
      return bucket(program, item, rng);
    default:
      return prefix(program, item, rng);
  }
}

}  // namespace tally::test
