// The pass behind elaborate(): its state, and one method for each kind of item.
//
// Declarations (declarations.cpp) bind names and put dims and objects into the program; elaborate.cpp walks the items,
// expands loops and lowers and proves bodies.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/language/bodies.h"
#include "deterministic_math/language/elaborate.h"
#include "deterministic_math/language/expand.h"

namespace tally::math {

inline constexpr Extent kOneExtent{ExtentKind::kConstant, 1};
inline constexpr Extent kRecordsExtent{ExtentKind::kDim, 0};

class Elaborator {
 public:
  Elaborator(const Syntax& syntax, const CompileOptions& options, ItemPlaces& places)
      : x_options(options), x_places(places), x_expansion(expand(syntax)) {}

  CompiledProgram run();

 private:
  /// What a unit's declaration leaves for its body.
  struct Pending {
    std::size_t cutoff = 0;
    std::size_t item = 0;
  };

  void start();
  void check_parameters_are_declared() const;
  void loop(std::size_t first, std::size_t end);
  Pending declare(const Unit& unit);
  void finish(const Unit& unit, const Pending& pending);

  void declare_constant(const Unit& unit);
  void declare_function(const Unit& unit);
  void declare_parameter(const Unit& unit);
  void declare_dim(const Unit& unit);
  void declare_input(const Unit& unit);
  void declare_use(const Unit& unit);
  void declare_item(const Unit& unit);
  void declare_next(const Unit& unit);
  void declare_payable(const Unit& unit);
  void declare_one_record(const Unit& unit);

  void bind(Scope* scope, const Identifier& name, Binding binding);
  void bind_with_order(Scope* scope, const Identifier& name, Binding binding, std::size_t order);
  [[nodiscard]] Frame frame(Scope* scope) const { return {scope, x_order, nullptr, nullptr}; }
  [[nodiscard]] LoweringContext context(LoopId loop_id = kOutside) { return {x_out.program, loop_id, x_lowered}; }
  [[nodiscard]] i128 constant(const Expr& expr, Scope* scope) {
    return evaluate_constant(expr, frame(scope), context());
  }
  [[nodiscard]] Range bounds(const RangeSyntax& range, Scope* scope);
  void declare_range(Object& object, const std::optional<RangeSyntax>& range, Scope* scope);
  [[nodiscard]] ObjectId object_named(const Expr& expr, Scope* scope) const;
  [[nodiscard]] ObjectId state_named(const Identifier& name, Scope* scope, CompileReason reason) const;
  void check_size(const Object& object, const Identifier& name) const;
  void limit(std::size_t count, std::size_t most, const SourceSpan& span, std::string_view what) const;
  [[nodiscard]] std::string item_name(const Unit& unit);

  const CompileOptions& x_options;
  ItemPlaces& x_places;
  Expansion x_expansion;
  CompiledProgram x_out;
  std::size_t x_order = 0;
  std::size_t x_loop_order = 0;  // of the loop being declared
  std::size_t x_lowered = 0;
  std::size_t x_checks = 0;
  bool x_has_records_dim = false;
  std::vector<bool> x_proved;         // by object: its range is known
  std::vector<Range> x_known_ranges;  // by object: declared and inferred
  ObjectId x_next_field = 0;
  ObjectId x_next_row = 0;
  ObjectId x_next_state = 0;
};

}  // namespace tally::math
