#include "cli/demo/demo.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "chain_adapter/chain/wei_text.h"
#include "cli/demo/demo_round.h"
#include "cli/demo/demo_story.h"
#include "deterministic_math/numbers/assert.h"
#include "sequencer/poster/finaliser.h"
#include "sequencer/poster/poster.h"
#include "sequencer/training/model.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

/// A dispute is over long before: it takes some looks, and a window where data is withheld.
constexpr int kMostLooks = 200;
constexpr std::uint64_t kPauseSeconds = 60;

struct Account {
  std::string name;
  proof::Wei before;
};

struct FraudStory {
  BuiltFraud fraud;
  std::string what;
  std::vector<TranscriptLine> lines;
};

struct RoundStory {
  int round = 0;
  double accuracy = 0;
  proof::BatchId batch;
  ChainCost cost;
  std::optional<FraudStory> fraud;
};

std::string money(const proof::Wei& amount) { return chain::to_text_with_unit(amount); }

std::string percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", 100 * share);
  return text.data();
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string_view name_of(Fraud kind) {
  switch (kind) {
    case Fraud::kForgedWeight:
      return "forged_weight";
    case Fraud::kOldUpdate:
      return "old_update";
    case Fraud::kWithheld:
      return "withheld";
  }
  TALLY_ASSERT(false);
}

class Demo {
 public:
  Demo(const DemoSettings& settings, const Console& console)
      : x_settings(settings),
        x_console(console),
        x_world(settings, sequencer::training::parameter_count(DemoTraining::shape())),
        x_training(x_world, settings) {}

  json::object run() {
    introduce();
    for (int round = 1; round <= x_settings.rounds; ++round) play(round);
    close();
    tell_rounds();
    tell_balances();
    tell_what_is_left();
    return to_json();
  }

 private:
  void say(const std::string& text) const {
    if (!x_console.json()) x_console.result(text, nullptr);
  }
  [[nodiscard]] std::optional<Fraud> fraud_of(int round) const;
  void introduce();
  void play(int round);
  [[nodiscard]] FraudStory post_fraud(Fraud kind, int round);
  void post(const std::filesystem::path& directory, const proof::PrivateKey& key, sequencer::RecordChecks checks);
  void dispute(const FraudStory& story);
  void finalise();
  void close();
  void tell_rounds() const;
  void tell_balances();
  void tell_what_is_left() const;
  [[nodiscard]] proof::BatchStatus status(const proof::BatchId& batch) {
    return proof::batch_status(x_world.chain().state(), x_world.task().id, batch).value();
  }
  void must(bool holds, const std::string& what) const {
    if (!holds) throw std::runtime_error("the demonstration did not go as it must: " + what);
  }
  [[nodiscard]] json::object to_json() const;

  DemoSettings x_settings;
  const Console& x_console;
  DemoWorld x_world;
  DemoTraining x_training;
  proof::BatchId x_latest = proof::kGenesisParent;
  std::vector<RoundStory> x_rounds;
  std::vector<Account> x_accounts;
  json::array x_balances;
};

std::optional<Fraud> Demo::fraud_of(int round) const {
  const bool long_run = x_settings.rounds >= 8;
  if (round == (long_run ? 4 : 2)) return Fraud::kForgedWeight;
  if (round == (long_run ? 6 : 3)) return Fraud::kOldUpdate;
  if (round == (long_run ? 8 : 4)) return Fraud::kWithheld;
  return std::nullopt;
}

void Demo::introduce() {
  x_accounts = {{"sequencer", x_world.wealth(x_world.sequencer().address())},
                {"rival", x_world.wealth(x_world.rival().address())},
                {"watchtower", x_world.wealth(x_world.watchtower().address())}};
  const auto& settings = x_world.task().preimage().settings;
  say(std::to_string(x_world.trainers()) + " trainers share a classifier of " +
      std::to_string(x_world.task().preimage().dims.front()) + " weights on Synthetic(1, 1); " +
      std::to_string(x_settings.malicious) + " of them are malicious\nand send their updates with the sign flipped. " +
      "The rule is a trimmed mean: " + std::to_string(x_settings.malicious) +
      " values go at each end of each coordinate.\nThe task is on a chain " + x_world.place().place() +
      ". A post takes a bond of " + money(settings.sequencer_bond) + ";\nbatches can be challenged for " +
      std::to_string(settings.challenge_period_s / 60) +
      " minutes, on a clock that this demonstration moves.\n\ntask " + to_hex(x_world.task().id) + "\n");
}

