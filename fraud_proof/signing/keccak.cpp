#include "fraud_proof/signing/keccak.h"

#include <cryptopp/keccak.h>

namespace tally::proof {

KeccakDigest keccak256(Bytes data) {
  KeccakDigest digest;
  CryptoPP::Keccak_256().CalculateDigest(digest.bytes.data(), data.data(), data.size());
  return digest;
}

}  // namespace tally::proof
