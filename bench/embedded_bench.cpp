// Durable transactions a second on the embedded chain, signed and applied by the settlement, beside what the disk
// itself can do: a page written over and synced, measured between the runs on the same folder. What was submitted is
// counted on the chain in the end.
//
// `tx/s` is what was reached, `syncs/s` the disk's own rate, and `of_disk` their ratio: the goals are at least 0.5 one
// by one, and 2,000 tx/s for blocks of many transactions. TALLY_BENCH_FOLDER names another disk than that of /tmp.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "chain_adapter/embedded/embedded_chain.h"
#include "chain_adapter/embedded/signed_transaction.h"
#include "chain_adapter/files/descriptor.h"
#include "chain_adapter/keys/development_keys.h"

namespace tally::chain {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = 256;
constexpr std::uint64_t kSenders = 16;

template <typename Work>
double seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void check(bool fine, const char* action) {
  if (!fine) throw std::system_error(errno, std::generic_category(), action);
}

class Folder {
 public:
  Folder() {
    const char* const wanted = std::getenv("TALLY_BENCH_FOLDER");
    std::string name = ((wanted != nullptr ? fs::path(wanted) : fs::temp_directory_path()) / "tally_XXXXXX").string();
    check(::mkdtemp(name.data()) != nullptr, "making a folder");
    x_path = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(x_path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return x_path; }

 private:
  fs::path x_path;
};

/// Pages of a file that was written before are written over, each synced before the next.
class Disk {
 public:
  explicit Disk(const fs::path& folder)
      : x_file(::open((folder / "pages").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    check(x_file.value() >= 0, "making a file");
    for (std::size_t page = 0; page < kPages; ++page) write(page);
    check(::fsync(x_file.value()) == 0, "syncing");
  }

  void sync_pages(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      write(x_next++ % kPages);
      check(::fdatasync(x_file.value()) == 0, "syncing");
    }
  }

 private:
  void write(std::size_t page) {
    x_bytes.fill(static_cast<char>(page));
    check(::pwrite(x_file.value(), x_bytes.data(), kPage, static_cast<::off_t>(page * kPage)) == kPage, "writing");
  }

  Descriptor x_file;
  std::array<char, kPage> x_bytes{};
  std::size_t x_next = 0;
};

/// A chain with rich accounts. What is submitted are commitments: a record, an event, and no rule that looks further.
class Chain {
 public:
  explicit Chain(const fs::path& folder) : x_file(folder / "chain.db") {
    Genesis genesis{.chain_id = 1, .time_s = 0, .clock = Clock::kDriven, .base_fee = {}, .accounts = {}};
    for (std::uint64_t i = 0; i < kSenders; ++i) {
      x_keys.push_back(development_key(i));
      genesis.accounts.push_back({x_keys.back().address(), {1'000'000}});
    }
    std::ranges::sort(genesis.accounts, {}, &GenesisAccount::address);
    EmbeddedChain::create(x_file, genesis);
    x_chain = std::make_unique<EmbeddedChain>(x_file);
  }

  void submit_one() {
    const proof::Transaction transaction = next();
    (void)x_chain->submit({.key = x_keys[x_submitted % kSenders], .value = {}, .transaction = transaction});
    ++x_submitted;
  }

  /// Signing is the senders' work, and not timed.
  std::vector<std::vector<std::uint8_t>> sign_block(std::size_t count) {
    std::vector<std::vector<std::uint8_t>> block;
    for (std::size_t i = 0; i < count; ++i) {
      SignedTransaction envelope{
          .chain = x_chain->identity(), .nonce = x_submitted / kSenders, .payload = proof::encode(next())};
      sign(envelope, x_keys[x_submitted % kSenders]);
      block.push_back(encode(envelope));
      ++x_submitted;
    }
    return block;
  }
  void submit(const std::vector<std::vector<std::uint8_t>>& block) { (void)x_chain->submit_signed(block); }

  /// Whether another reader of the file finds all that was submitted.
  [[nodiscard]] bool complete() const {
    EmbeddedChain reader(x_file);
    const EmbeddedStatus status = reader.status();
    return status.transactions == x_submitted && status.events == x_submitted;
  }

 private:
  [[nodiscard]] proof::Transaction next() const {
    proof::Commit commit;
    for (std::size_t i = 0; i < 8; ++i) commit.commitment.bytes[i] = static_cast<std::uint8_t>(x_submitted >> (8 * i));
    commit.commitment = math::sha256(commit.commitment.bytes);
    return commit;
  }

  fs::path x_file;
  std::vector<proof::PrivateKey> x_keys;
  std::unique_ptr<EmbeddedChain> x_chain;
  std::uint64_t x_submitted = 0;
};

void report(benchmark::State& state, const Chain& chain, double transactions, double spent, double syncs,
            double disk_spent) {
  if (!chain.complete()) {
    state.SkipWithError("the chain does not hold what was submitted");
    return;
  }
  state.counters["tx/s"] = transactions / spent;
  state.counters["syncs/s"] = syncs / disk_spent;
  state.counters["of_disk"] = transactions / spent / (syncs / disk_spent);
}

void one_by_one(benchmark::State& state) {
  constexpr std::size_t kAtOnce = 50;
  const Folder folder;
  Disk disk(folder.path());
  Chain chain(folder.path());
  double spent = 0;
  double disk_spent = 0;
  double count = 0;
  for (auto _ : state) {
    disk_spent += seconds([&] { disk.sync_pages(kAtOnce); });
    const double elapsed = seconds([&] {
      for (std::size_t i = 0; i < kAtOnce; ++i) chain.submit_one();
    });
    state.SetIterationTime(elapsed);
    spent += elapsed;
    count += kAtOnce;
  }
  report(state, chain, count, spent, count, disk_spent);
}

void in_blocks(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const Folder folder;
  Disk disk(folder.path());
  Chain chain(folder.path());
  double spent = 0;
  double disk_spent = 0;
  double blocks = 0;
  for (auto _ : state) {
    disk_spent += seconds([&] { disk.sync_pages(1); });
    const auto block = chain.sign_block(size);
    const double elapsed = seconds([&] { chain.submit(block); });
    state.SetIterationTime(elapsed);
    spent += elapsed;
    ++blocks;
  }
  report(state, chain, blocks * static_cast<double>(size), spent, blocks, disk_spent);
}

BENCHMARK(one_by_one)->UseManualTime()->MinTime(1.0)->Unit(benchmark::kMillisecond);
BENCHMARK(in_blocks)->Arg(16)->Arg(256)->Arg(1024)->UseManualTime()->MinTime(1.0)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tally::chain
