#include "deterministic_math/bytecode/disassemble.h"

#include <array>
#include <string_view>

#include "deterministic_math/bytecode/opcodes.h"

namespace tally::math {
namespace {

constexpr std::array<std::string_view, 5> kTypeNames = {"i8", "i16", "i32", "i64", "i128"};
constexpr std::array<std::string_view, 7> kKindNames = {"member", "nonce", "field", "row", "state", "advice", "table"};
constexpr std::array<std::string_view, 6> kVariableNames = {"index0", "index1",    "fold",
                                                            "batch",  "seed_high", "seed_low"};
constexpr std::array<std::string_view, 3> kItemNames = {"advice", "table", "check"};

/// Writes one program, with names where they are known.
class Listing {
 public:
  Listing(const Program& program, const ProgramNames* names) : x_program(program), x_names(names) {}

  [[nodiscard]] std::string whole() const {
    std::string text = "program";
    if (x_names != nullptr) text += " " + x_names->program;
    text += x_program.record_rule == RecordRule::kOnePerMember ? ", one record per member\n" : "\n";
    for (std::size_t i = 0; i < x_program.dims.size(); ++i) {
      const Dim& dim = x_program.dims[i];
      text += "dim " + dim_name(i) + " in " + std::to_string(dim.lo) + ".." + std::to_string(dim.hi) + "\n";
    }
    for (std::size_t i = 0; i < x_program.objects.size(); ++i) text += object_line(i);
    for (std::size_t i = 0; i < x_program.constants.size(); ++i) {
      text += "constant " + std::to_string(i) + " = " + to_string(x_program.constants[i]) + "\n";
    }
    for (std::size_t i = 0; i < x_program.items.size(); ++i) text += item_text(i);
    for (const Next& next : x_program.next) {
      text += "next " + object_name(next.state) + " = " + object_name(next.table) + "\n";
    }
    for (const ObjectId state : x_program.payable) text += "payable " + object_name(state) + " to member\n";
    return text;
  }

  [[nodiscard]] std::string instruction(const Instruction& op) const {
    const OpInfo* info = find_opcode(op.op);
    if (info == nullptr) return "unknown " + std::to_string(static_cast<unsigned>(op.op));
    std::string text(info->mnemonic);
    std::string_view separator = " ";
    const auto operand = [&](const std::string& name) {
      text += separator;
      text += name;
      separator = ", ";
    };
    if (info->uses(kUsesDst)) operand(register_name(op.dst));
    if (op.op == Op::kLoad) {
      operand(load_text(op));
      return text;
    }
    if (op.op == Op::kSel) operand(register_name(op.c()));
    if (info->uses(kUsesA)) operand(register_name(op.a));
    if (info->uses(kUsesB)) operand(register_name(op.b));
    if (op.op == Op::kSel) return text;
    switch (info->imm) {
      case ImmUse::kNone:
      case ImmUse::kObject:
        break;
      case ImmUse::kValue:
      case ImmUse::kBits:
        operand(std::to_string(op.imm));
        break;
      case ImmUse::kColumn:
        operand("column " + std::to_string(op.imm));
        break;
      case ImmUse::kConstant:
        operand(constant_text(op.imm));
        break;
      case ImmUse::kVariable:
        operand(variable_name(op.imm));
        break;
      case ImmUse::kC:
        operand(register_name(op.c()));
        break;
    }
    return text;
  }

 private:
  [[nodiscard]] static std::string register_name(std::uint8_t number) { return "r" + std::to_string(number); }

  [[nodiscard]] static std::string range_text(const Range& range) {
    return to_string(range.lo) + ".." + to_string(range.hi);
  }

  [[nodiscard]] std::string dim_name(std::size_t number) const {
    if (x_names != nullptr && number < x_names->dims.size()) return x_names->dims[number];
    return "dim " + std::to_string(number);
  }

  [[nodiscard]] std::string object_name(std::size_t number) const {
    if (x_names != nullptr && number < x_names->objects.size()) return x_names->objects[number];
    return "object " + std::to_string(number);
  }

  [[nodiscard]] std::string extent_text(const Extent& extent) const {
    return extent.kind == ExtentKind::kConstant ? std::to_string(extent.value) : dim_name(extent.value);
  }

