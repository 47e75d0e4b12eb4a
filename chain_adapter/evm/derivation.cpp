#include "chain_adapter/evm/derivation.h"

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "fraud_proof/settlement/broken_state.h"

namespace tally::chain {

namespace {

using proof::Digest;
using proof::Effects;

[[noreturn]] void disagree(const SettlementCall& call, const std::string& name, const std::string& what) {
  throw ChainDisagrees("the chain and this program disagree on transaction " + to_hex(call.transaction) + " in block " +
                       std::to_string(call.block) + " (" + name + "): " + what +
                       "; nothing is done until they agree: use a node that is right, or a program of the contracts' "
                       "version");
}

/// How far back the settlement may ask for a block's hash.
constexpr std::uint64_t kHashesBack = 256;

/// The task that a transaction is about.
std::optional<proof::TaskId> subject(const proof::Transaction& transaction) {
  return std::visit(
      [](const auto& each) -> std::optional<proof::TaskId> {
        if constexpr (requires { each.header.task; }) {
          return each.header.task;
        } else if constexpr (requires { each.game.task; }) {
          return each.game.task;
        } else if constexpr (requires { each.task; }) {
          return each.task;
        } else {
          return std::nullopt;
        }
      },
      transaction);
}

constexpr std::size_t kIdBytes = 32;
constexpr std::size_t kBeforeTaskInGame = 4 + kIdBytes;  // the size of the state, and the game's id
constexpr std::size_t kBeforeTaskInHeader = 32;          // the version
constexpr std::uint8_t kMoveWithoutHeader = 0;           // docs/spec.md, 13.1

/// How many bytes stand between a transaction's kind and its task.
template <class Each>
std::optional<std::size_t> before_task() {
  if constexpr (std::is_same_v<Each, proof::MakeMove>) {
    return proof::kHeaderBytes + kBeforeTaskInGame;
  } else if constexpr (requires(Each each) { each.game.task; }) {
    return kBeforeTaskInGame;
  } else if constexpr (requires(Each each) { each.header.task; }) {
    return kBeforeTaskInHeader;
  } else if constexpr (requires(Each each) { each.task; }) {
    return 0;
  } else {
    return std::nullopt;
  }
}

template <std::size_t... I>
std::optional<std::size_t> before_task(std::uint8_t kind, std::index_sequence<I...> /*kinds, less 1*/) {
  if (kind == kMoveWithoutHeader) return kBeforeTaskInGame;
  std::optional<std::size_t> found;
  (void)((I + 1 == kind && (found = before_task<std::variant_alternative_t<I, proof::Transaction>>(), true)) || ...);
  return found;
}

/// The same of bytes that the contract took and that do not decode, as may be in tasks that are left out alone. The
/// contract compared these very bytes with a hash or found something by them, so they name no other task than theirs.
std::optional<proof::TaskId> subject_of_bytes(math::Bytes call) {
  math::ByteReader reader(call);
  const auto before = before_task(reader.u8(), std::make_index_sequence<std::variant_size_v<proof::Transaction>>());
  if (!before) return std::nullopt;
  static_cast<void>(reader.raw(*before));
  const math::Bytes task = reader.raw(kIdBytes);
  if (!reader.ok()) return std::nullopt;
  proof::TaskId id;
  std::ranges::copy(task, id.digest.bytes.begin());
  return id;
}

/// A task that the contract took and the machine does not.
void leave_out(LeftOut& left_out, const SettlementCall& call, const std::string& name,
               const proof::ChainRefusal& refusal) {
  const auto event =
      call.events.size() == 1 ? proof::decode_event(call.events.front()) : proof::OrRefused<proof::Event>();
  const auto* const created = event ? std::get_if<proof::TaskCreated>(&*event) : nullptr;
  if (created == nullptr || created->task == proof::TaskId{})
    disagree(call, name, "the program refuses it: " + refusal.message);
  left_out.add(created->task);
}

/// A withdrawal of more than was derived; nothing where it is another one.
std::optional<Effects> larger_withdrawal(const proof::StateReader& state, const SettlementCall& call,
                                         proof::OrRefused<Effects>& derived) {
  if (call.events.size() != 1) return std::nullopt;
  auto event = proof::decode_event(call.events.front());
  const auto* const withdrawn = event ? std::get_if<proof::Withdrawn>(&*event) : nullptr;
  const bool is_larger = withdrawn != nullptr && withdrawn->by == call.sender && call.value == proof::Wei{} &&
                         withdrawn->amount > proof::read_credit(state, call.sender);
  if (!is_larger) return std::nullopt;
  Effects effects = derived ? *std::move(derived) : Effects{};
  effects.events = {*std::move(event)};
  return effects;
}

std::string what_differs(const Effects& effects, const SettlementCall& call) {
  if (effects.events.size() != call.events.size()) {
    return std::to_string(call.events.size()) + " events, where the program tells " +
           std::to_string(effects.events.size());
  }
  for (std::size_t i = 0; i < call.events.size(); ++i) {
    if (!std::ranges::equal(log_bytes(effects.events[i]), call.events[i]))
      return "another " + std::string(proof::name_of(effects.events[i])) + " than the program tells";
  }
  return {};
}

}  // namespace

proof::OrRefused<Effects> Derivation::apply(const proof::StateReader& state, const EvmBlock& block, const Asked& asked,
                                            const SettlementCall& call, proof::Transaction transaction) {
  const std::uint64_t number = block.block.number;
  const proof::BlockContext context{.chain_id = x_identity.chain_id,
                                    .contract = x_identity.contract,
                                    .number = number,
                                    .time_s = block.block.time_s,
                                    .base_fee = block.base_fee,
                                    .block_hash = [&](std::uint64_t wanted) -> std::optional<Digest> {
                                      if (wanted >= number || number - wanted > kHashesBack) return std::nullopt;
                                      return asked.hash(wanted);
                                    }};
  return x_machine.apply(state, context,
                         {.sender = call.sender, .value = call.value, .transaction = std::move(transaction)});
}

std::optional<proof::ChainRefusal> Derivation::refusal(const proof::StateReader& state, const EvmBlock& block,
                                                       const Asked& asked, const SettlementCall& call) {
  auto transaction = decode_call(call.bytes, asked.header);
  if (!transaction) return std::move(transaction).error();
  auto effects = apply(state, block, asked, call, *std::move(transaction));
  if (effects) return std::nullopt;
  return std::move(effects).error();
}

Effects Derivation::derive(const proof::StateReader& state, LeftOut& left_out, const EvmBlock& block,
                           const Asked& asked, const SettlementCall& call) {
  auto transaction = decode_call(call.bytes, asked.header);
  if (!transaction) {
    if (const auto task = subject_of_bytes(call.bytes); task && left_out.has(*task)) return {};
  }
  if (!transaction) disagree(call, "unknown", "the program refuses it: " + transaction.error().message);
  const std::string name(proof::name_of(*transaction));
  if (const auto task = subject(*transaction); task && left_out.has(*task)) return {};
  auto effects = apply(state, block, asked, call, *std::move(transaction));
  if (!effects && name == proof::name_of(proof::CreateTask{})) {
    leave_out(left_out, call, name, effects.error());
    return {};
  }
  if (left_out.any()) {
    if (auto larger = larger_withdrawal(state, call, effects)) return *std::move(larger);
  }
  if (!effects) disagree(call, name, "the program refuses it: " + effects.error().message);
  if (const std::string difference = what_differs(*effects, call); !difference.empty())
    disagree(call, name, difference);
  return *std::move(effects);
}

}  // namespace tally::chain
