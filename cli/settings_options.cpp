#include "cli/settings_options.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "chain_adapter/chain/wei_text.h"
#include "cli/exit_code.h"
#include "cli/signing_keys.h"

namespace tally::cli {

namespace {

using proof::TaskSettings;

/// Proposers and availability while they are gathered: which mode they make is decided at the end.
struct Draft {
  TaskSettings settings;
  std::vector<proof::Address> proposers;
  std::uint64_t slot_s = 600;
  std::uint64_t grace_s = 60;
  std::vector<proof::Address> keepers;
  std::uint64_t threshold = 0;
  proof::LeafRequests requests;
};

struct Setting {
  std::string name;  // in files; a flag has hyphens instead, and no unit
  std::string help;
  std::function<void(Draft&, const std::string& text)> read;
  std::function<std::string(const Draft&)> write;

  [[nodiscard]] std::string flag() const {
    std::string text = "--" + (name.ends_with("_s") ? name.substr(0, name.size() - 2) : name);
    std::ranges::replace(text, '_', '-');
    return text;
  }
};

std::uint64_t parse_count(const std::string& name, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) bad_input(name + " " + text + ": not a whole number");
  return value;
}

proof::Wei parse_money(const std::string& name, const std::string& text) {
  const auto amount = chain::parse_wei(text);
  if (!amount) bad_input(name + " " + text + ": " + amount.error());
  return *amount;
}

std::vector<proof::Address> parse_addresses(const std::string& name, const std::string& text) {
  std::vector<proof::Address> addresses;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    addresses.push_back(parse_address_argument(name, text.substr(at, end - at)));
    at = end + 1;
  }
  std::ranges::sort(addresses);
  return addresses;
}

std::string join(const std::vector<proof::Address>& addresses) {
  std::string text;
  for (const proof::Address& address : addresses) text += (text.empty() ? "" : ",") + to_text(address);
  return text;
}

/// A number that the settings keep in `Part`.
template <class Part>
Setting number(const std::string& name, const std::string& help, Part TaskSettings::* member) {
  return {.name = name,
          .help = help,
          .read =
              [name, member](Draft& draft, const std::string& text) {
                const std::uint64_t value = parse_count(name, text);
                if (value > std::numeric_limits<Part>::max()) bad_input(name + " " + text + ": too large");
                draft.settings.*member = static_cast<Part>(value);
              },
          .write = [member](const Draft& draft) { return std::to_string(draft.settings.*member); }};
}

Setting duration(const std::string& name, const std::string& help, std::uint64_t TaskSettings::* member) {
  return {.name = name,
          .help = help,
          .read = [name, member](Draft& draft,
                                 const std::string& text) { draft.settings.*member = parse_duration(name, text); },
          .write = [member](const Draft& draft) { return std::to_string(draft.settings.*member); }};
}

Setting money(const std::string& name, const std::string& help, proof::Wei TaskSettings::* member) {
  return {.name = name,
          .help = help,
          .read = [name, member](Draft& draft,
                                 const std::string& text) { draft.settings.*member = parse_money(name, text); },
          .write = [member](const Draft& draft) { return chain::to_text_with_unit(draft.settings.*member); }};
}

void add_proposers(std::vector<Setting>& all) {
  all.push_back(
      {.name = "proposers",
       .help = "Addresses that may post, by commas, in turns; without them anyone may",
       .read = [](Draft& draft, const std::string& text) { draft.proposers = parse_addresses("proposers", text); },
       .write = [](const Draft& draft) { return join(draft.proposers); }});
  all.push_back({.name = "slot_s",
                 .help = "Length of a proposer's turn",
                 .read = [](Draft& draft, const std::string& text) { draft.slot_s = parse_duration("slot_s", text); },
                 .write = [](const Draft& draft) { return std::to_string(draft.slot_s); }});
  all.push_back({.name = "grace_s",
                 .help = "How far into a turn other proposers may post too",
                 .read = [](Draft& draft, const std::string& text) { draft.grace_s = parse_duration("grace_s", text); },
                 .write = [](const Draft& draft) { return std::to_string(draft.grace_s); }});
}

