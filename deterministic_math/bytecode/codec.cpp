#include "deterministic_math/bytecode/codec.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/numbers/codec.h"

namespace tally::math {
namespace {

constexpr std::uint32_t kMagic = 0x544c5901;  // "TLY", version 1
constexpr std::size_t kMaxObjects = 2 + kMaxFields + kMaxRows + kMaxStates + kMaxItems * kMaxResults;
constexpr std::size_t kMaxConstants = kMaxProgramBytes / 16;

void write_extents(ByteWriter& out, const std::array<Extent, kMaxRank>& extents) {
  for (const Extent& extent : extents) {
    out.u8(static_cast<std::uint8_t>(extent.kind));
    out.u32be(static_cast<std::uint32_t>(extent.value));
  }
}

void write_code(ByteWriter& out, const std::vector<Instruction>& code) {
  for (const Instruction& op : code) {
    out.u8(static_cast<std::uint8_t>(op.op));
    out.u8(op.dst);
    out.u8(op.a);
    out.u8(op.b);
    out.i32be(op.imm);
  }
}

void write_body(ByteWriter& out, const Body& body) {
  out.u8(static_cast<std::uint8_t>(body.fold));
  out.u8(static_cast<std::uint8_t>(body.length.kind));
  out.u32be(static_cast<std::uint32_t>(body.length.value));
  out.u8(static_cast<std::uint8_t>(body.init.size()));
  out.u16be(static_cast<std::uint16_t>(body.step.size()));
  out.u16be(static_cast<std::uint16_t>(body.finish.size()));
  for (std::size_t j = 0; j < body.init.size(); ++j) {
    const Range range = j < body.accumulators.size() ? body.accumulators[j] : Range{};
    out.i128be(body.init[j]);
    out.i128be(range.lo);
    out.i128be(range.hi);
  }
  write_code(out, body.step);
  write_code(out, body.finish);
}

std::vector<std::uint8_t> item_bytes(const Item& item) {
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(item.kind));
  out.u16be(item.loop);
  out.u8(item.rank);
  write_extents(out, item.extents);
  out.u8(static_cast<std::uint8_t>(item.results.size()));
  out.u8(item.body ? 1 : 0);
  for (const ObjectId result : item.results) out.u16be(result);
  if (item.body) write_body(out, *item.body);
  return out.take();
}

/// What comes between the item offsets and the items.
std::vector<std::uint8_t> table_bytes(const Program& program) {
  ByteWriter out;
  for (const Dim& dim : program.dims) {
    out.u8(static_cast<std::uint8_t>(dim.role));
    out.u32be(static_cast<std::uint32_t>(dim.lo));
    out.u32be(static_cast<std::uint32_t>(dim.hi));
  }
  for (const Object& object : program.objects) {
    out.u8(static_cast<std::uint8_t>(object.kind));
    out.u8(static_cast<std::uint8_t>(object.type));
    out.u8(object.rank);
    write_extents(out, object.extents);
    out.u8(static_cast<std::uint8_t>(object.origin));
    out.i128be(object.range.lo);
    out.i128be(object.range.hi);
  }
  for (const i128 constant : program.constants) out.i128be(constant);
  for (const Loop& loop : program.loops) {
    out.u8(static_cast<std::uint8_t>(loop.extent.kind));
    out.u32be(static_cast<std::uint32_t>(loop.extent.value));
  }
  for (const Next& next : program.next) {
    out.u16be(next.state);
    out.u16be(next.table);
  }
  for (const ObjectId state : program.payable) out.u16be(state);
  return out.take();
}

constexpr std::size_t kHeaderBytes = 16;

/// Reads the parts in order. The first refusal stays; every later part reads as empty.
class Decoder {
 public:
  explicit Decoder(Bytes bytes) : x_size(bytes.size()), x_in(bytes) {}

