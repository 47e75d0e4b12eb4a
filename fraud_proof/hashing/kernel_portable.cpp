#include <openssl/evp.h>

#include <memory>
#include <new>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/hashing/kernels.h"

namespace tally::proof::kernels {

void hash_portable(const Messages& messages, std::span<Digest> out) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (!context) throw std::bad_alloc();
  // The first call looks SHA-256 up; the others keep what it found.
  const EVP_MD* algorithm = EVP_sha256();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Bytes message = messages.data.subspan(i * messages.message_bytes, messages.message_bytes);
    TALLY_ASSERT(EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1);
    TALLY_ASSERT(EVP_DigestUpdate(context.get(), &messages.prefix, 1) == 1);
    TALLY_ASSERT(EVP_DigestUpdate(context.get(), message.data(), message.size()) == 1);
    TALLY_ASSERT(EVP_DigestFinal_ex(context.get(), out[i].bytes.data(), nullptr) == 1);
    algorithm = nullptr;
  }
}

}  // namespace tally::proof::kernels