void add_availability(std::vector<Setting>& all) {
  all.push_back(
      {.name = "keepers",
       .help = "Addresses of keepers, by commas, whose signatures posts must carry; instead of requests",
       .read = [](Draft& draft, const std::string& text) { draft.keepers = parse_addresses("keepers", text); },
       .write = [](const Draft& draft) { return join(draft.keepers); }});
  all.push_back(
      {.name = "threshold",
       .help = "How many keepers must sign",
       .read = [](Draft& draft, const std::string& text) { draft.threshold = parse_count("threshold", text); },
       .write = [](const Draft& draft) { return std::to_string(draft.threshold); }});
  all.push_back(
      {.name = "max_requests",
       .help = "Most input leaves of a batch whose leaves anyone may demand",
       .read = [](Draft& draft,
                  const std::string& text) { draft.requests.max_requests = parse_count("max_requests", text); },
       .write = [](const Draft& draft) { return std::to_string(draft.requests.max_requests); }});
  all.push_back(
      {.name = "request_bond",
       .help = "Bond of such a demand",
       .read = [](Draft& draft,
                  const std::string& text) { draft.requests.request_bond = parse_money("request_bond", text); },
       .write = [](const Draft& draft) { return chain::to_text_with_unit(draft.requests.request_bond); }});
}

std::vector<Setting> make_settings() {
  std::vector<Setting> all = {
      number("leaf_bytes", "Bytes of a Merkle leaf: a power of two from 64 to 4096", &TaskSettings::leaf_bytes),
      number("arity", "Segments of a bisection, 2 to 64", &TaskSettings::arity),
      duration("challenge_period_s", "How long a batch may be challenged", &TaskSettings::challenge_period_s),
      duration("request_period_s", "How long its leaves may be requested", &TaskSettings::request_period_s),
      duration("window_s", "Time to answer a request", &TaskSettings::window_s),
      duration("game_clock_s", "Each side's clock for a whole game", &TaskSettings::game_clock_s),
      duration("move_time_s", "Time that one move takes", &TaskSettings::move_time_s),
      duration("censorship_budget_s", "How long transactions may be kept off the chain",
               &TaskSettings::censorship_budget_s),
      money("sequencer_bond", "Bond of a post, 10 challenger's bonds or more", &TaskSettings::sequencer_bond),
      money("challenger_bond", "Bond of a game", &TaskSettings::challenger_bond),
      number("burn_bps", "Share of a lost bond that is burned, in 1/10000: 5000 to 10000", &TaskSettings::burn_bps),
      money("payout_unit", "Worth of one unit of a payable entry", &TaskSettings::payout_unit),
      number("min_records", "Fewest records of a batch", &TaskSettings::min_records),
      money("min_stake", "Smallest stake of a member", &TaskSettings::min_stake),
      duration("exit_delay_s", "From a member's exit to its stake", &TaskSettings::exit_delay_s),
  };
  add_proposers(all);
  add_availability(all);
  all.push_back(number("max_work", "Most instructions of a batch", &TaskSettings::max_work));
  all.push_back(money("max_payout_per_batch", "Most that one batch pays out", &TaskSettings::max_payout_per_batch));
  return all;
}

const std::vector<Setting>& all_settings() {
  static const std::vector<Setting> kAll = make_settings();
  return kAll;
}

const Setting& find_setting(const std::string& name, const std::string& where) {
  const auto found = std::ranges::find(all_settings(), name, &Setting::name);
  if (found == all_settings().end()) bad_input(where + ": there is no setting " + name);
  return *found;
}

/// A value of the file as the text that a flag would have.
std::string text_of(const toml::node& node, const std::string& where) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto number = node.value_exact<std::int64_t>()) return std::to_string(*number);
  if (const toml::array* const list = node.as_array()) {
    std::string joined;
    for (const toml::node& element : *list) joined += (joined.empty() ? "" : ",") + text_of(element, where);
    return joined;
  }
  bad_input(where + ": expected a string, a whole number, or a list of strings");
}

