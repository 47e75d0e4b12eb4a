// Keys and addresses from the command line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/exit_code.h"
#include "fraud_proof/signing/secp256k1.h"

namespace tally::cli {

struct SigningKeys {
  std::vector<proof::PrivateKey> keys;  // one for each update
};

/// Keystores STEM.json of `folder`, one for each update file; without a folder, development keys and a plain warning.
[[nodiscard]] SigningKeys load_signing_keys(const std::vector<std::filesystem::path>& updates,
                                            const std::string& folder, const std::string& password_file,
                                            Console& console);

[[nodiscard]] proof::PrivateKey open_keystore(const std::filesystem::path& path, const std::string& password);

/// The key where the text is "dev:N"; nothing where it does not begin so. A Failure names the flag.
[[nodiscard]] std::optional<proof::PrivateKey> development_key_argument(const std::string& flag,
                                                                        const std::string& text);

/// An address, or "dev:N" for that of development key N. A Failure names the flag.
[[nodiscard]] proof::Address parse_address_argument(const std::string& flag, const std::string& text);

/// `text`, or development address 0 where it is empty.
[[nodiscard]] proof::Address poster_address(const std::string& text);

}  // namespace tally::cli
