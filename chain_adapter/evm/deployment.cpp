#include "chain_adapter/evm/deployment.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/evm/abi.h"
#include "chain_adapter/evm/contract_code.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/signing/keccak.h"

namespace tally::chain {

namespace {

constexpr std::array<std::string_view, 8> kParts = {"TaskPart",  "MemberPart",  "TreePart",   "GamePart",
                                                    "CheckPart", "RequestPart", "PayoutPart", "MovePart"};
constexpr std::string_view kSettlement = "Settlement";
constexpr std::array<std::uint8_t, 32> kSalt{};
constexpr std::chrono::milliseconds kPoll(200);
constexpr std::chrono::minutes kPatience(10);

// github.com/Arachnid/deterministic-deployment-proxy: one transaction without a chain id, whose signature was made up,
// so that nobody has its sender's key and the proxy has the same address on every chain.
constexpr std::string_view kProxy = "0x4e59b44847b379578588920ca78fbf26c0b4956c";
constexpr std::string_view kProxyMaker = "0x3fab184622dc19b6109349b94811493bf45362c3";
constexpr proof::Wei kProxyCost{10'000'000'000'000'000};  // 100,000 gas at 100 gwei
constexpr std::string_view kProxyTransaction =
    "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffff"
    "ff"
    "ffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba0222222222222222222222222"
    "22"
    "22222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222";

proof::Address address(std::string_view text) {
  proof::Address value;
  TALLY_ASSERT(math::from_hex(text, value.bytes));
  return value;
}

std::vector<std::uint8_t> behind_salt(math::Bytes creation) {
  math::ByteWriter data;
  data.raw(kSalt);
  data.raw(creation);
  return data.take();
}

/// EIP-1014: 0xff ‖ who makes it ‖ salt ‖ keccak256(creation).
proof::Address made_by_proxy(math::Bytes creation) {
  std::array<std::uint8_t, 1 + 20 + 32 + 32> preimage{0xff};
  const std::span<std::uint8_t> behind = std::span(preimage).subspan(1);
  std::ranges::copy(address(kProxy).bytes, behind.begin());
  std::ranges::copy(kSalt, behind.begin() + 20);
  std::ranges::copy(proof::keccak256(creation).bytes, behind.begin() + 52);
  const proof::KeccakDigest digest = proof::keccak256(preimage);
  proof::Address made;
  std::copy_n(digest.bytes.begin() + 12, made.bytes.size(), made.bytes.begin());
  return made;
}

std::vector<PlannedContract> plan() {
  std::vector<PlannedContract> contracts;
  const auto add = [&](std::string_view name, std::vector<std::uint8_t> creation) {
    contracts.push_back({.name = name, .address = made_by_proxy(creation), .creation = std::move(creation)});
  };
  std::vector<proof::Address> parts;
  for (const std::string_view part : kParts) {
    add(part, creation_code(part));
    parts.push_back(contracts.back().address);
  }
  add(kSettlement, settlement_creation(parts));
  return contracts;
}

/// Asks until there is an answer.
EvmReceipt patiently(const TransactionId& id, const std::function<std::optional<EvmReceipt>()>& ask) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    if (auto receipt = ask()) return *std::move(receipt);
    std::this_thread::sleep_for(kPoll);
  }
  throw std::runtime_error("the transaction " + to_hex(id) + " is in no block after ten minutes; do this again later");
}

void must_be_taken(const EvmReceipt& receipt, const std::string& what) {
  if (!receipt.taken) throw std::runtime_error("the chain did not take " + what);
}

TransactionId send(Sender& sender, const Outgoing& outgoing) {
  const auto sent = sender.send(outgoing);
  if (!sent) throw std::runtime_error(std::string(to_string(sent.error().reason)) + ": " + sent.error().message);
  return *sent;
}

void make_proxy(EvmNode& node, Sender& sender, const proof::PrivateKey& key) {
  const proof::Address maker = address(kProxyMaker);
  const proof::Wei has = node.balance(maker);
  if (has < kProxyCost) {
    const auto money = send(sender, {.key = key, .to = maker, .value = {kProxyCost.value - has.value}, .data = {}});
    must_be_taken(wait_for_receipt(sender, money), "the money of the deployment proxy");
  }
  std::vector<std::uint8_t> transaction(kProxyTransaction.size() / 2 - 1);
  TALLY_ASSERT(math::from_hex(kProxyTransaction, transaction));
  try {
    const TransactionId made = node.send(transaction);
    must_be_taken(patiently(made, [&] { return node.receipt(made); }), "the deployment proxy");
  } catch (const RpcError& error) {
    throw std::runtime_error(std::string("the chain has no deterministic deployment proxy at ") + std::string(kProxy) +
                             ", and does not take the transaction that makes it: " + error.what());
  }
}

}  // namespace

