#include "deterministic_math/ranges/range_proof.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/bytecode/visibility.h"
#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/ranges/symbolic.h"

namespace tally::math {
namespace {

constexpr Range kTruth{0, 1};
constexpr Range kPrfCounters{0, (i128{1} << 63) - 1};
constexpr Range kShiftCounts{0, 126};

/// The proof of one item. `x_symbols` holds what a section that starts from, or loads, a symbol sees: the symbol itself
/// until its interval is known. `x_ends` holds what the finish sees of each accumulator; that may be written in terms
/// of result columns first.
class Proof {
 public:
  Proof(const Program& program, std::size_t item)
      : x_program(program), x_item(program.items[item]), x_body(*x_item.body), x_position(item) {}

  std::expected<ItemRanges, RangeFault> run() {
    start();
    for (std::size_t pass = 0; pass < x_symbols.size() + 2 && !resolved(); ++pass) refine();
    if (const auto fault = unresolved()) return std::unexpected(*fault);
    return check();
  }

 private:
  using Registers = std::array<Value, kRegisters>;

  [[nodiscard]] std::size_t accumulator_count() const { return x_body.init.size(); }
  [[nodiscard]] std::size_t column_count() const { return x_item.kind == ItemKind::kTable ? x_item.results.size() : 0; }

  void start() {
    for (Symbol symbol = 0; symbol < accumulator_count(); ++symbol) {
      x_symbols.push_back(symbol_value(symbol, kAnything));
    }
    x_ends = x_symbols;
    for (std::size_t column = 0; column < column_count(); ++column) {
      x_reads_itself.push_back(reads_column(column));
      x_symbols.push_back(x_reads_itself[column] ? symbol_value(accumulator_count() + column, kAnything)
                                                 : plain_value(to_interval({0, 0})));
    }
  }

  /// Whether the body loads this column and the column has no declared range.
  [[nodiscard]] bool reads_column(std::size_t column) const {
    const ObjectId object = x_item.results[column];
    if (x_program.objects[object].origin != RangeOrigin::kProved) return false;
    const auto loads = [object](const Instruction& op) { return op.op == Op::kLoad && op.imm == object; };
    return std::ranges::any_of(x_body.step, loads) || std::ranges::any_of(x_body.finish, loads);
  }

  [[nodiscard]] bool resolved() const {
    return std::ranges::all_of(x_symbols, [](const Value& value) { return !value.shape && value.bound.finite(); });
  }

  /// One pass: runs both sections on what is known and takes what follows for each symbol.
  void refine() {
    const Registers after_step = run_step(nullptr);
    for (Symbol symbol = 0; symbol < accumulator_count(); ++symbol) {
      if (!x_symbols[symbol].shape) continue;
      const Growth growth{symbol, x_body.init[symbol], static_cast<i128>(extent_max(x_body.length, x_program))};
      x_ends[symbol] = grow(growth, after_step[symbol], accumulator_count());
      accept(symbol, x_ends[symbol]);
    }
    std::array<Value, kMaxResults> returned{};
    run_finish(nullptr, returned);
    for (std::size_t column = 0; column < column_count(); ++column) {
      const Symbol symbol = accumulator_count() + column;
      if (!x_symbols[symbol].shape) continue;
      accept(symbol, grow({symbol, 0, entries()}, returned[column], accumulator_count()));
    }
  }

  [[nodiscard]] i128 entries() const {
    i128 count = 1;
    for (std::size_t axis = 0; axis < x_item.rank; ++axis) count *= extent_max(x_item.extents[axis], x_program);
    return count;
  }

  /// A symbol is known once its interval is finite and depends on no other symbol.
  void accept(Symbol symbol, const Value& value) {
    if (!value.shape && value.bound.finite()) {
      x_symbols[symbol] = value;
    } else {
      x_symbols[symbol].bound = value.bound;
    }
  }

