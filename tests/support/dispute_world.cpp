#include "tests/support/dispute_world.h"

#include <algorithm>
#include <stdexcept>

#include "chain_adapter/keys/development_keys.h"
#include "sequencer/poster/poster.h"
#include "tests/support/memory_folder.h"
#include "tests/support/settlement_world.h"
#include "tests/support/test_batch.h"

namespace tally::test {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kWatcherKey = 2'000'000;
constexpr std::size_t kAllEvents = 100'000;

void must(chain::ChainAdapter& chain, const proof::PrivateKey& key, const proof::Wei& value,
          const proof::Transaction& transaction) {
  const auto fate = chain::submit_and_wait(chain, {.key = key, .value = value, .transaction = transaction});
  if (fate.refusal) throw std::runtime_error(fate.refusal->message);
}

}  // namespace

std::vector<proof::Address> DisputeWorld::rich(std::uint64_t members) {
  std::vector<proof::Address> rich = {chain::development_key(kWatcherKey).address(),
                                      chain::development_key(kPosterKey).address()};
  for (std::uint64_t member = 0; member < members; ++member) rich.push_back(chain::development_key(member).address());
  return rich;
}

DisputeWorld::DisputeWorld(DisputeOptions options)
    : x_folder(memory_folder()), x_watcher(chain::development_key(kWatcherKey)) {
  x_chain = options.chain ? options.chain : make_test_chain(folder(), rich(options.members));
  x_client = x_chain->open();
  RoundOptions rounds{.program = options.program,
                      .dims = options.dims,
                      .members = options.members,
                      .settings = quick_settings(),
                      .chain = chain().identity()};
  if (options.change) options.change(rounds.settings);
  x_world = std::make_unique<RoundWorld>(folder() / "poster", rounds);
  must(chain(), x_world->poster(), {}, x_world->prepared().transaction);
  x_members = options.members - options.unregistered;
  register_rest();
  x_members = options.members;
  x_defender = std::make_unique<sequencer::Defender>(x_world->poster(), folder() / "poster", sequencer::Doubt::kAnswer);
}

void DisputeWorld::register_rest() {
  for (; x_registered < x_members; ++x_registered) {
    must(chain(), x_world->key(x_registered), settings().min_stake, proof::Register{.task = x_world->prepared().id});
  }
}

DisputedBatch DisputeWorld::post(const Cheat& cheat, std::uint64_t seed) {
  auto built = x_world->build(x_world->inputs(x_world->genesis(), seed));
  if (!built) throw std::runtime_error(built.error().message);
  if (cheat) {
    cheat(built->directory);
    recommit(built->directory, program());
  }
  x_index.follow(chain());
  const auto plan =
      sequencer::plan_post(chain().state(), chain().head(), x_index, built->directory, x_world->poster().address(),
                           {.records = sequencer::RecordChecks::kNone, .pool = &x_pool});
  if (!plan) throw std::runtime_error(plan.error().message);
  const auto fate = sequencer::post_batch(chain(), x_world->poster(), *plan);
  if (fate.refusal) throw std::runtime_error(fate.refusal->message);
  DisputedBatch batch{.id = plan->batch,
                      .poster = x_world->store().batch(plan->batch),
                      .watcher = folder() / "watcher" / to_hex(plan->batch)};
  if (batch.poster != built->directory) fs::rename(built->directory, batch.poster);
  fs::create_directories(folder() / "watcher");
  fs::copy(batch.poster, batch.watcher, fs::copy_options::recursive);
  x_chain->catch_up();
  return batch;
}

verifier::WatchSettings DisputeWorld::watch_settings() {
  verifier::WatchSettings settings;
  settings.data = {folder() / "watcher"};
  settings.memory = folder() / "watchtower.sqlite";
  settings.pool = &x_pool;
  return settings;
}

verifier::WatchReport DisputeWorld::watch() {
  x_chain->catch_up();
  const auto own = open();
  verifier::WatchReport report = verifier::watch_once(*own, x_watcher, watch_settings());
  x_chain->catch_up();
  return report;
}

void DisputeWorld::defend() {
  x_chain->catch_up();
  static_cast<void>(x_defender->defend_once(chain()));
  x_chain->catch_up();
}

void DisputeWorld::advance(std::uint64_t seconds) {
  x_chain->advance(seconds);
  x_chain->catch_up();
}

std::vector<verifier::WatchEvent> DisputeWorld::play() {
  std::vector<verifier::WatchEvent> all;
  static_cast<void>(has_gone_on());
  for (int turn = 0; turn < 100; ++turn) {
    const verifier::WatchReport report = watch();
    all.insert(all.end(), report.events.begin(), report.events.end());
    defend();
    if (!has_gone_on()) return all;
  }
  throw std::runtime_error("the dispute does not end");
}

bool DisputeWorld::has_gone_on() {
  const auto events = chain().events(x_next_event, kAllEvents);
  if (!events.empty()) x_next_event = events.back().position + 1;
  return !events.empty();
}

std::vector<verifier::WatchEvent> DisputeWorld::play_to_the_end(const DisputedBatch& batch) {
  std::vector<verifier::WatchEvent> all = play();
  for (int step = 0; step < 2 && status(batch) == proof::BatchStatus::kPending; ++step) {
    advance(step == 0 ? settings().window_s + 1 : settings().game_clock_s + 1);
    const std::vector<verifier::WatchEvent> more = play();
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

proof::BatchStatus DisputeWorld::status(const DisputedBatch& batch) {
  return proof::batch_status(chain().state(), x_world->prepared().id, batch.id).value();
}

proof::Wei DisputeWorld::watcher_owns() {
  const proof::Address& account = x_watcher.address();
  return {chain().balance(account).value + proof::read_credit(chain().state(), account).value +
          x_chain->fees(account).value};
}

std::optional<proof::LossCause> DisputeWorld::cause_of_loss(const DisputedBatch& batch) {
  for (const chain::LoggedEvent& logged : chain().events(0, kAllEvents)) {
    const auto* const invalid = std::get_if<proof::BatchInvalid>(&logged.event);
    if (invalid != nullptr && invalid->batch == batch.id) return invalid->cause;
  }
  return std::nullopt;
}

std::size_t sent(const std::vector<verifier::WatchEvent>& events, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(events, [&](const verifier::WatchEvent& event) {
    return event.kind == verifier::WatchEvent::Kind::kSent && (name.empty() || event.what == name);
  }));
}

std::string told(const std::vector<verifier::WatchEvent>& events) {
  std::string text;
  for (const verifier::WatchEvent& event : events) {
    text += "\n  " + std::string(to_string(event.kind)) + " " + event.what + " " + event.message;
  }
  return text;
}

}  // namespace tally::test
