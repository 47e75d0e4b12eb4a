#include "tests/support/random_program.h"

#include <algorithm>
#include <optional>

#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/ranges/range_proof.h"
#include "tests/support/random_body.h"

namespace tally::test {

using namespace tally::math;

namespace {

constexpr Extent kOne{};
constexpr Extent kRecordsExtent{ExtentKind::kDim, 0};

/// Fills a program part by part, in the order in which objects are numbered.
class Generator {
 public:
  Generator(Rng& rng, const RandomProgramOptions& options) : x_rng(rng), x_options(options) {}

  Program run() {
    x_program.record_rule = static_cast<RecordRule>(pick(x_rng, 0, 1));
    add_dims();
    add_inputs();
    plan_items();
    for (std::size_t item = 0; item < x_program.items.size(); ++item) fill_body(item);
    add_links();
    return std::move(x_program);
  }

 private:
  void add_dims() {
    const auto bounds = [&](DimRole role, std::uint64_t most) {
      const std::uint64_t lo = pick(x_rng, 0, 3);
      const std::uint64_t hi = std::max<std::uint64_t>(lo, most >> pick(x_rng, 0, 20));
      x_program.dims.push_back({role, lo, pick(x_rng, 0, 4) == 0 ? lo : hi});
    };
    bounds(DimRole::kRecords, x_options.max_records);
    if (pick(x_rng, 0, 1) == 0) bounds(DimRole::kMembers, x_options.max_parameters);
    const std::uint64_t others = pick(x_rng, 1, 2);
    for (std::uint64_t i = 0; i < others; ++i) bounds(DimRole::kOther, x_options.max_parameters);
  }

  Range random_range(ElementType type) {
    if (pick(x_rng, 0, 2) == 0) return type_range(type);
    const i128 a = pick_value(x_rng, type_range(type), ValueStyle::kUniform);
    const i128 b = pick_value(x_rng, type_range(type), ValueStyle::kExtreme);
    return {std::min(a, b), std::max(a, b)};
  }

  ElementType random_type() { return static_cast<ElementType>(pick(x_rng, 0, 4)); }

  Extent fixed_extent() {
    if (pick(x_rng, 0, 4) == 0) return {ExtentKind::kConstant, pick(x_rng, 1, 5)};
    return {ExtentKind::kDim, pick(x_rng, 1, x_program.dims.size() - 1)};
  }

  void add_object(ObjectKind kind, ElementType type, std::uint8_t rank, std::array<Extent, kMaxRank> extents) {
    x_program.objects.push_back({kind, type, rank, extents, RangeOrigin::kDeclared, random_range(type)});
  }

  void add_inputs() {
    const auto members = std::ranges::find(x_program.dims, DimRole::kMembers, &Dim::role);
    const i128 slots = members == x_program.dims.end() ? i128{1} << 32 : std::max<i128>(members->hi, 1);
    add_object(ObjectKind::kMember, ElementType::kI128, 1, {kRecordsExtent, kOne});
    x_program.objects.back().range = {0, slots - 1};
    add_object(ObjectKind::kNonce, ElementType::kI128, 1, {kRecordsExtent, kOne});
    x_program.objects.back().range = {0, (i128{1} << 64) - 1};
    for (std::uint64_t i = pick(x_rng, 0, 3); i > 0; --i) {
      add_object(ObjectKind::kField, ElementType::kI64, 1, {kRecordsExtent, kOne});
    }
    for (std::uint64_t i = pick(x_rng, 0, 3); i > 0; --i) {
      add_object(ObjectKind::kRow, random_type(), 2, {kRecordsExtent, fixed_extent()});
    }
    for (std::uint64_t i = pick(x_rng, 0, 3); i > 0; --i) {
      const auto rank = static_cast<std::uint8_t>(pick(x_rng, 0, 2));
      add_object(ObjectKind::kState, random_type(), rank, fitting(rank, [&] { return fixed_extent(); }));
    }
  }

  /// Extents whose product stays below the limit.
  template <class Choose>
  std::array<Extent, kMaxRank> fitting(std::uint8_t rank, Choose choose) {
    for (;;) {
      std::array<Extent, kMaxRank> extents{kOne, kOne};
      i128 elements = 1;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        extents[axis] = choose();
        elements *= extent_max(extents[axis], x_program);
      }
      if (elements < static_cast<i128>(kMaxTableElements)) return extents;
    }
  }

  Extent any_extent() { return pick(x_rng, 0, 2) == 0 ? kRecordsExtent : fixed_extent(); }

