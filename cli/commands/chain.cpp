#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "chain_adapter/chain/event_json.h"
#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/embedded/audit.h"
#include "chain_adapter/embedded/embedded_chain.h"
#include "chain_adapter/evm/deployment.h"
#include "chain_adapter/evm/evm_chain.h"
#include "chain_adapter/keys/development_keys.h"
#include "cli/chain_options.h"
#include "cli/commands.h"
#include "cli/parent_folder.h"
#include "cli/signing_keys.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

/// Accounts that a chain begins with where none are named.
constexpr std::uint64_t kDevelopmentAccounts = 64;
constexpr std::string_view kDevelopmentBalance = "1000ether";
constexpr std::chrono::milliseconds kFollowPause(200);
constexpr std::size_t kEventsAtOnce = 1000;

struct ChainFlags {
  std::string file;
  std::string where;
  std::vector<std::string> funds;
  std::string base_fee = "1gwei";
  std::uint64_t chain_id = 31'337;
  std::int64_t time_s = -1;
  std::uint64_t seconds = 0;
  std::uint64_t from = 0;
  std::uint64_t limit = 0;
  KeyFlags key;
  bool driven_clock = false;
  bool follow = false;
};

std::string money(const proof::Wei& amount) { return chain::to_text_with_unit(amount); }

/// What the embedded chain alone has.
std::filesystem::path file_of_embedded(const std::string& command, const std::string& where) {
  if (chain::is_evm_chain(where))
    bad_input("tally chain " + command + " is for embedded chains alone, and " + where + " is an EVM chain");
  return with_chain_errors([&] { return chain::embedded_file(where); });
}

chain::EmbeddedChain open_embedded(const std::string& command, const std::string& where) {
  const std::filesystem::path file = file_of_embedded(command, where);
  return with_chain_errors([&] { return chain::EmbeddedChain(file); });
}

chain::GenesisAccount parse_fund(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) bad_input("--fund " + text + ": not ADDRESS=AMOUNT");
  return {.address = parse_address_argument("--fund", text.substr(0, equals)),
          .balance = parse_wei_argument("--fund", text.substr(equals + 1))};
}

std::vector<chain::GenesisAccount> genesis_accounts(const ChainFlags& flags, const Console& console) {
  std::vector<chain::GenesisAccount> accounts;
  for (const std::string& fund : flags.funds) accounts.push_back(parse_fund(fund));
  if (accounts.empty()) {
    console.warn("the development keys, which anyone can derive, own all money of this chain; give --fund otherwise");
    for (std::uint64_t number = 0; number < kDevelopmentAccounts; ++number) {
      accounts.push_back({.address = chain::development_key(number).address(),
                          .balance = parse_wei_argument("", std::string(kDevelopmentBalance))});
    }
  }
  std::ranges::sort(accounts, {}, &chain::GenesisAccount::address);
  return accounts;
}

std::uint64_t time_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

ExitCode init(const ChainFlags& flags, const Console& console) {
  const chain::Genesis genesis{.chain_id = flags.chain_id,
                               .time_s = flags.time_s < 0 ? time_now() : static_cast<std::uint64_t>(flags.time_s),
                               .clock = flags.driven_clock ? chain::Clock::kDriven : chain::Clock::kWall,
                               .base_fee = parse_wei_argument("--base-fee", flags.base_fee),
                               .accounts = genesis_accounts(flags, console)};
  make_parent_folder(flags.file);
  with_chain_errors([&] { chain::EmbeddedChain::create(flags.file, genesis); });
  const std::string contract = proof::to_text(chain::contract_address(chain::genesis_block(genesis)));
  console.result("chain " + std::to_string(genesis.chain_id) + " in " + flags.file + ", " +
                     std::string(to_string(genesis.clock)) + " clock, " + std::to_string(genesis.accounts.size()) +
                     " funded accounts\ncontract " + contract + "\nuse it with --chain embedded:" + flags.file +
                     ", or set TALLY_CHAIN",
                 json::object{{"file", flags.file},
                              {"chain_id", genesis.chain_id},
                              {"contract", contract},
                              {"clock", to_string(genesis.clock)},
                              {"time_s", genesis.time_s},
                              {"accounts", genesis.accounts.size()}});
  return ExitCode::kFine;
}

