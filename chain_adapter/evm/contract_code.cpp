#include "chain_adapter/evm/contract_code.h"

#include <algorithm>
#include <charconv>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/encoding/words.h"

namespace tally::chain {

namespace {

const ContractText& text_of(std::string_view name) {
  const auto found = std::ranges::find(contract_texts(), name, &ContractText::name);
  TALLY_ASSERT(found != contract_texts().end());
  return *found;
}

std::vector<std::size_t> places_in(std::string_view list) {
  std::vector<std::size_t> places;
  const char* next = list.data();
  const char* const end = next + list.size();
  while (next != end) {
    std::size_t place = 0;
    const auto [behind, error] = std::from_chars(next, end, place);
    TALLY_ASSERT(error == std::errc());
    places.push_back(place);
    next = behind == end ? end : behind + 1;
  }
  return places;
}

}  // namespace

std::vector<std::uint8_t> creation_code(std::string_view name) {
  const std::string_view text = text_of(name).creation;
  std::vector<std::uint8_t> code(text.size() / 2 - 1);
  TALLY_ASSERT(math::from_hex(text, code));
  return code;
}

bool is_code_of(std::string_view name, math::Bytes code, std::span<const proof::Address> addresses) {
  const ContractText& text = text_of(name);
  std::vector<std::uint8_t> blank(code.begin(), code.end());
  for (const std::size_t place : places_in(text.immutables)) {
    if (place + proof::kWordBytes > blank.size()) return false;
    const auto immutable = proof::WordReader(code.subspan(place, proof::kWordBytes)).address();
    if (!immutable || std::ranges::find(addresses, *immutable) == addresses.end()) return false;
    std::fill_n(blank.begin() + static_cast<std::ptrdiff_t>(place), proof::kWordBytes, std::uint8_t{0});
  }
  return math::to_hex(math::sha256(blank)) == text.code;
}

}  // namespace tally::chain
