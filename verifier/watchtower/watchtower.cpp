#include "verifier/watchtower/watchtower.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "chain_adapter/files/file_lock.h"
#include "chain_adapter/files/shortened_files.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/state.h"
#include "verifier/watchtower/batch_watch.h"
#include "verifier/watchtower/demand_budget.h"
#include "verifier/watchtower/memory.h"

namespace tally::verifier {

namespace {

using Turn = BatchWatch::Turn;

// Failures of one batch in one run that are told of; what fails may work a moment later, and is tried again.
constexpr std::size_t kToldFailures = 3;

class Watch {
 public:
  Watch(chain::ChainAdapter& chain, const proof::PrivateKey& key, const WatchSettings& settings, Memory& memory,
        WatchReport& report)
      : x_chain(chain),
        x_key(key),
        x_settings(settings),
        x_memory(memory),
        x_report(report),
        x_demands(chain, settings, memory) {}

  void run() {
    for (;;) {
      serve(nullptr, [this] { return is_named(most_urgent()); });
      Watched* const next = most_urgent();
      if (next == nullptr) break;
      judge(*next);
    }
    x_memory.sweep_scratch();
  }
  [[nodiscard]] std::uint64_t open_batches() const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(x_watched, [](const Watched& watched) { return watched.turn != Turn::kDone; }));
  }

 private:
  struct Watched {
    proof::BatchId id{};
    std::unique_ptr<BatchWatch> watch{};
    Turn turn = Turn::kRests;
    std::size_t failures = 0;       // one after the other
    bool cannot_be_judged = false;  // in this run: it would take as long
  };

  void take_new();
  /// Does for every batch what can be done at once, but for the one that is being judged: that of named tasks first,
  /// then by the nearest deadline. `is_enough` is asked before the first stranger's batch, and again while others take
  /// long.
  void serve(const Watched* but, const std::function<bool()>& is_enough);
  void serve_named(const Watched* but);
  [[nodiscard]] std::vector<Watched*> in_order(const Watched* but);
  [[nodiscard]] static bool is_named(const Watched* watched) {
    return watched != nullptr && watched->watch && watched->watch->is_named();
  }
  [[nodiscard]] static std::pair<int, std::uint64_t> rank(const Watched& watched) {
    return {is_named(&watched) ? 0 : 1, watched.watch->deadline_s()};
  }
  void play(Watched& watched);
  void judge(Watched& watched);
  [[nodiscard]] Watched* most_urgent();
  /// One batch that cannot be handled must not keep others from being disputed.
  template <class Work>
  void isolate(Watched& watched, const Work& work);

  chain::ChainAdapter& x_chain;
  const proof::PrivateKey& x_key;
  const WatchSettings& x_settings;
  Memory& x_memory;
  WatchReport& x_report;
  DemandBudget x_demands;
  std::list<Watched> x_watched;  // in the order of their posts
  std::set<proof::BatchId> x_known;
  std::mutex x_mutex;  // held while chain or memory are used
};

template <class Work>
void Watch::isolate(Watched& watched, const Work& work) {
  try {
    work();
  } catch (const std::exception& error) {
    if (++watched.failures > kToldFailures) return;
    x_report.events.push_back({.kind = WatchEvent::Kind::kFailed,
                               .batch = watched.id,
                               .what = "watch",
                               .message = error.what(),
                               .bytes = 0,
                               .microseconds = 0});
  }
}

void Watch::take_new() {
  follow(x_chain, x_memory);
  for (const proof::BatchId& batch : x_memory.batches()) {
    if (!x_known.insert(batch).second) continue;
    if (x_settings.follows(x_memory.post(batch).value().posted.header.task)) x_watched.push_back({.id = batch});
  }
}

std::vector<Watch::Watched*> Watch::in_order(const Watched* but) {
  take_new();
  std::vector<Watched*> order;
  for (Watched& watched : x_watched) {
    if (&watched == but || watched.turn == Turn::kDone) continue;
    isolate(watched, [&] {
      if (!watched.watch) {
        watched.watch =
            std::make_unique<BatchWatch>(x_chain, x_key, x_settings, x_memory, x_demands, x_report, watched.id);
      }
      order.push_back(&watched);
    });
  }
  std::ranges::stable_sort(order, {}, [](const Watched* watched) { return rank(*watched); });
  return order;
}

void Watch::serve(const Watched* but, const std::function<bool()>& is_enough) {
  std::optional<std::chrono::steady_clock::time_point> named_served;
  for (Watched* const watched : in_order(but)) {
    if (!is_named(watched) && (!named_served || std::chrono::steady_clock::now() - *named_served >= x_settings.pause)) {
      if (named_served) serve_named(but);
      if (is_enough()) return;
      named_served = std::chrono::steady_clock::now();
    }
    play(*watched);
  }
}

