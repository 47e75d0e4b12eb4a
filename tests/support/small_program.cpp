#include "tests/support/small_program.h"

namespace tally::test {

using namespace tally::math;

Program small_program() {
  constexpr Extent kOne{};
  constexpr Extent kRecords{ExtentKind::kDim, 0};
  constexpr Extent kMembers{ExtentKind::kDim, 1};
  constexpr Extent kModelSize{ExtentKind::kDim, 2};
  constexpr Extent kRounds{ExtentKind::kConstant, 2};
  constexpr Range kI32Range = type_range(ElementType::kI32);
  constexpr RangeOrigin kDeclared = RangeOrigin::kDeclared;
  constexpr auto kFoldIndex = static_cast<std::int32_t>(Variable::kFold);
  Program program;
  program.dims = {{DimRole::kRecords, 1, 8}, {DimRole::kMembers, 2, 2}, {DimRole::kOther, 1, 4}};
  program.objects = {
      {ObjectKind::kMember, ElementType::kI128, 1, {kRecords, kOne}, kDeclared, {0, 1}},
      {ObjectKind::kNonce, ElementType::kI128, 1, {kRecords, kOne}, kDeclared, {0, (i128{1} << 64) - 1}},
      {ObjectKind::kField, ElementType::kI64, 1, {kRecords, kOne}, kDeclared, {1, 100}},
      {ObjectKind::kRow, ElementType::kI32, 2, {kRecords, kModelSize}, kDeclared, kI32Range},
      {ObjectKind::kState, ElementType::kI32, 1, {kModelSize, kOne}, kDeclared, kI32Range},
      {ObjectKind::kState, ElementType::kI64, 1, {kMembers, kOne}, kDeclared, {0, 1000}},
      {ObjectKind::kComputed, ElementType::kI64, 0, {kOne, kOne}, RangeOrigin::kProved, {0, 800}},
      {ObjectKind::kAdvice, ElementType::kI32, 1, {kModelSize, kOne}, kDeclared, kI32Range},
      {ObjectKind::kComputed, ElementType::kI32, 1, {kModelSize, kOne}, RangeOrigin::kProved, kI32Range},
      {ObjectKind::kComputed, ElementType::kI64, 1, {kRounds, kOne}, RangeOrigin::kProved, {0, 1600}},
  };
  program.constants = {i128{1} << 40};
  program.loops = {{kRounds}};
  const Body total{FoldKind::kFold,
                   kRecords,
                   {0},
                   {{0, 800}},
                   {{Op::kVar, 1, 0, 0, kFoldIndex}, {Op::kLoad, 1, 1, 0, kExamples}, {Op::kAdd, 0, 0, 1, 0}},
                   {{Op::kRet, 0, 0, 0, 0}}};
  const Body check{FoldKind::kNone,
                   kOne,
                   {},
                   {},
                   {},
                   {{Op::kVar, 1, 0, 0, 0},
                    {Op::kLoad, 2, 1, 0, kModel},
                    {Op::kConst, 3, 0, 0, 0},
                    {Op::kAdd, 2, 2, 3, 0},
                    {Op::kLoad, 3, 1, 0, kMiddle},
                    {Op::kLe, 2, 3, 2, 0},
                    {Op::kReq, 0, 2, 0, 0}}};
  const i128 largest = i128{8} * 100 * (i128{1} << 31);
  const Body average{FoldKind::kFold,
                     kRecords,
                     {0},
                     {{-largest, largest - 800}},
                     {{Op::kVar, 1, 0, 0, kFoldIndex},
                      {Op::kLoad, 2, 1, 0, kExamples},
                      {Op::kImm, 3, 0, 0, 0},
                      {Op::kLt, 3, 3, 2, 0},
                      {Op::kSkipZ, 0, 3, 0, 0},
                      {Op::kVar, 3, 0, 0, 0},
                      {Op::kLoad, 3, 1, 3, kUpdates},
                      {Op::kMul, 2, 2, 3, 0},
                      {Op::kAdd, 0, 0, 2, 0}},
                     {{Op::kLoad, 1, 0, 0, kTotal},
                      {Op::kImm, 2, 0, 0, 1},
                      {Op::kMax, 1, 1, 2, 0},
                      {Op::kDivRound, 1, 0, 1, 0},
                      {Op::kVar, 2, 0, 0, 0},
                      {Op::kLoad, 2, 2, 0, kModel},
                      {Op::kAdd, 1, 1, 2, 0},
                      {Op::kImm, 2, 0, 0, 2147483647},
                      {Op::kMin, 1, 1, 2, 0},
                      {Op::kImm, 2, 0, 0, -2147483647 - 1},
                      {Op::kMax, 1, 1, 2, 0},
                      {Op::kRet, 0, 1, 0, 0}}};
  const Body walk{FoldKind::kNone,
                  kOne,
                  {},
                  {},
                  {},
                  {{Op::kVar, 1, 0, 0, 0},
                   {Op::kImm, 2, 0, 0, 1},
                   {Op::kSub, 1, 1, 2, 0},
                   {Op::kLoad, 1, 1, 0, kWalk},
                   {Op::kLoad, 2, 0, 0, kTotal},
                   {Op::kAdd, 1, 1, 2, 0},
                   {Op::kRet, 0, 1, 0, 0}}};
  program.items = {{ItemKind::kTable, kOutside, 0, {kOne, kOne}, {kTotal}, total},
                   {ItemKind::kAdvice, kOutside, 1, {kModelSize, kOne}, {kMiddle}, check},
                   {ItemKind::kTable, kOutside, 1, {kModelSize, kOne}, {kNextModel}, average},
                   {ItemKind::kTable, 0, 1, {kRounds, kOne}, {kWalk}, walk}};
  program.next = {{kModel, kNextModel}};
  program.payable = {kCredit};
  return program;
}

}  // namespace tally::test
