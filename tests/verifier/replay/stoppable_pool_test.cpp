#include "verifier/replay/stoppable_pool.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/posted_batch.h"
#include "tests/support/test_batch.h"
#include "verifier/replay/judge.h"
#include "verifier/replay/verify_batch.h"

namespace tally::verifier {
namespace {

/// Whoever lends these threads asks for the end as soon as a task asks.
class StopAtFirstCheck final : public math::TaskPool {
 public:
  explicit StopAtFirstCheck(std::stop_source& stop) : x_stop(stop) {}
  [[nodiscard]] unsigned threads() const override { return 1; }
  void run(std::size_t tasks, const std::function<void(std::size_t task)>& function) override {
    for (std::size_t task = 0; task < tasks; ++task) {
      x_in_task = false;
      function(task);
    }
  }
  // The first of a task is before it.
  void check() const override {
    x_late += x_stop.stop_requested() ? 1U : 0U;
    if (std::exchange(x_in_task, true)) x_stop.request_stop();
  }
  /// How often a task asked that should have ended.
  [[nodiscard]] std::size_t late() const { return x_late; }

 private:
  std::stop_source& x_stop;
  mutable bool x_in_task = false;
  mutable std::size_t x_late = 0;
};

TEST(StoppablePool, begins_no_further_task_once_it_is_stopped) {
  std::stop_source stop;
  math::ThreadPool threads(1);
  StoppablePool pool(threads, stop.get_token());
  std::size_t begun = 0;
  const auto task = [&](std::size_t number) {
    ++begun;
    if (number == 2) stop.request_stop();
  };
  EXPECT_THROW(pool.run(10, task), chain::Stopped);
  EXPECT_EQ(begun, 3U);
  EXPECT_THROW(pool.check(), chain::Stopped);
}

constexpr std::string_view kLongFold = R"(
program long_fold
dim K in 1..16
dim D <= 4194304
record x: i64 in 0..1000
table sum: i64 {
  fold d in D { s = s + mod(d * x[0], 7) } from s = 0
  return s
}
)";

TEST(StoppablePool, ends_verifying_and_judging_a_batch_within_one_entry) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "batch";
  const test::TestBatch batch(kLongFold, {.dims = {3, 1 << 20}});
  const auto built = test::build(batch.inputs(), path);
  ASSERT_TRUE(built.has_value()) << built.error().message;
  std::stop_source stop;
  StopAtFirstCheck pool(stop);
  VerifyOptions options;
  options.pool = &pool;
  options.stop = stop.get_token();
  EXPECT_TRUE(verify_batch(path, options).stopped);
  EXPECT_EQ(pool.late(), 0U);

  const PostedBatch posted = test::posted_batch(path, batch.program());
  const chain::BatchPaths paths(path);
  std::stop_source stop_judging;
  StopAtFirstCheck other_pool(stop_judging);
  JudgeOptions judging;
  judging.pool = &other_pool;
  judging.stop = stop_judging.get_token();
  judging.scratch = folder.path() / "scratch";
  EXPECT_THROW(static_cast<void>(judge(posted, describe_posted(posted, paths), paths, judging)), chain::Stopped);
  EXPECT_EQ(other_pool.late(), 0U);
}

}  // namespace
}  // namespace tally::verifier