  std::expected<Program, DecodeError> run() {
    if (x_size > kMaxProgramBytes) return std::unexpected(DecodeError{DecodeReason::kTooLong, 0});
    const Counts counts = header();
    std::vector<std::uint16_t> offsets;
    for (std::size_t i = 0; i < counts.items && ok(); ++i) offsets.push_back(x_in.u16be());
    for (std::size_t i = 0; i < counts.dims && ok(); ++i) x_program.dims.push_back(dim());
    for (std::size_t i = 0; i < counts.objects && ok(); ++i) x_program.objects.push_back(object());
    for (std::size_t i = 0; i < counts.constants && ok(); ++i) x_program.constants.push_back(x_in.i128be());
    for (std::size_t i = 0; i < counts.loops && ok(); ++i) x_program.loops.push_back({extent()});
    for (std::size_t i = 0; i < counts.next && ok(); ++i) {
      const ObjectId state = reference();
      x_program.next.push_back({state, reference()});
    }
    for (std::size_t i = 0; i < counts.payable && ok(); ++i) x_program.payable.push_back(reference());
    for (std::size_t i = 0; i < counts.items && ok(); ++i) {
      if (offsets[i] != position()) refuse(DecodeReason::kBadItemOffset);
      x_program.items.push_back(item());
    }
    if (ok() && x_in.remaining() != 0) refuse(DecodeReason::kTrailingBytes);
    if (x_error) return std::unexpected(*x_error);
    return std::move(x_program);
  }

 private:
  struct Counts {
    std::size_t dims = 0, objects = 0, constants = 0, loops = 0, items = 0, next = 0, payable = 0;
  };

  [[nodiscard]] std::size_t position() const { return x_size - x_in.remaining(); }

  /// False, with kTruncated, once a read went past the end.
  [[nodiscard]] bool ok() {
    if (!x_in.ok()) refuse(DecodeReason::kTruncated);
    return !x_error;
  }

  void refuse(DecodeReason reason) {
    if (!x_error) x_error = DecodeError{x_in.ok() ? reason : DecodeReason::kTruncated, position()};
  }

  std::size_t limited(std::size_t count, std::size_t limit) {
    if (count > limit) refuse(DecodeReason::kTooMany);
    return std::min(count, limit);
  }

  template <class Enum>
  Enum known(Enum last) {
    const std::uint8_t value = x_in.u8();
    if (value > static_cast<std::uint8_t>(last)) {
      refuse(DecodeReason::kUnknownValue);
      return Enum{};
    }
    return static_cast<Enum>(value);
  }

  Counts header() {
    if (x_in.u32be() != kMagic) refuse(DecodeReason::kBadMagic);
    if (x_in.u16be() != x_size) refuse(DecodeReason::kBadLength);
    x_program.record_rule = known(RecordRule::kOnePerMember);
    Counts counts;
    counts.dims = limited(x_in.u8(), kMaxDims);
    counts.objects = limited(x_in.u16be(), kMaxObjects);
    counts.constants = limited(x_in.u16be(), kMaxConstants);
    counts.loops = limited(x_in.u8(), kMaxItems);
    counts.items = limited(x_in.u8(), kMaxItems);
    counts.next = limited(x_in.u8(), kMaxStates);
    counts.payable = limited(x_in.u8(), kMaxStates);
    return counts;
  }

  Dim dim() {
    Dim read;
    read.role = known(DimRole::kOther);
    read.lo = x_in.u32be();
    read.hi = x_in.u32be();
    if (read.lo > read.hi || read.hi > kMaxDim) refuse(DecodeReason::kBadDim);
    return read;
  }

  Extent extent() {
    Extent read;
    read.kind = known(ExtentKind::kDim);
    read.value = x_in.u32be();
    const bool good = read.kind == ExtentKind::kConstant ? read.value <= kMaxDim : read.value < x_program.dims.size();
    if (!good) refuse(DecodeReason::kBadExtent);
    return read;
  }

  std::uint8_t rank() {
    const std::uint8_t read = x_in.u8();
    if (read > kMaxRank) refuse(DecodeReason::kBadRank);
    return read;
  }

  std::array<Extent, kMaxRank> extents(std::uint8_t used) {
    std::array<Extent, kMaxRank> read{};
    for (std::size_t axis = 0; axis < kMaxRank; ++axis) {
      read[axis] = extent();
      if (axis >= used && read[axis] != Extent{}) refuse(DecodeReason::kUnusedExtent);
    }
    return read;
  }

  Range range() {
    Range read;
    read.lo = x_in.i128be();
    read.hi = x_in.i128be();
    if (read.lo > read.hi) refuse(DecodeReason::kEmptyRange);
    return read;
  }

  Object object() {
    Object read;
    read.kind = known(ObjectKind::kComputed);
    read.type = known(ElementType::kI128);
    read.rank = rank();
    read.extents = extents(read.rank);
    read.origin = known(RangeOrigin::kProved);
    read.range = range();
    return read;
  }

  ObjectId reference() {
    const ObjectId read = x_in.u16be();
    if (read >= x_program.objects.size()) refuse(DecodeReason::kBadReference);
    return read;
  }

