// Blocks of the embedded chain. Each holds the transactions of one commit, or none: an empty block stands for time that
// has passed. Its hash covers everything before it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/ledger/block.h"
#include "fraud_proof/commitments/ids.h"
#include "fraud_proof/commitments/task_settings.h"
#include "fraud_proof/signing/address.h"

namespace tally::chain {

enum class Clock : std::uint8_t {
  kWall = 1,    // the host's; never before the last block's time
  kDriven = 2,  // stands still until someone advances it
};

[[nodiscard]] std::string_view to_string(Clock clock);

struct GenesisAccount {
  proof::Address address{};
  proof::Wei balance{};
  bool operator==(const GenesisAccount&) const = default;
};

/// Everything that fixes block 0.
struct Genesis {
  std::uint64_t chain_id = 0;  // 1 to kMaxChainNumber
  std::uint64_t time_s = 0;    // at most kMaxChainNumber
  Clock clock = Clock::kWall;
  proof::Wei base_fee{};  // of one unit of gas: what answers to requests are paid by
  /// Strictly ascending by address; less than 2^128 wei in all, which is what there will ever be.
  std::vector<GenesisAccount> accounts{};
  bool operator==(const Genesis&) const = default;
};

/// Chain ids and times are below: what SQLite keeps as an integer, with room to add.
inline constexpr std::uint64_t kMaxChainNumber = (std::uint64_t{1} << 62) - 1;

/// Throws std::invalid_argument that says what is wrong.
void check_genesis(const Genesis& genesis);

/// Its hash is SHA-256(0x0b ‖ 0[32] ‖ u64be 0 ‖ u64be time ‖ u64be chain id ‖ u8 clock ‖ u256be base fee ‖
/// (address[20] ‖ u256be balance)…).
[[nodiscard]] Block genesis_block(const Genesis& genesis);

/// The settlement's address, which no key has: the last 20 bytes of the genesis hash. Chains that begin otherwise
/// never take each other's transactions.
[[nodiscard]] proof::Address contract_address(const Block& genesis);

/// Its hash is SHA-256(0x0b ‖ parent hash ‖ u64be number ‖ u64be time ‖ transaction ids).
[[nodiscard]] Block next_block(const Block& parent, std::uint64_t time_s, std::span<const TransactionId> transactions);

}  // namespace tally::chain