  [[nodiscard]] std::optional<RangeFault> unresolved() const {
    for (Symbol symbol = 0; symbol < x_symbols.size(); ++symbol) {
      const Value& value = x_symbols[symbol];
      if (!value.shape && value.bound.finite()) continue;
      if (symbol < accumulator_count()) {
        return fault_of(RangeSection::kStep, symbol, RangeReason::kUnboundedAccumulator, value.bound);
      }
      return fault_of(RangeSection::kFinish, symbol - accumulator_count(), RangeReason::kUnboundedResult, value.bound);
    }
    return std::nullopt;
  }

  [[nodiscard]] static RangeFault fault_of(RangeSection section, std::size_t index, RangeReason reason,
                                           const Interval& found) {
    return {section, index, reason, found.cut(), found.lo.beyond != 0, found.hi.beyond != 0};
  }

  /// The last pass: every instruction over plain intervals, recorded and checked.
  std::expected<ItemRanges, RangeFault> check() {
    ItemRanges ranges;
    for (Symbol symbol = 0; symbol < accumulator_count(); ++symbol) {
      ranges.accumulators.push_back(x_symbols[symbol].bound.cut());
    }
    x_section = RangeSection::kStep;
    const Registers after_step = run_step(&ranges.step);
    if (!x_fault) check_seed_in_accumulators(after_step);
    if (x_fault) return std::unexpected(*x_fault);
    x_section = RangeSection::kFinish;
    std::array<Value, kMaxResults> returned{};
    run_finish(&ranges.finish, returned);
    if (x_fault) return std::unexpected(*x_fault);
    for (std::size_t column = 0; column < column_count(); ++column) {
      const auto range = result_range(column, returned[column].bound);
      if (!range) return std::unexpected(range.error());
      ranges.results.push_back(*range);
    }
    return ranges;
  }

  [[nodiscard]] std::expected<Range, RangeFault> result_range(std::size_t column, const Interval& returned) const {
    const Object& table = x_program.objects[x_item.results[column]];
    const Interval inferred = x_reads_itself[column] ? x_symbols[accumulator_count() + column].bound : returned;
    const Range found = inferred.cut();
    if (table.origin == RangeOrigin::kProved) {
      if (type_range(table.type).contains(found)) return found;
      return std::unexpected(fault_of(RangeSection::kFinish, column, RangeReason::kResultExceedsType, inferred));
    }
    const Range both{std::max(found.lo, table.range.lo), std::min(found.hi, table.range.hi)};
    if (both.lo <= both.hi) return both;
    return std::unexpected(fault_of(RangeSection::kFinish, column, RangeReason::kResultOutsideDeclared, inferred));
  }

  void check_seed_in_accumulators(const Registers& after_step) {
    for (std::size_t j = 0; j < accumulator_count(); ++j) {
      if (!after_step[j].seed) continue;
      for (std::size_t i = x_body.step.size(); i-- > 0;) {
        if (!opcode_info(x_body.step[i].op).uses(kUsesDst) || x_body.step[i].dst != j) continue;
        report(i, RangeReason::kSeedUse, after_step[j].bound);
        return;
      }
    }
  }

  /// `record` is null but in the last pass.
  Registers run_step(std::vector<Range>* record) {
    Registers r = entry_registers(x_symbols);
    if (x_body.fold == FoldKind::kFold) run(x_body.step, r, {}, record);
    return r;
  }

  void run_finish(std::vector<Range>* record, std::span<Value> returned) {
    std::ranges::fill(returned, plain_value(to_interval({0, 0})));
    Registers r = entry_registers(x_ends);
    run(x_body.finish, r, returned, record);
  }

  [[nodiscard]] Registers entry_registers(const std::vector<Value>& accumulators) const {
    Registers r;
    r.fill(plain_value(to_interval({0, 0})));
    std::copy_n(accumulators.begin(), static_cast<std::ptrdiff_t>(accumulator_count()), r.begin());
    return r;
  }

