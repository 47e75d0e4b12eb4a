#include "deterministic_math/language/advice_lint.h"

#include <algorithm>
#include <set>
#include <utility>

#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/language/lint_batch.h"

namespace tally::math {
namespace {

constexpr std::uint64_t kTinyRecords = 3;
constexpr std::uint64_t kTinyDim = 2;

/// splitmix64: a fixed sequence for a fixed seed.
class Sequence {
 public:
  explicit Sequence(std::uint64_t seed) : x_state(seed) {}
  std::uint64_t below(std::uint64_t bound) {
    x_state += 0x9e3779b97f4a7c15U;
    std::uint64_t z = x_state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (z ^ (z >> 31)) % bound;
  }

 private:
  std::uint64_t x_state;
};

/// The window -w..w, moved into a range.
Range window_in(const Range& range, i128 width) {
  const i128 least = std::clamp<i128>(-width, range.lo, range.hi);
  const i128 most = range.hi - least < 2 * width ? range.hi : least + 2 * width;
  return {least, most};
}

/// Entries [first, first + count) of an item: what is computed between two choices of advice.
struct Stage {
  std::size_t item = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

class Lint {
 public:
  Lint(const CompiledProgram& compiled, const LintOptions& options)
      : x_compiled(compiled),
        x_program(compiled.program),
        x_options(options),
        x_values{.dims = options.dims.empty() ? tiny_dims(compiled.program) : options.dims},
        x_batch(x_program, x_values),
        x_sequence(options.seed) {}

  std::vector<LintFinding> run();

 private:
  void plan();
  void one_input();
  void search(std::size_t stage);
  void choose(std::size_t stage, std::uint64_t entry);
  bool compute(const Stage& stage);
  bool compute_entry(std::size_t item, std::uint64_t entry);
  void watch_requires(std::size_t item, std::uint64_t entry, const Accumulators& accumulators);
  [[nodiscard]] std::set<i128> candidates(std::size_t item, std::uint64_t entry);
  void add_keys(const Hint& hint, std::uint64_t entry, std::set<i128>& values);
  bool next_input(std::size_t count);
  [[nodiscard]] std::string input_text() const;
  [[nodiscard]] std::string advice_text() const;
  void find(LintKind kind, std::size_t item, std::string description);
  [[nodiscard]] bool exhausted() const { return x_evaluations >= x_options.max_evaluations; }