ExitCode evm_status(const ChainFlags& flags, const Console& console) {
  const auto chain = with_chain_errors([&] { return chain::open_evm_chain(flags.where, waiting_at(console)); });
  const chain::ChainIdentity identity = chain->identity();
  const std::string contract = proof::to_text(identity.contract);
  const chain::Head head = chain->head();
  const chain::Block confirmed = chain->confirmed();
  const proof::Wei held = chain->balance(identity.contract);
  console.result("chain " + std::to_string(identity.chain_id) + ", contract " + contract + "\nblock " +
                     std::to_string(head.block) + ", taken for final up to " + std::to_string(confirmed.number) + " " +
                     math::to_hex(confirmed.hash) + "\ntime " + std::to_string(head.time_s) + " (" +
                     time_text(head.time_s) + ")\nthe settlement holds " + money(held) + "\nderived in " +
                     chain->file().string(),
                 json::object{{"chain_id", identity.chain_id},
                              {"contract", contract},
                              {"block", head.block},
                              {"confirmed", confirmed.number},
                              {"hash", math::to_hex(confirmed.hash)},
                              {"time_s", head.time_s},
                              {"held", chain::to_text(held)},
                              {"file", chain->file().string()}});
  return ExitCode::kFine;
}

ExitCode status(const ChainFlags& flags, const Console& console) {
  if (chain::is_evm_chain(flags.where)) return evm_status(flags, console);
  chain::EmbeddedChain chain = open_embedded("status", flags.where);
  const chain::EmbeddedStatus status = chain.status();
  const std::string contract = proof::to_text(status.identity.contract);
  console.result("chain " + std::to_string(status.identity.chain_id) + ", contract " + contract + "\nblock " +
                     std::to_string(status.head.block) + " " + math::to_hex(status.head_hash) + "\ntime " +
                     std::to_string(status.head.time_s) + " (" + time_text(status.head.time_s) + "), " +
                     std::string(to_string(status.clock)) + " clock\n" + std::to_string(status.transactions) +
                     " transactions, " + std::to_string(status.events) + " events\nthe settlement holds " +
                     money(status.held) + "; base fee " + money(status.base_fee),
                 json::object{{"chain_id", status.identity.chain_id},
                              {"contract", contract},
                              {"clock", to_string(status.clock)},
                              {"base_fee", chain::to_text(status.base_fee)},
                              {"block", status.head.block},
                              {"hash", math::to_hex(status.head_hash)},
                              {"time_s", status.head.time_s},
                              {"transactions", status.transactions},
                              {"events", status.events},
                              {"held", chain::to_text(status.held)}});
  return ExitCode::kFine;
}

/// The scalar members of an event, long hexadecimal cut short: --json has all of it.
std::string summary(const json::object& event) {
  constexpr std::size_t kDigits = 12;
  std::string text;
  for (const auto& [key, value] : event) {
    if (value.is_object() || value.is_array() || value.is_null()) continue;
    if (key == "position" || key == "block" || key == "time_s" || key == "transaction" || key == "event") continue;
    std::string shown = value.is_string() ? std::string(value.as_string()) : json::serialize(value);
    if (shown.starts_with("0x") && shown.size() > kDigits) shown = shown.substr(0, kDigits) + "…";
    text += "  " + std::string(key) + " " + shown;
  }
  for (const auto& [key, value] : event) {
    if (const auto* nested = value.if_object(); nested != nullptr && key == "game") text += summary(*nested);
  }
  return text;
}

std::string line_of(const chain::LoggedEvent& event, const json::object& shown) {
  return std::to_string(event.position) + "  block " + std::to_string(event.block) + "  " + time_text(event.time_s) +
         "  " + std::string(proof::name_of(event.event)) + summary(shown);
}

/// Prints each event as a document of its own, for ever.
ExitCode follow(const ChainFlags& flags, const std::stop_token& stop, const Console& console) {
  const auto chain = open_chain(flags.where, console);
  std::uint64_t next = flags.from;
  while (!stop.stop_requested()) {
    const auto events = chain->events(next, kEventsAtOnce);
    for (const chain::LoggedEvent& event : events) {
      const json::value shown = json::parse(chain::to_json(event));
      console.result(line_of(event, shown.as_object()), shown);
      next = event.position + 1;
    }
    std::cout.flush();
    if (events.empty()) chain::sleep_unless_stopped(stop, kFollowPause);
  }
  return ExitCode::kFine;
}

