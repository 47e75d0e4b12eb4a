#include "verifier/watchtower/judging.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "chain_adapter/data/batch_store.h"
#include "verifier/watchtower/answered_data.h"

namespace tally::verifier {

namespace {

namespace fs = std::filesystem;

std::set<DataPart> lacking_parts(const Verdict& verdict) {
  const DataPart records{math::kMemberObject, 0};
  std::set<DataPart> parts;
  for (const proof::OpeningKey& leaf : verdict.missing) {
    parts.insert(leaf.object == math::kMemberObject ? records : DataPart{leaf.object, leaf.record});
  }
  // Without its records a directory's rows are listed, but they may well be right.
  return parts.contains(records) ? std::set{records} : parts;
}

/// Judges from one directory after the other, then from all together, and keeps the best verdict.
class Trial {
 public:
  explicit Trial(const Judging& judging)
      : x_judging(judging), x_has_answers(std::ranges::any_of(judging.history, [](const chain::LoggedEvent& logged) {
          return std::holds_alternative<proof::RequestAnswered>(logged.event);
        })) {}

  void judge_from(const fs::path& directory) {
    const DataSource source{.directory = directory};
    const Verdict verdict = x_has_answers ? judge_together({&source, 1}) : judge_directory(directory);
    x_sources.push_back({directory, lacking_parts(verdict)});
  }

  /// By what all directories have together. Without any there may still be answers, and there is a list of what is
  /// missing.
  void judge_from_all() {
    if (x_sources.empty() || x_sources.size() > 1) static_cast<void>(judge_together(x_sources));
  }

  [[nodiscard]] bool is_complete() const { return x_best && x_best->verdict.kind != VerdictKind::kMissing; }
  [[nodiscard]] Judgment best() const { return x_best.value(); }

 private:
  Verdict judge_together(std::span<const DataSource> sources) {
    const fs::path data = x_judging.scratch / "data";
    assemble_data(x_judging.batch, sources, x_judging.history, data);
    return judge_directory(data);
  }

  Verdict judge_directory(const fs::path& data) {
    const chain::BatchPaths paths(data);
    const auto judged = [&] {
      return judge(x_judging.batch, describe_posted(x_judging.batch, paths), paths, x_judging.options);
    };
    Verdict verdict = judged();
    // Data that changes between executor and interpreter makes them disagree too, but hardly twice.
    if (!verdict.alarms.empty()) verdict = judged();
    const bool is_worse =
        x_best && verdict.kind == VerdictKind::kMissing && verdict.missing.size() >= x_best->verdict.missing.size();
    if (!is_worse) x_best = Judgment{.verdict = verdict, .data = fs::absolute(data)};
    return verdict;
  }

  const Judging& x_judging;
  bool x_has_answers;
  std::vector<DataSource> x_sources;
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
  if (!trial.is_complete()) trial.judge_from_all();
  Judgment judgment = trial.best();
  judgment.unreadable = std::move(unreadable);
  const auto time = std::chrono::steady_clock::now() - start;
  judgment.microseconds =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
  return judgment;
}

}  // namespace tally::verifier
