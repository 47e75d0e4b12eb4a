#include "deterministic_math/language/parser.h"

#include <algorithm>
#include <array>
#include <utility>

#include "deterministic_math/language/expression_parser.h"

namespace tally::math {
namespace {

constexpr std::array<std::string_view, 26> kKeywords{
    "program", "use",    "template", "const", "fn",   "param", "dim",     "record", "row",
    "state",   "advice", "check",    "table", "loop", "next",  "payable", "let",    "fold",
    "require", "return", "where",    "from",  "and",  "or",    "not",     "in"};

constexpr std::array<std::string_view, 23> kBuiltIns{
    "batch", "member", "nonce", "seed",  "range",  "div",    "div_round", "shr",  "shr_round", "shl", "mod",  "sq",
    "abs",   "min",    "max",   "clamp", "select", "expect", "isqrt",     "wrap", "prf",       "fx",  "hint",
};

[[noreturn]] void too_many(const SourceSpan& span, std::size_t most, std::string_view what) {
  fail(CompileReason::kTooMany, span, "more than " + std::to_string(most) + " " + std::string(what));
}

class Parser {
 public:
  Parser(std::string_view source, Syntax& syntax)
      : x_source(source), x_syntax(syntax), x_tokens(lex(source)), x_expressions(x_tokens, syntax.expressions) {}

  void run() {
    while (!x_tokens.at_end()) x_syntax.items.push_back(item());
  }

 private:
  ItemSyntax item();
  ItemSyntax program();
  ItemSyntax use();
  ItemSyntax block_template();
  ItemSyntax constant();
  ItemSyntax function();
  ItemSyntax parameter();
  ItemSyntax dim();
  ItemSyntax input(SyntaxKind kind);
  ItemSyntax advice();
  ItemSyntax check();
  ItemSyntax table();
  ItemSyntax loop();
  ItemSyntax next();
  ItemSyntax payable();
  ItemSyntax one_record();

  /// Takes the keyword at the current token.
  ItemSyntax start(SyntaxKind kind) {
    ItemSyntax result;
    result.kind = kind;
    result.span = x_tokens.take().span;
    return result;
  }
  Identifier identifier();
  Identifier new_name();
  ElementType type();
  std::vector<Identifier> new_names();
  std::vector<IndexSyntax> indices();
  IndexSyntax index();
  ResultSyntax result(Identifier name);
  HintSyntax hint();
  void items(ItemSyntax& owner);
  BodySyntax body();
  Statement statement();
  FoldSyntax fold();