void Demo::post(const std::filesystem::path& directory, const proof::PrivateKey& key, sequencer::RecordChecks checks) {
  sequencer::PostOptions options;
  options.records = checks;
  options.pool = &x_world.pool();
  chain::ChainAdapter& chain = x_world.chain();
  const auto plan =
      sequencer::plan_post(chain.state(), chain.head(), x_world.index(), directory, key.address(), options);
  if (!plan) throw std::runtime_error(plan.error().message);
  const chain::TransactionFate fate = sequencer::post_batch(chain, key, *plan);
  if (fate.refusal) throw std::runtime_error(fate.refusal->message);
}

FraudStory Demo::post_fraud(Fraud kind, int round) {
  FraudStory story{.fraud = x_training.build_fraud(kind, round, x_latest), .what = {}, .lines = {}};
  switch (kind) {
    case Fraud::kForgedWeight:
      story.what = "adds one unit in the last place (2^-24) to next_model[" + std::to_string(story.fraud.entry) + "]";
      break;
    case Fraud::kOldUpdate:
      story.what = "counts trainer " + std::to_string(story.fraud.trainer) + "'s update of round " +
                   std::to_string(round - 1) + " again, in place of the new one";
      break;
    case Fraud::kWithheld:
      story.what = "posts a batch and shows its data to nobody";
      break;
  }
  post(story.fraud.directory, x_world.rival(), sequencer::RecordChecks::kNone);
  return story;
}

void Demo::dispute(const FraudStory& story) {
  for (int look = 0; look < kMostLooks; ++look) {
    const std::uint64_t before = end_of_events(x_world.chain());
    const verifier::WatchReport report = x_world.watch();
    must(report.alarms.empty(), "the watchtower raises an alarm");
    if (status(story.fraud.batch) == proof::BatchStatus::kInvalid) return;
    x_world.defend();
    // Nobody has anything to say: what is due next is due later.
    if (end_of_events(x_world.chain()) == before) x_world.place().advance(kPauseSeconds);
  }
  must(false, "batch " + to_hex(story.fraud.batch) + " still stands");
}

void Demo::finalise() {
  chain::BatchIndex index;
  x_world.place().advance(x_world.task().preimage().settings.challenge_period_s);
  static_cast<void>(sequencer::do_due(x_world.chain(), x_world.sequencer(), index, x_world.task().id));
  must(status(x_latest) == proof::BatchStatus::kFinal, "batch " + to_hex(x_latest) + " is not final");
}

void Demo::play(int round) {
  const std::uint64_t first_event = end_of_events(x_world.chain());
  x_training.contribute(round, x_latest);
  RoundStory story{.round = round, .batch = {}, .cost = {}, .fraud = std::nullopt};
  if (const auto kind = fraud_of(round)) story.fraud = post_fraud(*kind, round);
  const sequencer::BuiltBatch built = x_training.build(round, x_latest);
  story.batch = proof::batch_id(built.manifest.header);
  post(built.directory, x_world.sequencer(), sequencer::RecordChecks::kAll);
  if (story.fraud) {
    dispute(*story.fraud);
    story.fraud->lines = transcript(x_world, story.fraud->fraud.batch, first_event);
  }
  must(x_world.watch().alarms.empty(), "the watchtower raises an alarm");
  x_latest = story.batch;
  finalise();
  story.accuracy = x_training.accuracy(x_latest);
  story.cost = cost_since(x_world.chain(), first_event);
  say("round " + right(std::to_string(round), 2) + "  accuracy " + percent(story.accuracy) + "  batch " +
      to_hex(story.batch).substr(0, 18) + "…  final");
  if (story.fraud) {
    say("\n  In round " + std::to_string(round) + " a corrupt sequencer " + story.fraud->what + ".\n  Its batch " +
        to_hex(story.fraud->fraud.batch).substr(0, 18) + "… came first; the honest one was built beside it.\n" +
        to_text(story.fraud->lines));
  }
  x_rounds.push_back(std::move(story));
}

void Demo::close() {
  for (const proof::PrivateKey* const key : {&x_world.sequencer(), &x_world.watchtower()}) {
    if (proof::read_credit(x_world.chain().state(), key->address()) == proof::Wei{}) continue;
    x_world.send(*key, {}, proof::Withdraw{});
  }
}

