// Checks the file of an embedded chain from its first block on, believing nothing in it: the hashes of blocks, every
// signature, nonce and amount, and all that the settlement did, which is done again in memory and compared.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

namespace tally::chain {

struct AuditReport {
  std::uint64_t blocks = 0;
  std::uint64_t transactions = 0;
  std::uint64_t events = 0;
};

/// The error is the first thing that is wrong. Others may write meanwhile; what is checked is one state of the file.
/// Throws DatabaseError where the file cannot be read at all.
[[nodiscard]] std::expected<AuditReport, std::string> audit(const std::filesystem::path& file);

}  // namespace tally::chain
