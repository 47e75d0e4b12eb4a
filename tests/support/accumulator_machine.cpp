#include "tests/support/accumulator_machine.h"

#include <algorithm>
#include <array>
#include <utility>

#include "deterministic_math/bytecode/codec.h"
#include "deterministic_math/ranges/range_proof.h"

namespace tally::test {

using namespace tally::math;

namespace {

constexpr ObjectId kState = 2;
// Registers 0..5 are written at random; 6 and 7 hold small numbers, 8 conditions.
constexpr std::uint8_t kFewRegisters = 6;
constexpr std::uint8_t kCondition = 8;

class Machine {
 public:
  explicit Machine(Rng& rng) : x_rng(rng) {}

  std::optional<Program> run() {
    const std::uint64_t records = pick(x_rng, 0, 4);
    const std::uint64_t width = pick(x_rng, 1, 3);
    x_program.dims = {{DimRole::kRecords, records, records}, {DimRole::kOther, width, width}};
    const Extent one{};
    const Extent k{ExtentKind::kDim, 0};
    const Extent vector{ExtentKind::kDim, 1};
    x_program.objects = {
        {ObjectKind::kMember, ElementType::kI128, 1, {k, one}, RangeOrigin::kDeclared, {0, 0xffffffff}},
        {ObjectKind::kNonce, ElementType::kI128, 1, {k, one}, RangeOrigin::kDeclared, {0, (i128{1} << 64) - 1}},
        {ObjectKind::kState, ElementType::kI8, 1, {vector, one}, RangeOrigin::kDeclared, small_range()},
    };
    const bool in_loop = pick(x_rng, 0, 2) == 0;
    if (in_loop) x_program.loops = {{Extent{ExtentKind::kConstant, pick(x_rng, 1, 5)}}};
    for (std::uint64_t i = in_loop ? 2 : 1; i > 0; --i) plan_item(in_loop ? 0 : kOutside);
    for (std::size_t item = 0; item < x_program.items.size(); ++item) {
      x_program.items[item].body = body(item);
      if (!take_ranges(item)) return std::nullopt;
    }
    return std::move(x_program);
  }

 private:
  Range small_range() {
    const auto lo = static_cast<i128>(pick(x_rng, 0, 6)) - 4;
    return {lo, lo + static_cast<i128>(pick(x_rng, 0, 5))};
  }

  void plan_item(LoopId loop) {
    Item item{ItemKind::kTable, loop, static_cast<std::uint8_t>(pick(x_rng, loop == kOutside ? 0 : 1, 2)), {}, {}, {}};
    const auto extent = [&]() -> Extent {
      return pick(x_rng, 0, 1) == 0 ? Extent{ExtentKind::kConstant, pick(x_rng, 1, 5)} : Extent{ExtentKind::kDim, 1};
    };
    for (std::size_t axis = 0; axis < item.rank; ++axis) {
      item.extents[axis] = axis == 0 && loop != kOutside ? x_program.loops[loop].extent : extent();
    }
    for (std::uint64_t column = pick(x_rng, 1, 2); column > 0; --column) {
      item.results.push_back(static_cast<ObjectId>(x_program.objects.size()));
      const bool declared = pick(x_rng, 0, 4) == 0;
      const ElementType type = pick(x_rng, 0, 1) == 0 ? ElementType::kI128 : ElementType::kI16;
      x_program.objects.push_back({ObjectKind::kComputed, type, item.rank, item.extents,
                                   declared ? RangeOrigin::kDeclared : RangeOrigin::kProved,
                                   declared ? small_range() : type_range(type)});
    }
    x_program.items.push_back(item);
  }

  std::uint8_t any_register() { return static_cast<std::uint8_t>(pick(x_rng, 0, kFewRegisters - 1)); }
  /// Mostly accumulators and small numbers.
  std::uint8_t any_source() {
    const std::uint64_t way = pick(x_rng, 0, 3);
    if (way == 0) return static_cast<std::uint8_t>(kFewRegisters + pick(x_rng, 0, 1));
    return way == 1 ? any_register() : static_cast<std::uint8_t>(pick(x_rng, 0, 2));
  }

