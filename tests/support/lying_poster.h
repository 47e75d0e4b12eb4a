// Posters of a false batch, each with a way of its own to defend it. None of them may ever save it.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tests/support/siege.h"

namespace tally::test {

class LyingPoster {
 public:
  LyingPoster() = default;
  virtual ~LyingPoster() = default;
  LyingPoster(const LyingPoster&) = delete;
  LyingPoster& operator=(const LyingPoster&) = delete;

  [[nodiscard]] virtual std::string_view name() const = 0;
  /// One turn.
  virtual void act(Siege& siege);
  /// Whether it sees to it that somebody else takes its bond.
  [[nodiscard]] virtual bool slashes_itself() const { return false; }

 protected:
  virtual void answer(Siege& /*siege*/, const proof::Game& /*game*/) {}
};

/// One of each.
[[nodiscard]] std::vector<std::unique_ptr<LyingPoster>> lying_posters(TrialWorld& world, std::uint64_t first_person);

}  // namespace tally::test
