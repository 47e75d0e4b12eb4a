#include "deterministic_math/executor/column.h"

#include <algorithm>
#include <array>

#include "deterministic_math/executor/lane_access.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

// Follows a step's temporaries back to the row's element.
class Matcher {
 public:
  explicit Matcher(const Code& code) : x_code(code), x_steps(code.lanes[static_cast<std::size_t>(Phase::kRepeated)]) {}

  std::optional<ColumnPlan> match() {
    if (x_code.lane_guards) return std::nullopt;
    ColumnPlan plan;
    for (std::size_t j = 0; j < x_code.accumulators.size(); ++j) {
      const AccumulatorCode& accumulator = x_code.accumulators[j];
      if (accumulator.updated.slot != kNoSlot || accumulator.updated.scalar != kNoNode) return std::nullopt;
      if (definition(accumulator.slot) == nullptr) continue;
      ColumnTerm term;
      term.accumulator = j;
      if (!match_sum(accumulator.slot, term)) return std::nullopt;
      plan.terms.push_back(term);
    }
    if (plan.terms.empty() || x_row == nullptr) return std::nullopt;
    pair_counts(plan);
    plan.load = *x_row;
    return plan;
  }

 private:
  // A count below a bound and one up to the same bound are taken together.
  static void pair_counts(ColumnPlan& plan) {
    for (std::size_t i = 0; i < plan.terms.size(); ++i) {
      if (plan.terms[i].kind != ColumnTermKind::kBelow) continue;
      const auto other = std::ranges::find_if(plan.terms, [&](const ColumnTerm& term) {
        return term.kind == ColumnTermKind::kUpTo && term.bound == plan.terms[i].bound;
      });
      if (other == plan.terms.end()) continue;
      plan.terms[i].kind = ColumnTermKind::kRanks;
      plan.terms[i].up_to = other->accumulator;
      const auto at = static_cast<std::size_t>(other - plan.terms.begin());
      plan.terms.erase(other);
      if (at < i) --i;
    }
  }

  const LaneStep* definition(SlotId slot) const {
    if (slot == kNoSlot) return nullptr;
    const auto step = std::ranges::find(x_steps, slot, &LaneStep::dst);
    return step == x_steps.end() ? nullptr : &*step;
  }

  LaneType type(SlotId slot) const { return x_code.slots[slot].type; }

  // The one row that all terms read.
  bool is_row(const Source& source) {
    const LaneStep* const step = definition(source.slot);
    if (step == nullptr || step->kind != LaneStepKind::kLoadRun || type(source.slot) != LaneType::k32) return false;
    const ObjectView& object = x_code.loads[step->load].object;
    if (object.kind != ObjectKind::kRow) return false;
    if (x_row != nullptr && x_row != step) return false;
    x_row = step;
    return true;
  }

  bool is_converted_row(const Source& source) {
    const LaneStep* const step = definition(source.slot);
    return step != nullptr && step->kind == LaneStepKind::kConvert && type(source.slot) == LaneType::k64 &&
           is_row(step->a);
  }

  bool is_bound(const Source& source) const {
    return source.slot != kNoSlot && definition(source.slot) == nullptr && x_code.slots[source.slot].held &&
           type(source.slot) == LaneType::k32 && !is_accumulator(source.slot);
  }

  bool is_accumulator(SlotId slot) const {
    return std::ranges::find(x_code.accumulators, slot, &AccumulatorCode::slot) != x_code.accumulators.end();
  }

  bool match_sum(SlotId own, ColumnTerm& term) {
    const LaneStep* const sum = definition(own);
    if (sum == nullptr || sum->kind != LaneStepKind::kCompute || sum->op != Op::kAdd) return false;
    if (sum->a.slot == own) return match_term(type(own), sum->b, term);
    return sum->b.slot == own && match_term(type(own), sum->a, term);
  }