  void run(std::span<const Instruction> code, Registers& r, std::span<Value> returned, std::vector<Range>* record) {
    for (std::size_t i = 0; i < code.size(); ++i) {
      const Instruction& op = code[i];
      const OpInfo& info = opcode_info(op.op);
      if (record != nullptr) {
        check_operands(i, op, info, r);
        if (x_fault) return;
      }
      const Value value = info.uses(kUsesDst) ? evaluate(op, r) : r[op.a];
      if (op.op == Op::kRet && static_cast<std::size_t>(op.imm) < returned.size()) {
        returned[static_cast<std::size_t>(op.imm)] = value;
      }
      if (record != nullptr) {
        if (!value.bound.finite()) report(i, RangeReason::kOverflow, value.bound);
        if (x_fault) return;
        record->push_back(value.bound.cut());
      }
      if (info.uses(kUsesDst)) r[op.dst] = value;
    }
  }

  [[nodiscard]] Value evaluate(const Instruction& op, const Registers& r) const {
    const Value& a = r[op.a];
    const Value& b = r[op.b];
    switch (op.op) {
      case Op::kImm:
        return plain_value(to_interval({op.imm, op.imm}));
      case Op::kConst: {
        const i128 constant = x_program.constants[static_cast<std::size_t>(op.imm)];
        return plain_value(to_interval({constant, constant}));
      }
      case Op::kMov:
        return a;
      case Op::kVar:
        return variable(op.imm);
      case Op::kLoad:
        return load(static_cast<ObjectId>(op.imm));
      case Op::kAdd:
        return {.bound = apply(op.op, a.bound, b.bound), .shape = sum(a, b), .seed = false};
      case Op::kSub:
        return {.bound = apply(op.op, a.bound, b.bound), .shape = difference(a, b), .seed = false};
      case Op::kMin:
      case Op::kMax:
        return {.bound = apply(op.op, a.bound, b.bound), .shape = either(a, b), .seed = false};
      case Op::kMul:
        return plain_value(op.a == op.b ? square(a.bound) : apply(op.op, a.bound, b.bound));
      case Op::kWrap:
        return plain_value(wrap_interval(a.bound, op.imm));
      case Op::kSel:
        return {.bound = join(a.bound, b.bound), .shape = either(a, b), .seed = false};
      case Op::kPrf:
        return plain_value(to_interval({0, 0xffffffff}));
      case Op::kDiv:
      case Op::kMod:
      case Op::kDivRound:
      case Op::kShl:
      case Op::kShr:
      case Op::kShrRound:
      case Op::kIsqrt:
      case Op::kLt:
      case Op::kLe:
      case Op::kEq:
        return plain_value(apply(op.op, a.bound, b.bound));
      case Op::kSkipZ:
      case Op::kReq:
      case Op::kRet:
        break;
    }
    TALLY_ASSERT(false);
    return a;
  }

  [[nodiscard]] static Range index_range(std::uint64_t extent) {
    return {0, extent == 0 ? 0 : static_cast<i128>(extent) - 1};
  }

  [[nodiscard]] Value variable(std::int32_t number) const {
    if (number >= kFirstDimVariable) {
      const Dim& dim = x_program.dims[static_cast<std::size_t>(number - kFirstDimVariable)];
      return plain_value(to_interval({dim.lo, dim.hi}));
    }
    switch (static_cast<Variable>(number)) {
      case Variable::kIndex0:
        return plain_value(to_interval(index_range(extent_max(x_item.extents[0], x_program))));
      case Variable::kIndex1:
        return plain_value(to_interval(index_range(extent_max(x_item.extents[1], x_program))));
      case Variable::kFold:
        return plain_value(to_interval(index_range(extent_max(x_body.length, x_program))));
      case Variable::kBatch:
        return plain_value(to_interval({1, kMaxBatchNumber}));
      case Variable::kSeedHigh:
      case Variable::kSeedLow:
        return {.bound = to_interval({kI128Min, kI128Max}), .shape = {}, .seed = true};
    }
    TALLY_ASSERT(false);
    return {};
  }

  [[nodiscard]] Value load(ObjectId object) const {
    for (std::size_t column = 0; column < column_count(); ++column) {
      if (x_item.results[column] == object && x_reads_itself[column]) return x_symbols[accumulator_count() + column];
    }
    return plain_value(to_interval(load_site(x_program, x_position, object).clamp));
  }

