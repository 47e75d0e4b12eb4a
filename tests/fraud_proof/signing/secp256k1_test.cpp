#include "fraud_proof/signing/secp256k1.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "deterministic_math/numbers/digest.h"
#include "tests/support/hex.h"

namespace tally::proof {
namespace {

using test::hex;

constexpr const char* kOrder = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
constexpr const char* kOrderMinusOne = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
constexpr const char* kHalfOrder = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
constexpr const char* kAboveHalfOrder = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1";
constexpr const char* kZero = "0000000000000000000000000000000000000000000000000000000000000000";
constexpr const char* kOne = "0000000000000000000000000000000000000000000000000000000000000001";

Signature make_signature(std::string_view r, std::string_view s, std::uint8_t v) {
  Signature signature;
  std::ranges::copy(hex<32>(r), signature.bytes.begin());
  std::ranges::copy(hex<32>(s), signature.bytes.begin() + 32);
  signature.bytes[64] = v;
  return signature;
}

PrivateKey key_of(std::string_view digits) { return PrivateKey::from_bytes(hex<32>(digits)).value(); }

// The worked example of EIP-155.
constexpr const char* kExampleKey = "4646464646464646464646464646464646464646464646464646464646464646";
constexpr const char* kExampleHash = "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53";
constexpr const char* kExampleR = "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276";
constexpr const char* kExampleS = "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";

TEST(Secp256k1, signs_the_example_of_eip_155) {
  const PrivateKey key = key_of(kExampleKey);
  EXPECT_EQ(to_text(key.address()), "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F");
  const Signature signature = sign(key, hex<32>(kExampleHash));
  EXPECT_EQ(signature, make_signature(kExampleR, kExampleS, 27));
  EXPECT_EQ(recover_signer(signature, hex<32>(kExampleHash)).value(), key.address());
}

// crypto/signature_test.go of go-ethereum.
TEST(Secp256k1, recovers_the_signer_of_a_known_signature) {
  const Signature signature = make_signature("90f27b8b488db00b00606796d2987f6a5f59ae62ea05effe84fef5b8b0e54998",
                                             "4a691139ad57a3f0b906637673aa2f63d1f55cb1a69199d4009eea23ceaddc93", 28);
  const PublicKey key{
      hex<64>("e32df42865e97135acfb65f3bae71bdc86f4d49150ad6a440b6f15878109880a"
              "0a2b2667f7e725ceea70c673093bf67663e0312623c8e091b13cf2c0f11ef652")};
  const auto hash = hex<32>("ce0677bb30baa8cf067c88db9811f4333d131bf8bcf12fe7065d211dce971008");
  EXPECT_EQ(recover_signer(signature, hash).value(), address_of(key));
}

TEST(Secp256k1, refuses_each_non_canonical_signature_by_name) {
  struct Case {
    const char* r;
    const char* s;
    std::uint8_t v;
    SignatureReason reason;
  };
  constexpr const char* kMax = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
  // Pitfall 6: s of the example replaced by n - s: as good to the curve, and refused.
  constexpr const char* kOtherS = "98341627668089e51348fccfb4c7ff31c58912f2bbe47eb09652ad0665fad3be";
  const Case cases[] = {{kExampleR, kExampleS, 0, SignatureReason::kRecoveryId},
                        {kExampleR, kExampleS, 1, SignatureReason::kRecoveryId},
                        {kExampleR, kExampleS, 26, SignatureReason::kRecoveryId},
                        {kExampleR, kExampleS, 29, SignatureReason::kRecoveryId},
                        {kExampleR, kExampleS, 30, SignatureReason::kRecoveryId},
                        {kExampleR, kExampleS, 37, SignatureReason::kRecoveryId},
                        {kExampleR, kExampleS, 255, SignatureReason::kRecoveryId},
                        {kZero, kExampleS, 27, SignatureReason::kRZero},
                        {kOrder, kExampleS, 27, SignatureReason::kRNotBelowOrder},
                        {kMax, kExampleS, 28, SignatureReason::kRNotBelowOrder},
                        {kExampleR, kZero, 27, SignatureReason::kSZero},
                        {kExampleR, kAboveHalfOrder, 27, SignatureReason::kSHigh},
                        {kExampleR, kOtherS, 28, SignatureReason::kSHigh},
                        {kExampleR, kOtherS, 27, SignatureReason::kSHigh},
                        {kExampleR, kMax, 27, SignatureReason::kSHigh}};
  for (const Case& c : cases) {
    const auto recovered = recover_signer(make_signature(c.r, c.s, c.v), hex<32>(kExampleHash));
    ASSERT_FALSE(recovered.has_value()) << c.r << ' ' << c.s << ' ' << int{c.v};
    EXPECT_EQ(recovered.error().reason, c.reason) << c.r << ' ' << c.s << ' ' << int{c.v};
    EXPECT_FALSE(recovered.error().message.empty());
  }
  EXPECT_TRUE(recover_signer(make_signature(kExampleR, kHalfOrder, 27), hex<32>(kExampleHash)).has_value());
  EXPECT_TRUE(recover_signer(make_signature(kExampleR, kOne, 27), hex<32>(kExampleHash)).has_value());
}

// A published recovery vector whose r is the x of no point.
TEST(Secp256k1, refuses_an_r_that_is_on_no_point) {
  const Signature signature = make_signature("00b1693892219d736caba55bdb68216e485557ea6b6af75f37096c9aa6a5a75f",
                                             "00b940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549", 28);
  const auto hash = hex<32>("00c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c");
  EXPECT_EQ(recover_signer(signature, hash).error().reason, SignatureReason::kNoPoint);
}

TEST(Secp256k1, refuses_the_address_zero) {
  EXPECT_EQ(refuse_zero_address(Address{}).error().reason, SignatureReason::kZeroAddress);
  const Address other{hex<20>("0000000000000000000000000000000000000001")};
  EXPECT_EQ(refuse_zero_address(other).value(), other);
}

TEST(Secp256k1, the_other_v_recovers_another_address) {
  const auto recovered = recover_signer(make_signature(kExampleR, kExampleS, 28), hex<32>(kExampleHash));
  ASSERT_TRUE(recovered.has_value());
  EXPECT_NE(*recovered, key_of(kExampleKey).address());
}

TEST(Secp256k1, any_signature_recovers_its_signer_and_no_changed_byte_does) {
  EXPECT_TRUE(rc::check([] {
    const auto seed = *rc::gen::container<std::vector<std::uint8_t>>(4, rc::gen::arbitrary<std::uint8_t>());
    const math::Digest secret = math::sha256(seed);
    const math::Digest hash = math::sha256(secret.bytes);
    const PrivateKey key = PrivateKey::from_bytes(secret.bytes).value();
    Signature signature = sign(key, hash.bytes);
    RC_ASSERT(recover_signer(signature, hash.bytes).value() == key.address());
    const auto place = *rc::gen::inRange<std::size_t>(0, 65);
    signature.bytes[place] ^= *rc::gen::inRange<std::uint8_t>(1, 255);
    const auto recovered = recover_signer(signature, hash.bytes);
    RC_ASSERT((!recovered.has_value() || *recovered != key.address()));
  }));
}

TEST(PrivateKey, lies_between_one_and_the_order) {
  EXPECT_EQ(PrivateKey::from_bytes(hex<32>(kZero)).error().reason, KeyReason::kZero);
  EXPECT_EQ(PrivateKey::from_bytes(hex<32>(kOrder)).error().reason, KeyReason::kNotBelowOrder);
  EXPECT_TRUE(PrivateKey::from_bytes(hex<32>(kOrderMinusOne)).has_value());
  // The key 1 is the generator, whose address is widely known.
  EXPECT_EQ(to_text(key_of(kOne).address()), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
}

TEST(PrivateKey, is_wiped_when_it_moves_and_when_it_ends) {
  const auto secret = hex<32>(kExampleKey);
  const auto zero = hex<32>(kZero);
  alignas(PrivateKey) std::array<std::uint8_t, sizeof(PrivateKey)> storage{};
  auto* const key = new (storage.data()) PrivateKey(key_of(kExampleKey));
  ASSERT_TRUE(std::ranges::equal(key->bytes(), secret));
  const std::uint8_t* const place = key->bytes().data();
  {
    const PrivateKey moved = std::move(*key);
    EXPECT_TRUE(std::ranges::equal(moved.bytes(), secret));
    EXPECT_TRUE(std::equal(zero.begin(), zero.end(), place));
  }
  *key = key_of(kExampleKey);
  ASSERT_TRUE(std::equal(secret.begin(), secret.end(), place));
  key->~PrivateKey();
  EXPECT_TRUE(std::equal(zero.begin(), zero.end(), storage.begin()));
}

}  // namespace
}  // namespace tally::proof
