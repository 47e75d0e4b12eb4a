#include "chain_adapter/evm/deployment.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

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
constexpr std::uint64_t kTransferGas = 21'000;
constexpr std::chrono::minutes kPatience(10);

// github.com/Arachnid/deterministic-deployment-proxy: one transaction without a chain id, whose signature was made up,
// so that nobody has its sender's key and the proxy has the same address on every chain.
constexpr std::string_view kProxy = "0x4e59b44847b379578588920ca78fbf26c0b4956c";
constexpr std::string_view kProxyName = "DeploymentProxy";
constexpr std::string_view kProxyMaker = "0x3fab184622dc19b6109349b94811493bf2a45362";
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

/// What it costs to make a contract through the proxy: not asked of the node, since parts have to be there for the
/// settlement. A little too much: the code that makes a contract is longer than the one that stays.
std::uint64_t gas_to_make(math::Bytes creation) {
  constexpr std::uint64_t kCreateGas = 32'000;
  constexpr std::uint64_t kByteGas = 16;  // of a transaction (EIP-2028)
  constexpr std::uint64_t kZeroGas = 4;
  constexpr std::uint64_t kStayGas = 200;                // a byte of code
  constexpr std::uint64_t kWordGas = 2 + 6 + 3 * 2 * 2;  // EIP-3860, the hash, and two copies in memory
  const auto zeros = static_cast<std::uint64_t>(std::ranges::count(creation, 0));
  const std::uint64_t words = (creation.size() + 31) / 32;
  return kTransferGas + kCreateGas + kZeroGas * (kSalt.size() + zeros) + kByteGas * (creation.size() - zeros) +
         kStayGas * creation.size() + kWordGas * words + 2 * words * words / 512;
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
EvmReceipt patiently(const TransactionId& id, const Waiting& waiting,
                     const std::function<std::optional<EvmReceipt>()>& ask) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (Wait wait(waiting, "the transaction " + to_hex(id)); std::chrono::steady_clock::now() < end; wait.pause()) {
    if (auto receipt = ask()) return *std::move(receipt);
    if (wait.is_stopped()) {
      throw Interrupted("interrupted: the transaction " + to_hex(id) +
                        " was sent, and may still get into a block; the same command again goes on from there");
    }
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

/// What the proxy's maker lacks.
proof::Wei money_for_proxy(EvmNode& node) {
  const proof::Wei has = node.balance(address(kProxyMaker));
  return {kProxyCost.value - std::min(has, kProxyCost).value};
}

DeployedContract make_proxy(EvmNode& node, Sender& sender, const proof::PrivateKey& key, const Waiting& waiting) {
  if (const proof::Wei lacks = money_for_proxy(node); lacks != proof::Wei{}) {
    const auto money = send(sender, {.key = key, .to = address(kProxyMaker), .value = lacks, .data = {}});
    must_be_taken(wait_for_receipt(sender, money, waiting), "the money of the deployment proxy");
  }
  std::vector<std::uint8_t> transaction(kProxyTransaction.size() / 2 - 1);
  TALLY_ASSERT(math::from_hex(kProxyTransaction, transaction));
  const TransactionId made{{proof::keccak256(transaction).bytes}};
  try {
    static_cast<void>(node.send(transaction));
  } catch (const RpcError& error) {
    // It may be on its way since an earlier run, or somebody else's.
    if (!node.transaction(made)) {
      throw std::runtime_error(std::string("the chain has no deterministic deployment proxy at ") +
                               std::string(kProxy) +
                               ", and does not take the transaction that makes it: " + error.what());
    }
  }
  const EvmReceipt receipt = patiently(made, waiting, [&] { return node.receipt(made); });
  must_be_taken(receipt, "the deployment proxy");
  return {.name = kProxyName, .address = address(kProxy), .gas = receipt.gas};
}

/// What an account must own so that each of its transactions is sent, and what they cost.
class Purse {
 public:
  explicit Purse(const GasPrices& prices) : x_prices(prices) {}
  void transfer(const proof::Wei& value) { pay(kTransferGas, kTransferGas, value.value); }
  /// A call within the transaction, from which a 64th is kept back (EIP-150): so much more is asked for.
  void make(std::uint64_t gas) { pay(gas, gas + gas / 63 + 1, 0); }
  [[nodiscard]] DeploymentCost sum(std::size_t contracts) const {
    return {.contracts = contracts,
            .gas = x_gas,
            .price = x_prices.now,
            .cost = in_gwei(x_spent),
            .needed = in_gwei(x_needed)};
  }

 private:
  void pay(std::uint64_t gas, std::uint64_t estimate, math::u128 value) {
    x_needed = std::max(x_needed, x_spent + value + gas_limit(estimate) * x_prices.least.value);
    x_spent += value + gas * x_prices.now.value;
    x_gas += gas;
  }
  /// Rounded up, to be read.
  static proof::Wei in_gwei(math::u128 wei) { return {(wei + kGwei - 1) / kGwei * kGwei}; }
  static constexpr std::uint64_t kGwei = 1'000'000'000;

  GasPrices x_prices;
  math::u128 x_spent = 0;
  math::u128 x_needed = 0;
  std::uint64_t x_gas = 0;
};

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

DeploymentCost cost_of_deployment(EvmNode& node, Sender& sender) {
  std::vector<const PlannedContract*> missing;
  for (const PlannedContract& contract : planned_contracts()) {
    if (node.code(contract.address).empty()) missing.push_back(&contract);
  }
  const bool lacks_proxy = node.code(address(kProxy)).empty();
  if (missing.empty() && !lacks_proxy) return {};
  Purse purse(sender.prices());
  if (lacks_proxy) purse.transfer(money_for_proxy(node));
  for (const PlannedContract* const contract : missing) purse.make(gas_to_make(contract->creation));
  return purse.sum(missing.size() + (lacks_proxy ? 1 : 0));
}

void deploy_settlement(EvmNode& node, Sender& sender, const proof::PrivateKey& key,
                       const std::function<void(const DeployedContract&)>& tell, const Waiting& waiting) {
  const auto made = [&](const DeployedContract& contract) {
    if (tell) tell(contract);
  };
  if (node.code(address(kProxy)).empty()) made(make_proxy(node, sender, key, waiting));
  for (const PlannedContract& contract : planned_contracts()) {
    if (!node.code(contract.address).empty()) {
      made({.name = contract.name, .address = contract.address});
      continue;
    }
    const EvmReceipt receipt = wait_for_receipt(
        sender, send(sender, {.key = key, .to = address(kProxy), .value = {}, .data = behind_salt(contract.creation)}),
        waiting);
    // Somebody else may have been faster.
    if (node.code(contract.address).empty())
      throw std::runtime_error("the chain did not take " + std::string(contract.name) + " at " +
                               proof::to_text(contract.address));
    made({.name = contract.name, .address = contract.address, .gas = receipt.gas});
  }
  check_settlement(node);
}

EvmReceipt wait_for_receipt(Sender& sender, const TransactionId& id, const Waiting& waiting) {
  return patiently(id, waiting, [&]() -> std::optional<EvmReceipt> {
    const Whereabouts found = sender.follow(id);
    if (found.kind == Whereabouts::Kind::kNonceUsed)
      throw std::runtime_error("another transaction of this key was faster than " + to_hex(id) + "; do this again");
    if (found.kind != Whereabouts::Kind::kInBlock) return std::nullopt;
    return found.receipt;
  });
}

}  // namespace tally::chain
