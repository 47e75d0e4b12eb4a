// ABI, RLP and EIP-1559 against published examples.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "chain_adapter/evm/abi.h"
#include "chain_adapter/evm/call_data.h"
#include "chain_adapter/evm/fee_transaction.h"
#include "chain_adapter/evm/rlp.h"
#include "tests/support/hex.h"

namespace tally::chain {
namespace {

using Bytes = std::vector<std::uint8_t>;

math::Bytes text(std::string_view value) { return math::unsigned_bytes(value); }

Bytes bytes(std::string_view digits) {
  Bytes value(digits.size() / 2);
  EXPECT_TRUE(math::from_hex("0x" + std::string(digits), value));
  return value;
}

std::string word(std::uint64_t value) {
  std::array<std::uint8_t, 32> out{};
  for (std::size_t i = 0; i < 8; ++i) out[31 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  return math::to_hex(out).substr(2);
}

// Solidity's documentation, "Contract ABI Specification": baz(uint32,bool) and sam(bytes,bool,uint256[]) of its
// examples, and the string[] of g(uint256[][],string[]).
TEST(Abi, gives_the_selectors_of_the_specification) {
  EXPECT_EQ(selector_of("baz(uint32,bool)"), (Selector{0xcd, 0xcd, 0x77, 0xc0}));
  EXPECT_EQ(selector_of("sam(bytes,bool,uint256[])"), (Selector{0xa5, 0x64, 0x3b, 0xf2}));
}

TEST(Abi, writes_and_reads_the_specifications_list_of_three_strings) {
  const std::string expected = word(0x20) + word(3) + word(0x60) + word(0xa0) + word(0xe0) + word(3) +
                               "6f6e650000000000000000000000000000000000000000000000000000000000" + word(3) +
                               "74776f0000000000000000000000000000000000000000000000000000000000" + word(5) +
                               "7468726565000000000000000000000000000000000000000000000000000000";
  const std::vector<Bytes> list = {bytes("6f6e65"), bytes("74776f"), bytes("7468726565")};
  AbiWriter writer;
  writer.list_of_bytes(list);
  EXPECT_EQ(math::to_hex(writer.take()), "0x" + expected);
  const Bytes encoded = bytes(expected);
  const auto read = AbiReader(encoded).list_of_bytes();
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->size(), list.size());
  for (std::size_t i = 0; i < list.size(); ++i) EXPECT_TRUE(std::ranges::equal((*read)[i], list[i]));
}

TEST(Abi, puts_bytes_behind_the_words_of_a_call) {
  AbiWriter writer;
  writer.bytes(text("dave"));
  writer.number(1);
  writer.address({test::hex<20>("000000000000000000000000000000000000aaaa")});
  const Bytes call = writer.call(selector_of("f(bytes,bool,address)"));
  const std::string expected = word(0x60) + word(1) + word(0xaaaa) + word(4) +
                               "6461766500000000000000000000000000000000000000000000000000000000";
  EXPECT_EQ(math::to_hex(math::Bytes(call).subspan(4)), "0x" + expected);
  AbiReader reader(math::Bytes(call).subspan(4));
  EXPECT_TRUE(std::ranges::equal(reader.bytes().value(), text("dave")));
  EXPECT_EQ(reader.number().value(), 1U);
  EXPECT_EQ(reader.address().value().bytes[19], 0xaa);
}

TEST(Abi, refuses_what_no_encoder_writes) {
  const auto bytes_of = [](const std::string& digits) { return AbiReader(bytes(digits)).bytes().error(); };
  EXPECT_EQ(bytes_of(""), AbiReason::kTruncated);
  EXPECT_EQ(bytes_of(word(0x20)), AbiReason::kTruncated);
  EXPECT_EQ(bytes_of(word(0x40)), AbiReason::kTruncated);
  EXPECT_EQ(bytes_of(word(0x20) + word(1)), AbiReason::kTruncated);
  EXPECT_EQ(bytes_of(word(std::uint64_t{1} << 32)), AbiReason::kPlace);
  EXPECT_EQ(bytes_of("01" + word(0x20).substr(2) + word(0)), AbiReason::kPlace);
  EXPECT_EQ(bytes_of(word(0x20) + word(1) + "61" + word(1).substr(2)), AbiReason::kPadding);
  EXPECT_EQ(AbiReader(bytes("01" + word(0).substr(2))).number().error(), AbiReason::kPadding);
  EXPECT_EQ(AbiReader(bytes("01" + word(0).substr(2))).address().error(), AbiReason::kPadding);
  EXPECT_EQ(AbiReader(bytes(word(0x20) + word(0xffffffff))).list_of_bytes().error(), AbiReason::kTruncated);
}

TEST(CallData, is_a_call_of_transact) {
  const Bytes data = call_data(text("dave"));
  EXPECT_EQ(math::to_hex(math::Bytes(data).first(4)), math::to_hex(selector_of("transact(bytes)")));
  EXPECT_TRUE(std::ranges::equal(called_with(data).value(), text("dave")));
}

TEST(CallData, has_the_headers_that_are_shown_behind_the_transaction) {
  const std::vector<proof::BatchHeader> shown = {{.number = 7}, {.number = 8}};
  const Bytes data = call_data(text("dave"), shown);
  const math::Bytes arguments = math::Bytes(data).subspan(4);
  EXPECT_EQ(math::to_hex(math::Bytes(data).first(4)), math::to_hex(selector_of("transactShowing(bytes,bytes)")));
  EXPECT_TRUE(std::ranges::equal(called_with(data).value(), text("dave")));
  AbiReader reader(arguments);
  EXPECT_TRUE(std::ranges::equal(reader.bytes().value(), text("dave")));
  const math::Bytes headers = reader.bytes().value();
  ASSERT_EQ(headers.size(), 2 * proof::kHeaderBytes);
  for (std::size_t i = 0; i < shown.size(); ++i)
    EXPECT_EQ(proof::decode_header(headers.subspan(i * proof::kHeaderBytes, proof::kHeaderBytes)).value(), shown[i]);
}

/// The contract takes values wherever they stand, and does not look at what no value uses.
TEST(CallData, is_read_as_the_contract_reads_it) {
  const std::string_view selector = "00000000";
  std::vector<Bytes> kept;  // what was read refers to it
  const auto read = [&](const std::string& words) {
    return called_with(kept.emplace_back(bytes(std::string(selector) + words)));
  };
  EXPECT_TRUE(std::ranges::equal(read(word(0x40) + word(7) + word(4) + "64617665ff").value(), text("dave")));
  EXPECT_TRUE(std::ranges::equal(read(word(0x23) + "010203" + word(4) + "64617665").value(), text("dave")));
  EXPECT_TRUE(read(word(0)).value().empty());
  EXPECT_EQ(called_with(bytes("000000")).error(), AbiReason::kTruncated);
  EXPECT_EQ(read(word(0x20)).error(), AbiReason::kTruncated);
  EXPECT_EQ(read(word(0x20) + word(1)).error(), AbiReason::kTruncated);
  EXPECT_EQ(read(word(0x20) + word(5) + "64617665").error(), AbiReason::kTruncated);
  EXPECT_EQ(read("01" + word(0x20).substr(2) + word(0)).error(), AbiReason::kTruncated);
}

// ethereum/tests, RLPTests/rlptest.json.
TEST(Rlp, writes_the_published_examples) {
  const auto of_bytes = [](math::Bytes value) {
    RlpWriter writer;
    writer.bytes(value);
    return math::to_hex(math::Bytes(writer.take()).subspan(value.size() > 54 ? 2 : 1));
  };
  EXPECT_EQ(of_bytes({}), "0x80");
  EXPECT_EQ(of_bytes(text("dog")), "0x83646f67");
  EXPECT_EQ(of_bytes(bytes("00")), "0x00");
  EXPECT_EQ(of_bytes(bytes("7f")), "0x7f");
  EXPECT_EQ(of_bytes(bytes("80")), "0x8180");
  EXPECT_EQ(of_bytes(text("Lorem ipsum dolor sit amet, consectetur adipisicing elit")).substr(0, 8), "0xb8384c");
  const auto of_number = [](std::uint64_t value) {
    RlpWriter writer;
    writer.number(value);
    return math::to_hex(math::Bytes(writer.take()).subspan(1));
  };
  EXPECT_EQ(of_number(0), "0x80");
  EXPECT_EQ(of_number(1), "0x01");
  EXPECT_EQ(of_number(1000), "0x8203e8");
  EXPECT_EQ(of_number(100'000), "0x830186a0");
}

TEST(Rlp, nests_lists) {
  const RlpWriter empty;
  EXPECT_EQ(math::to_hex(empty.take()), "0xc0");
  RlpWriter animals;
  animals.bytes(text("dog"));
  animals.bytes(text("god"));
  animals.bytes(text("cat"));
  EXPECT_EQ(math::to_hex(animals.take()), "0xcc83646f6783676f6483636174");
  RlpWriter one;
  one.list(empty);
  RlpWriter two;
  two.list(empty);
  two.list(one);
  RlpWriter three;
  three.list(empty);
  three.list(one);
  three.list(two);
  EXPECT_EQ(math::to_hex(three.take()), "0xc7c0c1c0c3c0c1c0");
}

struct SignedExample {
  std::uint64_t nonce;
  std::uint64_t value;
  std::uint64_t gas;
  std::uint64_t priority_fee;
  std::uint64_t fee;
  std::string_view bytes;
};

// The test vectors of EIP-1559 transactions in ethereumjs (packages/tx/test/json/eip1559.json), without the RLP string
// around each.
constexpr std::array<SignedExample, 3> kSigned = {{
    {819, 43203529, 35552, 75853, 121212,
     "02f870821e8e8203338301284d8301d97c828ae094000000000000000000000000000000000000aaaa8402933bc980c080a0d067f2167008c"
     "5"
     "9219652f91cbf8788dbca5f771f6e91e2b7657e85b78b472e0a01d305af9fe81fdba43f0dfcd400ed24dcace0a7e30d4e85701dcaaf484cd0"
     "7"
     "9e"},
    {353, 61901619, 32593, 38850, 136295,
     "02f86f821e8e8201618297c283021467827f5194000000000000000000000000000000000000aaaa8403b08b3380c001a004205678f13fc1d"
     "7"
     "b10feea6513dfa76e24418b6e08097d95c6f93a3b64e536da01d45ad61bfece43862de2cce7d2575a8c1d08c26c87f3cb5f26d7b0be54a91b"
     "2"},
    {119, 65456115, 62341, 24721, 107729,
     "02f86d821e8e778260918301a4d182f38594000000000000000000000000000000000000aaaa8403e6c7f380c001a0e38e239770801eb9954"
     "98c821e55ac9c19ae09184bb27b34be105e02fe3b7615a067c64ca6bd6d9107e85fd581ab2e70a14b637eb36505bb40861ef9d6e800cab6"},
}};

TEST(FeeTransaction, signs_the_published_examples) {
  const auto key =
      proof::PrivateKey::from_bytes(test::hex<32>("8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63"));
  for (const SignedExample& example : kSigned) {
    const FeeTransaction transaction{.chain_id = 7822,
                                     .nonce = example.nonce,
                                     .priority_fee = {example.priority_fee},
                                     .fee = {example.fee},
                                     .gas = example.gas,
                                     .to = proof::Address{test::hex<20>("000000000000000000000000000000000000aaaa")},
                                     .value = {example.value}};
    EXPECT_EQ(math::to_hex(signed_bytes(transaction, *key)), "0x" + std::string(example.bytes));
  }
}

// As geth's crypto tests have it (TestNewContractAddress).
TEST(FeeTransaction, foretells_where_a_contract_is_made) {
  const proof::Address sender{test::hex<20>("970e8128ab834e8eac17ab8e3812f010678cf791")};
  EXPECT_EQ(created_address(sender, 0).bytes, test::hex<20>("333c3310824b7c685133f2bedb2ca4b8b4df633d"));
  EXPECT_EQ(created_address(sender, 1).bytes, test::hex<20>("8bda78331c916a08481428e4b07c96d3e916d165"));
  EXPECT_EQ(created_address(sender, 2).bytes, test::hex<20>("c9ddedf451bc62ce88bf9292afb13df35b670699"));
}

}  // namespace
}  // namespace tally::chain
