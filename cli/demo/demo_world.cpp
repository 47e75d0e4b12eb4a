#include "cli/demo/demo_world.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "chain_adapter/keys/development_keys.h"
#include "cli/demo/forge.h"
#include "cli/development_node.h"
#include "cli/exit_code.h"
#include "deterministic_math/programs/program_library.h"
#include "sequencer/task/new_task.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSequencerKey = 1'001;
constexpr std::uint64_t kRivalKey = 1'002;
constexpr std::uint64_t kWatchtowerKey = 1'003;
constexpr std::uint64_t kStart = 1'790'000'000;  // the first block's time
constexpr proof::Wei kEther{1'000'000'000'000'000'000};

proof::Wei ether(unsigned count) { return {count * kEther.value}; }

/// A period of an hour, clocks of half an hour, and bonds of 1 and 0.1 ether.
proof::TaskSettings demo_settings() {
  return {.arity = 4,
          .challenge_period_s = 3'600,
          .request_period_s = 660,
          .window_s = 300,
          .game_clock_s = 1'800,
          .move_time_s = 30,
          .censorship_budget_s = 240,
          .sequencer_bond = kEther,
          .challenger_bond = {kEther.value / 10},
          .min_stake = {kEther.value / 10},
          .exit_delay_s = 86'400,
          .availability = proof::LeafRequests{.max_requests = 65'536, .request_bond = {kEther.value / 100}}};
}

math::CompiledProgram compile(int cut) {
  math::CompileOptions options;
  options.parameters["cut"] = cut;
  options.template_library = math::template_library();
  auto compiled = math::compile(math::find_library_program("trimmed_mean").value().text, options);
  if (!compiled) throw std::runtime_error(compiled.error().listing);
  return *std::move(compiled);
}

}  // namespace

DemoWorld::DemoWorld(const DemoSettings& settings, std::uint64_t parameters)
    : x_folder(settings.folder),
      x_pool(settings.threads),
      x_sequencer(chain::development_key(kSequencerKey)),
      x_rival(chain::development_key(kRivalKey)),
      x_watchtower(chain::development_key(kWatchtowerKey)) {
  if (fs::exists(x_folder) && !(fs::is_directory(x_folder) && fs::is_empty(x_folder))) {
    bad_input(x_folder.string() + ": not empty; the demonstration begins with a new folder");
  }
  if (settings.chain == DemoChainKind::kEvm) static_cast<void>(anvil_program());
  fs::create_directories(rival_store().folder());
  fs::create_directories(hidden_store().folder());
  for (int i = 0; i < settings.trainers; ++i) {
    x_trainers.push_back(chain::development_key(static_cast<std::uint64_t>(i) + 1));
  }
  make_chain(settings.chain);
  create_task(parameters, settings.malicious, x_trainers.size());
}

void DemoWorld::make_chain(DemoChainKind kind) {
  std::vector<chain::GenesisAccount> accounts;
  for (const proof::PrivateKey* key : {&x_sequencer, &x_rival, &x_watchtower}) {
    accounts.push_back({.address = key->address(), .balance = ether(100)});
  }
  for (const proof::PrivateKey& key : x_trainers) {
    accounts.push_back({.address = key.address(), .balance = ether(1)});
  }
  std::ranges::sort(accounts, {}, &chain::GenesisAccount::address);
  const DemoChainSettings settings{.folder = x_folder, .start_s = kStart, .accounts = accounts};
  x_chain = kind == DemoChainKind::kEvm ? evm_demo_chain(settings) : embedded_demo_chain(settings);
}

void DemoWorld::create_task(std::uint64_t parameters, int cut, std::size_t trainers) {
  math::CompiledProgram program = compile(cut);
  std::vector<std::unique_ptr<sequencer::ElementSource>> states;
  states.push_back(sequencer::zero_elements(parameters));
  const sequencer::NewTask task{
      .program = program, .dims = {parameters}, .settings = demo_settings(), .salt = {}, .states = std::move(states)};
  const auto prepared = sequencer::prepare_task(task, chain().identity(), x_sequencer.address(), store(), x_pool);
  if (!prepared) throw std::runtime_error(prepared.error());
  send(x_sequencer, {}, prepared->transaction);
  for (std::size_t i = 0; i < trainers; ++i) {
    send(x_trainers[i], task.settings.min_stake, proof::Register{.task = prepared->id});
  }
  auto opened = sequencer::open_task(chain().state(), store(), prepared->id);
  if (!opened) throw std::runtime_error(opened.error().message);
  x_task = *std::move(opened);
}

std::string DemoWorld::name_of(const proof::Address& address) const {
  if (address == x_sequencer.address()) return "sequencer";
  if (address == x_rival.address()) return "rival";
  if (address == x_watchtower.address()) return "watchtower";
  for (std::size_t i = 0; i < x_trainers.size(); ++i) {
    if (address == x_trainers[i].address()) return "trainer " + std::to_string(i);
  }
  return to_text(address);
}

fs::path DemoWorld::round_folder(int round) const {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "round-%02d", round);
  return x_folder / "trainers" / name.data();
}

void DemoWorld::send(const proof::PrivateKey& key, const proof::Wei& value, const proof::Transaction& transaction) {
  const chain::TransactionFate fate =
      chain::submit_and_wait(chain(), {.key = key, .value = value, .transaction = transaction});
  if (fate.refusal) {
    throw std::runtime_error("the chain refused " + std::string(proof::name_of(transaction)) + ": " +
                             fate.refusal->message);
  }
}

verifier::WatchReport DemoWorld::watch() {
  verifier::WatchSettings settings;
  settings.data = {store().folder(), rival_store().folder()};
  settings.memory = x_folder / "watchtower.db";
  settings.pool = &x_pool;
  return verifier::watch_once(chain(), x_watchtower, settings);
}

void DemoWorld::defend() { defend_forgery(chain(), x_rival, rival_store().folder(), *x_task); }

proof::Wei DemoWorld::wealth(const proof::Address& address) {
  return {chain().balance(address).value + proof::read_credit(chain().state(), address).value};
}

}  // namespace tally::cli
