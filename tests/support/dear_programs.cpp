#include "tests/support/dear_programs.h"

#include <stdexcept>

#include "deterministic_math/bytecode/cost.h"
#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/bytecode/validator.h"

namespace tally::test {

using namespace tally::math;

namespace {

constexpr Extent kOne{};
constexpr Extent kRecords{ExtentKind::kDim, 0};
constexpr Extent kLength{ExtentKind::kDim, 1};
constexpr std::uint64_t kMostRecords = 65'536;
constexpr Range kAny = type_range(ElementType::kI128);

// Of the objects of a program that is made here; the tables are behind them.
constexpr ObjectId kField = 2;
constexpr ObjectId kRow = 3;
constexpr ObjectId kState = 4;
constexpr ObjectId kFirstTable = 5;

/// Objects of every kind, and no item.
Program inputs() {
  Program program;
  program.dims = {{DimRole::kRecords, 0, kMostRecords}, {DimRole::kOther, 1, kMaxDim}};
  program.objects = {
      {ObjectKind::kMember, ElementType::kI128, 1, {kRecords, kOne}, RangeOrigin::kDeclared, {0, 0xffffffff}},
      {ObjectKind::kNonce, ElementType::kI128, 1, {kRecords, kOne}, RangeOrigin::kDeclared, {0, (i128{1} << 64) - 1}},
      {ObjectKind::kField,
       ElementType::kI64,
       1,
       {kRecords, kOne},
       RangeOrigin::kDeclared,
       type_range(ElementType::kI64)},
      {ObjectKind::kRow, ElementType::kI128, 2, {kRecords, kLength}, RangeOrigin::kDeclared, kAny},
      {ObjectKind::kState, ElementType::kI128, 1, {kLength, kOne}, RangeOrigin::kDeclared, kAny},
  };
  return program;
}

Body finishing(std::vector<Instruction> finish) {
  Body body;
  body.finish = std::move(finish);
  return body;
}

/// A fold over the records.
Body folding(std::vector<i128> init, std::vector<Instruction> step, std::vector<Instruction> finish) {
  Body body;
  body.fold = FoldKind::kFold;
  body.length = kRecords;
  body.init = std::move(init);
  body.step = std::move(step);
  body.finish = std::move(finish);
  return body;
}

/// A table of single elements for each column.
void add_item(Program& program, const Body& body, std::size_t columns = 1) {
  Item item{ItemKind::kTable, kOutside, 0, {kOne, kOne}, {}, body};
  for (std::size_t column = 0; column < columns; ++column) {
    item.results.push_back(static_cast<ObjectId>(program.objects.size()));
    program.objects.push_back({ObjectKind::kComputed, ElementType::kI128, 0, {kOne, kOne}, RangeOrigin::kProved, {}});
  }
  program.items.push_back(std::move(item));
}

Program proved(Program program) {
  for (std::size_t i = 0; i < program.items.size(); ++i) {
    Item& item = program.items[i];
    const auto ranges = prove_item(program, i);
    if (!ranges) throw std::logic_error(describe(ranges.error()));
    item.body->accumulators = ranges->accumulators;
    for (std::size_t column = 0; column < item.results.size(); ++column)
      program.objects[item.results[column]].range = ranges->results[column];
  }
  if (const auto valid = validate(program); !valid) throw std::logic_error(describe(valid.error()));
  return program;
}

Instruction imm(std::uint8_t to, std::uint64_t value) { return {Op::kImm, to, 0, 0, static_cast<std::int32_t>(value)}; }

std::vector<Instruction> with_return(std::vector<Instruction> code) {
  code.push_back({Op::kRet, 0, 3, 0, 0});
  return code;
}

/// As many loads of leaves far from each other as may be opened.
DearProgram most_openings(const std::string& name, ObjectId object, std::uint32_t leaf_bytes) {
  const auto with_loads = [&](std::size_t loads) {
    Program program = inputs();
    const std::uint64_t span = object == kState ? kMaxDim : kMostRecords;
    std::vector<Instruction> code{imm(2, kMaxDim / 2 + 1)};
    for (std::size_t i = 0; i < loads; ++i) {
      code.push_back(imm(1, (2 * i + 1) * (span / (2 * loads + 2))));
      code.push_back({Op::kLoad, 3, 1, static_cast<std::uint8_t>(object == kRow ? 2 : 0), object});
    }
    add_item(program, finishing(with_return(code)));
    return proved(program);
  };
  const TaskShape shape{.dims = {kMostRecords, kMaxDim}, .leaf_bytes = leaf_bytes};
  std::size_t loads = 1;
  while (loads < 120 &&
         section_cost(with_loads(loads + 1), shape, 0, CodeSection::kFinish).opening_bytes <= kMaxOpeningBytes)
    ++loads;
  return {.name = name, .program = with_loads(loads), .leaf_bytes = leaf_bytes};
}

/// What runs before a section grows with the parts of the program.
DearProgram most_parts() {
  Program program = inputs();
  for (std::size_t i = program.dims.size(); i < kMaxDims; ++i) program.dims.push_back({DimRole::kOther, 1, 1});
  std::vector<Instruction> code{imm(3, 7)};
  for (std::size_t column = 0; column < 4; ++column)
    code.push_back({Op::kRet, 0, 3, 0, static_cast<std::int32_t>(column)});
  for (std::size_t i = 0; i < 55; ++i) add_item(program, finishing(code), 4);
  return {.name = "the most parts", .program = proved(program), .transition = {.item = 54}};
}

/// Eight accumulators of full width, in the middle of a fold.
DearProgram most_accumulators() {
  Program program = inputs();
  const i128 huge = (i128{1} << 126) + 0x1234'5678'9abc;
  program.constants = {huge};
  std::vector<i128> init;
  std::vector<Instruction> step;
  for (std::uint8_t j = 0; j < kMaxAccumulators; ++j) {
    init.push_back(-huge + j);
    step.push_back({Op::kConst, j, 0, 0, 0});
  }
  add_item(program, folding(init, step, with_return({{Op::kMov, 3, 0, 0, 0}})));
  DearProgram dear{
      .name = "the most accumulators", .program = proved(program), .transition = {.number = kMostRecords / 2}};
  dear.before.fill(huge);
  return dear;
}

}  // namespace

std::vector<std::uint64_t> dear_dims(const Program& program) {
  std::vector<std::uint64_t> dims;
  for (const Dim& dim : program.dims) dims.push_back(dim.hi);
  return dims;
}

std::vector<DearOpcode> dear_opcodes() {
  constexpr i128 kLarge = (i128{1} << 126) + 12'345;
  constexpr i128 kHalf = (i128{1} << 62) - 77;
  // Newton's method takes the most steps for it (Int128.sol).
  constexpr i128 kParts = 1'000'000'000'000;
  constexpr i128 kSlowRoot = (30'094'219'468'872 * kParts + 304'680'760'433) * kParts + 374'418'317'443;
  return {
      {{Op::kImm, 3, 0, 0, -5}, kLarge, kHalf},      {{Op::kConst, 3, 0, 0, 0}, kLarge, kHalf},
      {{Op::kMov, 3, 1, 0, 0}, kLarge, kHalf},       {{Op::kVar, 3, 0, 0, kFirstDimVariable + 1}, kLarge, kHalf},
      {{Op::kLoad, 3, 4, 5, kRow}, kLarge, kHalf},   {{Op::kAdd, 3, 1, 2, 0}, kLarge, kHalf},
      {{Op::kSub, 3, 1, 2, 0}, kLarge, kHalf},       {{Op::kMul, 3, 1, 2, 0}, -kHalf, kHalf + 1},
      {{Op::kMin, 3, 1, 2, 0}, kLarge, kHalf},       {{Op::kMax, 3, 1, 2, 0}, kLarge, kHalf},
      {{Op::kDiv, 3, 1, 2, 0}, -kLarge, kHalf},      {{Op::kMod, 3, 1, 2, 0}, -kLarge, kHalf},
      {{Op::kDivRound, 3, 1, 2, 0}, -kLarge, kHalf}, {{Op::kShl, 3, 2, 4, 0}, kLarge, kHalf, 60},
      {{Op::kShr, 3, 1, 4, 0}, -kLarge, kHalf, 60},  {{Op::kShrRound, 3, 1, 4, 0}, -kLarge, kHalf, 60},
      {{Op::kIsqrt, 3, 1, 0, 0}, kSlowRoot, kHalf},  {{Op::kWrap, 3, 1, 0, 100}, kLarge, kHalf},
      {{Op::kLt, 3, 2, 1, 0}, kLarge, kHalf},        {{Op::kLe, 3, 2, 1, 0}, kLarge, kHalf},
      {{Op::kEq, 3, 1, 1, 0}, kLarge, kHalf},        {{Op::kSel, 3, 1, 2, 4}, kLarge, kHalf},
      {{Op::kPrf, 3, 1, 2, 4}, kLarge, kHalf},       {{Op::kSkipZ, 0, 4, 0, 0}, kLarge, kHalf},
      {{Op::kReq, 0, 4, 0, 0}, kLarge, kHalf},
  };
}

Program repeated(const DearOpcode& dear, std::size_t times) {
  Program program = inputs();
  program.constants = {dear.a, dear.b};
  std::vector<Instruction> code{{Op::kConst, 1, 0, 0, 0}, {Op::kConst, 2, 0, 0, 1}, imm(4, 0), imm(5, 0), imm(3, 0)};
  code[2].imm = dear.c;
  code.insert(code.end(), times, dear.instruction);
  if (dear.instruction.op == Op::kSkipZ) {
    code.push_back({Op::kMov, 0, 4, 0, 0});
    add_item(program, folding({0}, code, with_return({imm(3, 0)})));
  } else {
    add_item(program, finishing(with_return(code)));
  }
  return proved(program);
}

std::vector<DearProgram> dear_programs() {
  std::vector<DearProgram> programs;
  for (const std::uint32_t leaf_bytes : {64U, 1024U, 4096U}) {
    const std::string leaves = " of " + std::to_string(leaf_bytes) + " bytes";
    programs.push_back(most_openings("the most leaves" + leaves, kState, leaf_bytes));
    programs.push_back(most_openings("the most rows" + leaves, kRow, leaf_bytes));
  }
  programs.push_back(most_openings("the most records", kField, 64));
  for (const DearOpcode& dear : dear_opcodes()) {
    const Op op = dear.instruction.op;
    if (op == Op::kIsqrt || op == Op::kDivRound || op == Op::kPrf || op == Op::kAdd || op == Op::kLoad)
      programs.push_back({.name = "only " + std::string(opcode_info(op).mnemonic), .program = repeated(dear, 250)});
  }
  programs.push_back(most_parts());
  programs.push_back(most_accumulators());
  return programs;
}

}  // namespace tally::test
