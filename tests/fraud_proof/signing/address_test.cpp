#include "fraud_proof/signing/address.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "fraud_proof/signing/eip712.h"
#include "tests/support/hex.h"

namespace tally::proof {
namespace {

using test::hex;

TEST(Keccak, gives_the_known_answers) {
  EXPECT_EQ(keccak256({}).bytes, hex<32>("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"));
  EXPECT_EQ(keccak256_of_text("abc").bytes,
            hex<32>("4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"));
}

// The examples of EIP-55: all capitals, all small, mixed.
constexpr std::array kChecksummed = {
    "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

TEST(Address, is_written_and_parsed_with_the_checksums_of_eip_55) {
  for (const std::string text : kChecksummed) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(to_text(*address), text);
    EXPECT_EQ(parse_address(lower(text)).value(), *address);
  }
}

TEST(Address, refuses_every_single_change_of_case) {
  for (const std::string text : kChecksummed) {
    for (std::size_t i = 2; i < text.size(); ++i) {
      std::string changed = text;
      if (std::isalpha(static_cast<unsigned char>(text[i])) == 0) continue;
      changed[i] = static_cast<char>(text[i] ^ 0x20);
      if (changed == lower(changed)) continue;
      const auto parsed = parse_address(changed);
      ASSERT_FALSE(parsed.has_value()) << changed;
      EXPECT_EQ(parsed.error().reason, AddressReason::kChecksum);
    }
  }
}

TEST(Address, refuses_other_text_by_name) {
  struct Case {
    std::string text;
    AddressReason reason;
  };
  const std::string good = kChecksummed[2];
  const Case cases[] = {{"", AddressReason::kPrefix},
                        {good.substr(2), AddressReason::kPrefix},
                        {"0X" + good.substr(2), AddressReason::kPrefix},
                        {"0x", AddressReason::kLength},
                        {good + "0", AddressReason::kLength},
                        {good.substr(0, 41), AddressReason::kLength},
                        {good.substr(0, 41) + "g", AddressReason::kDigit},
                        {good.substr(0, 41) + " ", AddressReason::kDigit}};
  for (const Case& c : cases) {
    const auto parsed = parse_address(c.text);
    ASSERT_FALSE(parsed.has_value()) << c.text;
    EXPECT_EQ(parsed.error().reason, c.reason) << c.text;
  }
}

TEST(Address, is_ordered_as_unsigned_bytes) {
  EXPECT_LT(parse_address("0x7fffffffffffffffffffffffffffffffffffffff").value(),
            parse_address("0x8000000000000000000000000000000000000000").value());
}

}  // namespace
}  // namespace tally::proof
