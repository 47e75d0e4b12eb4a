// The syntax tree of a program. Nodes live as long as their Syntax; names are views of the source text.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/bytecode/program.h"
#include "deterministic_math/language/compile.h"

namespace tally::math {

enum class ExprKind : std::uint8_t { kNumber, kDecimal, kType, kName, kIndex, kCall, kUnary, kBinary };

enum class Operator : std::uint8_t {
  kOr,
  kAnd,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kShiftLeft,
  kAdd,
  kSubtract,
  kMultiply,
  kNegate,
  kNot,
};

/// `path` is the name's parts, split at dots, of kName, kIndex and kCall. `place` is the operator or the name alone.
struct Expr {
  ExprKind kind = ExprKind::kNumber;
  Operator op = Operator::kAdd;
  ElementType type = ElementType::kI64;
  std::uint32_t depth = 1;
  SourceSpan span;
  SourceSpan place;
  i128 value = 0;
  std::string_view text;  // of a decimal
  std::vector<std::string_view> path;
  std::vector<const Expr*> args;
};

[[nodiscard]] inline std::string joined(const std::vector<std::string_view>& path) {
  std::string name;
  for (const std::string_view part : path) {
    if (!name.empty()) name += '.';
    name += part;
  }
  return name;
}

/// `lo..hi`, or `range(t)` where `copied` is set.
struct RangeSyntax {
  SourceSpan span;
  const Expr* lo = nullptr;
  const Expr* hi = nullptr;
  const Expr* copied = nullptr;
};

struct Identifier {
  std::string_view text;
  SourceSpan span;
};

/// `i in N`
struct IndexSyntax {
  Identifier name;
  const Expr* extent = nullptr;
};

struct ResultSyntax {
  Identifier name;
  ElementType type = ElementType::kI64;
  std::optional<RangeSyntax> range;
};

enum class StatementKind : std::uint8_t { kLet, kAssign, kRequire, kReturn };

struct Statement {
  StatementKind kind = StatementKind::kLet;
  SourceSpan span;
  Identifier name;                  // of kLet and kAssign
  std::vector<const Expr*> values;  // one, but for kReturn
};

struct AccumulatorSyntax {
  Identifier name;
  const Expr* init = nullptr;
};

struct FoldSyntax {
  SourceSpan span;
  IndexSyntax index;
  const Expr* where = nullptr;
  std::vector<Statement> statements;
  std::vector<AccumulatorSyntax> accumulators;
};

struct BodySyntax {
  SourceSpan end;  // the closing brace
  std::vector<Statement> before;
  std::optional<FoldSyntax> fold;
  std::vector<Statement> after;
};

struct HintSyntax {
  SourceSpan span;
  HintKind kind = HintKind::kInput;
  IndexSyntax index;
  const Expr* where = nullptr;
  const Expr* key = nullptr;
  const Expr* rank = nullptr;
};

enum class SyntaxKind : std::uint8_t {
  kProgram,
  kUse,
  kTemplate,
  kConst,
  kFunction,
  kParameter,
  kDim,
  kField,
  kRow,
  kState,
  kAdvice,
  kCheck,
  kTable,
  kLoop,
  kNext,
  kPayable,
  kOneRecord,
};

/// One item. Which members are set follows from `kind`; the grammar of docs/spec.md names them.
struct ItemSyntax {
  SyntaxKind kind = SyntaxKind::kProgram;
  SourceSpan span;  // the keyword
  Identifier name;
  std::string_view text;                 // of kTemplate: the whole item
  std::vector<Identifier> parameters;    // of kTemplate, kFunction
  std::vector<const Expr*> arguments;    // of kUse
  Identifier target;                     // of kUse: the template
  const Expr* value = nullptr;           // of kConst, kFunction; kNext: the table
  std::optional<RangeSyntax> range;      // of kParameter, kDim, kField, kRow, kState
  ElementType type = ElementType::kI64;  // of kField, kRow, kState
  std::vector<const Expr*> extents;      // of kRow, kState
  std::vector<IndexSyntax> indices;      // of kAdvice, kCheck, kTable; kLoop: one
  std::vector<ResultSyntax> results;     // of kAdvice, kTable
  std::optional<HintSyntax> hint;        // of kAdvice
  std::optional<BodySyntax> body;        // of kAdvice, kCheck, kTable
  std::vector<ItemSyntax> items;         // of kTemplate, kLoop
};

struct Syntax {
  std::deque<Expr> expressions;
  std::vector<ItemSyntax> items;
};

}  // namespace tally::math
