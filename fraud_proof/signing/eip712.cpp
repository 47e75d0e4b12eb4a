#include "fraud_proof/signing/eip712.h"

#include <vector>

#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/encoding/words.h"

namespace tally::proof {

SigningDomain tallystick_domain(std::uint64_t chain_id, const Address& verifying_contract) {
  return {.name = "Tallystick", .version = "1", .chain_id = chain_id, .verifying_contract = verifying_contract};
}

KeccakDigest keccak256_of_text(std::string_view text) {
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  return keccak256(bytes);
}

KeccakDigest domain_separator(const SigningDomain& domain) {
  static const KeccakDigest kTypeHash =
      keccak256_of_text("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
  WordWriter words;
  words.bytes32(kTypeHash.bytes);
  words.bytes32(keccak256_of_text(domain.name).bytes);
  words.bytes32(keccak256_of_text(domain.version).bytes);
  words.u64(domain.chain_id);
  words.address(domain.verifying_contract);
  return keccak256(words.view());
}

KeccakDigest typed_data_hash(const KeccakDigest& separator, const KeccakDigest& struct_hash) {
  math::ByteWriter bytes;
  bytes.u8(0x19);
  bytes.u8(0x01);
  bytes.raw(separator.bytes);
  bytes.raw(struct_hash.bytes);
  return keccak256(bytes.view());
}

}  // namespace tally::proof