std::span<const std::string_view> settlement_parts() { return kParts; }

std::vector<std::uint8_t> settlement_creation(std::span<const proof::Address> parts) {
  AbiWriter arguments;
  for (const proof::Address& part : parts) arguments.address(part);
  std::vector<std::uint8_t> creation = creation_code(kSettlement);
  const std::vector<std::uint8_t> places = arguments.take();
  creation.insert(creation.end(), places.begin(), places.end());
  return creation;
}

const std::vector<PlannedContract>& planned_contracts() {
  static const std::vector<PlannedContract> kPlanned = plan();
  return kPlanned;
}

proof::Address settlement_address() { return planned_contracts().back().address; }

void check_settlement(EvmNode& node) {
  const std::string place = proof::to_text(settlement_address()) + " on chain " + std::to_string(node.chain_id());
  const std::vector<std::uint8_t> code = node.code(settlement_address());
  if (code.empty()) {
    throw std::invalid_argument(
        "there is no settlement at " + place +
        ": put it there, once for all, by `tally chain deploy --rpc URL --key FILE`; or the node "
        "is of another chain, or of another version of this program");
  }
  std::vector<proof::Address> addresses;
  for (const PlannedContract& contract : planned_contracts()) addresses.push_back(contract.address);
  if (!is_code_of(kSettlement, code, addresses))
    throw std::invalid_argument("the code at " + place +
                                " is not that of the settlement: the node is not to be trusted");
}

void deploy_settlement(EvmNode& node, Sender& sender, const proof::PrivateKey& key,
                       const std::function<void(const std::string&)>& tell) {
  if (node.code(address(kProxy)).empty()) {
    make_proxy(node, sender, key);
    tell("the deployment proxy is at " + std::string(kProxy));
  }
  for (const PlannedContract& contract : planned_contracts()) {
    const std::string place = std::string(contract.name) + " at " + proof::to_text(contract.address);
    if (!node.code(contract.address).empty()) {
      tell(place + " was there before");
      continue;
    }
    const EvmReceipt receipt = wait_for_receipt(
        sender, send(sender, {.key = key, .to = address(kProxy), .value = {}, .data = behind_salt(contract.creation)}));
    // Somebody else may have been faster.
    if (node.code(contract.address).empty()) throw std::runtime_error("the chain did not take " + place);
    tell(place + ", for " + std::to_string(receipt.gas) + " gas");
  }
  check_settlement(node);
}

EvmReceipt wait_for_receipt(Sender& sender, const TransactionId& id) {
  return patiently(id, [&]() -> std::optional<EvmReceipt> {
    Whereabouts found = sender.follow(id);
    if (found.kind == Whereabouts::Kind::kNonceUsed)
      throw std::runtime_error("another transaction of this key was faster than " + to_hex(id) + "; do this again");
    if (found.kind != Whereabouts::Kind::kInBlock) return std::nullopt;
    return std::move(found.receipt);
  });
}

}  // namespace tally::chain
