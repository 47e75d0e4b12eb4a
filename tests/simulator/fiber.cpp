#include "tests/simulator/fiber.h"

#include <cxxabi.h>

#include <cstring>
#include <exception>
#include <utility>
#include <vector>

#include "deterministic_math/numbers/assert.h"

namespace tally::simulator {

namespace {

// Judging a batch for the first time runs on it too. Pages that are never touched cost nothing.
constexpr std::size_t kStackBytes = std::size_t{1} << 20;

std::vector<std::unique_ptr<std::byte[]>>& free_stacks() {
  static std::vector<std::unique_ptr<std::byte[]>> stacks;
  return stacks;
}

std::unique_ptr<std::byte[]> take_stack() {
  auto& stacks = free_stacks();
  if (stacks.empty()) return std::make_unique_for_overwrite<std::byte[]>(kStackBytes);
  auto stack = std::move(stacks.back());
  stacks.pop_back();
  return stack;
}

}  // namespace

Fiber::Fiber(std::function<void()> body) : x_body(std::move(body)), x_stack(take_stack()) {
  TALLY_ASSERT(::getcontext(&x_inside) == 0);
  x_inside.uc_stack.ss_sp = x_stack.get();
  x_inside.uc_stack.ss_size = kStackBytes;
  x_inside.uc_link = &x_outside;
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  ::makecontext(&x_inside, reinterpret_cast<void (*)()>(&Fiber::start), 2, static_cast<unsigned>(self >> 32),
                static_cast<unsigned>(self));
}

Fiber::~Fiber() {
  kill();
  free_stacks().push_back(std::move(x_stack));
}

void Fiber::start(unsigned high, unsigned low) {
  const auto self = (static_cast<std::uintptr_t>(high) << 32) | low;
  reinterpret_cast<Fiber*>(self)->run();
}

void Fiber::run() {
  try {
    if (!x_killed) x_body();
  } catch (const Killed&) {
    x_body = {};  // its end, as asked for
  } catch (...) {
    x_error = std::current_exception();
  }
  x_ended = true;
}

void Fiber::resume() {
  TALLY_ASSERT(!x_running && !x_ended);
  x_running = true;
  void* const handled = abi::__cxa_get_globals();
  Handled outside{};
  std::memcpy(outside.data(), handled, sizeof(Handled));
  std::memcpy(handled, x_handled.data(), sizeof(Handled));
  TALLY_ASSERT(::swapcontext(&x_outside, &x_inside) == 0);
  std::memcpy(x_handled.data(), handled, sizeof(Handled));
  std::memcpy(handled, outside.data(), sizeof(Handled));
  x_running = false;
  if (x_error) std::rethrow_exception(std::exchange(x_error, nullptr));
}

void Fiber::suspend() {
  TALLY_ASSERT(x_running);
  TALLY_ASSERT(::swapcontext(&x_inside, &x_outside) == 0);
  if (x_killed) throw Killed{};
}

void Fiber::kill() {
  if (x_ended) return;
  TALLY_ASSERT(!x_running);
  x_killed = true;
  resume();
  TALLY_ASSERT(x_ended);
}

}  // namespace tally::simulator