  Instruction plain(std::size_t item, CodeSection section) {
    constexpr Op kOps[] = {Op::kAdd, Op::kSub,  Op::kAdd,  Op::kMin, Op::kMax, Op::kMov, Op::kImm,
                           Op::kVar, Op::kLoad, Op::kLoad, Op::kDiv, Op::kMod, Op::kMul, Op::kWrap};
    Instruction op{kOps[pick(x_rng, 0, std::size(kOps) - 1)], any_register(), any_source(), any_source(), 0};
    if (op.op == Op::kMov) op.b = 0;
    if (op.op == Op::kImm || op.op == Op::kVar) op.a = op.b = 0;
    if (op.op == Op::kImm) op.imm = static_cast<std::int32_t>(pick(x_rng, 0, 6)) - 3;
    if (op.op == Op::kWrap) {
      op.b = 0;
      op.imm = static_cast<std::int32_t>(pick(x_rng, 1, 4));
    }
    if (op.op == Op::kVar) {
      const std::uint8_t rank = x_program.items[item].rank;
      const auto index = static_cast<std::int32_t>(pick(x_rng, 0, 1));
      const bool fold = section == CodeSection::kStep && pick(x_rng, 0, 1) == 0;
      op.imm = fold ? static_cast<std::int32_t>(Variable::kFold) : index < rank ? index : kFirstDimVariable;
    }
    if (op.op == Op::kLoad) {
      const std::uint64_t object = pick(x_rng, kState, x_program.objects.size() - 1);
      op.imm = static_cast<std::int32_t>(object);
      const std::uint8_t rank = x_program.objects[object].rank;
      if (rank < 1) op.a = 0;
      if (rank < 2) op.b = 0;
    }
    return op;
  }

  /// The two instructions of dst = a < b ? x : y.
  void choose(std::vector<Instruction>& code) {
    code.push_back({Op::kLt, kCondition, any_source(), any_source(), 0});
    code.push_back({Op::kSel, any_register(), any_source(), any_source(), kCondition});
  }

  std::vector<Instruction> section(std::size_t item, CodeSection kind, std::size_t accumulators) {
    std::vector<Instruction> code;
    for (const std::uint8_t reg : {kFewRegisters, static_cast<std::uint8_t>(kFewRegisters + 1)}) {
      code.push_back({Op::kImm, reg, 0, 0, static_cast<std::int32_t>(pick(x_rng, 0, 6)) - 3});
    }
    for (std::uint64_t i = kind == CodeSection::kStep ? pick(x_rng, 0, 3) : 1; i > 1; --i) {
      const std::uint8_t rank = x_program.items[item].rank;
      const bool own = rank > 0 && pick(x_rng, 0, 2) == 0;
      const auto index = own ? static_cast<std::int32_t>(rank) - 1 : static_cast<std::int32_t>(Variable::kFold);
      std::array<std::uint8_t, 2> sides{kCondition, any_source()};
      if (pick(x_rng, 0, 1) == 0) std::swap(sides[0], sides[1]);
      code.push_back({Op::kVar, kCondition, 0, 0, index});
      code.push_back({Op::kLt, kCondition, sides[0], sides[1], 0});
      code.push_back({Op::kSkipZ, 0, kCondition, 0, 0});
    }
    for (std::uint64_t i = pick(x_rng, 1, 7); i > 0; --i) {
      if (pick(x_rng, 0, 2) == 0) {
        choose(code);
      } else {
        code.push_back(plain(item, kind));
      }
    }
    // Steps that change no accumulator prove nothing.
    if (kind == CodeSection::kStep) code.back().dst = static_cast<std::uint8_t>(pick(x_rng, 0, accumulators - 1));
    return code;
  }

  Body body(std::size_t item) {
    Body body;
    if (pick(x_rng, 0, 4) != 0) {
      body.fold = FoldKind::kFold;
      body.length =
          pick(x_rng, 0, 1) == 0 ? Extent{ExtentKind::kDim, 0} : Extent{ExtentKind::kConstant, pick(x_rng, 0, 6)};
      for (std::uint64_t j = pick(x_rng, 1, 3); j > 0; --j) body.init.push_back(small_range().lo);
      body.step = section(item, CodeSection::kStep, body.init.size());
    }
    body.finish = section(item, CodeSection::kFinish, 1);
    for (std::size_t column = 0; column < x_program.items[item].results.size(); ++column) {
      body.finish.push_back({Op::kRet, 0, any_register(), 0, static_cast<std::int32_t>(column)});
    }
    return body;
  }

  bool take_ranges(std::size_t item) {
    const auto ranges = prove_item(x_program, item);
    if (!ranges) return false;
    Item& proved = x_program.items[item];
    proved.body->accumulators = ranges->accumulators;
    for (std::size_t column = 0; column < proved.results.size(); ++column) {
      Object& table = x_program.objects[proved.results[column]];
      if (table.origin == RangeOrigin::kProved) table.range = ranges->results[column];
    }
    return true;
  }

  Rng& x_rng;
  Program x_program;
};

}  // namespace

std::optional<Program> accumulator_machine(Rng& rng) { return Machine(rng).run(); }

}  // namespace tally::test
