#include "chain_adapter/evm/settlement_calls.h"

#include <algorithm>

#include "chain_adapter/evm/abi.h"
#include "chain_adapter/evm/call_data.h"
#include "fraud_proof/encoding/words.h"
#include "fraud_proof/signing/eip712.h"

namespace tally::chain {

namespace {

using Bytes = std::vector<std::uint8_t>;

bool is_event(const EvmLog& log, std::string_view signature) {
  return log.topics.size() == 2 && log.topics[0].bytes == proof::keccak256_of_text(signature).bytes;
}
bool is_relayed(const EvmLog& log) { return is_event(log, "Relayed(address,uint256,bytes)"); }
bool is_happened(const EvmLog& log) { return is_event(log, "Happened(uint8,bytes)"); }

[[noreturn]] void disagree(const TransactionId& id, const std::string& what) {
  throw ChainDisagrees("the chain and this program disagree on transaction " + to_hex(id) + ": " + what);
}

/// Its kind, and its fields.
Bytes told(const EvmLog& log) {
  const auto fields = AbiReader(log.data).bytes();
  if (!fields) disagree(log.transaction, "an event that is not bytes");
  math::ByteWriter event;
  event.u8(log.topics[1].bytes.back());
  event.raw(*fields);
  return event.take();
}

/// An amount of 2^128 or more is no chain's.
std::optional<proof::Wei> amount(const std::array<std::uint8_t, 32>& word) {
  proof::Wei value;
  if (std::ranges::any_of(std::span(word).first(16), [](std::uint8_t byte) { return byte != 0; })) return std::nullopt;
  for (const std::uint8_t byte : std::span(word).last(16)) value.value = value.value << 8 | byte;
  return value;
}

SettlementCall relayed(const EvmLog& log) {
  AbiReader reader(log.data);
  const auto value = reader.word();
  const auto bytes = reader.bytes();
  const auto sender = proof::WordReader(log.topics[1].bytes).address();
  const auto wei = value ? amount(*value) : std::nullopt;
  if (!wei || !bytes || !sender) disagree(log.transaction, "a relayed call that is none");
  return {.transaction = log.transaction,
          .block = log.block,
          .sender = *sender,
          .value = *wei,
          .bytes = {bytes->begin(), bytes->end()},
          .events = {}};
}

/// Of the account that sent the transaction itself.
SettlementCall direct(const proof::Address& contract, const EvmLog& log, const FindTransaction& find) {
  const EvmCall call = find(log);
  const auto bytes = called_with(call.data);
  if (call.to != contract || !bytes) disagree(log.transaction, "it is no call of the settlement");
  return {.transaction = log.transaction,
          .block = log.block,
          .sender = call.sender,
          .value = call.value,
          .bytes = {bytes->begin(), bytes->end()},
          .events = {}};
}

}  // namespace

std::vector<SettlementCall> settlement_calls(const proof::Address& contract, std::span<const EvmLog> logs,
                                             const FindTransaction& find) {
  std::vector<SettlementCall> calls;
  for (const EvmLog& log : logs) {
    if (is_relayed(log)) {
      calls.push_back(relayed(log));
      continue;
    }
    if (!is_happened(log)) disagree(log.transaction, "an event that the settlement does not have");
    if (calls.empty() || calls.back().transaction != log.transaction) calls.push_back(direct(contract, log, find));
    calls.back().events.push_back(told(log));
  }
  return calls;
}

}  // namespace tally::chain
