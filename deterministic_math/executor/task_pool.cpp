#include "deterministic_math/executor/task_pool.h"

#include <utility>

#include "deterministic_math/numbers/assert.h"

namespace tally::math {

namespace {

// The pool whose task this thread is in, so that nested use is found with any number of threads.
thread_local const ThreadPool* current_pool = nullptr;

class InsideTask {
 public:
  explicit InsideTask(const ThreadPool* pool) : x_outer(std::exchange(current_pool, pool)) {}
  ~InsideTask() { current_pool = x_outer; }
  InsideTask(const InsideTask&) = delete;
  InsideTask& operator=(const InsideTask&) = delete;

 private:
  const ThreadPool* x_outer;
};

}  // namespace

ThreadPool::ThreadPool(unsigned threads) : x_threads(threads) {
  TALLY_ASSERT(threads >= 1);
  x_workers.reserve(threads - 1);
  for (unsigned i = 1; i < threads; ++i) x_workers.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(x_mutex);
    x_stop = true;
  }
  x_job_opened.notify_all();
  x_workers.clear();
}

void ThreadPool::run(std::size_t tasks, const std::function<void(std::size_t task)>& function) {
  TALLY_ASSERT(current_pool != this);
  if (tasks == 0) return;
  const std::lock_guard turn(x_turn);
  {
    const std::lock_guard lock(x_mutex);
    x_function = &function;
    x_tasks = tasks;
    x_next.store(0, std::memory_order_relaxed);
    x_failure = nullptr;
    x_open = tasks > 1;
    ++x_job;
  }
  if (tasks > 1) x_job_opened.notify_all();
  claim_tasks();

  std::unique_lock lock(x_mutex);
  x_open = false;
  x_worker_left.wait(lock, [this] { return x_active == 0; });
  if (x_failure) std::rethrow_exception(std::exchange(x_failure, nullptr));
}

void ThreadPool::work() {
  std::uint64_t seen_job = 0;
  std::unique_lock lock(x_mutex);
  while (true) {
    x_job_opened.wait(lock, [&] { return x_stop || (x_open && x_job != seen_job); });
    if (x_stop) return;
    seen_job = x_job;
    ++x_active;
    lock.unlock();
    claim_tasks();
    lock.lock();
    if (--x_active == 0) x_worker_left.notify_all();
  }
}

void ThreadPool::claim_tasks() {
  const InsideTask inside(this);
  while (true) {
    const std::size_t task = x_next.fetch_add(1, std::memory_order_relaxed);
    if (task >= x_tasks) return;
    try {
      (*x_function)(task);
    } catch (...) {
      // Every smaller task has been claimed already and will end, so the smallest failure is known when all have left.
      x_next.store(x_tasks, std::memory_order_relaxed);
      const std::lock_guard lock(x_mutex);
      if (!x_failure || task < x_failed_task) {
        x_failure = std::current_exception();
        x_failed_task = task;
      }
    }
  }
}

}  // namespace tally::math