  void check_operands(std::size_t index, const Instruction& op, const OpInfo& info, const Registers& r) {
    const auto demand = [&](std::uint8_t reg, const Range& domain, RangeReason reason) {
      if (!x_fault && !r[reg].bound.within(domain)) report(index, reason, r[reg].bound);
    };
    const bool prf = op.op == Op::kPrf;
    const std::size_t rank = op.op == Op::kLoad ? x_program.objects[static_cast<std::size_t>(op.imm)].rank : kMaxRank;
    const bool seed_used = (info.uses(kUsesA) && rank > 0 && !prf && r[op.a].seed) ||
                           (info.uses(kUsesB) && rank > 1 && !prf && r[op.b].seed) ||
                           (info.imm == ImmUse::kC && r[op.c()].seed);
    if (seed_used) return report(index, RangeReason::kSeedUse, to_interval({kI128Min, kI128Max}));
    if (op.op == Op::kDiv || op.op == Op::kMod || op.op == Op::kDivRound) {
      demand(op.b, {1, kI128Max}, RangeReason::kDivisorNotPositive);
    } else if (op.op == Op::kShl || op.op == Op::kShr || op.op == Op::kShrRound) {
      demand(op.b, kShiftCounts, RangeReason::kShiftCount);
    } else if (op.op == Op::kIsqrt) {
      demand(op.a, {0, kI128Max}, RangeReason::kNegativeRoot);
    } else if (op.op == Op::kSel) {
      demand(op.c(), kTruth, RangeReason::kNotLogical);
    } else if (op.op == Op::kSkipZ || op.op == Op::kReq) {
      demand(op.a, kTruth, RangeReason::kNotLogical);
    } else if (prf) {
      demand(op.c(), kPrfCounters, RangeReason::kPrfCounter);
    }
  }

  void report(std::size_t index, RangeReason reason, const Interval& found) {
    x_fault = fault_of(x_section, index, reason, found);
  }

  const Program& x_program;
  const Item& x_item;
  const Body& x_body;
  std::size_t x_position;
  std::vector<Value> x_symbols;
  std::vector<Value> x_ends;
  std::vector<bool> x_reads_itself;
  RangeSection x_section = RangeSection::kStep;
  std::optional<RangeFault> x_fault;
};

}  // namespace

std::string_view to_string(RangeReason reason) {
  switch (reason) {
    case RangeReason::kOverflow:
      return "a value may leave 128 bits";
    case RangeReason::kUnboundedAccumulator:
      return "an accumulator grows by no fixed amount a step";
    case RangeReason::kUnboundedResult:
      return "a table that reads itself grows by no fixed amount an entry";
    case RangeReason::kDivisorNotPositive:
      return "a divisor may be below 1";
    case RangeReason::kShiftCount:
      return "a shift count may lie outside 0..126";
    case RangeReason::kNegativeRoot:
      return "the argument of isqrt may be negative";
    case RangeReason::kNotLogical:
      return "a condition may be other than 0 or 1";
    case RangeReason::kPrfCounter:
      return "the counter of prf may lie outside 0..2^63-1";
    case RangeReason::kSeedUse:
      return "the seed may be used as the first arguments of prf only";
    case RangeReason::kResultExceedsType:
      return "a returned value may leave its element type";
    case RangeReason::kResultOutsideDeclared:
      return "a returned value can never lie in its declared range";
  }
  return "unknown reason";
}

std::string describe(const RangeFault& fault) {
  std::string text(to_string(fault.reason));
  text += ": found ";
  text += fault.below ? "below -2^127" : to_string(fault.found.lo);
  text += " .. ";
  text += fault.above ? "above 2^127-1" : to_string(fault.found.hi);
  return text;
}

std::expected<ItemRanges, RangeFault> prove_item(const Program& program, std::size_t item) {
  TALLY_ASSERT(item < program.items.size());
  if (!program.items[item].body) return ItemRanges{};
  return Proof(program, item).run();
}

}  // namespace tally::math
