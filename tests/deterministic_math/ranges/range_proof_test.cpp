#include "deterministic_math/ranges/range_proof.h"

#include <gtest/gtest.h>

#include <set>

namespace tally::math {
namespace {

constexpr Extent kOne{};
constexpr Extent kRecordsExtent{ExtentKind::kDim, 0};
constexpr Extent kModelExtent{ExtentKind::kDim, 1};

Range below_power(unsigned bits) { return {0, (i128{1} << bits) - 1}; }

Object inner(ObjectKind kind, ElementType type, std::uint8_t rank, std::array<Extent, kMaxRank> extents, Range range) {
  return {kind, type, rank, extents, RangeOrigin::kDeclared, range};
}

Object proved_table(ElementType type, std::uint8_t rank, std::array<Extent, kMaxRank> extents) {
  return {ObjectKind::kComputed, type, rank, extents, RangeOrigin::kProved, type_range(type)};
}

/// K records, D parameters, one field (object 2) and one i32 row (object 3).
Program base_program(std::uint64_t k_max, std::uint64_t d_max) {
  Program program;
  program.dims = {{DimRole::kRecords, 1, k_max}, {DimRole::kOther, 1, d_max}};
  program.objects = {
      inner(ObjectKind::kMember, ElementType::kI128, 1, {kRecordsExtent, kOne}, below_power(32)),
      inner(ObjectKind::kNonce, ElementType::kI128, 1, {kRecordsExtent, kOne}, below_power(64)),
      inner(ObjectKind::kField, ElementType::kI64, 1, {kRecordsExtent, kOne}, {-100, 50}),
      inner(ObjectKind::kRow, ElementType::kI32, 2, {kRecordsExtent, kModelExtent}, type_range(ElementType::kI32)),
  };
  return program;
}

/// A table with one kProved result column of type i64 and rank 1 over K.
Program with_body(Body body, ElementType type = ElementType::kI64) {
  Program program = base_program(1000, 64);
  program.objects.push_back(proved_table(type, 1, {kRecordsExtent, kOne}));
  program.items.push_back({ItemKind::kTable, kOutside, 1, {kRecordsExtent, kOne}, {4}, std::move(body)});
  return program;
}

Body fold_body(std::vector<i128> init, std::vector<Instruction> step, std::vector<Instruction> finish) {
  return {FoldKind::kFold, kRecordsExtent, std::move(init), {}, std::move(step), std::move(finish)};
}

Body map_body(std::vector<Instruction> finish) { return {FoldKind::kNone, kOne, {}, {}, {}, std::move(finish)}; }

ItemRanges proved(const Program& program, std::size_t item = 0) {
  const auto ranges = prove_item(program, item);
  EXPECT_TRUE(ranges.has_value()) << (ranges ? "" : describe(ranges.error()));
  return ranges.value_or(ItemRanges{});
}

constexpr std::int32_t kFoldVariable = static_cast<std::int32_t>(Variable::kFold);
constexpr Instruction kReturn0{Op::kRet, 0, 0, 0, 0};

TEST(RangeProof, bounds_a_sum_by_its_length) {
  const ItemRanges ranges = proved(with_body(fold_body(
      {7}, {{Op::kVar, 1, 0, 0, kFoldVariable}, {Op::kLoad, 1, 1, 0, 2}, {Op::kAdd, 0, 0, 1, 0}}, {kReturn0})));
  EXPECT_EQ(ranges.accumulators, (std::vector<Range>{{7 - 100000, 7 + 50000}}));
  EXPECT_EQ(ranges.results, ranges.accumulators);
}

TEST(RangeProof, bounds_a_running_maximum_by_what_it_meets) {
  const ItemRanges ranges =
      proved(with_body(fold_body({-5}, {{Op::kLoad, 1, 1, 0, 2}, {Op::kMax, 0, 0, 1, 0}}, {kReturn0})));
  EXPECT_EQ(ranges.accumulators, (std::vector<Range>{{-100, 50}}));
}

TEST(RangeProof, knows_a_clamped_accumulator) {
  const ItemRanges ranges = proved(with_body(fold_body({0},
                                                       {{Op::kLoad, 1, 1, 0, 2},
                                                        {Op::kAdd, 0, 0, 1, 0},
                                                        {Op::kImm, 2, 0, 0, 10},
                                                        {Op::kMin, 0, 0, 2, 0},
                                                        {Op::kImm, 2, 0, 0, -3},
                                                        {Op::kMax, 0, 0, 2, 0}},
                                                       {kReturn0})));
  EXPECT_EQ(ranges.accumulators, (std::vector<Range>{{-3, 10}}));
}

TEST(RangeProof, resolves_accumulators_that_feed_each_other) {
  // b counts, a adds b, c holds the previous a.
  const ItemRanges ranges = proved(with_body(fold_body(
      {0, 0, 0}, {{Op::kMov, 2, 0, 0, 0}, {Op::kAdd, 0, 0, 1, 0}, {Op::kImm, 3, 0, 0, 1}, {Op::kAdd, 1, 1, 3, 0}},
      {kReturn0})));
  EXPECT_EQ(ranges.accumulators, (std::vector<Range>{{0, 1000000}, {0, 1000}, {0, 1000000}}));
}

TEST(RangeProof, refuses_an_accumulator_that_doubles) {
  const auto ranges = prove_item(with_body(fold_body({1}, {{Op::kAdd, 0, 0, 0, 0}}, {kReturn0})), 0);
  ASSERT_FALSE(ranges.has_value());
  EXPECT_EQ(ranges.error().reason, RangeReason::kUnboundedAccumulator);
}

TEST(RangeProof, bounds_a_scan_by_its_entries) {
  // t[i] = t[i-1] + x[i]
  const Program program = with_body(map_body({{Op::kVar, 1, 0, 0, 0},
                                              {Op::kLoad, 2, 1, 0, 2},
                                              {Op::kImm, 3, 0, 0, 1},
                                              {Op::kSub, 3, 1, 3, 0},
                                              {Op::kLoad, 3, 3, 0, 4},
                                              {Op::kAdd, 3, 3, 2, 0},
                                              {Op::kRet, 0, 3, 0, 0}}));
  EXPECT_EQ(proved(program).results, (std::vector<Range>{{-100000, 50000}}));
}

TEST(RangeProof, bounds_a_longest_path_through_a_fold_of_own_entries) {
  // t[i] = max over j of (t[j] + 3), starting at 0
  const Program program = with_body(fold_body({0},
                                              {{Op::kVar, 1, 0, 0, kFoldVariable},
                                               {Op::kLoad, 1, 1, 0, 4},
                                               {Op::kImm, 2, 0, 0, 3},
                                               {Op::kAdd, 1, 1, 2, 0},
                                               {Op::kMax, 0, 0, 1, 0}},
                                              {kReturn0}));
  EXPECT_EQ(proved(program).results, (std::vector<Range>{{0, 3000}}));
}

TEST(RangeProof, refuses_a_table_that_doubles_itself) {
  const auto ranges =
      prove_item(with_body(map_body({{Op::kLoad, 1, 1, 0, 4}, {Op::kAdd, 1, 1, 1, 0}, {Op::kRet, 0, 1, 0, 0}})), 0);
  ASSERT_FALSE(ranges.has_value());
  EXPECT_EQ(ranges.error().reason, RangeReason::kUnboundedResult);
}

struct Krum {
  std::optional<RangeReason> fault;
  Range distance, score, key;
};

/// multi_krum's distance, score and key (LANGUAGE.md, exemplars).
Krum prove_krum(std::uint64_t k_max, std::uint64_t d_max) {
  Program program = base_program(k_max, d_max);
  program.objects.push_back(proved_table(ElementType::kI128, 2, {kRecordsExtent, kRecordsExtent}));  // 4: distance
  program.objects.push_back(proved_table(ElementType::kI128, 1, {kRecordsExtent, kOne}));            // 5: far
  program.objects.push_back(proved_table(ElementType::kI128, 1, {kRecordsExtent, kOne}));            // 6: score
  program.objects.push_back(proved_table(ElementType::kI128, 1, {kRecordsExtent, kOne}));            // 7: key
  program.objects[5].kind = ObjectKind::kAdvice;
  Body distance = fold_body({0},
                            {{Op::kVar, 1, 0, 0, 0},
                             {Op::kVar, 2, 0, 0, 1},
                             {Op::kVar, 3, 0, 0, kFoldVariable},
                             {Op::kLt, 4, 1, 2, 0},
                             {Op::kSkipZ, 0, 4, 0, 0},
                             {Op::kLoad, 1, 1, 3, 3},
                             {Op::kLoad, 2, 2, 3, 3},
                             {Op::kSub, 1, 1, 2, 0},
                             {Op::kMul, 1, 1, 1, 0},
                             {Op::kAdd, 0, 0, 1, 0}},
                            {kReturn0});
  distance.length = kModelExtent;
  program.items.push_back({ItemKind::kTable, kOutside, 2, {kRecordsExtent, kRecordsExtent}, {4}, distance});
  program.items.push_back({ItemKind::kAdvice, kOutside, 1, {kRecordsExtent, kOne}, {5}, std::nullopt});
  // accumulators lt, le, s; near = max(K - 2, 1)
  program.items.push_back({ItemKind::kTable,
                           kOutside,
                           1,
                           {kRecordsExtent, kOne},
                           {6},
                           fold_body({0, 0, 0},
                                     {{Op::kVar, 3, 0, 0, 0},
                                      {Op::kLoad, 4, 3, 0, 5},
                                      {Op::kVar, 5, 0, 0, kFoldVariable},
                                      {Op::kLoad, 6, 3, 5, 4},
                                      {Op::kLt, 7, 6, 4, 0},
                                      {Op::kAdd, 0, 0, 7, 0},
                                      {Op::kLe, 8, 6, 4, 0},
                                      {Op::kAdd, 1, 1, 8, 0},
                                      {Op::kSel, 9, 6, 10, 7},
                                      {Op::kAdd, 2, 2, 9, 0}},
                                     {{Op::kVar, 3, 0, 0, 0},
                                      {Op::kLoad, 4, 3, 0, 5},
                                      {Op::kVar, 5, 0, 0, kFirstDimVariable},
                                      {Op::kImm, 6, 0, 0, 2},
                                      {Op::kSub, 5, 5, 6, 0},
                                      {Op::kImm, 6, 0, 0, 1},
                                      {Op::kMax, 5, 5, 6, 0},
                                      {Op::kSub, 5, 5, 0, 0},
                                      {Op::kMul, 5, 4, 5, 0},
                                      {Op::kAdd, 5, 2, 5, 0},
                                      {Op::kRet, 0, 5, 0, 0}})});
  program.items.push_back({ItemKind::kTable,
                           kOutside,
                           1,
                           {kRecordsExtent, kOne},
                           {7},
                           map_body({{Op::kVar, 1, 0, 0, 0},
                                     {Op::kLoad, 2, 1, 0, 6},
                                     {Op::kVar, 3, 0, 0, kFirstDimVariable},
                                     {Op::kMul, 2, 2, 3, 0},
                                     {Op::kAdd, 2, 2, 1, 0},
                                     {Op::kSub, 2, 4, 2, 0},
                                     {Op::kRet, 0, 2, 0, 0}})});
  Krum krum;
  const auto prove = [&](std::size_t item, ObjectId object) {
    const auto ranges = prove_item(program, item);
    if (!ranges) {
      krum.fault = ranges.error().reason;
      return Range{};
    }
    program.objects[object].range = ranges->results.at(0);
    return ranges->results.at(0);
  };
  krum.distance = prove(0, 4);
  program.objects[5].range = krum.distance;
  krum.score = prove(2, 6);
  if (!krum.fault) krum.key = prove(3, 7);
  return krum;
}

TEST(RangeProof, gives_the_published_figures_for_multi_krum) {
  const Krum small = prove_krum(4096, 1U << 24);
  EXPECT_FALSE(small.fault);
  EXPECT_TRUE(below_power(88).contains(small.distance) && !below_power(87).contains(small.distance));
  EXPECT_TRUE(below_power(101).hi >= small.score.hi && below_power(100).hi < small.score.hi);
  EXPECT_TRUE(-below_power(113).hi <= small.key.lo && -below_power(112).hi > small.key.lo);
  const Krum large = prove_krum(1U << 16, 1U << 28);
  EXPECT_FALSE(large.fault);
  EXPECT_TRUE(below_power(92).contains(large.distance) && !below_power(91).contains(large.distance));
  EXPECT_TRUE(below_power(109).hi >= large.score.hi && below_power(108).hi < large.score.hi);
  EXPECT_TRUE(-below_power(125).hi <= large.key.lo && -below_power(124).hi > large.key.lo);
  EXPECT_EQ(prove_krum(1U << 18, 1U << 28).fault, RangeReason::kOverflow);
}

struct Refusal {
  RangeReason reason;
  std::size_t index;
  Program program;
};

std::vector<Refusal> refusals() {
  std::vector<Refusal> all;
  const auto add = [&](RangeReason reason, std::size_t index, Program program) {
    all.push_back({reason, index, std::move(program)});
  };
  const Instruction field{Op::kLoad, 1, 1, 0, 2};
  const Instruction seed{Op::kVar, 1, 0, 0, static_cast<std::int32_t>(Variable::kSeedHigh)};
  add(RangeReason::kOverflow, 2,
      with_body(map_body({{Op::kImm, 1, 0, 0, 1}, {Op::kImm, 2, 0, 0, 126}, {Op::kShl, 1, 2, 2, 0}})));
  add(RangeReason::kUnboundedAccumulator, 1,
      with_body(fold_body({0, 1}, {{Op::kMul, 1, 1, 1, 0}, {Op::kAdd, 1, 1, 1, 0}}, {kReturn0})));
  add(RangeReason::kUnboundedResult, 0,
      with_body(map_body({{Op::kLoad, 1, 1, 0, 4}, {Op::kSub, 1, 2, 1, 0}, {Op::kRet, 0, 1, 0, 0}})));
  add(RangeReason::kDivisorNotPositive, 1, with_body(map_body({field, {Op::kDiv, 1, 1, 1, 0}})));
  add(RangeReason::kDivisorNotPositive, 1, with_body(map_body({field, {Op::kMod, 1, 1, 1, 0}})));
  add(RangeReason::kDivisorNotPositive, 1, with_body(map_body({field, {Op::kDivRound, 1, 1, 1, 0}})));
  add(RangeReason::kShiftCount, 1, with_body(map_body({field, {Op::kShl, 1, 1, 1, 0}})));
  add(RangeReason::kShiftCount, 1, with_body(map_body({field, {Op::kShr, 1, 1, 1, 0}})));
  add(RangeReason::kShiftCount, 1, with_body(map_body({field, {Op::kShrRound, 1, 1, 1, 0}})));
  add(RangeReason::kShiftCount, 1, with_body(map_body({{Op::kImm, 1, 0, 0, 127}, {Op::kShr, 1, 1, 1, 0}})));
  add(RangeReason::kNegativeRoot, 1, with_body(map_body({field, {Op::kIsqrt, 1, 1, 0, 0}})));
  add(RangeReason::kNotLogical, 1, with_body(map_body({field, {Op::kReq, 0, 1, 0, 0}})));
  add(RangeReason::kNotLogical, 1, with_body(map_body({field, {Op::kSel, 1, 1, 1, 1}})));
  add(RangeReason::kNotLogical, 1, with_body(fold_body({0}, {field, {Op::kSkipZ, 0, 1, 0, 0}}, {kReturn0})));
  add(RangeReason::kPrfCounter, 1, with_body(map_body({field, {Op::kPrf, 1, 0, 0, 1}})));
  add(RangeReason::kSeedUse, 1, with_body(map_body({seed, {Op::kMov, 1, 1, 0, 0}})));
  add(RangeReason::kSeedUse, 1, with_body(map_body({seed, {Op::kPrf, 1, 1, 1, 1}})));
  add(RangeReason::kSeedUse, 1, with_body(map_body({seed, {Op::kLoad, 1, 1, 0, 2}})));
  add(RangeReason::kSeedUse, 1, with_body(map_body({seed, {Op::kRet, 0, 1, 0, 0}})));
  add(RangeReason::kSeedUse, 0, with_body(fold_body({0, 0}, {seed}, {kReturn0})));
  add(RangeReason::kResultExceedsType, 0,
      with_body(map_body({field, {Op::kMul, 1, 1, 1, 0}, {Op::kRet, 0, 1, 0, 0}}), ElementType::kI8));
  Program outside = with_body(map_body({field, {Op::kRet, 0, 1, 0, 0}}));
  outside.objects[4].origin = RangeOrigin::kDeclared;
  outside.objects[4].range = {51, 60};
  add(RangeReason::kResultOutsideDeclared, 0, outside);
  return all;
}

TEST(RangeProof, refuses_with_the_exact_reason_and_place) {
  for (const Refusal& refusal : refusals()) {
    const auto ranges = prove_item(refusal.program, 0);
    ASSERT_FALSE(ranges.has_value()) << to_string(refusal.reason);
    EXPECT_EQ(ranges.error().reason, refusal.reason) << describe(ranges.error());
    EXPECT_EQ(ranges.error().index, refusal.index) << to_string(refusal.reason);
  }
}

TEST(RangeProof, has_a_refusal_for_every_reason) {
  std::set<RangeReason> reasons;
  for (const Refusal& refusal : refusals()) reasons.insert(refusal.reason);
  EXPECT_EQ(reasons.size(), kRangeReasonCount);
}

TEST(RangeProof, lets_the_seed_key_the_prf) {
  const ItemRanges ranges =
      proved(with_body(map_body({{Op::kVar, 1, 0, 0, static_cast<std::int32_t>(Variable::kSeedHigh)},
                                 {Op::kVar, 2, 0, 0, static_cast<std::int32_t>(Variable::kSeedLow)},
                                 {Op::kPrf, 1, 1, 2, 3},
                                 {Op::kRet, 0, 1, 0, 0}})));
  EXPECT_EQ(ranges.results, (std::vector<Range>{{0, 0xffffffff}}));
}

TEST(RangeProof, intersects_a_declared_range_with_what_it_infers) {
  Program program = with_body(map_body({{Op::kLoad, 1, 1, 0, 2}, {Op::kRet, 0, 1, 0, 0}}));
  program.objects[4].origin = RangeOrigin::kDeclared;
  program.objects[4].range = {-10, 60};
  EXPECT_EQ(proved(program).results, (std::vector<Range>{{-10, 50}}));
}

}  // namespace
}  // namespace tally::math
