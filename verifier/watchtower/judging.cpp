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

/// Directories to try. Without any there may still be answers, and there is a list of what is missing.
std::vector<std::optional<fs::path>> candidates(const Judging& judging) {
  std::vector<std::optional<fs::path>> found;
  for (const fs::path& folder : judging.folders) {
    if (auto directory = chain::find_batch(folder, judging.batch.posted.batch)) {
      found.emplace_back(fs::absolute(*directory));
    }
  }
  if (found.empty()) found.emplace_back();
  return found;
}

}  // namespace

fs::path scratch_tables(const fs::path& scratch) { return scratch / "tables"; }

Judgment judge_posted(Judging judging) {
  const auto start = std::chrono::steady_clock::now();
  judging.options.scratch = scratch_tables(judging.scratch);
  const bool has_answers = std::ranges::any_of(judging.history, [](const chain::LoggedEvent& logged) {
    return std::holds_alternative<proof::RequestAnswered>(logged.event);
  });
  Judgment judgment;
  bool judged = false;
  std::exception_ptr failure;
  for (const std::optional<fs::path>& candidate : candidates(judging)) {
    try {
      const fs::path data = has_answers ? judging.scratch / "data" : candidate.value_or(judging.scratch / "nothing");
      if (has_answers) assemble_answers(judging.batch, candidate, judging.history, data);
      const chain::BatchPaths paths(data);
      Verdict verdict = judge(judging.batch, describe_posted(judging.batch, paths), paths, judging.options);
      judged = true;
      judgment.verdict = std::move(verdict);
      judgment.data = fs::absolute(data);
      if (judgment.verdict.kind != VerdictKind::kMissing) break;
    } catch (const std::exception& error) {
      failure = std::current_exception();
      judgment.unreadable.push_back(candidate.value_or(judging.scratch).string() + ": " + error.what());
    }
  }
  if (!judged) std::rethrow_exception(failure);
  const auto time = std::chrono::steady_clock::now() - start;
  judgment.microseconds =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
  return judgment;
}

}  // namespace tally::verifier
