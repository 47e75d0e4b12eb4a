// Values as JSON-RPC writes them: numbers ("quantities") and bytes in hexadecimal. What is none is an RpcFailure: the
// node does not speak as it should.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deterministic_math/numbers/digest.h"
#include "deterministic_math/numbers/int128.h"
#include "fraud_proof/commitments/task_settings.h"
#include "fraud_proof/signing/address.h"

namespace tally::chain {

[[nodiscard]] std::string quantity(math::u128 number);

[[nodiscard]] std::uint64_t number_of(const boost::json::value& quantity);
/// More than 2^128 - 1, which no chain has, is an RpcFailure too.
[[nodiscard]] proof::Wei wei_of(const boost::json::value& quantity);
[[nodiscard]] std::vector<std::uint8_t> bytes_of(const boost::json::value& hexadecimal);
[[nodiscard]] proof::Digest digest_of(const boost::json::value& hexadecimal);
[[nodiscard]] proof::Address address_of(const boost::json::value& hexadecimal);

/// Of an object.
[[nodiscard]] const boost::json::value& member_of(const boost::json::value& object, std::string_view name);

}  // namespace tally::chain