  Item item() {
    Item read;
    read.kind = known(ItemKind::kCheck);
    read.loop = x_in.u16be();
    if (read.loop != kOutside && read.loop >= x_program.loops.size()) refuse(DecodeReason::kBadReference);
    read.rank = rank();
    read.extents = extents(read.rank);
    const std::size_t results = limited(x_in.u8(), kMaxResults);
    const bool has_body = known(FoldKind::kFold) == FoldKind::kFold;
    for (std::size_t i = 0; i < results && ok(); ++i) read.results.push_back(reference());
    if (has_body && ok()) read.body = body(read);
    return read;
  }

  Body body(const Item& item) {
    Body read;
    read.fold = known(FoldKind::kFold);
    read.length = extent();
    const std::size_t accumulators = limited(x_in.u8(), kMaxAccumulators);
    const std::size_t steps = limited(x_in.u16be(), kMaxSectionInstructions);
    const std::size_t finishes = limited(x_in.u16be(), kMaxSectionInstructions);
    if (read.fold == FoldKind::kNone && (accumulators != 0 || steps != 0 || read.length != Extent{})) {
      refuse(DecodeReason::kUnusedBodyPart);
    }
    for (std::size_t j = 0; j < accumulators && ok(); ++j) {
      read.init.push_back(x_in.i128be());
      read.accumulators.push_back(range());
    }
    for (std::size_t i = 0; i < steps && ok(); ++i) read.step.push_back(instruction(item, CodeSection::kStep));
    for (std::size_t i = 0; i < finishes && ok(); ++i) read.finish.push_back(instruction(item, CodeSection::kFinish));
    return read;
  }

  Instruction instruction(const Item& item, CodeSection section) {
    Instruction read;
    read.op = static_cast<Op>(x_in.u8());
    read.dst = x_in.u8();
    read.a = x_in.u8();
    read.b = x_in.u8();
    read.imm = x_in.i32be();
    if (!ok()) return read;
    if (const auto reason = check_instruction(x_program, item, section, read)) refuse(*reason);
    return read;
  }

  std::size_t x_size;
  ByteReader x_in;
  Program x_program;
  std::optional<DecodeError> x_error;
};

std::optional<DecodeReason> check_variable(const Program& program, const Item& item, CodeSection section,
                                           std::int32_t variable) {
  if (variable >= kFirstDimVariable) {
    const bool known = static_cast<std::size_t>(variable - kFirstDimVariable) < program.dims.size();
    return known ? std::nullopt : std::optional(DecodeReason::kBadOperand);
  }
  if (variable < 0 || variable > static_cast<std::int32_t>(Variable::kSeedLow)) return DecodeReason::kBadOperand;
  const auto named = static_cast<Variable>(variable);
  if (named == Variable::kFold && section != CodeSection::kStep) return DecodeReason::kWrongSection;
  if (named == Variable::kIndex0 && item.rank < 1) return DecodeReason::kBadOperand;
  if (named == Variable::kIndex1 && item.rank < 2) return DecodeReason::kBadOperand;
  return std::nullopt;
}

std::optional<DecodeReason> check_imm(const Program& program, const Item& item, CodeSection section, ImmUse use,
                                      std::int32_t imm) {
  const auto below = [imm](std::size_t count) {
    const bool good = imm >= 0 && static_cast<std::size_t>(imm) < count;
    return good ? std::nullopt : std::optional(DecodeReason::kBadOperand);
  };
  switch (use) {
    case ImmUse::kNone:
      return imm == 0 ? std::nullopt : std::optional(DecodeReason::kUnusedBits);
    case ImmUse::kValue:
      return std::nullopt;
    case ImmUse::kConstant:
      return below(program.constants.size());
    case ImmUse::kVariable:
      return check_variable(program, item, section, imm);
    case ImmUse::kObject:
      return below(program.objects.size());
    case ImmUse::kC:
      if ((imm & ~0xff) != 0) return DecodeReason::kUnusedBits;
      return static_cast<std::size_t>(imm) < kRegisters ? std::nullopt : std::optional(DecodeReason::kBadRegister);
    case ImmUse::kBits:
      return imm >= 1 && imm <= 127 ? std::nullopt : std::optional(DecodeReason::kBadOperand);
    case ImmUse::kColumn:
      return below(item.kind == ItemKind::kTable ? item.results.size() : 0);
  }
  return DecodeReason::kBadOperand;
}

}  // namespace

