#include "deterministic_math/bytecode/cost.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <set>
#include <tuple>

#include "deterministic_math/bytecode/opcodes.h"
#include "deterministic_math/bytecode/visibility.h"

namespace tally::math {
namespace {

constexpr std::uint64_t kHashBytes = 32;
constexpr std::uint64_t kCommitmentBytes = 55;                // what a table's commitment is the hash of
constexpr std::uint64_t kFixedRecordBytes = 20 + 8 + 8 + 65;  // address, member, nonce, signature

std::uint64_t saturate(u128 value) {
  return static_cast<std::uint64_t>(std::min<u128>(value, std::numeric_limits<std::uint64_t>::max()));
}

std::uint64_t at(const Extent& extent, const TaskShape& shape) {
  return extent.kind == ExtentKind::kConstant ? extent.value : shape.dims.at(extent.value);
}

u128 elements(const std::array<Extent, kMaxRank>& extents, const TaskShape& shape) {
  return static_cast<u128>(at(extents[0], shape)) * at(extents[1], shape);
}

/// Walking an entry or a step takes time even where nothing runs.
std::size_t at_least_one(std::size_t instructions) { return std::max<std::size_t>(instructions, 1); }

/// Levels of an RFC 9162 tree: the longest inclusion proof.
std::uint64_t tree_depth(std::uint64_t leaves) {
  return leaves <= 1 ? 0 : static_cast<std::uint64_t>(std::bit_width(leaves - 1));
}

std::uint64_t hash_gas(std::uint64_t bytes) { return kGasHash + 60 + 12 * ((bytes + 31) / 32); }

void add_path(SectionCost& cost, std::uint64_t leaves) {
  const std::uint64_t depth = tree_depth(leaves);
  cost.opening_bytes += kHashBytes * depth;
  cost.gas += depth * hash_gas(2 * kHashBytes + 1);
}

void add_opening(SectionCost& cost, std::uint64_t leaf_bytes, std::uint64_t leaves) {
  const std::uint64_t bytes = kOpeningHeadBytes + leaf_bytes;
  cost.openings += 1;
  cost.opening_bytes += bytes;
  cost.gas += kGasOpening + hash_gas(leaf_bytes + 1);
  add_path(cost, leaves);
}

std::uint64_t record_bytes(const Program& program) {
  std::uint64_t bytes = kFixedRecordBytes;
  for (const Object& object : program.objects) {
    if (object.kind == ObjectKind::kField) bytes += 8;
    if (object.kind == ObjectKind::kRow) bytes += kHashBytes;
  }
  return bytes;
}

/// Collects the openings of one section, each but once.
class Openings {
 public:
  Openings(const Program& program, const TaskShape& shape, SectionCost& cost)
      : x_program(program), x_shape(shape), x_cost(cost) {}

  void load(const Instruction& op) {
    const auto id = static_cast<ObjectId>(op.imm);
    const Object& object = x_program.objects[id];
    const Coordinate first{op.a, x_versions[op.a]};
    const Coordinate second{op.b, x_versions[op.b]};
    switch (object.kind) {
      case ObjectKind::kMember:
      case ObjectKind::kNonce:
      case ObjectKind::kField:
        record(first);
        break;
      case ObjectKind::kRow:
        record(first);
        if (x_leaves.emplace(id, first, second).second) {
          leaf(object, at(object.extents[1], x_shape));
          x_cost.gas += hash_gas(kCommitmentBytes);
        }
        break;
      case ObjectKind::kState:
      case ObjectKind::kAdvice:
      case ObjectKind::kComputed:
        if (x_leaves.emplace(id, first, second).second) leaf(object, saturate(elements(object.extents, x_shape)));
        if (x_tables.insert(id).second) upper_path(object);
        break;
    }
  }

  void written(std::uint8_t reg) { ++x_versions[reg]; }

 private:
  using Coordinate = std::pair<std::uint8_t, std::size_t>;  // a register, and how often it was written before

  void record(const Coordinate& first) {
    if (!x_records.insert(first).second) return;
    add_opening(x_cost, record_bytes(x_program), x_shape.dims.at(0));
  }

  void leaf(const Object& object, std::uint64_t count) {
    const std::uint64_t bytes = saturate(static_cast<u128>(count) * element_bytes(object.type));
    const std::uint64_t leaves = bytes / x_shape.leaf_bytes + (bytes % x_shape.leaf_bytes == 0 ? 0 : 1);
    add_opening(x_cost, std::min<std::uint64_t>(bytes, x_shape.leaf_bytes), leaves);
  }

  /// From the table's commitment to the root over all states, or over all advice and computed tables.
  void upper_path(const Object& object) {
    const bool is_state = object.kind == ObjectKind::kState;
    const auto beside = std::ranges::count_if(x_program.objects, [&](const Object& other) {
      const bool is_table = other.kind == ObjectKind::kAdvice || other.kind == ObjectKind::kComputed;
      return is_state ? other.kind == ObjectKind::kState : is_table;
    });
    x_cost.gas += hash_gas(kCommitmentBytes) + hash_gas(kHashBytes + 1);
    add_path(x_cost, static_cast<std::uint64_t>(beside));
  }

