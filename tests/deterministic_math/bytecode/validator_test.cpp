#include "deterministic_math/bytecode/validator.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <utility>

#include "deterministic_math/interpreter/interpreter.h"
#include "tests/support/random_program.h"
#include "tests/support/small_program.h"

namespace tally::math {
namespace {

using test::small_program;
using Reason = ValidationReason;

constexpr Extent kOne{};
constexpr Extent kRecordsExtent{ExtentKind::kDim, 0};

TEST(Validator, accepts_the_small_program) {
  const auto valid = validate(small_program());
  EXPECT_TRUE(valid.has_value()) << describe(valid.error());
  const auto loaded = load_program(encode_program(small_program()));
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(*loaded, small_program());
}

TEST(Validator, accepts_random_valid_programs) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    test::Rng rng(seed);
    const auto valid = validate(test::random_program(rng));
    EXPECT_TRUE(valid.has_value()) << seed << ": " << describe(valid.error());
  }
}

struct Refusal {
  Reason reason;
  Program program;
};

std::vector<Refusal> refusals() {
  std::vector<Refusal> all;
  const auto change = [&](Reason reason, const std::function<void(Program&)>& how) {
    Program program = small_program();
    how(program);
    all.push_back({reason, std::move(program)});
  };
  change(Reason::kNotWellFormed, [](Program& p) { p.dims[0].hi = kMaxDim + 1; });
  change(Reason::kNotWellFormed, [](Program& p) { p.dims[0].lo = std::uint64_t{1} << 32; });
  change(Reason::kNotWellFormed, [](Program& p) { p.items[0].body->step[0].op = static_cast<Op>(0xff); });
  change(Reason::kNotWellFormed, [](Program& p) { p.items[0].body->accumulators.clear(); });
  change(Reason::kDimRoles, [](Program& p) { p.dims[0].role = DimRole::kOther; });
  change(Reason::kDimRoles, [](Program& p) { p.dims[2].role = DimRole::kRecords; });
  change(Reason::kDimRoles, [](Program& p) { p.dims[2].role = DimRole::kMembers; });
  change(Reason::kDimRoles, [](Program& p) { p = Program{}; });
  change(Reason::kObjectOrder, [](Program& p) { std::swap(p.objects[6], p.objects[5]); });
  change(Reason::kObjectOrder, [](Program& p) { std::swap(p.objects[0], p.objects[1]); });
  change(Reason::kObjectOrder, [](Program& p) { p.objects[2] = p.objects[1]; });
  change(Reason::kObjectOrder, [](Program& p) {
    p = Program{};
    p.dims = {{DimRole::kRecords, 1, 2}};
  });
  change(Reason::kObjectForm, [](Program& p) { p.objects[0].range.hi = 2; });
  change(Reason::kObjectForm, [](Program& p) { p.objects[1].range.hi = 2; });
  change(Reason::kObjectForm, [](Program& p) { p.objects[2].type = ElementType::kI32; });
  change(Reason::kObjectForm, [](Program& p) { p.objects[2].extents[0] = {ExtentKind::kDim, 1}; });
  change(Reason::kObjectForm, [](Program& p) { p.objects[4].origin = RangeOrigin::kProved; });
  change(Reason::kObjectForm, [](Program& p) { p.objects[3].extents[0] = {ExtentKind::kDim, 1}; });
  change(Reason::kTooManyInputs, [](Program& p) {
    const Program small = std::exchange(p, Program{});
    p.dims = small.dims;
    p.objects = {small.objects[0], small.objects[1]};
    p.objects.resize(2 + kMaxFields + 1, small.objects[2]);
  });
  change(Reason::kUsesRecords, [](Program& p) { p.objects[4].extents[0] = kRecordsExtent; });
  change(Reason::kUsesRecords, [](Program& p) { p.objects[3].extents[1] = kRecordsExtent; });
  change(Reason::kTooManyElements, [](Program& p) {
    p.objects[4].rank = 2;
    p.objects[4].extents = {Extent{ExtentKind::kConstant, 1U << 20}, Extent{ExtentKind::kConstant, 1U << 20}};
  });
  change(Reason::kTooManyElements, [](Program& p) {
    p.items.push_back({ItemKind::kCheck,
                       kOutside,
                       2,
                       {Extent{ExtentKind::kConstant, 1U << 20}, Extent{ExtentKind::kConstant, 1U << 20}},
                       {},
                       Body{}});
  });
  change(Reason::kRangeOutsideType, [](Program& p) { p.objects[4].range.hi += 1; });
  change(Reason::kItemForm, [](Program& p) { p.items[1].kind = ItemKind::kTable; });
  change(Reason::kItemForm, [](Program& p) { p.items[0].body.reset(); });
  change(Reason::kItemForm, [](Program& p) { p.items.push_back({ItemKind::kCheck, kOutside, 0, {}, {}, {}}); });
  change(Reason::kItemForm, [](Program& p) { p.items[1].results.clear(); });
  change(Reason::kResultOrder, [](Program& p) { p.items[1].results = {test::kNextModel}; });
  change(Reason::kResultOrder, [](Program& p) { p.items.resize(3), p.loops.clear(); });
  change(Reason::kResultShape, [](Program& p) { p.items[2].extents[0] = {ExtentKind::kConstant, 4}; });
  change(Reason::kLoopOrder, [](Program& p) { p.loops.push_back(p.loops[0]); });
  change(Reason::kLoopOrder, [](Program& p) { p.items[3].loop = kOutside; });
  change(Reason::kLoopOrder, [](Program& p) {
    p.items.push_back({ItemKind::kCheck, kOutside, 0, {}, {}, Body{}});
    p.items.push_back({ItemKind::kCheck, 0, 1, {p.loops[0].extent, kOne}, {}, Body{}});
  });
  change(Reason::kLoopShape, [](Program& p) { p.loops[0].extent.value = 3; });
  change(Reason::kNoAccumulators, [](Program& p) {
    p.items[0].body->init.clear();
    p.items[0].body->accumulators.clear();
  });
  change(Reason::kLaterLoad, [](Program& p) { p.items[0].body->finish[0] = {Op::kLoad, 1, 1, 0, test::kNextModel}; });
  change(Reason::kLaterLoad, [](Program& p) { p.items[0].body->finish[0] = {Op::kLoad, 1, 1, 0, test::kMiddle}; });
  change(Reason::kSkipAfterWrite, [](Program& p) { p.items[0].body->step.push_back({Op::kSkipZ, 0, 5, 0, 0}); });
  change(Reason::kReturns, [](Program& p) { p.items[0].body->finish.clear(); });
  change(Reason::kReturns, [](Program& p) { p.items[0].body->finish.push_back({Op::kRet, 0, 0, 0, 0}); });
  change(Reason::kPoolOrder, [](Program& p) { p.constants.push_back(i128{1} << 41); });
  change(Reason::kPoolOrder, [](Program& p) { p.constants[0] = 5; });
  change(Reason::kPoolOrder, [](Program& p) {
    p.constants = {i128{1} << 40, i128{1} << 40};
    p.items[1].body->finish.push_back({Op::kConst, 4, 0, 0, 1});
  });
  change(Reason::kPoolOrder, [](Program& p) {
    p.constants = {i128{1} << 40, i128{1} << 41};
    p.items[0].body->finish.push_back({Op::kConst, 4, 0, 0, 1});
  });
  change(Reason::kNextForm, [](Program& p) { p.next[0].state = test::kCredit; });
  change(Reason::kNextForm, [](Program& p) { p.next[0].table = test::kMiddle; });
  change(Reason::kNextForm, [](Program& p) { p.next.push_back(p.next[0]); });
  change(Reason::kNextRange, [](Program& p) { p.objects[4].range = {-5, 5}; });
  change(Reason::kPayableForm, [](Program& p) { p.payable = {test::kModel}; });
  change(Reason::kPayableForm, [](Program& p) { p.payable = {test::kCredit, test::kCredit}; });
  change(Reason::kRangeProof, [](Program& p) { p.items[2].body->finish[2].op = Op::kMin; });
  change(Reason::kRangesDiffer, [](Program& p) { p.items[0].body->accumulators[0].hi += 1; });
  change(Reason::kRangesDiffer, [](Program& p) { p.objects[test::kTotal].range.hi += 1; });
  return all;
}

