// The compiled contracts, as they are in this program: what makes each, and how its code on a chain is known.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/signing/address.h"

namespace tally::chain {

/// As embedded when the program is built (chain_adapter/evm/artifacts).
struct ContractText {
  std::string_view name;
  std::string_view creation;    // 0x…
  std::string_view code;        // 0x…: SHA-256 of the code on a chain, with zeros in the places of immutables
  std::string_view immutables;  // their places, with commas between
};
[[nodiscard]] std::span<const ContractText> contract_texts();

/// Without a constructor's arguments. A name that is none of a contract is a bug.
[[nodiscard]] std::vector<std::uint8_t> creation_code(std::string_view name);

/// Whether code on a chain is that of the contract; each immutable must be one of `addresses`.
[[nodiscard]] bool is_code_of(std::string_view name, math::Bytes code, std::span<const proof::Address> addresses);

}  // namespace tally::chain
