// From expressions to graph nodes: names are resolved, functions inlined, derived functions spelt out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/language/emit.h"
#include "deterministic_math/language/scope.h"
#include "deterministic_math/language/value_graph.h"

namespace tally::math {

/// Where an expression stands. kConstant: only constants, and dims that are fixed. kEntry and kStep: no expect. kHint:
/// as kStep, outside the proof.
enum class Place : std::uint8_t { kConstant, kEntry, kStep, kFinish, kHint };

/// An operand that must be 0 or 1, to be looked up in the range proof.
struct LogicalUse {
  ValueId node = 0;
  SourceSpan span;
  std::string_view role;
};

/// What lowering asks of the program so far. `lowered` counts expressions over the whole program.
struct LoweringContext {
  const Program& program;
  LoopId loop = kOutside;  // of the item
  std::size_t& lowered;
};

class Lowering {
 public:
  Lowering(const LoweringContext& context, Place place) : x_context(context), x_place(place) {}

  ValueId lower(const Expr& expr, const Frame& frame);
  /// Lowers a condition, which must be 0 or 1.
  ValueId condition(const Expr& expr, const Frame& frame, std::string_view role);
  /// Adds a REQ unless the condition is the constant 1.
  void require(ValueId condition, const SourceSpan& span);

  void set_place(Place place) { x_place = place; }
  [[nodiscard]] ValueGraph& graph() { return x_graph; }
  [[nodiscard]] std::vector<Root>& roots() { return x_roots; }
  [[nodiscard]] const std::vector<LogicalUse>& logical_uses() const { return x_logical; }

 private:
  using Builtin = ValueId (Lowering::*)(const Expr&, const Frame&);
  struct BuiltinInfo;
  static const BuiltinInfo* find_builtin(const Expr& call);

  ValueId lower_name(const Expr& expr, const Frame& frame);
  ValueId lower_binding(const Expr& expr, const Binding& binding);
  ValueId lower_dim(const Expr& expr, const Binding& binding);
  ValueId lower_index(const Expr& expr, const Frame& frame);
  ValueId lower_seed(const Expr& expr, const Frame& frame);
  ValueId lower_load(const Expr& expr, const Frame& frame, ObjectId object);
  ValueId lower_call(const Expr& expr, const Frame& frame);
  ValueId inline_function(const Expr& call, const std::vector<ValueId>& arguments, const Binding& binding);
  ValueId lower_unary(const Expr& expr, const Frame& frame);
  ValueId lower_binary(const Expr& expr, const Frame& frame);
  ValueId shift_constant(const Expr& expr, const Frame& frame);

  ValueId call_two(const Expr& call, const Frame& frame);
  ValueId call_many(const Expr& call, const Frame& frame);
  ValueId call_sq(const Expr& call, const Frame& frame);
  ValueId call_abs(const Expr& call, const Frame& frame);
  ValueId call_clamp(const Expr& call, const Frame& frame);
  ValueId call_select(const Expr& call, const Frame& frame);
  ValueId call_expect(const Expr& call, const Frame& frame);
  ValueId call_isqrt(const Expr& call, const Frame& frame);
  ValueId call_wrap(const Expr& call, const Frame& frame);
  ValueId call_prf(const Expr& call, const Frame& frame);
  ValueId call_fx(const Expr& call, const Frame& frame);

  ValueId clamp(ValueId x, ValueId lo, ValueId hi, const SourceSpan& span);
  ValueId logical(ValueId node, const SourceSpan& span, std::string_view role);
  ValueId negation(ValueId node, const SourceSpan& span);
  i128 width(const Expr& expr, const Frame& frame, i128 least, i128 most);
  void refuse_in_constants(const Expr& expr, std::string_view what) const;

  LoweringContext x_context;
  Place x_place;
  ValueGraph x_graph;
  std::vector<Root> x_roots;
  std::vector<LogicalUse> x_logical;
  std::size_t x_depth = 0;
};

/// The value of a constant expression. Throws CompileFailure.
[[nodiscard]] i128 evaluate_constant(const Expr& expr, const Frame& frame, const LoweringContext& context);

}  // namespace tally::math
