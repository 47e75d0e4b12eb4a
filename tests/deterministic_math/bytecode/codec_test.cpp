#include "deterministic_math/bytecode/codec.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "tests/support/random_program.h"
#include "tests/support/small_program.h"

namespace tally::math {
namespace {

using test::small_program;
using Encoded = std::vector<std::uint8_t>;

TEST(ProgramCodec, writes_the_documented_bytes) {
  Program program;
  program.dims = {{DimRole::kRecords, 1, 3}};
  const Extent records{ExtentKind::kDim, 0};
  program.objects = {{ObjectKind::kComputed, ElementType::kI64, 1, {records, Extent{}}, RangeOrigin::kProved, {-1, 2}}};
  program.constants = {i128{1} << 32};
  program.items = {{ItemKind::kTable,
                    kOutside,
                    1,
                    {records, Extent{}},
                    {0},
                    Body{FoldKind::kFold,
                         records,
                         {7},
                         {{-8, 9}},
                         {{Op::kVar, 1, 0, 0, 2}},
                         {{Op::kSel, 2, 1, 1, 3}, {Op::kRet, 0, 2, 0, 0}}}}};
  const std::string expected =
      "0x"
      "544c5901"
      "00be"
      "00"
      "01"
      "0001"
      "0001"
      "00"
      "01"
      "00"
      "00"    // header
      "0059"  // item offset
      "00"
      "00000001"
      "00000003"  // dim K
      "06"
      "03"
      "01"
      "0100000000"
      "0000000001"
      "01"  // object
      "ffffffffffffffffffffffffffffffff"
      "00000000000000000000000000000002"
      "00000000000000000000000100000000"  // constant
      "01"
      "ffff"
      "01"
      "0100000000"
      "0000000001"
      "01"
      "01"
      "0000"  // item
      "01"
      "0100000000"
      "01"
      "0001"
      "0002"  // body
      "00000000000000000000000000000007"
      "fffffffffffffffffffffffffffffff8"
      "00000000000000000000000000000009"
      "0401000000000002"
      "3302010100000003"
      "5200020000000000";
  const Encoded bytes = encode_program(program);
  EXPECT_EQ(to_hex(bytes), expected);
  EXPECT_EQ(to_hex(program_hash(program)), to_hex(sha256(bytes)));
  const auto decoded = decode_program(bytes);
  ASSERT_TRUE(decoded.has_value()) << describe(decoded.error());
  EXPECT_EQ(*decoded, program);
}

TEST(ProgramCodec, gives_back_every_program) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    test::Rng rng(seed);
    const Program program = test::random_program(rng);
    const Encoded bytes = encode_program(program);
    const auto decoded = decode_program(bytes);
    ASSERT_TRUE(decoded.has_value()) << seed << ": " << describe(decoded.error());
    EXPECT_EQ(*decoded, program) << seed;
  }
}

TEST(ProgramCodec, pitfall_6_has_one_encoding_for_each_program) {
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    test::Rng rng(seed);
    const Encoded original = encode_program(test::random_program(rng, {.max_items = 3}));
    for (int change = 0; change < 100; ++change) {
      Encoded bytes = original;
      bytes[test::pick(rng, 0, bytes.size() - 1)] = static_cast<std::uint8_t>(test::pick(rng, 0, 255));
      const auto decoded = decode_program(bytes);
      if (!decoded) continue;
      ++accepted;
      ASSERT_EQ(encode_program(*decoded), bytes);
    }
  }
  EXPECT_GT(accepted, 1000U);
}

TEST(ProgramCodec, pitfall_9_decodes_any_bytes_without_harm) {
  test::Rng rng(1);
  const Encoded program = encode_program(small_program());
  for (std::size_t size = 0; size < program.size(); ++size) {
    EXPECT_FALSE(decode_program(Bytes(program).first(size)).has_value()) << size;
  }
  for (int round = 0; round < 2000; ++round) {
    Encoded bytes(test::pick(rng, 0, 400));
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(rng());
    if (bytes.size() > 16 && round % 2 == 0) std::copy_n(program.begin(), 6, bytes.begin());
    EXPECT_FALSE(decode_program(bytes).has_value());
  }
}

struct Refusal {
  DecodeReason reason;
  Encoded bytes;
};

/// Encodes the small program after a change.
Encoded changed(const std::function<void(Program&)>& change) {
  Program program = small_program();
  change(program);
  return encode_program(program);
}

Encoded patched(std::size_t offset, std::uint8_t value) {
  Encoded bytes = encode_program(small_program());
  bytes.at(offset) = value;
  return bytes;
}