  [[nodiscard]] std::string shape_text(std::uint8_t rank, const std::array<Extent, kMaxRank>& extents) const {
    std::string text;
    for (std::size_t axis = 0; axis < rank && axis < kMaxRank; ++axis) {
      text += (axis == 0 ? "[" : ", ") + extent_text(extents[axis]);
    }
    return text.empty() ? text : text + "]";
  }

  [[nodiscard]] std::string object_line(std::size_t number) const {
    const Object& object = x_program.objects[number];
    std::string text(kKindNames.at(static_cast<std::size_t>(object.kind)));
    text += " " + object_name(number) + shape_text(object.rank, object.extents) + ": ";
    text += kTypeNames.at(static_cast<std::size_t>(object.type));
    text += object.origin == RangeOrigin::kProved ? " proved in " : " in ";
    return text + range_text(object.range) + "\n";
  }

  [[nodiscard]] std::string constant_text(std::int32_t number) const {
    const auto index = static_cast<std::size_t>(number);
    if (number < 0 || index >= x_program.constants.size()) return "constant " + std::to_string(number);
    return to_string(x_program.constants[index]);
  }

  [[nodiscard]] std::string variable_name(std::int32_t number) const {
    if (number >= kFirstDimVariable) return dim_name(static_cast<std::size_t>(number - kFirstDimVariable));
    const auto index = static_cast<std::size_t>(number);
    if (number >= 0 && index < kVariableNames.size()) return std::string(kVariableNames[index]);
    return "variable " + std::to_string(number);
  }

  [[nodiscard]] std::string load_text(const Instruction& op) const {
    const auto number = static_cast<std::size_t>(op.imm);
    if (op.imm < 0 || number >= x_program.objects.size()) return "object " + std::to_string(op.imm);
    const std::uint8_t rank = x_program.objects[number].rank;
    if (rank == 0) return object_name(number);
    if (rank == 1) return object_name(number) + "[" + register_name(op.a) + "]";
    return object_name(number) + "[" + register_name(op.a) + ", " + register_name(op.b) + "]";
  }

  [[nodiscard]] std::string accumulator_name(std::size_t item, std::size_t number) const {
    if (x_names != nullptr && item < x_names->accumulators.size() && number < x_names->accumulators[item].size()) {
      return x_names->accumulators[item][number];
    }
    return "accumulator " + std::to_string(number);
  }

  [[nodiscard]] std::string section_text(std::string_view title, const std::vector<Instruction>& code) const {
    std::string text = "  " + std::string(title) + "\n";
    for (std::size_t i = 0; i < code.size(); ++i) {
      std::string number = std::to_string(i);
      number.insert(0, number.size() < 5 ? 5 - number.size() : 0, ' ');
      text += number + "  " + instruction(code[i]) + "\n";
    }
    return text;
  }

  [[nodiscard]] std::string item_text(std::size_t number) const {
    const Item& item = x_program.items[number];
    std::string text = "item " + std::to_string(number) + ": ";
    text += kItemNames.at(static_cast<std::size_t>(item.kind));
    for (std::size_t i = 0; i < item.results.size(); ++i) text += (i == 0 ? " " : ", ") + object_name(item.results[i]);
    text += shape_text(item.rank, item.extents);
    if (item.loop != kOutside) text += " in loop " + std::to_string(item.loop);
    text += "\n";
    if (!item.body) return text;
    const Body& body = *item.body;
    for (std::size_t j = 0; j < body.init.size(); ++j) {
      text += "  r" + std::to_string(j) + " = " + accumulator_name(number, j) + " from " + to_string(body.init[j]);
      if (j < body.accumulators.size()) text += " in " + range_text(body.accumulators[j]);
      text += "\n";
    }
    if (body.fold == FoldKind::kFold) text += section_text("step, fold over " + extent_text(body.length), body.step);
    return text + section_text("finish", body.finish);
  }

  const Program& x_program;
  const ProgramNames* x_names;
};

}  // namespace

std::string disassemble(const Program& program, const ProgramNames* names) { return Listing(program, names).whole(); }

std::string disassemble(const Program& program, const ProgramNames* names, const Instruction& instruction) {
  return Listing(program, names).instruction(instruction);
}

}  // namespace tally::math
