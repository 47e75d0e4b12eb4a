#include "chain_adapter/files/shortened_files.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

namespace tally::chain {

namespace {

/// May be taken by a signal's handler: who holds it touches no mapped file.
class SpinLock {
 public:
  void lock() {
    while (x_held.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
  }
  void unlock() { x_held.clear(std::memory_order_release); }

 private:
  std::atomic_flag x_held;
};

using Address = std::uintptr_t;

struct Mappings {
  SpinLock lock;
  std::map<Address, Address> ends;  // by where they begin
  std::atomic<int> tolerant = 0;
  std::atomic<std::uint64_t> zero_fills = 0;
  std::mutex handler;  // held while the handler is put in place, or taken away
  struct sigaction before = {};
};

/// Never destroyed: other threads may still read files when the process ends.
Mappings& mappings() {
  static Mappings& all = *new Mappings;
  return all;
}

/// Whether the rest of a mapped file, from the page of `address` on, was replaced by zeros.
bool fill_with_zeros(Address address) {
  Mappings& all = mappings();
  const std::scoped_lock lock(all.lock);
  const auto behind = all.ends.upper_bound(address);
  if (behind == all.ends.begin()) return false;
  const Address end = std::prev(behind)->second;
  if (address >= end) return false;
  const Address page = address - address % static_cast<Address>(::sysconf(_SC_PAGESIZE));
  void* const filled =
      ::mmap(reinterpret_cast<void*>(page), end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (filled == MAP_FAILED) return false;
  all.zero_fills.fetch_add(1);
  return true;
}

void on_bus_error(int /*signal*/, siginfo_t* info, void* /*context*/) {
  if (info->si_code == BUS_ADRERR && mappings().tolerant.load() > 0 &&
      fill_with_zeros(reinterpret_cast<Address>(info->si_addr))) {
    return;
  }
  // The access is tried again, and meets whoever was there before.
  ::sigaction(SIGBUS, &mappings().before, nullptr);
}

}  // namespace

ToleratesShortenedFiles::ToleratesShortenedFiles() {
  const std::scoped_lock lock(mappings().handler);
  if (mappings().tolerant.fetch_add(1) != 0) return;
  struct sigaction action = {};
  action.sa_sigaction = &on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, &mappings().before);
}

ToleratesShortenedFiles::~ToleratesShortenedFiles() {
  const std::scoped_lock lock(mappings().handler);
  if (mappings().tolerant.fetch_sub(1) == 1) ::sigaction(SIGBUS, &mappings().before, nullptr);
}

std::uint64_t zero_fills() { return mappings().zero_fills.load(); }

void remember_mapping(std::span<const std::byte> bytes) {
  const auto begin = reinterpret_cast<Address>(bytes.data());
  const std::scoped_lock lock(mappings().lock);
  mappings().ends[begin] = begin + bytes.size();
}

void forget_mapping(std::span<const std::byte> bytes) {
  const std::scoped_lock lock(mappings().lock);
  mappings().ends.erase(reinterpret_cast<Address>(bytes.data()));
}

}  // namespace tally::chain
