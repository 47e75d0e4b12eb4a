// Threads that are lent: code of the core that can use several takes a TaskPool and never starts its own.
//
// A run is a number of independent tasks. Which thread does which task is left open, so a caller lets every task write
// its own part of the result and combines the parts in task order: then nothing depends on the number of threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tally::math {

class TaskPool {
 public:
  virtual ~TaskPool() = default;

  /// How many tasks are done at the same time, at least 1.
  [[nodiscard]] virtual unsigned threads() const = 0;

  /// Calls function(0) ... function(tasks - 1), each once, and returns when all are done; what they wrote is then
  /// visible to the caller. Tasks are started in ascending order. If any throws, no further one is started, and the
  /// exception of the smallest task that threw is thrown here, as a plain loop would. A task must not call run on its
  /// own pool.
  virtual void run(std::size_t tasks, const std::function<void(std::size_t task)>& function) = 0;

  /// Asked again and again by tasks that take long, from any thread. What it throws ends the task: so who lends threads
  /// takes them back.
  virtual void check() const {}
};

/// The calling thread and `threads - 1` workers that live as long as the pool. With one thread, run is a plain loop.
/// Several threads may share a pool: their runs take turns.
class ThreadPool final : public TaskPool {
 public:
  /// `threads` is at least 1.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] unsigned threads() const override { return x_threads; }
  void run(std::size_t tasks, const std::function<void(std::size_t task)>& function) override;

 private:
  void work();
  void claim_tasks();

  const unsigned x_threads;

  // Held for the length of a run.
  std::mutex x_turn;

  // One run's job. Written under x_mutex while no worker is active; workers that wake up too late for a job pass it by.
  const std::function<void(std::size_t task)>* x_function = nullptr;
  std::size_t x_tasks = 0;
  std::atomic<std::size_t> x_next = 0;

  std::mutex x_mutex;
  std::condition_variable x_job_opened;
  std::condition_variable x_worker_left;
  std::uint64_t x_job = 0;
  bool x_open = false;
  bool x_stop = false;
  unsigned x_active = 0;
  std::size_t x_failed_task = 0;
  std::exception_ptr x_failure;

  std::vector<std::jthread> x_workers;
};

}  // namespace tally::math