  bool match_term(LaneType sum, const Source& source, ColumnTerm& term) {
    if (sum == LaneType::k64) return match_weighted(source, term) || match_inside(source, term);
    return sum == LaneType::k32 && match_count(source, term);
  }

  bool match_weighted(const Source& source, ColumnTerm& term) {
    term.kind = ColumnTermKind::kWeighted;
    if (is_converted_row(source)) return true;
    const LaneStep* const product = definition(source.slot);
    if (product == nullptr || product->kind != LaneStepKind::kCompute || product->op != Op::kMul) return false;
    const bool first = is_converted_row(product->a);
    const Source& weight = first ? product->b : product->a;
    if (!first && !is_converted_row(product->b)) return false;
    term.weight = weight.scalar;
    return weight.scalar != kNoNode;
  }

  bool match_count(const Source& source, ColumnTerm& term) {
    const LaneStep* const compare = definition(source.slot);
    if (compare == nullptr || compare->kind != LaneStepKind::kCompute) return false;
    if (compare->op != Op::kLt && compare->op != Op::kLe) return false;
    const bool strict = compare->op == Op::kLt;
    if (is_bound(compare->b) && is_row(compare->a)) {
      term.kind = strict ? ColumnTermKind::kBelow : ColumnTermKind::kUpTo;
      term.bound = compare->b.slot;
      return true;
    }
    if (!is_bound(compare->a) || !is_row(compare->b)) return false;
    term.kind = strict ? ColumnTermKind::kAbove : ColumnTermKind::kFrom;
    term.bound = compare->a.slot;
    return true;
  }

  bool match_inside(const Source& source, ColumnTerm& term) {
    const LaneStep* const converted = definition(source.slot);
    if (converted == nullptr || converted->kind != LaneStepKind::kConvert) return false;
    const LaneStep* const chosen = definition(converted->a.slot);
    if (chosen == nullptr || chosen->kind != LaneStepKind::kCompute || chosen->op != Op::kSel) return false;
    if (!is_row(chosen->a) || !is_zero(chosen->b)) return false;
    const LaneStep* const both = definition(chosen->c.slot);
    if (both == nullptr || both->kind != LaneStepKind::kCompute || both->op != Op::kMin) return false;
    ColumnTerm one;
    ColumnTerm other;
    if (!match_count(both->a, one) || !match_count(both->b, other)) return false;
    if (one.kind == ColumnTermKind::kBelow) std::swap(one, other);
    if (one.kind != ColumnTermKind::kAbove || other.kind != ColumnTermKind::kBelow) return false;
    term.kind = ColumnTermKind::kInside;
    term.bound = one.bound;
    term.upper = other.bound;
    return true;
  }

  bool is_zero(const Source& source) const {
    return source.scalar != kNoNode && std::ranges::find(x_code.zeros, source.scalar) != x_code.zeros.end();
  }

  const Code& x_code;
  const std::vector<LaneStep>& x_steps;
  const LaneStep* x_row = nullptr;
};

// Lanes between two requests for what is read next, and how far ahead that is: with several operations on each element
// too few loads are under way at once for memory to keep up.
constexpr std::size_t kStrip = 64;
constexpr std::size_t kAheadBytes = 1024;

// Calls work(first, last) for strips of lanes.
template <std::size_t Rows, class F>
TALLY_INLINE inline void for_strips(const std::array<const std::byte*, Rows>& data, std::size_t count, F&& work) {
  for (std::size_t lane = 0; lane < count; lane += kStrip) {
    for (std::size_t r = 0; r < Rows; ++r) {
      for (std::size_t at = 0; at < kStrip * sizeof(std::int32_t); at += 64) {
        __builtin_prefetch(data[r] + lane * sizeof(std::int32_t) + kAheadBytes + at);
      }
    }
    work(lane, std::min(count, lane + kStrip));
  }
}