void set_length(Encoded& bytes) {
  bytes.at(4) = static_cast<std::uint8_t>(bytes.size() >> 8);
  bytes.at(5) = static_cast<std::uint8_t>(bytes.size());
}

Encoded with_instruction(Instruction op) {
  return changed([op](Program& program) { program.items[2].body->finish[3] = op; });
}

std::vector<Refusal> refusals() {
  std::vector<Refusal> all;
  const auto add = [&](DecodeReason reason, Encoded bytes) { all.push_back({reason, std::move(bytes)}); };
  const auto change = [&](DecodeReason reason, const std::function<void(Program&)>& how) {
    all.push_back({reason, changed(how)});
  };
  const auto instruction = [&](DecodeReason reason, Instruction op) { all.push_back({reason, with_instruction(op)}); };
  constexpr std::size_t kObjects = 16 + 2 * 4 + 3 * 9;  // after header, item offsets and dims

  add(DecodeReason::kTooLong, Encoded(kMaxProgramBytes + 1));
  add(DecodeReason::kBadMagic, patched(3, 2));
  add(DecodeReason::kBadLength, patched(5, 0));
  Encoded cut = encode_program(small_program());
  cut.pop_back();
  set_length(cut);
  add(DecodeReason::kTruncated, cut);
  Encoded longer = encode_program(small_program());
  longer.push_back(0);
  set_length(longer);
  add(DecodeReason::kTrailingBytes, longer);
  change(DecodeReason::kTooMany, [](Program& p) { p.dims.resize(kMaxDims + 1); });
  change(DecodeReason::kTooMany, [](Program& p) { p.items.resize(kMaxItems + 1); });
  change(DecodeReason::kTooMany, [](Program& p) { p.loops.resize(kMaxItems + 1); });
  change(DecodeReason::kTooMany, [](Program& p) { p.items[0].results.resize(kMaxResults + 1); });
  change(DecodeReason::kTooMany, [](Program& p) { p.items[0].body->init.resize(kMaxAccumulators + 1); });
  change(DecodeReason::kTooMany, [](Program& p) { p.items[0].body->step.resize(kMaxSectionInstructions + 1); });
  change(DecodeReason::kTooMany, [](Program& p) { p.items[0].body->finish.resize(kMaxSectionInstructions + 1); });
  change(DecodeReason::kUnknownValue, [](Program& p) { p.record_rule = static_cast<RecordRule>(2); });
  change(DecodeReason::kUnknownValue, [](Program& p) { p.dims[1].role = static_cast<DimRole>(3); });
  change(DecodeReason::kUnknownValue, [](Program& p) { p.objects[2].kind = static_cast<ObjectKind>(7); });
  change(DecodeReason::kUnknownValue, [](Program& p) { p.objects[2].type = static_cast<ElementType>(5); });
  change(DecodeReason::kUnknownValue, [](Program& p) { p.objects[2].origin = static_cast<RangeOrigin>(2); });
  change(DecodeReason::kUnknownValue, [](Program& p) { p.items[0].kind = static_cast<ItemKind>(3); });
  change(DecodeReason::kUnknownValue, [](Program& p) { p.items[0].body->fold = static_cast<FoldKind>(2); });
  change(DecodeReason::kBadDim, [](Program& p) { p.dims[1] = {DimRole::kMembers, 3, 2}; });
  change(DecodeReason::kBadDim, [](Program& p) { p.dims[1].hi = kMaxDim + 1; });
  change(DecodeReason::kBadExtent, [](Program& p) { p.objects[2].extents[0].value = 3; });
  change(DecodeReason::kBadExtent, [](Program& p) { p.loops[0].extent.value = kMaxDim + 1; });
  change(DecodeReason::kUnusedExtent, [](Program& p) { p.objects[2].extents[1].value = 2; });
  change(DecodeReason::kUnusedExtent, [](Program& p) { p.items[0].extents[0].value = 2; });
  add(DecodeReason::kBadRank, patched(kObjects + 2, 3));
  change(DecodeReason::kEmptyRange, [](Program& p) { p.objects[2].range = {2, 1}; });
  change(DecodeReason::kEmptyRange, [](Program& p) { p.items[0].body->accumulators[0] = {2, 1}; });
  add(DecodeReason::kBadItemOffset, patched(17, static_cast<std::uint8_t>(encode_program(small_program())[17] + 1)));
  change(DecodeReason::kBadReference, [](Program& p) { p.items[0].results[0] = 10; });
  change(DecodeReason::kBadReference, [](Program& p) { p.items[0].loop = 1; });
  change(DecodeReason::kBadReference, [](Program& p) { p.next[0].table = 10; });
  change(DecodeReason::kBadReference, [](Program& p) { p.payable[0] = 10; });
  change(DecodeReason::kUnusedBodyPart, [](Program& p) { p.items[3].body->length.value = 2; });
  change(DecodeReason::kUnusedBodyPart, [](Program& p) { p.items[3].body->init = {0}; });
  change(DecodeReason::kUnusedBodyPart, [](Program& p) { p.items[3].body->step = {{Op::kImm, 1, 0, 0, 0}}; });
  instruction(DecodeReason::kUnknownOpcode, {static_cast<Op>(0x06), 1, 0, 0, 0});
  instruction(DecodeReason::kWrongSection, {Op::kSkipZ, 0, 1, 0, 0});
  instruction(DecodeReason::kWrongSection, {Op::kVar, 1, 0, 0, static_cast<std::int32_t>(Variable::kFold)});
  change(DecodeReason::kWrongSection, [](Program& p) { p.items[0].body->step[0] = {Op::kReq, 0, 1, 0, 0}; });
  change(DecodeReason::kWrongSection, [](Program& p) { p.items[0].body->step[0] = {Op::kRet, 0, 1, 0, 0}; });
  instruction(DecodeReason::kBadRegister, {Op::kAdd, 64, 0, 1, 0});
  instruction(DecodeReason::kBadRegister, {Op::kAdd, 1, 64, 1, 0});
  instruction(DecodeReason::kBadRegister, {Op::kAdd, 1, 0, 64, 0});
  instruction(DecodeReason::kBadRegister, {Op::kSel, 1, 0, 1, 64});
  instruction(DecodeReason::kUnusedBits, {Op::kAdd, 1, 0, 1, 1});
  instruction(DecodeReason::kUnusedBits, {Op::kImm, 1, 1, 0, 1});
  instruction(DecodeReason::kUnusedBits, {Op::kMov, 1, 0, 1, 0});
  instruction(DecodeReason::kUnusedBits, {Op::kRet, 1, 1, 0, 0});
  instruction(DecodeReason::kUnusedBits, {Op::kSel, 1, 0, 1, 256});
  instruction(DecodeReason::kUnusedBits, {Op::kLoad, 1, 1, 0, test::kTotal});
  instruction(DecodeReason::kUnusedBits, {Op::kLoad, 1, 1, 1, test::kModel});
  instruction(DecodeReason::kBadOperand, {Op::kConst, 1, 0, 0, 1});
  instruction(DecodeReason::kBadOperand, {Op::kConst, 1, 0, 0, -1});
  instruction(DecodeReason::kBadOperand, {Op::kVar, 1, 0, 0, 6});
  instruction(DecodeReason::kBadOperand, {Op::kVar, 1, 0, 0, -1});
  instruction(DecodeReason::kBadOperand, {Op::kVar, 1, 0, 0, 1});  // a second index of a rank-1 item
  instruction(DecodeReason::kBadOperand, {Op::kVar, 1, 0, 0, kFirstDimVariable + 3});
  instruction(DecodeReason::kBadOperand, {Op::kLoad, 1, 1, 0, 10});
  instruction(DecodeReason::kBadOperand, {Op::kWrap, 1, 1, 0, 0});
  instruction(DecodeReason::kBadOperand, {Op::kWrap, 1, 1, 0, 128});
  instruction(DecodeReason::kBadOperand, {Op::kRet, 0, 1, 0, 1});
  change(DecodeReason::kBadOperand, [](Program& p) { p.items[1].body->finish[6] = {Op::kRet, 0, 1, 0, 0}; });
  return all;
}

TEST(ProgramCodec, refuses_with_the_exact_reason) {
  std::size_t number = 0;
  for (const Refusal& refusal : refusals()) {
    const auto decoded = decode_program(refusal.bytes);
    ASSERT_FALSE(decoded.has_value()) << number << " " << to_string(refusal.reason);
    EXPECT_EQ(decoded.error().reason, refusal.reason) << number << " " << describe(decoded.error());
    ++number;
  }
}

TEST(ProgramCodec, has_a_refusal_for_every_reason) {
  std::set<DecodeReason> reasons;
  for (const Refusal& refusal : refusals()) reasons.insert(refusal.reason);
  EXPECT_EQ(reasons.size(), kDecodeReasonCount);
}

}  // namespace
}  // namespace tally::math