void Demo::tell_rounds() const {
  std::string text = "\nround  accuracy  batch                 transactions  bytes on chain  status\n";
  for (const RoundStory& round : x_rounds) {
    text += padded(right(std::to_string(round.round), 5), 7) + padded(right(percent(round.accuracy), 8), 10) +
            padded(to_hex(round.batch).substr(0, 18) + "…", 24) + right(std::to_string(round.cost.transactions), 12) +
            right(std::to_string(round.cost.bytes), 16) + "  final\n";
    if (!round.fraud) continue;
    text += std::string(17, ' ') + to_hex(round.fraud->fraud.batch).substr(0, 18) + "…" + std::string(31, ' ') +
            "invalid: " + std::string(name_of(round.fraud->fraud.kind)) + "\n";
  }
  text.pop_back();
  say(text);
}

void Demo::tell_balances() {
  const std::array<const proof::PrivateKey*, 3> keys = {&x_world.sequencer(), &x_world.rival(), &x_world.watchtower()};
  std::string text = "\nbalances        before        after\n";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const proof::Wei after = x_world.wealth(keys[i]->address());
    text += padded(x_accounts[i].name, 12) + right(money(x_accounts[i].before), 10) + right(money(after), 13) + "\n";
    x_balances.push_back(json::object{{"who", x_accounts[i].name},
                                      {"before", chain::to_text(x_accounts[i].before)},
                                      {"after", chain::to_text(after)}});
  }
  const proof::Wei burned = proof::read_burned(x_world.chain().state());
  text += padded("burned", 12) + right("0 wei", 10) + right(money(burned), 13);
  x_balances.push_back(json::object{{"who", "burned"}, {"before", "0"}, {"after", chain::to_text(burned)}});
  say(text);
  const proof::Wei bond = x_world.task().preimage().settings.sequencer_bond;
  const auto before_of = [&](std::size_t i) { return x_accounts[i].before.value; };
  const auto frauds = static_cast<math::u128>(
      std::ranges::count_if(x_rounds, [](const RoundStory& round) { return round.fraud.has_value(); }));
  must(x_world.wealth(x_world.sequencer().address()).value == before_of(0), "the honest sequencer lost money");
  must(x_world.wealth(x_world.rival().address()).value == before_of(1) - frauds * bond.value,
       "the rival has not lost every bond");
  must(x_world.wealth(x_world.watchtower().address()).value + burned.value == before_of(2) + frauds * bond.value,
       "the bonds did not go to the watchtower and the fire");
}

void Demo::tell_what_is_left() const {
  const std::string folder = x_settings.folder.string();
  const std::string chain = x_world.place().argument();
  const auto forged = std::ranges::find_if(x_rounds, [](const RoundStory& round) { return round.fraud.has_value(); });
  say("\nEverything is in " + folder + ". Look further with\n\n  tally verify " + folder + "/sequencer/" +
      to_hex(x_latest) + "\n  tally verify " + folder + "/rival/" + to_hex(forged->fraud->fraud.batch) +
      "\n  tally game list --chain " + chain + "\n  tally batch list --task " + to_hex(x_world.task().id) +
      " --chain " + chain + "\n  tally chain events --chain " + chain + "\n  " + x_world.place().how_to_look());
}

json::object Demo::to_json() const {
  json::array rounds;
  for (const RoundStory& round : x_rounds) {
    json::object entry{{"round", round.round},
                       {"accuracy", round.accuracy},
                       {"batch_id", to_hex(round.batch)},
                       {"transactions", round.cost.transactions},
                       {"bytes_on_chain", round.cost.bytes},
                       {"status", "final"}};
    if (round.fraud) {
      entry["fraud"] = json::object{{"kind", name_of(round.fraud->fraud.kind)},
                                    {"batch_id", to_hex(round.fraud->fraud.batch)},
                                    {"directory", round.fraud->fraud.directory.string()},
                                    {"status", "invalid"},
                                    {"transcript", tally::cli::to_json(round.fraud->lines)}};
    }
    rounds.push_back(std::move(entry));
  }
  return {{"folder", x_settings.folder.string()},
          {"chain", x_world.place().argument()},
          {"task", to_hex(x_world.task().id)},
          {"rounds", std::move(rounds)},
          {"balances", x_balances}};
}

}  // namespace

json::object run_demo(const DemoSettings& settings, const Console& console) { return Demo(settings, console).run(); }

}  // namespace tally::cli