void Watch::serve_named(const Watched* but) {
  for (Watched* const watched : in_order(but)) {
    if (is_named(watched)) play(*watched);
  }
}

void Watch::play(Watched& watched) {
  isolate(watched, [&] {
    watched.turn = watched.watch->play();
    watched.failures = 0;
    if (watched.turn == Turn::kDone) x_memory.close(watched.id);
  });
}

Watch::Watched* Watch::most_urgent() {
  Watched* next = nullptr;
  for (Watched& watched : x_watched) {
    if (watched.cannot_be_judged || watched.turn != Turn::kWantsJudging) continue;
    if (next == nullptr || rank(watched) < rank(*next)) next = &watched;
  }
  return next;
}

void Watch::judge(Watched& watched) {
  const proof::SignerLookup signers = [this, lookup = watched.watch->signers()](const proof::Address& address) {
    const std::scoped_lock lock(x_mutex);
    return lookup(address);
  };
  isolate(watched, [&] {
    watched.cannot_be_judged = true;
    std::stop_source end;
    const std::stop_callback interruption(x_settings.stop, [&] { end.request_stop(); });
    const auto start = std::chrono::steady_clock::now();
    auto judgment =
        std::async(x_settings.work.launch, x_settings.work.judge, watched.watch->judging(signers, end.get_token()));
    while (judgment.wait_for(x_settings.pause) == std::future_status::timeout) {
      const auto time = std::chrono::steady_clock::now() - start;
      if (!watched.watch->is_named() && time >= x_settings.judging_limit) end.request_stop();
      const std::scoped_lock lock(x_mutex);
      try {
        serve(&watched, [&] { return judgment.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
      } catch (const std::exception&) {
        continue;  // the chain may be within reach at the next look, and must be at the end
      }
    }
    try {
      watched.watch->take(judgment.get());
    } catch (const chain::Stopped&) {
      if (x_settings.stop.stop_requested()) throw;
      return watched.watch->pass_over_for_time();
    } catch (const NoScratchRoom& error) {
      return watched.watch->pass_over_for_room(error);
    }
    watched.cannot_be_judged = false;
    watched.turn = Turn::kRests;
  });
}

/// A chain file that was restored from an older copy goes on differently. All is read anew then.
void begin_anew_on_another_chain(chain::ChainAdapter& chain, Memory& memory, WatchReport& report) {
  if (memory.cursor().holds(chain)) return;
  const std::string alarm =
      "the chain is not the one that was followed so far, but an older copy or another; it is read anew";
  memory.begin_anew();
  memory.raise({}, alarm, chain.head().time_s);
  report.alarms.push_back(alarm);
}

void take_credit(chain::ChainAdapter& chain, const proof::PrivateKey& key, const Memory& memory, WatchReport& report) {
  const proof::Wei credit = proof::read_credit(chain.state(), memory.owner());
  if (credit == proof::Wei{}) return;
  const proof::Transaction withdraw = proof::Withdraw{};
  const auto fate = send_and_report(chain, {.key = key, .value = {}, .transaction = withdraw}, {}, report);
  if (!fate.refusal) report.withdrawn.value += credit.value;
}

}  // namespace

std::string_view to_string(WatchEvent::Kind kind) {
  switch (kind) {
    case WatchEvent::Kind::kJudged:
      return "judged";
    case WatchEvent::Kind::kSent:
      return "sent";
    case WatchEvent::Kind::kRefused:
      return "refused";
    case WatchEvent::Kind::kSilent:
      return "silent";
    case WatchEvent::Kind::kPassedOver:
      return "passed_over";
    case WatchEvent::Kind::kFailed:
      return "failed";
  }
  TALLY_ASSERT(false);
}

WatchReport watch_once(chain::ChainAdapter& chain, const proof::PrivateKey& key, const WatchSettings& settings) {
  std::filesystem::path lock_file = settings.memory;
  lock_file += ".lock";
  const auto lock = chain::FileLock::take(lock_file);
  if (!lock) throw std::runtime_error("another watchtower uses " + settings.memory.string());
  Memory memory(settings.memory, chain.identity(), key);
  return watch_once(chain, key, settings, memory);
}

WatchReport watch_once(chain::ChainAdapter& chain, const proof::PrivateKey& key, const WatchSettings& settings,
                       Memory& memory) {
  // All data is held against the chain, and may be other people's.
  const chain::ToleratesShortenedFiles tolerant;
  WatchReport report;
  begin_anew_on_another_chain(chain, memory, report);
  take_credit(chain, key, memory, report);  // bonds are paid from it
  Watch watch(chain, key, settings, memory, report);
  try {
    watch.run();
  } catch (const chain::Stopped&) {
    report.stopped = true;
  }
  report.open_batches = watch.open_batches();
  if (!report.stopped) take_credit(chain, key, memory, report);
  return report;
}

}  // namespace tally::verifier
