// Judging one batch from whatever data folders have of it.
//
// This is the long part of watching, and games go on meanwhile. So it knows neither chain nor memory, and runs on a
// thread of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "verifier/replay/judge.h"
#include "verifier/replay/posted_batch.h"

namespace tally::verifier {

struct Judging {
  PostedBatch batch{};
  std::vector<std::filesystem::path> folders{};
  /// The batch's own: data with answers is put together in it, and what a dispute needs is left in scratch_tables().
  std::filesystem::path scratch{};
  /// Events with what was answered on chain.
  std::vector<chain::LoggedEvent> history{};
  JudgeOptions options{};
};

struct Judgment {
  Verdict verdict{};
  std::filesystem::path data{};  // that the verdict is about
  /// Directories that could not be used, and why.
  std::vector<std::string> unreadable{};
  std::uint64_t microseconds = 0;
};

[[nodiscard]] std::filesystem::path scratch_tables(const std::filesystem::path& scratch);

/// By the first folder whose data is complete, else by what all of them have together or, if that is not better, by the
/// one that lacks the fewest leaves. Where a folder's data cannot be read the next one is tried; if that is so of all,
/// all is missing that was not answered. Throws chain::Stopped, and NoScratchRoom where one could be judged by but for
/// that; nothing is left in the scratch folder then.
[[nodiscard]] Judgment judge_posted(Judging judging);

}  // namespace tally::verifier
