// A key file is parsed or refused; one with small costs is also tried with a password.
#include <cstddef>
#include <cstdint>
#include <string>

#include "chain_adapter/keys/keystore.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tally;
  const std::string text(data, data + size);
  const auto keystore = chain::parse_keystore(text);
  if (!keystore) return 0;
  const auto* const scrypt = std::get_if<chain::ScryptCost>(&keystore->kdf);
  const auto* const pbkdf2 = std::get_if<chain::Pbkdf2Cost>(&keystore->kdf);
  const bool cheap = scrypt != nullptr ? scrypt->n * scrypt->r * scrypt->p <= 64 : pbkdf2->rounds <= 64;
  if (cheap) static_cast<void>(chain::decrypt_key(*keystore, "password"));
  return 0;
}
