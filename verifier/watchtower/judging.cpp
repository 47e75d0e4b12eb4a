#include "verifier/watchtower/judging.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "chain_adapter/data/batch_store.h"
#include "verifier/watchtower/answered_data.h"

namespace tally::verifier {

namespace {

namespace fs = std::filesystem;

std::vector<MissingPart> lacking_parts(const Verdict& verdict) {
  // Without its records a directory's rows are missing too, but they may well be right.
  if (!lacks(verdict.missing, math::kMemberObject, 0)) return verdict.missing;
  return {verdict.missing.front()};
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
    assemble_data(x_judging.batch, sources, x_judging.history, data, x_judging.options.stop);
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
    const bool is_worse = x_best && verdict.kind == VerdictKind::kMissing &&
                          leaf_count(verdict.missing) >= leaf_count(x_best->verdict.missing);
    if (!is_worse) x_best = Judgment{.verdict = verdict, .data = fs::absolute(data)};
    return verdict;
  }

  const Judging& x_judging;
  bool x_has_answers;
  std::vector<DataSource> x_sources;
  std::optional<Judgment> x_best;
};

Judgment judge_from_folders(Judging& judging) {
  const auto start = std::chrono::steady_clock::now();
  judging.options.scratch = scratch_tables(judging.scratch);
  Trial trial(judging);
  std::vector<std::string> unreadable;
  std::optional<NoScratchRoom> no_room;
  for (const fs::path& folder : judging.folders) {
    try {
      const auto directory = chain::find_batch(folder, judging.batch.posted.batch);
      if (directory) trial.judge_from(fs::absolute(*directory));
    } catch (const NoScratchRoom& error) {
      no_room = error;
    } catch (const std::exception& error) {
      unreadable.push_back(folder.string() + ": " + error.what());
    }
    if (trial.is_complete()) break;
  }
  if (!trial.is_complete() && no_room) throw *std::move(no_room);  // its inputs are there, and need not be demanded
  if (!trial.is_complete()) trial.judge_from_all();
  Judgment judgment = trial.best();
  judgment.unreadable = std::move(unreadable);
  const auto time = std::chrono::steady_clock::now() - start;
  judgment.microseconds =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
  return judgment;
}

}  // namespace

fs::path scratch_tables(const fs::path& scratch) { return scratch / "tables"; }

Judgment judge_posted(Judging judging) {
  try {
    return judge_from_folders(judging);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(judging.scratch, ignored);
    throw;
  }
}

}  // namespace tally::verifier