  const CompiledProgram& x_compiled;
  const Program& x_program;
  const LintOptions& x_options;
  BatchValues x_values;
  LintBatch x_batch;
  Sequence x_sequence;
  std::vector<Stage> x_stages;
  std::vector<std::string> x_passing;  // advices that pass with the present input, two at most
  std::size_t x_evaluations = 0;
  std::set<std::pair<std::size_t, std::size_t>> x_reached;  // item, instruction of each require
  std::set<std::pair<std::size_t, std::size_t>> x_held;
  std::vector<LintFinding> x_findings;
};

std::vector<LintFinding> Lint::run() {
  plan();
  std::size_t inputs = 0;
  while (inputs < x_options.max_inputs && !exhausted() && next_input(inputs)) {
    ++inputs;
    one_input();
  }
  if (exhausted()) {
    find(LintKind::kNotEnumerated, 0,
         "the search ended at its limit, after " + std::to_string(inputs) + " inputs; choose smaller dims or windows");
  }
  for (const auto& [item, instruction] : x_reached) {
    if (x_held.contains({item, instruction})) continue;
    x_findings.push_back({LintKind::kRequireNeverHolds, item,
                          "a require of " + x_compiled.names.items[item] + " (finish, instruction " +
                              std::to_string(instruction) + ") held for no advice and input tried"});
  }
  return std::move(x_findings);
}

/// Order of entries: items in program order; in a loop, rounds first.
void Lint::plan() {
  for (std::size_t i = 0; i < x_program.items.size(); ++i) {
    const LoopId loop = x_program.items[i].loop;
    if (loop == kOutside) {
      x_stages.push_back({i, 0, element_count(x_program.items[i].extents, x_values)});
      continue;
    }
    std::size_t end = i;
    while (end < x_program.items.size() && x_program.items[end].loop == loop) ++end;
    const std::uint64_t rounds = extent_value(x_program.loops[loop].extent, x_values);
    for (std::uint64_t t = 0; t < rounds; ++t) {
      for (std::size_t j = i; j < end; ++j) {
        const std::uint64_t count = extent_value(x_program.items[j].extents[1], x_values);
        x_stages.push_back({j, t * count, count});
      }
    }
    i = end - 1;
  }
}

/// Sets the inputs: number `count` of all where they are few, else a random one. False where all were tried.
bool Lint::next_input(std::size_t count) {
  std::uint64_t combinations = 1;
  for (const InputSlot& slot : x_batch.slots()) {
    const Range window = window_in(x_program.objects[slot.object].range, x_options.input_window);
    const auto size = static_cast<std::uint64_t>(window.hi - window.lo + 1);
    combinations = combinations > x_options.max_inputs ? combinations : combinations * size;
  }
  const bool all = combinations <= x_options.max_inputs;
  if (all && count >= combinations) return false;
  std::uint64_t rest = count;
  for (const InputSlot& slot : x_batch.slots()) {
    const Range window = window_in(x_program.objects[slot.object].range, x_options.input_window);
    const auto size = static_cast<std::uint64_t>(window.hi - window.lo + 1);
    const std::uint64_t digit = all ? rest % size : x_sequence.below(size);
    rest /= size;
    x_batch.set(slot.object, slot.element, window.lo + static_cast<i128>(digit));
  }
  x_values.batch = 1 + count % 4;
  x_values.seed_high = static_cast<i128>(x_sequence.below(1U << 20U));
  return true;
}

void Lint::one_input() {
  x_passing.clear();
  search(0);
  if (exhausted()) return;
  if (x_passing.empty()) find(LintKind::kNoAdvicePasses, 0, "no advice passes for the input " + input_text());
  if (x_passing.size() > 1) {
    find(LintKind::kTwoAdvicesPass, 0,
         "two advices pass for the input " + input_text() + ": " + x_passing[0] + " and " + x_passing[1]);
  }
}

void Lint::search(std::size_t stage) {
  if (x_passing.size() > 1 || exhausted()) return;
  if (stage == x_stages.size()) {
    x_passing.push_back(advice_text());
    return;
  }
  if (x_program.items[x_stages[stage].item].kind == ItemKind::kAdvice) {
    choose(stage, 0);
  } else if (compute(x_stages[stage])) {
    search(stage + 1);
  }
}

/// Every candidate for element `entry` of the stage's advice, and so on; then the advice's own check.
void Lint::choose(std::size_t stage, std::uint64_t entry) {
  const Stage& here = x_stages[stage];
  const Item& item = x_program.items[here.item];
  if (entry == here.count) {
    if (!item.body || compute(here)) search(stage + 1);
    return;
  }
  for (const i128 value : candidates(here.item, here.first + entry)) {
    if (x_passing.size() > 1 || exhausted()) return;
    ++x_evaluations;
    x_batch.set(item.results.front(), here.first + entry, value);
    choose(stage, entry + 1);
  }
}

std::set<i128> Lint::candidates(std::size_t item, std::uint64_t entry) {
  const Range& range = x_program.objects[x_program.items[item].results.front()].range;
  std::set<i128> values;
  for (i128 value = -x_options.advice_window; value <= x_options.advice_window; ++value) values.insert(value);
  for (const Hint& hint : x_compiled.hints) {
    if (hint.item == item) add_keys(hint, entry, values);
  }
  std::erase_if(values, [&](i128 value) { return !range.contains(value); });
  if (values.empty()) values.insert(range.lo);
  return values;
}

void Lint::add_keys(const Hint& hint, std::uint64_t entry, std::set<i128>& values) {
  if (hint.kind == HintKind::kInput) return;
  const std::uint64_t count = extent_value(hint.over, x_values);
  const Evaluation evaluation{x_program, x_values, x_batch.inputs()};
  InputsAccess access(evaluation);
  for (std::uint64_t v = 0; v < count; ++v) {
    if (hint.kind != HintKind::kKth) {
      values.insert(static_cast<i128>(v));
      continue;
    }
    std::array<i128, 2> results{};
    const SectionContext context{.program = x_program,
                                 .values = x_values,
                                 .item = hint.item,
                                 .entry = entry,
                                 .fold = v,
                                 .kind = SectionKind::kHint,
                                 .constants = hint.constants};
    if (run_section(context, hint.keys, access, {}, results) != SectionOutcome::kDone) continue;
    for (const i128 offset : {-1, 0, 1}) values.insert(results[0] + offset);
  }
  values.insert(static_cast<i128>(count));
}

bool Lint::compute(const Stage& stage) {
  for (std::uint64_t i = 0; i < stage.count; ++i) {
    if (!compute_entry(stage.item, stage.first + i)) return false;
  }
  return true;
}

bool Lint::compute_entry(std::size_t item, std::uint64_t entry) {
  ++x_evaluations;
  const Evaluation evaluation{x_program, x_values, x_batch.inputs()};
  Accumulators accumulators = initial_accumulators(x_program.items[item]);
  run_steps(evaluation, item, entry, 0, fold_length(x_program, x_values, item), accumulators);
  watch_requires(item, entry, accumulators);
  const auto results = run_finish(evaluation, item, entry, accumulators);
  if (!results) return false;
  if (x_program.items[item].kind != ItemKind::kTable) return true;
  for (std::size_t column = 0; column < x_program.items[item].results.size(); ++column) {
    x_batch.set(x_program.items[item].results[column], entry, results->at(column));
  }
  return true;
}

/// Runs the finish up to each require that is not yet known to hold for something.
void Lint::watch_requires(std::size_t item, std::uint64_t entry, const Accumulators& accumulators) {
  const Body& body = *x_program.items[item].body;
  const Evaluation evaluation{x_program, x_values, x_batch.inputs()};
  for (std::size_t i = 0; i < body.finish.size(); ++i) {
    if (body.finish[i].op != Op::kReq || x_held.contains({item, i})) continue;
    InputsAccess access(evaluation);
    Accumulators copy = accumulators;
    ResultValues results{};
    const SectionContext context{.program = x_program,
                                 .values = x_values,
                                 .item = item,
                                 .entry = entry,
                                 .fold = 0,
                                 .kind = SectionKind::kFinish,
                                 .constants = x_program.constants};
    const auto used = std::span(copy).first(body.init.size());
    const auto passes = [&](std::size_t length) {
      return run_section(context, std::span(body.finish).first(length), access, used, results) == SectionOutcome::kDone;
    };
    if (!passes(i)) return;
    x_reached.insert({item, i});
    if (passes(i + 1)) x_held.insert({item, i});
  }
}

std::string Lint::input_text() const {
  std::string text;
  for (const InputSlot& slot : x_batch.slots()) {
    if (slot.element == 0) text += (text.empty() ? "" : ", ") + x_compiled.names.objects[slot.object] + " =";
    text += ' ' + to_string(x_batch.get(slot.object, slot.element));
  }
  return text;
}

std::string Lint::advice_text() const {
  std::string text;
  for (const Item& item : x_program.items) {
    if (item.kind != ItemKind::kAdvice) continue;
    const ObjectId id = item.results.front();
    text += (text.empty() ? "" : ", ") + x_compiled.names.objects[id] + " =";
    for (std::uint64_t i = 0; i < x_batch.elements(id); ++i) text += ' ' + to_string(x_batch.get(id, i));
  }
  return text.empty() ? "(no advice)" : text;
}

void Lint::find(LintKind kind, std::size_t item, std::string description) {
  if (std::ranges::any_of(x_findings, [kind](const LintFinding& finding) { return finding.kind == kind; })) return;
  x_findings.push_back({kind, item, std::move(description)});
}

}  // namespace

std::vector<std::uint64_t> tiny_dims(const Program& program) {
  std::vector<std::uint64_t> dims;
  for (const Dim& dim : program.dims) {
    const std::uint64_t wanted = dim.role == DimRole::kRecords ? kTinyRecords : kTinyDim;
    dims.push_back(std::clamp(wanted, dim.lo, dim.hi));
  }
  return dims;
}

std::vector<LintFinding> lint_advice(const CompiledProgram& compiled, const LintOptions& options) {
  return Lint(compiled, options).run();
}

}  // namespace tally::math