  std::string_view x_source;
  Syntax& x_syntax;
  TokenStream x_tokens;
  ExpressionParser x_expressions;
  std::size_t x_nesting = 0;
};

Identifier Parser::identifier() {
  if (x_tokens.peek().kind != TokenKind::kIdentifier || is_keyword(x_tokens.peek().text)) x_tokens.refuse("a name");
  const Token& token = x_tokens.take();
  return {token.text, token.span};
}

Identifier Parser::new_name() {
  if (x_tokens.peek().kind != TokenKind::kIdentifier) x_tokens.refuse("a name");
  const Token& token = x_tokens.take();
  if (is_reserved(token.text)) {
    fail(CompileReason::kReservedName, token.span,
         quoted(token.text) + " is a word of the language; choose another name");
  }
  return {token.text, token.span};
}

std::vector<Identifier> Parser::new_names() {
  std::vector<Identifier> names;
  if (!x_tokens.accept("(")) return names;
  if (!x_tokens.at(")")) {
    do {
      names.push_back(new_name());
      if (names.size() > kMaxArguments) too_many(names.back().span, kMaxArguments, "arguments");
    } while (x_tokens.accept(","));
  }
  x_tokens.expect(")");
  return names;
}

ElementType Parser::type() {
  const auto found = type_named(x_tokens.peek().text);
  if (!found) x_tokens.refuse("a type (i8, i16, i32, i64 or i128)");
  x_tokens.take();
  return *found;
}

IndexSyntax Parser::index() {
  IndexSyntax result;
  result.name = new_name();
  x_tokens.expect("in");
  result.extent = x_expressions.expression();
  return result;
}

std::vector<IndexSyntax> Parser::indices() {
  std::vector<IndexSyntax> result;
  if (!x_tokens.accept("[")) return result;
  do {
    result.push_back(index());
  } while (x_tokens.accept(","));
  x_tokens.expect("]");
  return result;
}

ResultSyntax Parser::result(Identifier name) {
  ResultSyntax result;
  result.name = name;
  x_tokens.expect(":");
  result.type = type();
  if (x_tokens.accept("in")) result.range = x_expressions.range();
  return result;
}

ItemSyntax Parser::item() {
  const NestingGuard guard(x_nesting, kMaxNesting, x_tokens.peek().span);
  using Handler = ItemSyntax (Parser::*)();
  static constexpr std::array<std::pair<std::string_view, Handler>, 14> kHandlers{{
      {"program", &Parser::program},
      {"use", &Parser::use},
      {"template", &Parser::block_template},
      {"const", &Parser::constant},
      {"fn", &Parser::function},
      {"param", &Parser::parameter},
      {"dim", &Parser::dim},
      {"advice", &Parser::advice},
      {"check", &Parser::check},
      {"table", &Parser::table},
      {"loop", &Parser::loop},
      {"next", &Parser::next},
      {"payable", &Parser::payable},
      {"one", &Parser::one_record},
  }};
  for (const auto& [keyword, handler] : kHandlers) {
    if (x_tokens.at(keyword)) return (this->*handler)();
  }
  if (x_tokens.at("record")) return input(SyntaxKind::kField);
  if (x_tokens.at("row")) return input(SyntaxKind::kRow);
  if (x_tokens.at("state")) return input(SyntaxKind::kState);
  x_tokens.refuse("an item (program, dim, record, row, state, table, ...)");
}

ItemSyntax Parser::program() {
  ItemSyntax result = start(SyntaxKind::kProgram);
  result.name = new_name();
  return result;
}

ItemSyntax Parser::use() {
  ItemSyntax result = start(SyntaxKind::kUse);
  result.target = identifier();
  x_tokens.expect("(");
  if (!x_tokens.at(")")) {
    do {
      result.arguments.push_back(x_expressions.expression());
      if (result.arguments.size() > kMaxArguments) too_many(result.span, kMaxArguments, "arguments");
    } while (x_tokens.accept(","));
  }
  x_tokens.expect(")");
  x_tokens.expect("as");
  result.name = new_name();
  return result;
}

ItemSyntax Parser::block_template() {
  const std::size_t offset = x_tokens.peek().offset;
  ItemSyntax result = start(SyntaxKind::kTemplate);
  result.name = new_name();
  result.parameters = new_names();
  items(result);
  result.text = x_source.substr(offset, x_tokens.previous().offset + 1 - offset);
  return result;
}

void Parser::items(ItemSyntax& owner) {
  x_tokens.expect("{");
  while (!x_tokens.at("}")) {
    if (x_tokens.at_end()) x_tokens.refuse("`}`");
    owner.items.push_back(item());
  }
  x_tokens.take();
}

ItemSyntax Parser::constant() {
  ItemSyntax result = start(SyntaxKind::kConst);
  result.name = new_name();
  x_tokens.expect("=");
  result.value = x_expressions.expression();
  return result;
}

ItemSyntax Parser::function() {
  ItemSyntax result = start(SyntaxKind::kFunction);
  result.name = new_name();
  result.parameters = new_names();
  x_tokens.expect("=");
  result.value = x_expressions.expression();
  return result;
}

ItemSyntax Parser::parameter() {
  ItemSyntax result = start(SyntaxKind::kParameter);
  result.name = new_name();
  x_tokens.expect(":");
  result.range = x_expressions.bounds();
  return result;
}

ItemSyntax Parser::dim() {
  ItemSyntax result = start(SyntaxKind::kDim);
  result.name = new_name();
  if (x_tokens.accept("in")) {
    result.range = x_expressions.bounds();
    return result;
  }
  RangeSyntax range;
  if (x_tokens.accept("<=")) {
    range.hi = x_expressions.expression();
  } else if (x_tokens.accept("=")) {
    range.lo = range.hi = x_expressions.expression();
  } else {
    x_tokens.refuse("`in lo..hi`, `<= n` or `= n`");
  }
  range.span = range.hi->span;
  result.range = range;
  return result;
}

ItemSyntax Parser::input(SyntaxKind kind) {
  ItemSyntax result = start(kind);
  result.name = new_name();
  x_tokens.expect(":");
  result.type = type();
  if (x_tokens.accept("[")) {
    do {
      result.extents.push_back(x_expressions.expression());
    } while (x_tokens.accept(","));
    x_tokens.expect("]");
  }
  if (x_tokens.accept("in")) result.range = x_expressions.range();
  return result;
}

ItemSyntax Parser::advice() {
  ItemSyntax result = start(SyntaxKind::kAdvice);
  result.name = new_name();
  result.indices = indices();
  result.results.push_back(this->result(result.name));
  if (x_tokens.at("hint")) result.hint = hint();
  if (x_tokens.at("{")) result.body = body();
  return result;
}

ItemSyntax Parser::check() {
  ItemSyntax result = start(SyntaxKind::kCheck);
  result.indices = indices();
  result.body = body();
  return result;
}

ItemSyntax Parser::table() {
  ItemSyntax result = start(SyntaxKind::kTable);
  result.name = new_name();
  result.indices = indices();
  result.results.push_back(this->result(result.name));
  while (x_tokens.accept(",")) result.results.push_back(this->result(new_name()));
  result.body = body();
  return result;
}

ItemSyntax Parser::loop() {
  ItemSyntax result = start(SyntaxKind::kLoop);
  result.indices.push_back(index());
  result.name = result.indices.front().name;
  items(result);
  return result;
}

ItemSyntax Parser::next() {
  ItemSyntax result = start(SyntaxKind::kNext);
  result.name = identifier();
  x_tokens.expect("=");
  result.value = x_expressions.expression();
  return result;
}

ItemSyntax Parser::payable() {
  ItemSyntax result = start(SyntaxKind::kPayable);
  result.name = identifier();
  x_tokens.expect("to");
  x_tokens.expect("member");
  return result;
}

ItemSyntax Parser::one_record() {
  ItemSyntax result = start(SyntaxKind::kOneRecord);
  x_tokens.expect("record");
  x_tokens.expect("per");
  x_tokens.expect("member");
  return result;
}

HintSyntax Parser::hint() {
  HintSyntax result;
  x_tokens.expect("hint");
  const Token& name = x_tokens.peek();
  result.span = name.span;
  if (x_tokens.accept("input")) return result;
  static constexpr std::array<std::pair<std::string_view, HintKind>, 4> kKinds{
      {{"kth", HintKind::kKth}, {"perm", HintKind::kPerm}, {"first", HintKind::kFirst}, {"argmin", HintKind::kArgmin}}};
  const auto* const kind = std::ranges::find(kKinds, name.text, &std::pair<std::string_view, HintKind>::first);
  if (kind == kKinds.end()) x_tokens.refuse("a hint (kth, perm, first, argmin or input)");
  x_tokens.take();
  result.kind = kind->second;
  x_tokens.expect("(");
  result.index = index();
  if (x_tokens.accept("where")) result.where = x_expressions.expression();
  x_tokens.expect(":");
  result.key = x_expressions.expression();
  if (result.kind == HintKind::kKth) {
    x_tokens.expect(",");
    result.rank = x_expressions.expression();
  }
  x_tokens.expect(")");
  return result;
}

BodySyntax Parser::body() {
  BodySyntax result;
  x_tokens.expect("{");
  while (!x_tokens.at("}")) {
    if (x_tokens.at("fold")) {
      if (result.fold) {
        fail(CompileReason::kMisplacedStatement, x_tokens.peek().span,
             "a body has one fold at most; put the second into a table of its own");
      }
      result.fold = fold();
      continue;
    }
    Statement next = statement();
    if (next.kind == StatementKind::kAssign) {
      fail(CompileReason::kMisplacedStatement, next.span,
           "only a fold's accumulators are assigned to, inside the fold; write let to name a value");
    }
    auto& block = result.fold ? result.after : result.before;
    if (!block.empty() && block.back().kind == StatementKind::kReturn) {
      fail(CompileReason::kMisplacedStatement, next.span, "nothing may follow return");
    }
    if (block.size() >= kMaxStatements) too_many(next.span, kMaxStatements, "statements");
    block.push_back(std::move(next));
  }
  result.end = x_tokens.take().span;
  if (!result.fold) {
    result.after = std::move(result.before);
    result.before.clear();
  }
  for (const Statement& early : result.before) {
    if (early.kind == StatementKind::kLet) continue;
    fail(CompileReason::kMisplacedStatement, early.span,
         std::string(early.kind == StatementKind::kRequire ? "require" : "return") + " stands after the fold only");
  }
  return result;
}

Statement Parser::statement() {
  Statement result;
  result.span = x_tokens.peek().span;
  if (x_tokens.accept("let")) {
    result.kind = StatementKind::kLet;
    result.name = new_name();
    x_tokens.expect("=");
  } else if (x_tokens.accept("require")) {
    result.kind = StatementKind::kRequire;
  } else if (x_tokens.accept("return")) {
    result.kind = StatementKind::kReturn;
  } else if (x_tokens.peek().kind == TokenKind::kIdentifier && x_tokens.peek(1).text == "=") {
    result.kind = StatementKind::kAssign;
    result.name = identifier();
    x_tokens.expect("=");
  } else {
    x_tokens.refuse("a statement (let, fold, require, return) or `}`");
  }
  result.values.push_back(x_expressions.expression());
  while (result.kind == StatementKind::kReturn && x_tokens.accept(",")) {
    result.values.push_back(x_expressions.expression());
  }
  return result;
}

FoldSyntax Parser::fold() {
  FoldSyntax result;
  result.span = x_tokens.expect("fold").span;
  result.index = index();
  if (x_tokens.accept("where")) result.where = x_expressions.expression();
  x_tokens.expect("{");
  while (!x_tokens.at("}")) {
    Statement next = statement();
    if (next.kind == StatementKind::kRequire || next.kind == StatementKind::kReturn) {
      fail(CompileReason::kMisplacedStatement, next.span,
           std::string(next.kind == StatementKind::kRequire ? "require" : "return") + " stands after the fold only");
    }
    if (result.statements.size() >= kMaxStatements) too_many(next.span, kMaxStatements, "statements");
    result.statements.push_back(std::move(next));
  }
  x_tokens.take();
  x_tokens.expect("from");
  do {
    AccumulatorSyntax accumulator;
    accumulator.name = new_name();
    x_tokens.expect("=");
    accumulator.init = x_expressions.expression();
    result.accumulators.push_back(accumulator);
  } while (x_tokens.accept(","));
  return result;
}

}  // namespace

bool is_keyword(std::string_view word) { return std::ranges::find(kKeywords, word) != kKeywords.end(); }

bool is_reserved(std::string_view name) {
  return is_keyword(name) || type_named(name) || std::ranges::find(kBuiltIns, name) != kBuiltIns.end();
}

Syntax parse(std::string_view source) {
  Syntax syntax;
  Parser(source, syntax).run();
  return syntax;
}

}  // namespace tally::math
