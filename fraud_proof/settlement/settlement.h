// The settlement machine: apply(state, message, block) gives the records to write, the events and the payments, or the
// reason why not. No I/O, no clock of its own, no loop whose length an attacker chooses: a Solidity contract follows it
// line by line.
//
// Money. The settlement holds credits, bonds, stakes, pools and what was burned (which nobody can take out). Each
// transaction keeps
//
//   held before + value = held after + paid out
//
// where `held` is summed over the records that it writes (money_in); apply() asserts it every time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "fraud_proof/settlement/event.h"
#include "fraud_proof/settlement/state.h"
#include "fraud_proof/settlement/transaction.h"

namespace tally::proof {

/// The block that a transaction is in.
struct BlockContext {
  std::uint64_t chain_id = 0;
  Address contract{};
  std::uint64_t number = 0;
  std::uint64_t time_s = 0;
  Wei base_fee{};  // of one unit of gas
  /// Hash of an earlier block; absent for those more than 256 back, and for this and later ones.
  std::function<std::optional<Digest>(std::uint64_t number)> block_hash{};
};

struct Message {
  Address sender{};
  Wei value{};
  Transaction transaction{};
};

struct Write {
  std::vector<std::uint8_t> key{};
  std::vector<std::uint8_t> record{};
};

struct Payment {
  Address to{};
  Wei amount{};
};

struct Effects {
  std::vector<Write> writes{};  // ascending by key, each once; records are never erased
  std::vector<Event> events{};
  std::vector<Payment> payments{};  // to be made by the chain, from what the settlement holds
};

/// Decoded and validated programs by their hash: a memory of what was computed before, of no effect on results.
class ProgramCache;

class Settlement {
 public:
  Settlement();
  ~Settlement();
  Settlement(Settlement&&) noexcept;
  Settlement& operator=(Settlement&&) noexcept;
  Settlement(const Settlement&) = delete;
  Settlement& operator=(const Settlement&) = delete;

  /// Equal arguments give equal effects, whatever was applied before. `value` is what the chain has moved into the
  /// settlement's hands.
  [[nodiscard]] OrRefused<Effects> apply(const StateReader& state, const BlockContext& block, const Message& message);

  /// What openings of a posted batch are checked against; kNoSuchBatch. For clients, which see the same as the chain.
  /// The header outlives it; the program lives as long as the settlement.
  [[nodiscard]] OrRefused<CommittedBatch> committed_batch(const StateReader& state, const BatchHeader& header);

 private:
  std::unique_ptr<ProgramCache> x_programs;
};

/// Gas that the answer to a request is paid for: a figure by its bytes, the same on every chain.
[[nodiscard]] std::uint64_t answer_gas(std::size_t opening_bytes);

/// The money that a record holds: what conservation is summed over. Every position carries its own amount (pool, stake,
/// bond, credit, burned), and is set to 0 when it is paid out.
[[nodiscard]] Wei money_in(math::Bytes key, math::Bytes record);

}  // namespace tally::proof