template <std::size_t Rows>
TALLY_INLINE inline void weighted(std::byte* accumulator, const ColumnRows& rows, std::size_t count) {
  std::array<const std::byte*, Rows> data;
  std::array<std::int64_t, Rows> weights;
  for (std::size_t r = 0; r < Rows; ++r) {
    data[r] = rows.rows[r];
    weights[r] = rows.weights[r];
  }
  for_strips(data, count, [&](std::size_t first, std::size_t last) TALLY_INLINE {
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = first; i < last; ++i) {
      auto sum = get_lane<std::uint64_t>(accumulator, i);
      for (std::size_t r = 0; r < Rows; ++r) {
        sum += static_cast<std::uint64_t>(std::int64_t{get_lane<std::int32_t>(data[r], i)} * weights[r]);
      }
      put_lane<std::uint64_t>(accumulator, i, sum);
    }
  });
}

template <std::size_t Rows, class F>
TALLY_INLINE inline void counts(std::byte* accumulator, const ColumnRows& rows, const std::byte* bound,
                                std::size_t count, F holds) {
  std::array<const std::byte*, Rows> data;
  for (std::size_t r = 0; r < Rows; ++r) data[r] = rows.rows[r];
  for_strips(data, count, [&](std::size_t first, std::size_t last) TALLY_INLINE {
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = first; i < last; ++i) {
      auto sum = get_lane<std::int32_t>(accumulator, i);
      const auto c = get_lane<std::int32_t>(bound, i);
      for (std::size_t r = 0; r < Rows; ++r) {
        const auto x = get_lane<std::int32_t>(data[r], i);
        sum = holds(x, c) ? sum + 1 : sum;
      }
      put_lane<std::int32_t>(accumulator, i, sum);
    }
  });
}

template <std::size_t Rows>
TALLY_INLINE inline void all_counts(ColumnTermKind kind, std::byte* accumulator, const ColumnRows& rows,
                                    const std::byte* bound, std::size_t count) {
  using I = std::int32_t;
  switch (kind) {
    case ColumnTermKind::kBelow:
      counts<Rows>(accumulator, rows, bound, count, [](I x, I c) TALLY_INLINE { return x < c; });
      break;
    case ColumnTermKind::kUpTo:
      counts<Rows>(accumulator, rows, bound, count, [](I x, I c) TALLY_INLINE { return x <= c; });
      break;
    case ColumnTermKind::kAbove:
      counts<Rows>(accumulator, rows, bound, count, [](I x, I c) TALLY_INLINE { return x > c; });
      break;
    case ColumnTermKind::kFrom:
      counts<Rows>(accumulator, rows, bound, count, [](I x, I c) TALLY_INLINE { return x >= c; });
      break;
    case ColumnTermKind::kWeighted:
    case ColumnTermKind::kInside:
    case ColumnTermKind::kRanks:
      TALLY_ASSERT(false);
      break;
  }
}

// Below and up to each of some bounds: every element is read once for all of them.
template <std::size_t Rows, std::size_t Bounds>
TALLY_INLINE inline void ranks(const ColumnRanks* terms, const ColumnRows& rows, std::size_t count) {
  std::array<const std::byte*, Rows> data;
  for (std::size_t r = 0; r < Rows; ++r) data[r] = rows.rows[r];
  std::array<ColumnRanks, Bounds> own;
  for (std::size_t t = 0; t < Bounds; ++t) own[t] = terms[t];
  for_strips(data, count, [&](std::size_t first, std::size_t last) TALLY_INLINE {
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = first; i < last; ++i) {
      std::array<std::int32_t, Bounds> below;
      std::array<std::int32_t, Bounds> up_to;
      std::array<std::int32_t, Bounds> bound;
      for (std::size_t t = 0; t < Bounds; ++t) {
        below[t] = get_lane<std::int32_t>(own[t].below, i);
        up_to[t] = get_lane<std::int32_t>(own[t].up_to, i);
        bound[t] = get_lane<std::int32_t>(own[t].bound, i);
      }
      for (std::size_t r = 0; r < Rows; ++r) {
        const auto x = get_lane<std::int32_t>(data[r], i);
        for (std::size_t t = 0; t < Bounds; ++t) {
          below[t] = x < bound[t] ? below[t] + 1 : below[t];
          up_to[t] = x <= bound[t] ? up_to[t] + 1 : up_to[t];
        }
      }
      for (std::size_t t = 0; t < Bounds; ++t) {
        put_lane<std::int32_t>(own[t].below, i, below[t]);
        put_lane<std::int32_t>(own[t].up_to, i, up_to[t]);
      }
    }
  });
}

