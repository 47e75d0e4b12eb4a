#include "deterministic_math/language/expand.h"

#include <algorithm>
#include <set>

#include "deterministic_math/language/diagnostics.h"
#include "deterministic_math/language/parser.h"

namespace tally::math {
namespace {

bool may_stand_in_loop(SyntaxKind kind) {
  switch (kind) {
    case SyntaxKind::kUse:
    case SyntaxKind::kConst:
    case SyntaxKind::kFunction:
    case SyntaxKind::kAdvice:
    case SyntaxKind::kCheck:
    case SyntaxKind::kTable:
      return true;
    case SyntaxKind::kProgram:
    case SyntaxKind::kTemplate:
    case SyntaxKind::kParameter:
    case SyntaxKind::kDim:
    case SyntaxKind::kField:
    case SyntaxKind::kRow:
    case SyntaxKind::kState:
    case SyntaxKind::kLoop:
    case SyntaxKind::kNext:
    case SyntaxKind::kPayable:
    case SyntaxKind::kOneRecord:
      return false;
  }
  return false;
}

bool may_stand_in_template(SyntaxKind kind) { return may_stand_in_loop(kind) || kind == SyntaxKind::kLoop; }

class Expander {
 public:
  explicit Expander(const Syntax& syntax) {
    for (const ItemSyntax& item : syntax.items) {
      if (item.kind != SyntaxKind::kTemplate) continue;
      if (!x_out.templates.emplace(item.name.text, &item).second) {
        fail(CompileReason::kDuplicateName, item.name.span,
             "there is a template " + quoted(item.name.text) + " already");
      }
    }
    x_out.scopes.emplace_back();
    expand_items(syntax.items, &x_out.scopes.front(), kOutside);
  }

  Expansion take() { return std::move(x_out); }

 private:
  void expand_items(const std::vector<ItemSyntax>& items, Scope* scope, LoopId loop) {
    for (const ItemSyntax& item : items) {
      check_place(item, loop);
      if (x_out.units.size() >= kMaxExpandedItems) {
        fail(CompileReason::kTooMuchInlining, item.span,
             "templates make more than " + std::to_string(kMaxExpandedItems) + " items");
      }
      if (item.kind == SyntaxKind::kTemplate) continue;
      if (item.kind == SyntaxKind::kUse) {
        expand_use(item, scope, loop);
      } else if (item.kind == SyntaxKind::kLoop) {
        const auto number = static_cast<LoopId>(x_out.loops++);
        x_out.units.push_back({UnitKind::kLoopStart, &item, scope, nullptr, number});
        expand_items(item.items, scope, number);
        x_out.units.push_back({UnitKind::kLoopEnd, &item, scope, nullptr, number});
      } else {
        x_out.units.push_back({UnitKind::kItem, &item, scope, nullptr, loop});
      }
    }
  }

  void check_place(const ItemSyntax& item, LoopId loop) const {
    if (loop != kOutside && !may_stand_in_loop(item.kind)) {
      fail(CompileReason::kMisplacedItem, item.span,
           item.kind == SyntaxKind::kLoop ? "loops do not nest"
                                          : "a loop holds tables, advice, checks, functions and constants only");
    }
    if (!x_stack.empty() && !may_stand_in_template(item.kind)) {
      fail(CompileReason::kMisplacedItem, item.span,
           "a template holds tables, advice, checks, loops, functions and constants only");
    }
  }

  void expand_use(const ItemSyntax& use, Scope* scope, LoopId loop) {
    const auto found = x_out.templates.find(use.target.text);
    if (found == x_out.templates.end()) {
      fail(CompileReason::kUnknownTemplate, use.target.span,
           "there is no template " + quoted(use.target.text) + ", neither here nor in the library");
    }
    const ItemSyntax& definition = *found->second;
    if (std::ranges::find(x_stack, &definition) != x_stack.end()) {
      fail(CompileReason::kRecursion, use.target.span, "the template " + quoted(use.target.text) + " uses itself");
    }
    if (use.arguments.size() != definition.parameters.size()) {
      fail(CompileReason::kWrongArgumentCount, use.target.span,
           "the template " + quoted(use.target.text) + " takes " + std::to_string(definition.parameters.size()) +
               " arguments, not " + std::to_string(use.arguments.size()));
    }
    Scope& instance = x_out.scopes.emplace_back();
    instance.prefix = scope->prefix + std::string(use.name.text) + '.';
    x_out.units.push_back({UnitKind::kItem, &use, scope, &instance, loop});
    x_stack.push_back(&definition);
    expand_items(definition.items, &instance, loop);
    x_stack.pop_back();
  }

  Expansion x_out;
  std::vector<const ItemSyntax*> x_stack;  // of templates being expanded
};

void collect_uses(const std::vector<ItemSyntax>& items, std::set<std::string_view>& names) {
  for (const ItemSyntax& item : items) {
    if (item.kind == SyntaxKind::kUse) names.insert(item.target.text);
    collect_uses(item.items, names);
  }
}

}  // namespace

Expansion expand(const Syntax& syntax) { return Expander(syntax).take(); }

std::string with_library(std::string_view source, std::string_view library) {
  const Syntax syntax = parse(source);
  std::set<std::string_view> wanted;
  collect_uses(syntax.items, wanted);
  for (const ItemSyntax& item : syntax.items) {
    if (item.kind == SyntaxKind::kTemplate) wanted.erase(item.name.text);
  }
  std::string out(source);
  if (wanted.empty()) return out;
  const Syntax available = parse(library);
  // A template may use others, whichever stands first.
  for (std::size_t before = 0; before != wanted.size();) {
    before = wanted.size();
    for (const ItemSyntax& item : available.items) {
      if (item.kind == SyntaxKind::kTemplate && wanted.contains(item.name.text)) collect_uses(item.items, wanted);
    }
  }
  for (const ItemSyntax& item : syntax.items) {
    if (item.kind == SyntaxKind::kTemplate) wanted.erase(item.name.text);
  }
  for (const ItemSyntax& item : available.items) {
    if (item.kind != SyntaxKind::kTemplate || !wanted.contains(item.name.text)) continue;
    if (!out.ends_with('\n')) out += '\n';
    out += '\n';
    out += item.text;
    out += '\n';
  }
  return out;
}

}  // namespace tally::math
