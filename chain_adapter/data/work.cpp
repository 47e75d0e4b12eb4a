#include "chain_adapter/data/work.h"

namespace tally::chain {

namespace {

// Reports are at least this far apart; a screen needs no more.
constexpr std::uint64_t kReportBytes = std::uint64_t{4} << 20;

}  // namespace

void Work::begin(std::string_view phase, std::uint64_t total) {
  check();
  const std::scoped_lock lock(x_mutex);
  x_phase = phase;
  x_total = total;
  x_done = 0;
  x_reported = 0;
  if (x_progress) x_progress(phase, 0, total);
}

void Work::advance(std::uint64_t bytes) {
  check();
  const std::uint64_t done = x_done.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (!x_progress || (done / kReportBytes == (done - bytes) / kReportBytes && done != x_total)) return;
  const std::scoped_lock lock(x_mutex);
  if (done < x_reported) return;
  x_reported = done;
  x_progress(x_phase, done, x_total);
}

double Work::seconds() const {
  double sum = 0;
  for (const auto& spent : x_spent) sum += 1e-9 * static_cast<double>(spent.load(std::memory_order_relaxed));
  return sum;
}

}  // namespace tally::chain
