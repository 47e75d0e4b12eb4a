#include "fraud_proof/signing/eip712.h"

#include <gtest/gtest.h>

#include "fraud_proof/encoding/words.h"
#include "fraud_proof/signing/secp256k1.h"
#include "tests/support/hex.h"

namespace tally::proof {
namespace {

using test::hex;

// The example of the EIP: Mail(Person from,Person to,string contents)Person(string name,address wallet).
const SigningDomain kMailDomain = {
    .name = "Ether Mail",
    .version = "1",
    .chain_id = 1,
    .verifying_contract = parse_address("0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC").value()};

KeccakDigest hash_person(std::string_view name, std::string_view wallet) {
  WordWriter words;
  words.bytes32(keccak256_of_text("Person(string name,address wallet)").bytes);
  words.bytes32(keccak256_of_text(name).bytes);
  words.address(parse_address(wallet).value());
  return keccak256(words.view());
}

KeccakDigest hash_mail() {
  WordWriter words;
  words.bytes32(
      keccak256_of_text("Mail(Person from,Person to,string contents)Person(string name,address wallet)").bytes);
  words.bytes32(hash_person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826").bytes);
  words.bytes32(hash_person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB").bytes);
  words.bytes32(keccak256_of_text("Hello, Bob!").bytes);
  return keccak256(words.view());
}

TEST(Eip712, gives_the_hashes_and_the_signature_of_the_published_example) {
  const KeccakDigest separator = domain_separator(kMailDomain);
  EXPECT_EQ(separator.bytes, hex<32>("f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"));
  EXPECT_EQ(hash_mail().bytes, hex<32>("c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"));
  const KeccakDigest hash = typed_data_hash(separator, hash_mail());
  EXPECT_EQ(hash.bytes, hex<32>("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"));

  const PrivateKey cow = PrivateKey::from_bytes(keccak256_of_text("cow").bytes).value();
  EXPECT_EQ(to_text(cow.address()), "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826");
  const Signature expected{
      hex<65>("4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
              "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562"
              "1c")};
  EXPECT_EQ(sign(cow, hash.bytes), expected);
  EXPECT_EQ(recover_signer(expected, hash.bytes).value(), cow.address());
}

TEST(Eip712, every_part_of_the_domain_changes_its_separator) {
  const SigningDomain base = tallystick_domain(1, Address{});
  const Address contract{hex<20>("0000000000000000000000000000000000000001")};
  EXPECT_NE(domain_separator(base), domain_separator(tallystick_domain(2, Address{})));
  EXPECT_NE(domain_separator(base), domain_separator(tallystick_domain(1, contract)));
  SigningDomain changed = base;
  changed.name = "Tallystack";
  EXPECT_NE(domain_separator(base), domain_separator(changed));
  changed = base;
  changed.version = "2";
  EXPECT_NE(domain_separator(base), domain_separator(changed));
}

}  // namespace
}  // namespace tally::proof
