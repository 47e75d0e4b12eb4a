#include "tests/support/anvil.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "deterministic_math/numbers/digest.h"

namespace tally::test {

std::filesystem::path anvil_program() {
  const char* const chosen = std::getenv("TALLY_ANVIL");  // NOLINT(concurrency-mt-unsafe): before any thread
  const std::filesystem::path program =
      chosen != nullptr ? std::filesystem::path(chosen)
                        : std::filesystem::path(TALLY_SOURCE_DIR) /
                              "chain_adapter/evm/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
  if (!std::filesystem::exists(program))
    throw std::runtime_error(program.string() + " is missing: run npm ci in chain_adapter/evm, as ./dev test does");
  return program;
}

namespace {

namespace json = boost::json;

constexpr std::string_view kListening = "Listening on ";

std::vector<std::string> command(History history, const std::filesystem::path& states) {
  std::vector<std::string> words = {anvil_program().string(),
                                    "--port",
                                    "0",
                                    "--hardfork",
                                    "prague",
                                    "--accounts",
                                    "2",
                                    "--gas-limit",
                                    "1000000000000",
                                    "--no-request-size-limit",
                                    "--cache-path",
                                    states.string()};
  if (history == History::kLatest) words.insert(words.end(), {"--prune-history", "100"});
  return words;
}

std::string wait_for_url(const Process& process) {
  std::string said;
  const auto listens = [&] {
    said = process.output();
    const std::size_t place = said.find(kListening);
    return place != std::string::npos && said.find('\n', place) != std::string::npos;
  };
  if (!process.waits_until(listens)) throw std::runtime_error("anvil does not start: " + said);
  const std::size_t place = said.find(kListening) + kListening.size();
  return "http://" + said.substr(place, said.find('\n', place) - place);
}

}  // namespace

Anvil::Anvil(History history)
    : x_process(command(history, x_states.path()), {.ends_with = EndsWith::kStarter}),
      x_url(wait_for_url(x_process)),
      x_rpc(chain::http_endpoints(x_url, {.timeout = std::chrono::minutes(2)}), {.rounds = 1},
            [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }) {}

json::value Anvil::receipt(const json::value& transaction) {
  json::value receipt;
  const auto is_mined = [&] {
    receipt = x_rpc.call("eth_getTransactionReceipt", {transaction});
    return !receipt.is_null();
  };
  if (!x_process.waits_until(is_mined)) throw std::runtime_error("a transaction is not mined");
  return receipt;
}

json::value Anvil::snapshot() { return x_rpc.call("evm_snapshot", {}); }

void Anvil::go_back_to(const json::value& snapshot) {
  // A transaction leaves the pool a moment after its block is made, and would take the next one of its nonce with it.
  const auto is_settled = [&] { return x_rpc.call("txpool_status", {}).at("pending").as_string() == "0x0"; };
  if (!x_process.waits_until(is_settled)) throw std::runtime_error("transactions stay in the pool");
  static_cast<void>(x_rpc.call("evm_revert", {snapshot}));
}

proof::Address Anvil::deploy(math::Bytes bytecode) {
  const json::value accounts = x_rpc.call("eth_accounts", {});
  const json::value made = receipt(
      x_rpc.call("eth_sendTransaction", {json::object{{"from", accounts.at(0)}, {"data", math::to_hex(bytecode)}}}));
  const std::vector<std::uint8_t> place = bytes_of(made.at("contractAddress"));
  proof::Address address;
  if (made.at("status").as_string() != "0x1" || place.size() != address.bytes.size())
    throw std::runtime_error("the contract was not made");
  std::ranges::copy(place, address.bytes.begin());
  return address;
}

std::vector<std::uint8_t> test_contract(std::string_view name) {
  const std::filesystem::path file =
      std::filesystem::path(TALLY_SOURCE_DIR) / "tests/chain_adapter/evm/artifacts" / (std::string(name) + ".json");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file.string() + " is missing");
  std::ostringstream text;
  text << in.rdbuf();
  return bytes_of(json::parse(text.str()).at("bytecode"));
}

}  // namespace tally::test
