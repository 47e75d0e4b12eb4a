#include "verifier/lab/lab_chain.h"

#include <stdexcept>
#include <utility>

namespace tally::verifier {

using namespace tally::proof;

BlockContext NoNode::next_block() { return {.chain_id = 1, .number = x_now.number + 1, .time_s = x_now.time_s}; }

std::uint64_t NoNode::send(const StateReader& /*before*/, const BlockContext& block, const Message& /*message*/,
                           const Effects& /*effects*/) {
  x_now.number = block.number;
  return 0;
}

std::optional<std::vector<std::uint8_t>> LabChain::Records::read(math::Bytes key) const {
  const auto found = x_records.find(std::string(key.begin(), key.end()));
  return found == x_records.end() ? std::nullopt : std::optional(found->second);
}

void LabChain::Records::write(const Effects& effects) {
  for (const Write& write : effects.writes)
    x_records.insert_or_assign(std::string(write.key.begin(), write.key.end()), write.record);
}

Sent LabChain::send(const Address& sender, const Wei& value, const Transaction& transaction) {
  const BlockContext block = x_node.next_block();
  const Message message{.sender = sender, .value = value, .transaction = transaction};
  auto effects = x_settlement.apply(x_state, block, message);
  if (!effects) {
    throw std::runtime_error(std::string(name_of(transaction)) + ": " + std::string(to_string(effects.error().reason)) +
                             ": " + effects.error().message);
  }
  const std::uint64_t gas = x_node.send(x_state, block, message, *effects);
  x_state.write(*effects);
  return {.effects = *std::move(effects), .gas = gas};
}

Salt LabChain::next_salt() {
  ++x_salts;
  Salt salt;
  salt.fill(0xc4);
  for (std::size_t i = 0; i < sizeof(x_salts); ++i)
    salt[salt.size() - 1 - i] = static_cast<std::uint8_t>(x_salts >> (8 * i));
  return salt;
}

void LabChain::mark() {
  x_node.mark();
  x_marked_state = x_state;
  x_marked_salts = x_salts;
}

void LabChain::go_back() {
  x_node.go_back();
  x_state = x_marked_state;
  x_salts = x_marked_salts;
}

TaskSettings lab_settings(std::uint32_t leaf_bytes, std::uint16_t arity) {
  TaskSettings settings;
  settings.leaf_bytes = leaf_bytes;
  settings.arity = arity;
  settings.exit_delay_s = 2 * (settings.challenge_period_s + 2 * settings.game_clock_s + 2 * settings.window_s);
  settings.max_work = ~std::uint64_t{0};
  settings.availability = LeafRequests{.max_requests = ~std::uint64_t{0}, .request_bond = Wei{1}};
  return settings;
}

}  // namespace tally::verifier
