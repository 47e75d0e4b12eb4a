#include "deterministic_math/executor/task_pool.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tally::math {
namespace {

constexpr std::array<unsigned, 4> kThreadCounts = {1, 2, 3, 8};

TEST(TaskPool, does_every_task_once_for_any_number_of_threads_and_tasks) {
  for (const unsigned threads : kThreadCounts) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::size_t tasks : {0U, 1U, 2U, 3U, 7U, 8U, 9U, 1000U}) {
      std::vector<int> done(tasks);
      pool.run(tasks, [&](std::size_t task) { ++done.at(task); });
      EXPECT_EQ(done, std::vector<int>(tasks, 1)) << threads << " threads";
    }
  }
}

TEST(TaskPool, uses_its_threads_at_the_same_time) {
  constexpr unsigned kThreads = 3;
  ThreadPool pool(kThreads);
  std::atomic<unsigned> waiting = 0;
  pool.run(kThreads, [&](std::size_t) {
    // Only ends if as many tasks run at once as there are threads.
    waiting.fetch_add(1);
    while (waiting.load() < kThreads) std::this_thread::yield();
  });
  EXPECT_EQ(waiting.load(), kThreads);
}

TEST(TaskPool, runs_on_the_calling_thread_when_it_has_one) {
  ThreadPool pool(1);
  pool.run(5, [caller = std::this_thread::get_id()](std::size_t) { EXPECT_EQ(std::this_thread::get_id(), caller); });
}

TEST(TaskPool, throws_what_a_plain_loop_would_throw_and_works_on) {
  for (const unsigned threads : kThreadCounts) {
    ThreadPool pool(threads);
    for (int round = 0; round < 200; ++round) {
      std::atomic<int> started = 0;
      try {
        pool.run(64, [&](std::size_t task) {
          ++started;
          if (task == 3 || task >= 5) throw std::runtime_error(std::to_string(task));
        });
        ADD_FAILURE() << "nothing was thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "3");
      }
      EXPECT_GE(started, 4);
      EXPECT_LE(started, 5 + static_cast<int>(threads));
      std::atomic<std::size_t> sum = 0;
      pool.run(10, [&](std::size_t task) { sum += task; });
      EXPECT_EQ(sum, 45U);
    }
  }
}

TEST(TaskPool, makes_the_tasks_writes_visible_over_many_short_runs) {
  ThreadPool pool(4);
  std::vector<std::size_t> cells(6);
  for (std::size_t round = 1; round <= 2000; ++round) {
    pool.run(cells.size(), [&](std::size_t task) { cells[task] += task; });
    ASSERT_EQ(std::accumulate(cells.begin(), cells.end(), std::size_t{0}), 15 * round);
  }
}

TEST(TaskPool, lets_several_callers_take_turns) {
  ThreadPool pool(3);
  std::atomic<int> done = 0;
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 4; ++caller) {
      callers.emplace_back([&] {
        for (int round = 0; round < 100; ++round) pool.run(5, [&](std::size_t) { ++done; });
      });
    }
  }
  EXPECT_EQ(done, 2000);
}

TEST(TaskPoolDeathTest, refuses_nested_use_with_any_number_of_threads) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const unsigned threads : {1U, 2U}) {
    EXPECT_DEATH(
        {
          ThreadPool pool(threads);
          pool.run(2, [&](std::size_t) { pool.run(1, [](std::size_t) {}); });
        },
        "current_pool");
  }
}

TEST(TaskPool, may_be_used_inside_a_task_of_another_pool) {
  ThreadPool outer(2);
  ThreadPool inner(2);
  std::atomic<int> done = 0;
  outer.run(3, [&](std::size_t) { inner.run(4, [&](std::size_t) { ++done; }); });
  EXPECT_EQ(done, 12);
}

}  // namespace
}  // namespace tally::math