struct TaskRefusal {
  Reason reason;
  Program program;
  TaskShape shape;
  std::uint64_t max_work;
};

/// The small program, whose last finish loads element [i, i] of `object` for i below `count`, and returns nothing.
Program with_loads(std::size_t count, ObjectId object) {
  Program program = small_program();
  std::vector<Instruction> finish;
  for (std::size_t i = 0; i < count; ++i) {
    finish.push_back({Op::kImm, 1, 0, 0, static_cast<std::int32_t>(i)});
    finish.push_back({Op::kLoad, 1, 1, 1, object});
  }
  program.items[3].body->finish = finish;
  return program;
}

std::vector<TaskRefusal> task_refusals() {
  const std::vector<std::uint64_t> dims = {8, 2, 4};
  // Longer than a section may be: within 256 instructions the bytes run out before the gas does.
  Program slow = small_program();
  slow.items[3].body->finish.resize(4000, {Op::kIsqrt, 1, 1, 0, 0});
  return {
      {Reason::kTaskDims, small_program(), {{8, 2}, 1024}, 1'000'000},
      {Reason::kTaskDims, small_program(), {{9, 2, 4}, 1024}, 1'000'000},
      {Reason::kTaskDims, small_program(), {{8, 2, 0}, 1024}, 1'000'000},
      {Reason::kTaskLeafBytes, small_program(), {dims, 32}, 1'000'000},
      {Reason::kTaskLeafBytes, small_program(), {dims, 96}, 1'000'000},
      {Reason::kTaskLeafBytes, small_program(), {dims, 8192}, 1'000'000},
      // total 8*3+1, check 4*7, average 4*(8*9+12), walk 2*7
      {Reason::kTaskWork, small_program(), {dims, 1024}, 25 + 28 + 336 + 14 - 1},
      {Reason::kTaskOpeningBytes, with_loads(300, test::kUpdates), {dims, 64}, 1'000'000},
      {Reason::kTaskGas, slow, {dims, 1024}, 1'000'000},
  };
}

