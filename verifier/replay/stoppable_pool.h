// A lent pool whose runs end when a stop token says so: before each task, and within tasks that ask.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <utility>

#include "chain_adapter/data/work.h"
#include "deterministic_math/executor/task_pool.h"

namespace tally::verifier {

/// Its runs throw chain::Stopped then.
class StoppablePool final : public math::TaskPool {
 public:
  StoppablePool(math::TaskPool& lent, std::stop_token stop) : x_lent(lent), x_stop(std::move(stop)) {}

  [[nodiscard]] unsigned threads() const override { return x_lent.threads(); }
  void run(std::size_t tasks, const std::function<void(std::size_t task)>& function) override {
    x_lent.run(tasks, [&](std::size_t task) {
      check();
      function(task);
    });
  }
  void check() const override {
    x_lent.check();
    if (x_stop.stop_requested()) throw chain::Stopped{};
  }

 private:
  math::TaskPool& x_lent;
  std::stop_token x_stop;
};

}  // namespace tally::verifier
