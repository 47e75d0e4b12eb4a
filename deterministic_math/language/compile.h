// From the text of a program to its bytecode, names and hints.
//
// compile() runs lexer, parser, lowering (inlining, templates, common subexpressions, registers) and the range proof.
// The result's Program has passed the same validator that every role runs before it uses bytecode.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/bytecode/program.h"

namespace tally::math {

enum class CompileReason : std::uint8_t;  // language/reasons.h lists them, one for each kind of error

/// Line and column count from 1; `length` is in bytes of the source.
struct SourceSpan {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  std::uint32_t length = 1;
};

struct CompileError {
  CompileReason reason{};
  SourceSpan span;
  std::string message;  // one sentence, with the offending range where there is one
  std::string listing;  // `file:line:column: error: message`, the line, and a caret under the place
};

enum class HintKind : std::uint8_t { kKth, kPerm, kFirst, kArgmin, kInput };

/// How a builder finds an advice table's values: native, untrusted, outside the hash. `keys` is a section over (entry,
/// fold index v): RET column 0 is the key (kFirst: the condition), column 1 the `where` (absent: always 1). `rank` is a
/// section over the entry alone whose column 0 is kth's rank. Both run like finish sections, except that `keys` may
/// read Variable::kFold. Their kConst instructions index this hint's own pool, `constants`.
struct Hint {
  HintKind kind = HintKind::kInput;
  std::size_t item = 0;  // the advice item
  Extent over;           // of v
  std::vector<Instruction> keys;
  std::vector<Instruction> rank;
  std::vector<i128> constants;
};

struct Parameter {
  std::string name;
  Range range;
  i128 value = 0;
};

/// Names for people and manifests. A template's items are called `p.x` after `use … as p`.
struct ProgramNames {
  std::string program;
  std::vector<std::string> dims;     // as Program::dims
  std::vector<std::string> objects;  // as Program::objects; the first two are "member" and "nonce"
  std::vector<std::string> items;    // as Program::items: its tables' names joined by ", ", or "check N"
  std::vector<std::vector<std::string>> accumulators;  // for each item
};

struct CompiledProgram {
  Program program;
  ProgramNames names;
  std::vector<Parameter> parameters;  // in order of declaration, with the values folded into the program
  std::vector<Hint> hints;            // at most one for each advice item
  std::string source;                 // self-contained: templates taken from the library are written in
};

struct CompileOptions {
  std::string file_name = "program";
  std::map<std::string, i128> parameters;
  std::string_view template_library;  // source text of templates that `use` may name
};

[[nodiscard]] std::expected<CompiledProgram, CompileError> compile(std::string_view source,
                                                                   const CompileOptions& options);

/// The parameters that a program declares, in order: what a user must be asked for. A bound that depends on parameters
/// not given in `options` is taken as wide as it may be.
[[nodiscard]] std::expected<std::vector<Parameter>, CompileError> declared_parameters(std::string_view source,
                                                                                      const CompileOptions& options);

}  // namespace tally::math