  void plan_items() {
    const std::uint64_t count = pick(x_rng, 1, x_options.max_items);
    while (x_program.items.size() < count) {
      if (pick(x_rng, 0, 4) != 0) {
        plan_item(kOutside);
        continue;
      }
      const auto loop = static_cast<LoopId>(x_program.loops.size());
      x_program.loops.push_back(
          {pick(x_rng, 0, 1) == 0 ? Extent{ExtentKind::kConstant, pick(x_rng, 1, 4)} : any_extent()});
      for (std::uint64_t i = pick(x_rng, 1, 3); i > 0; --i) plan_item(loop);
    }
  }

  void plan_item(LoopId loop) {
    Item item;
    const std::uint64_t kind = pick(x_rng, 0, 5);
    item.kind = kind == 0 ? ItemKind::kAdvice : kind == 1 ? ItemKind::kCheck : ItemKind::kTable;
    item.loop = loop;
    item.rank = static_cast<std::uint8_t>(loop == kOutside ? pick(x_rng, 0, 2) : pick(x_rng, 1, 2));
    do {
      item.extents = fitting(item.rank, [&] { return any_extent(); });
      if (loop != kOutside) item.extents[0] = x_program.loops[loop].extent;
    } while (static_cast<i128>(extent_max(item.extents[0], x_program)) * extent_max(item.extents[1], x_program) >=
             static_cast<i128>(kMaxTableElements));
    const std::uint64_t results = item.kind == ItemKind::kCheck    ? 0
                                  : item.kind == ItemKind::kAdvice ? 1
                                                                   : pick(x_rng, 1, pick(x_rng, 1, 4));
    for (std::uint64_t i = 0; i < results; ++i) {
      item.results.push_back(static_cast<ObjectId>(x_program.objects.size()));
      add_object(item.kind == ItemKind::kAdvice ? ObjectKind::kAdvice : ObjectKind::kComputed, random_type(), item.rank,
                 item.extents);
      if (item.kind == ItemKind::kTable && pick(x_rng, 0, 2) != 0) {
        x_program.objects.back().origin = RangeOrigin::kProved;
        x_program.objects.back().range = type_range(x_program.objects.back().type);
      }
    }
    x_program.items.push_back(std::move(item));
  }

  void fill_body(std::size_t item) {
    if (x_program.items[item].kind == ItemKind::kAdvice && pick(x_rng, 0, 1) == 0) return;
    const std::size_t pool = x_program.constants.size();
    for (int attempt = 0; attempt < 100; ++attempt) {
      std::optional<Body> body;
      if (pick(x_rng, 0, 2) == 0) body = shaped_body(x_program, item, x_rng);
      if (!body) {
        x_program.constants.resize(pool);
        body = random_body(x_program, item, x_rng);
      }
      x_program.items[item].body = *body;
      if (body->step.size() <= kMaxSectionInstructions && body->finish.size() <= kMaxSectionInstructions &&
          accept_ranges(item)) {
        return;
      }
      x_program.constants.resize(pool);
    }
    TALLY_ASSERT(!"a random body should pass the range proof within a hundred attempts");
  }

  bool accept_ranges(std::size_t item) {
    const auto ranges = prove_item(x_program, item);
    if (!ranges) return false;
    Item& proved = x_program.items[item];
    proved.body->accumulators = ranges->accumulators;
    for (std::size_t column = 0; proved.kind == ItemKind::kTable && column < proved.results.size(); ++column) {
      Object& table = x_program.objects[proved.results[column]];
      if (table.origin == RangeOrigin::kProved) table.range = ranges->results[column];
    }
    return true;
  }

  /// Links a state to a computed table of its type and shape, where one fits, and marks payable states.
  void add_links() {
    for (std::size_t id = 0; id < x_program.objects.size(); ++id) {
      const Object& state = x_program.objects[id];
      if (state.kind != ObjectKind::kState) continue;
      const bool per_member = state.rank == 1 && state.extents[0].kind == ExtentKind::kDim &&
                              x_program.dims[state.extents[0].value].role == DimRole::kMembers;
      if (per_member && pick(x_rng, 0, 1) == 0) x_program.payable.push_back(static_cast<ObjectId>(id));
      for (std::size_t table = id + 1; table < x_program.objects.size(); ++table) {
        const Object& computed = x_program.objects[table];
        if (computed.kind != ObjectKind::kComputed || computed.type != state.type || computed.rank != state.rank ||
            computed.extents != state.extents || !state.range.contains(computed.range)) {
          continue;
        }
        x_program.next.push_back({static_cast<ObjectId>(id), static_cast<ObjectId>(table)});
        break;
      }
    }
  }

  Rng& x_rng;
  RandomProgramOptions x_options;
  Program x_program;
};

}  // namespace

Program random_program(Rng& rng, const RandomProgramOptions& options) { return Generator(rng, options).run(); }

}  // namespace tally::test