ExitCode events(const ChainFlags& flags, const Console& console) {
  const auto chain = open_chain(flags.where, console);
  std::string text;
  json::array list;
  std::uint64_t next = flags.from;
  for (;;) {
    const std::uint64_t wanted =
        flags.limit == 0 ? kEventsAtOnce : std::min<std::uint64_t>(kEventsAtOnce, flags.limit - list.size());
    const auto events = chain->events(next, wanted);
    if (events.empty()) break;
    for (const chain::LoggedEvent& event : events) {
      json::value shown = json::parse(chain::to_json(event));
      text += line_of(event, shown.as_object()) + "\n";
      list.push_back(std::move(shown));
      next = event.position + 1;
    }
  }
  if (!text.empty()) text.pop_back();
  console.result(text.empty() ? "no events" : text, list);
  return ExitCode::kFine;
}

ExitCode advance(const ChainFlags& flags, const Console& console) {
  chain::EmbeddedChain chain = open_embedded("advance", flags.where);
  const chain::Head head = with_chain_errors([&] { return chain.advance(flags.seconds); });
  console.result("block " + std::to_string(head.block) + ", time " + std::to_string(head.time_s) + " (" +
                     time_text(head.time_s) + ")",
                 json::object{{"block", head.block}, {"time_s", head.time_s}});
  return ExitCode::kFine;
}

ExitCode accounts(const ChainFlags& flags, const Console& console) {
  chain::EmbeddedChain chain = open_embedded("accounts", flags.where);
  const proof::Address contract = chain.identity().contract;
  std::string text;
  json::array list;
  for (const chain::StoredAccount& stored : chain.accounts()) {
    const std::string address = proof::to_text(stored.address);
    text += address + "  " + money(stored.account.balance) + "  nonce " + std::to_string(stored.account.nonce) +
            (stored.address == contract ? "  (the settlement)" : "") + "\n";
    list.push_back(json::object{{"address", address},
                                {"balance", chain::to_text(stored.account.balance)},
                                {"nonce", stored.account.nonce},
                                {"settlement", stored.address == contract}});
  }
  if (!text.empty()) text.pop_back();
  console.result(text, list);
  return ExitCode::kFine;
}

json::object to_json(const chain::DeployedContract& contract) {
  json::object shown{{"name", contract.name}, {"address", proof::to_text(contract.address)}};
  if (contract.gas) {
    shown["gas"] = *contract.gas;
  } else {
    shown["was_there"] = true;
  }
  return shown;
}

std::string to_text(const chain::DeployedContract& contract) {
  return std::string(contract.name) + " at " + proof::to_text(contract.address) +
         (contract.gas ? ", for " + std::to_string(*contract.gas) + " gas" : " was there before");
}

/// What it says comes before the first transaction. A Failure where the money does not suffice for all that is missing.
std::string check_money(chain::EvmNode& node, chain::Sender& sender, const proof::Address& account) {
  const chain::DeploymentCost cost = chain::cost_of_deployment(node, sender);
  if (cost.contracts == 0) return "nothing is missing";
  const std::string what = std::to_string(cost.contracts) + " contracts are missing: about " +
                           std::to_string(cost.gas) + " gas at " + money(cost.price) + ", " + money(cost.cost) +
                           " in all";
  const proof::Wei has = node.balance(account);
  if (has < cost.needed) {
    throw Failure(ExitCode::kFoundInvalid, what + "; " + proof::to_text(account) + " has " + money(has) +
                                               ", and needs " + money(cost.needed) +
                                               " at the start, since fees may rise: nothing was sent; give it " +
                                               money({cost.needed.value - has.value}) + " more, and do this again");
  }
  return what + "; " + proof::to_text(account) + " has " + money(has);
}

ExitCode deploy(const ChainFlags& flags, Console& console) {
  if (!chain::is_evm_chain(flags.where))
    bad_input("--rpc " + flags.where + ": contracts are for EVM chains alone: http://… or https://…");
  const proof::PrivateKey key = load_key(flags.key, console);
  chain::RpcClient rpc = with_chain_errors([&] { return chain::rpc_client(flags.where, waiting_at(console)); });
  chain::EvmNode node(rpc);
  const chain::EvmSettings settings = with_chain_errors([] { return chain::evm_settings_of_environment(); });
  const std::uint64_t chain_id = with_chain_errors([&] { return node.chain_id(); });
  chain::Sender sender(node, chain_id, settings.cache, settings.sending);
  const auto say = [&](const std::string& line) {
    if (!console.json()) console.result(line, nullptr);
  };
  say(check_money(node, sender, key.address()));
  json::array contracts;
  const auto made = [&](const chain::DeployedContract& contract) {
    say(to_text(contract));
    contracts.push_back(to_json(contract));
  };
  chain::deploy_settlement(node, sender, key, made, waiting_at(console));
  const std::string contract = proof::to_text(chain::settlement_address());
  console.result("the settlement is at " + contract + " on chain " + std::to_string(chain_id) +
                     "; use it with --chain " + flags.where + ", or set TALLY_CHAIN",
                 json::object{{"chain_id", chain_id}, {"contract", contract}, {"contracts", std::move(contracts)}});
  return ExitCode::kFine;
}