  const Program& x_program;
  const TaskShape& x_shape;
  SectionCost& x_cost;
  std::array<std::size_t, kRegisters> x_versions{};
  std::set<Coordinate> x_records;
  std::set<ObjectId> x_tables;  // whose commitment was led to its root
  std::set<std::tuple<ObjectId, Coordinate, Coordinate>> x_leaves;
};

/// Whether a value is the entry's own index, depends on the entry (or on accumulators), or on neither.
enum class Source : std::uint8_t { kFree, kOwnIndex, kEntry };

Source source_of(const Program& program, std::size_t item, const Instruction& op,
                 const std::array<Source, kRegisters>& sources) {
  if (op.op == Op::kVar) {
    const auto variable = static_cast<Variable>(op.imm);
    if (variable == Variable::kIndex0) return Source::kOwnIndex;
    return variable == Variable::kIndex1 ? Source::kEntry : Source::kFree;
  }
  if (op.op == Op::kMov) return sources[op.a];
  const OpInfo& info = opcode_info(op.op);
  const auto depends = [&](std::uint8_t reg) { return sources[reg] != Source::kFree; };
  if (op.op == Op::kLoad) {
    const auto id = static_cast<ObjectId>(op.imm);
    const std::uint8_t rank = program.objects[id].rank;
    const bool visible = load_site(program, item, id).rule == LoadRule::kVisible;
    const bool coordinates = (rank > 0 && depends(op.a)) || (rank > 1 && depends(op.b));
    return visible && !coordinates ? Source::kFree : Source::kEntry;
  }
  const bool operands = (info.uses(kUsesA) && depends(op.a)) || (info.uses(kUsesB) && depends(op.b)) ||
                        (info.imm == ImmUse::kC && depends(op.c()));
  return operands ? Source::kEntry : Source::kFree;
}

}  // namespace

SectionCost section_cost(const Program& program, const TaskShape& shape, std::size_t item, CodeSection section) {
  SectionCost cost;
  const std::uint64_t any_proof =
      kGasProof + kGasPart * (program.dims.size() + program.objects.size() + program.items.size());
  const std::optional<Body>& body = program.items[item].body;
  if (!body) return {.gas = any_proof};
  Openings openings(program, shape, cost);
  const std::vector<Instruction>& code = section == CodeSection::kStep ? body->step : body->finish;
  for (const Instruction& op : code) {
    const OpInfo& info = opcode_info(op.op);
    cost.instructions += 1;
    cost.gas += info.gas;
    if (op.op == Op::kLoad) openings.load(op);
    if (info.uses(kUsesDst)) openings.written(op.dst);
  }
  cost.gas = any_proof + std::max(kGasByte * cost.opening_bytes + cost.gas, kGasFloorByte * cost.opening_bytes);
  return cost;
}

std::uint64_t item_work(const Program& program, const TaskShape& shape, std::size_t item) {
  const Item& priced = program.items[item];
  const u128 entries = elements(priced.extents, shape);
  if (!priced.body) return saturate(entries);
  const u128 length = priced.body->fold == FoldKind::kFold ? at(priced.body->length, shape) : 0;
  const u128 steps = find_bucket(program, item) ? entries + length : entries * length;
  return saturate(steps * at_least_one(priced.body->step.size()) + entries * at_least_one(priced.body->finish.size()));
}

std::uint64_t program_work(const Program& program, const TaskShape& shape) {
  u128 work = 0;
  for (std::size_t item = 0; item < program.items.size(); ++item) work += item_work(program, shape, item);
  return saturate(work);
}

std::optional<Bucket> find_bucket(const Program& program, std::size_t item) {
  const Item& candidate = program.items[item];
  if (!candidate.body || candidate.rank != 1 || candidate.loop != kOutside) return std::nullopt;
  std::array<Source, kRegisters> sources{};
  std::array<std::optional<Bucket>, kRegisters> equals;
  std::fill_n(sources.begin(), candidate.body->init.size(), Source::kEntry);
  for (std::size_t i = 0; i < candidate.body->step.size(); ++i) {
    const Instruction& op = candidate.body->step[i];
    if (op.op == Op::kSkipZ) {
      if (equals[op.a]) equals[op.a]->skip = i;
      return equals[op.a];
    }
    const Source source = source_of(program, item, op, sources);
    std::optional<Bucket> equal;
    if (op.op == Op::kEq && sources[op.a] == Source::kOwnIndex && sources[op.b] == Source::kFree) {
      equal = Bucket{.skip = 0, .equal = i, .key = op.b};
    } else if (op.op == Op::kEq && sources[op.b] == Source::kOwnIndex && sources[op.a] == Source::kFree) {
      equal = Bucket{.skip = 0, .equal = i, .key = op.a};
    }
    sources[op.dst] = source;
    equals[op.dst] = equal;
  }
  return std::nullopt;
}

}  // namespace tally::math