template <std::size_t Rows>
TALLY_INLINE inline void inside(std::byte* accumulator, const ColumnRows& rows, const std::byte* lower,
                                const std::byte* upper, std::size_t count) {
  std::array<const std::byte*, Rows> data;
  for (std::size_t r = 0; r < Rows; ++r) data[r] = rows.rows[r];
  for_strips(data, count, [&](std::size_t first, std::size_t last) TALLY_INLINE {
    TALLY_INDEPENDENT_LANES
    for (std::size_t i = first; i < last; ++i) {
      auto sum = get_lane<std::int64_t>(accumulator, i);
      const auto a = get_lane<std::int32_t>(lower, i);
      const auto b = get_lane<std::int32_t>(upper, i);
      for (std::size_t r = 0; r < Rows; ++r) {
        const auto x = get_lane<std::int32_t>(data[r], i);
        const std::int32_t kept = a < x && x < b ? x : 0;
        sum += kept;
      }
      put_lane<std::int64_t>(accumulator, i, sum);
    }
  });
}

}  // namespace

std::optional<ColumnPlan> match_column(const Code& code) { return Matcher(code).match(); }

TALLY_CLONES void add_weighted(std::byte* accumulator, const ColumnRows& rows, std::size_t count) {
  if (rows.number == kColumnRows) {
    weighted<kColumnRows>(accumulator, rows, count);
    return;
  }
  ColumnRows one;
  for (std::size_t r = 0; r < rows.number; ++r) {
    one.rows[0] = rows.rows[r];
    one.weights[0] = rows.weights[r];
    weighted<1>(accumulator, one, count);
  }
}

TALLY_CLONES void add_counts(ColumnTermKind kind, std::byte* accumulator, const ColumnRows& rows,
                             const std::byte* bound, std::size_t count) {
  if (rows.number == kColumnRows) {
    all_counts<kColumnRows>(kind, accumulator, rows, bound, count);
    return;
  }
  ColumnRows one;
  for (std::size_t r = 0; r < rows.number; ++r) {
    one.rows[0] = rows.rows[r];
    all_counts<1>(kind, accumulator, one, bound, count);
  }
}

TALLY_CLONES void add_ranks(std::span<const ColumnRanks> terms, const ColumnRows& rows, std::size_t count) {
  std::size_t done = 0;
  if (rows.number == kColumnRows) {
    for (; done + 2 <= terms.size(); done += 2) ranks<kColumnRows, 2>(&terms[done], rows, count);
    for (; done < terms.size(); ++done) ranks<kColumnRows, 1>(&terms[done], rows, count);
    return;
  }
  ColumnRows one;
  for (std::size_t r = 0; r < rows.number; ++r) {
    one.rows[0] = rows.rows[r];
    for (const ColumnRanks& term : terms) ranks<1, 1>(&term, one, count);
  }
}

TALLY_CLONES void add_inside(std::byte* accumulator, const ColumnRows& rows, const std::byte* lower,
                             const std::byte* upper, std::size_t count) {
  if (rows.number == kColumnRows) {
    inside<kColumnRows>(accumulator, rows, lower, upper, count);
    return;
  }
  ColumnRows one;
  for (std::size_t r = 0; r < rows.number; ++r) {
    one.rows[0] = rows.rows[r];
    inside<1>(accumulator, one, lower, upper, count);
  }
}

}  // namespace tally::math