ExitCode check(const ChainFlags& flags, const Console& console) {
  const std::filesystem::path file = file_of_embedded("check", flags.where);
  const auto report = with_chain_errors([&] { return chain::audit(file); });
  if (!report) {
    console.finding("NOT SOUND: " + file.string() + ": " + report.error(),
                    json::object{{"sound", false}, {"what", report.error()}});
    return ExitCode::kFoundInvalid;
  }
  console.result("sound: " + std::to_string(report->blocks) + " blocks, " + std::to_string(report->transactions) +
                     " transactions and " + std::to_string(report->events) + " events, all done again and compared",
                 json::object{{"sound", true},
                              {"blocks", report->blocks},
                              {"transactions", report->transactions},
                              {"events", report->events}});
  return ExitCode::kFine;
}

using Action = ExitCode (*)(const ChainFlags&, const Console&);

void add_on_chain(CLI::App& chain, Session& session, const std::string& name, const std::string& help, Action action) {
  const auto flags = std::make_shared<ChainFlags>();
  CLI::App* command = chain.add_subcommand(name, help);
  add_chain_option(*command, flags->where);
  run_with(*command, session, flags, action);
}

void add_init(CLI::App& chain, Session& session) {
  const auto flags = std::make_shared<ChainFlags>();
  CLI::App* command = chain.add_subcommand("init", "Make an embedded chain in a file");
  command->add_option("file", flags->file, "The file to make")->required();
  command->add_flag("--driven-clock", flags->driven_clock, "Time stands still until `tally chain advance` moves it");
  command->add_option("--fund", flags->funds,
                      "An account to begin with, ADDRESS=AMOUNT (5, 20gwei, 1.5ether); repeatable");
  command->add_option("--chain-id", flags->chain_id, "What signatures are bound to")->capture_default_str();
  command->add_option("--time", flags->time_s, "Time of the first block, in seconds since 1970 (default: now)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--base-fee", flags->base_fee, "Price of a unit of gas, for the pay of those who answer requests")
      ->capture_default_str();
  run_with(*command, session, flags, init);
}

void add_events(CLI::App& chain, Session& session) {
  const auto flags = std::make_shared<ChainFlags>();
  CLI::App* command = chain.add_subcommand("events", "What happened, in order");
  add_chain_option(*command, flags->where);
  command->add_option("--from", flags->from, "The first position to print")->capture_default_str();
  CLI::Option* limit = command->add_option("--limit", flags->limit, "At most so many events (0: all)");
  command->add_flag("--follow", flags->follow, "Go on, and print each event as it happens")->excludes(limit);
  run_with(*command, session, flags, [&session](const ChainFlags& given, const Console& console) {
    return given.follow ? follow(given, session.stop, console) : events(given, console);
  });
}

void add_advance(CLI::App& chain, Session& session) {
  const auto flags = std::make_shared<ChainFlags>();
  CLI::App* command = chain.add_subcommand("advance", "Move a driven clock on, with an empty block");
  command->add_option("seconds", flags->seconds, "By how much")->required();
  add_chain_option(*command, flags->where);
  run_with(*command, session, flags, advance);
}

void add_deploy(CLI::App& chain, Session& session) {
  const auto flags = std::make_shared<ChainFlags>();
  CLI::App* command = chain.add_subcommand(
      "deploy", "Say what it costs to put the settlement's contracts on an EVM chain, and do it, once for all");
  command->add_option("--rpc,--chain", flags->where, "The chain's node: http://… or https://…")
      ->envname("TALLY_CHAIN")
      ->required();
  add_key_options(*command, flags->key);
  run_with(*command, session, flags, deploy);
}

}  // namespace

void add_chain(CLI::App& app, Session& session) {
  CLI::App* chain = app.add_subcommand("chain", "Make a chain or its contracts, look at it, and move its clock");
  chain->require_subcommand(1);
  add_init(*chain, session);
  add_deploy(*chain, session);
  add_on_chain(*chain, session, "status", "Identity, head, clock and what the settlement holds", status);
  add_events(*chain, session);
  add_advance(*chain, session);
  add_on_chain(*chain, session, "accounts", "Balances and nonces", accounts);
  add_on_chain(*chain, session, "check", "Do everything since the first block again, and compare", check);
}

}  // namespace tally::cli