TEST(Validator, refuses_with_the_exact_reason) {
  std::size_t number = 0;
  for (const Refusal& refusal : refusals()) {
    const auto valid = validate(refusal.program);
    ASSERT_FALSE(valid.has_value()) << number << " " << to_string(refusal.reason);
    EXPECT_EQ(valid.error().reason, refusal.reason) << number << " " << describe(valid.error());
    ++number;
  }
}

TEST(Validator, refuses_tasks_with_the_exact_reason) {
  for (const TaskRefusal& refusal : task_refusals()) {
    const auto valid = validate_for_task(refusal.program, refusal.shape, refusal.max_work);
    ASSERT_FALSE(valid.has_value()) << to_string(refusal.reason);
    EXPECT_EQ(valid.error().reason, refusal.reason) << describe(valid.error());
  }
  EXPECT_TRUE(validate_for_task(small_program(), {{8, 2, 4}, 1024}, 25 + 28 + 336 + 14).has_value());
}

TEST(Validator, has_a_refusal_for_every_reason) {
  std::set<Reason> reasons;
  for (const Refusal& refusal : refusals()) reasons.insert(refusal.reason);
  for (const TaskRefusal& refusal : task_refusals()) reasons.insert(refusal.reason);
  EXPECT_EQ(reasons.size(), kValidationReasonCount);
}

}  // namespace
}  // namespace tally::math
