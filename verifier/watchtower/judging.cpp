#include "verifier/watchtower/judging.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "chain_adapter/data/batch_store.h"
#include "verifier/watchtower/answered_data.h"

namespace tally::verifier {

namespace {

namespace fs = std::filesystem;

/// Judges from one directory after the other, and keeps the best verdict.
class Trial {
 public:
  explicit Trial(const Judging& judging)
      : x_judging(judging), x_has_answers(std::ranges::any_of(judging.history, [](const chain::LoggedEvent& logged) {
          return std::holds_alternative<proof::RequestAnswered>(logged.event);
        })) {}

  /// Without a directory there may still be answers, and there is a list of what is missing.
  void judge_from(const std::optional<fs::path>& directory) {
    const fs::path data =
        x_has_answers ? x_judging.scratch / "data" : directory.value_or(x_judging.scratch / "nothing");
    if (x_has_answers) assemble_answers(x_judging.batch, directory, x_judging.history, data);
    const chain::BatchPaths paths(data);
    Verdict verdict = judge(x_judging.batch, describe_posted(x_judging.batch, paths), paths, x_judging.options);
    if (x_best && verdict.kind == VerdictKind::kMissing && verdict.missing.size() >= x_best->verdict.missing.size()) {
      return;
    }
    x_best = Judgment{.verdict = std::move(verdict), .data = fs::absolute(data)};
  }

  [[nodiscard]] bool is_judged() const { return x_best.has_value(); }
  [[nodiscard]] bool is_complete() const { return x_best && x_best->verdict.kind != VerdictKind::kMissing; }
  [[nodiscard]] Judgment best() const { return x_best.value(); }

 private:
  const Judging& x_judging;
  bool x_has_answers;
  std::optional<Judgment> x_best;
};

}  // namespace

fs::path scratch_tables(const fs::path& scratch) { return scratch / "tables"; }

Judgment judge_posted(Judging judging) {
  const auto start = std::chrono::steady_clock::now();
  judging.options.scratch = scratch_tables(judging.scratch);
  Trial trial(judging);
  std::vector<std::string> unreadable;
  for (const fs::path& folder : judging.folders) {
    try {
      const auto directory = chain::find_batch(folder, judging.batch.posted.batch);
      if (directory) trial.judge_from(fs::absolute(*directory));
    } catch (const std::exception& error) {
      unreadable.push_back(folder.string() + ": " + error.what());
    }
    if (trial.is_complete()) break;
  }
  if (!trial.is_judged()) trial.judge_from(std::nullopt);
  Judgment judgment = trial.best();
  judgment.unreadable = std::move(unreadable);
  const auto time = std::chrono::steady_clock::now() - start;
  judgment.microseconds =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
  return judgment;
}

}  // namespace tally::verifier