std::optional<DecodeReason> check_instruction(const Program& program, const Item& item, CodeSection section,
                                              const Instruction& op) {
  const OpInfo* info = find_opcode(op.op);
  if (info == nullptr) return DecodeReason::kUnknownOpcode;
  const OpSections wrong = section == CodeSection::kStep ? OpSections::kFinishOnly : OpSections::kStepOnly;
  if (info->sections == wrong) return DecodeReason::kWrongSection;
  if (const auto reason = check_imm(program, item, section, info->imm, op.imm)) return reason;
  const std::size_t coordinates =
      op.op == Op::kLoad ? program.objects[static_cast<std::size_t>(op.imm)].rank : kMaxRank;
  const auto check_register = [](bool used, std::uint8_t reg) -> std::optional<DecodeReason> {
    if (used) return reg < kRegisters ? std::nullopt : std::optional(DecodeReason::kBadRegister);
    return reg == 0 ? std::nullopt : std::optional(DecodeReason::kUnusedBits);
  };
  if (const auto reason = check_register(info->uses(kUsesDst), op.dst)) return reason;
  if (const auto reason = check_register(info->uses(kUsesA) && coordinates > 0, op.a)) return reason;
  return check_register(info->uses(kUsesB) && coordinates > 1, op.b);
}

std::vector<std::uint8_t> encode_program(const Program& program) {
  const std::vector<std::uint8_t> tables = table_bytes(program);
  std::size_t end = kHeaderBytes + 2 * program.items.size() + tables.size();
  ByteWriter offsets;
  ByteWriter items;
  for (const Item& item : program.items) {
    const std::vector<std::uint8_t> bytes = item_bytes(item);
    offsets.u16be(static_cast<std::uint16_t>(end));
    items.raw(bytes);
    end += bytes.size();
  }
  ByteWriter out;
  out.u32be(kMagic);
  out.u16be(static_cast<std::uint16_t>(end));
  out.u8(static_cast<std::uint8_t>(program.record_rule));
  out.u8(static_cast<std::uint8_t>(program.dims.size()));
  out.u16be(static_cast<std::uint16_t>(program.objects.size()));
  out.u16be(static_cast<std::uint16_t>(program.constants.size()));
  out.u8(static_cast<std::uint8_t>(program.loops.size()));
  out.u8(static_cast<std::uint8_t>(program.items.size()));
  out.u8(static_cast<std::uint8_t>(program.next.size()));
  out.u8(static_cast<std::uint8_t>(program.payable.size()));
  out.raw(offsets.view());
  out.raw(tables);
  out.raw(items.view());
  return out.take();
}

std::expected<Program, DecodeError> decode_program(Bytes bytes) { return Decoder(bytes).run(); }

Digest program_hash(const Program& program) { return sha256(encode_program(program)); }

std::string_view to_string(DecodeReason reason) {
  switch (reason) {
    case DecodeReason::kTooLong:
      return "longer than a program may be";
    case DecodeReason::kBadMagic:
      return "not a program of this version";
    case DecodeReason::kBadLength:
      return "the length in the header is not the number of bytes";
    case DecodeReason::kTruncated:
      return "a part runs past the end";
    case DecodeReason::kTrailingBytes:
      return "bytes are left after the last item";
    case DecodeReason::kTooMany:
      return "a count above its limit";
    case DecodeReason::kUnknownValue:
      return "a byte that names no role, kind, type, origin, rule or presence";
    case DecodeReason::kBadDim:
      return "a dim whose bounds are out of order or too large";
    case DecodeReason::kBadExtent:
      return "an extent that is too large or names no dim";
    case DecodeReason::kUnusedExtent:
      return "an extent beyond the rank that is not 1";
    case DecodeReason::kBadRank:
      return "a rank above 2";
    case DecodeReason::kEmptyRange:
      return "a range whose ends are out of order";
    case DecodeReason::kBadItemOffset:
      return "an item does not start at its offset";
    case DecodeReason::kBadReference:
      return "a reference to an object or loop that is not there";
    case DecodeReason::kUnusedBodyPart:
      return "a body without a fold has a length, accumulators or a step";
    case DecodeReason::kUnknownOpcode:
      return "an unknown opcode";
    case DecodeReason::kWrongSection:
      return "an opcode or variable in the wrong section";
    case DecodeReason::kBadRegister:
      return "a register above 63";
    case DecodeReason::kUnusedBits:
      return "unused bits of an instruction are not zero";
    case DecodeReason::kBadOperand:
      return "an operand that names no constant, variable, object, width or column";
  }
  return "unknown reason";
}

std::string describe(const DecodeError& error) {
  return "bytecode refused before byte " + std::to_string(error.offset) + ": " + std::string(to_string(error.reason));
}

}  // namespace tally::math