void read_file(const std::string& file, Draft& draft) {
  if (!std::filesystem::exists(file)) bad_input(file + ": no such file");
  toml::table table;
  try {
    table = toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    const toml::source_position& place = error.source().begin;
    bad_input(file + ":" + std::to_string(place.line) + ": " + std::string(error.description()));
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    find_setting(name, file).read(draft, text_of(node, file + ": " + name));
  }
}

Draft draft_of(const TaskSettings& settings) {
  Draft draft{.settings = settings, .proposers = {}, .keepers = {}, .requests = {}};
  if (const auto* rotation = std::get_if<proof::ProposerRotation>(&settings.proposer_rule)) {
    draft.proposers = rotation->proposers;
    draft.slot_s = rotation->slot_s;
    draft.grace_s = rotation->grace_s;
  }
  if (const auto* quorum = std::get_if<proof::KeeperQuorum>(&settings.availability)) {
    draft.keepers = quorum->keepers;
    draft.threshold = quorum->threshold;
  } else {
    draft.requests = std::get<proof::LeafRequests>(settings.availability);
  }
  return draft;
}

}  // namespace

std::uint64_t parse_duration(const std::string& name, const std::string& text) {
  constexpr std::array<std::pair<char, std::uint64_t>, 4> kUnits = {{{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}}};
  std::string digits = text;
  std::uint64_t unit = 1;
  for (const auto& [letter, seconds] : kUnits) {
    if (text.empty() || text.back() != letter) continue;
    digits.pop_back();
    unit = seconds;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || value > (std::uint64_t{1} << 40)) {
    bad_input(name + " " + text + ": not a time; give seconds, or 10m, 12h, 7d");
  }
  return value * unit;
}

void add_settings_options(CLI::App& command, SettingsFlags& flags) {
  command.add_option("--settings", flags.file, "TOML file of settings, NAME = VALUE");
  for (const Setting& setting : all_settings()) {
    command
        .add_option_function<std::string>(
            setting.flag(), [&flags, name = setting.name](const std::string& text) { flags.values[name] = text; },
            setting.help)
        ->group("Settings");
  }
}

TaskSettings read_settings(const SettingsFlags& flags) {
  Draft draft = draft_of({});
  if (!flags.file.empty()) read_file(flags.file, draft);
  for (const auto& [name, text] : flags.values) find_setting(name, "settings").read(draft, text);
  TaskSettings settings = draft.settings;
  if (!draft.proposers.empty()) {
    settings.proposer_rule = proof::ProposerRotation{
        .slot_s = draft.slot_s, .grace_s = draft.grace_s, .proposers = std::move(draft.proposers)};
  }
  settings.availability = draft.requests;
  if (!draft.keepers.empty()) {
    if (draft.threshold > draft.keepers.size()) bad_input("threshold: more than there are keepers");
    settings.availability = proof::KeeperQuorum{.threshold = static_cast<std::uint16_t>(draft.threshold),
                                                .keepers = std::move(draft.keepers)};
  }
  if (auto checked = proof::check_settings(settings); !checked) bad_input(checked.error().message);
  return settings;
}

std::vector<std::pair<std::string, std::string>> list_settings(const TaskSettings& settings) {
  const Draft draft = draft_of(settings);
  const bool turns = !draft.proposers.empty();
  const bool quorum = !draft.keepers.empty();
  std::vector<std::pair<std::string, std::string>> list;
  for (const Setting& setting : all_settings()) {
    const auto& name = setting.name;
    if (!turns && (name == "proposers" || name == "slot_s" || name == "grace_s")) continue;
    if (!quorum && (name == "keepers" || name == "threshold")) continue;
    if (quorum && (name == "max_requests" || name == "request_bond")) continue;
    list.emplace_back(name, setting.write(draft));
  }
  return list;
}

}  // namespace tally::cli
