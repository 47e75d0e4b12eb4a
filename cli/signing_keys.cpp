#include "cli/signing_keys.h"

#include <charconv>
#include <string_view>

#include "chain_adapter/keys/development_keys.h"
#include "chain_adapter/keys/keystore.h"
#include "cli/password.h"

namespace tally::cli {

namespace fs = std::filesystem;

proof::PrivateKey open_keystore(const fs::path& path, const std::string& password) {
  const auto keystore = chain::read_keystore(path);
  if (!keystore) bad_input(keystore.error().message);
  auto key = chain::decrypt_key(*keystore, password);
  if (!key) bad_input(path.string() + ": " + key.error().message);
  return *std::move(key);
}

SigningKeys load_signing_keys(const std::vector<fs::path>& updates, const std::string& folder,
                              const std::string& password_file, Console& console) {
  SigningKeys result;
  if (folder.empty()) {
    console.warn("updates are signed by development keys, which anyone can derive; give --keys DIR for real ones");
    for (std::size_t i = 0; i < updates.size(); ++i) result.keys.push_back(chain::development_key(i + 1));
    return result;
  }
  const std::string password = read_password(password_file, Ask::kOnce);
  for (const fs::path& update : updates) {
    const fs::path path = fs::path(folder) / (update.stem().string() + ".json");
    if (!fs::exists(path)) bad_input(path.string() + ": missing; each update needs the keystore that signs it");
    result.keys.push_back(open_keystore(path, password));
    console.progress("opening keystores", result.keys.size(), updates.size());
  }
  console.end_progress();
  return result;
}

std::optional<proof::PrivateKey> development_key_argument(const std::string& flag, const std::string& text) {
  constexpr std::string_view kPrefix = "dev:";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + kPrefix.size(), end, number);
  if (error != std::errc() || rest != end) bad_input(flag + " " + text + ": not dev: and a number");
  return chain::development_key(number);
}

proof::Address parse_address_argument(const std::string& flag, const std::string& text) {
  if (const auto key = development_key_argument(flag, text)) return key->address();
  const auto address = proof::parse_address(text);
  if (!address) bad_input(flag + " " + text + ": " + address.error().message);
  return *address;
}

proof::Address poster_address(const std::string& text) {
  return text.empty() ? chain::development_key(0).address() : parse_address_argument("--poster", text);
}

}  // namespace tally::cli
