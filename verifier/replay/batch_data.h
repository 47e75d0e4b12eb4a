// The data of a posted batch, as far as a directory has it. Everything here has the size that the program says; what it
// holds is for the caller to hash.
#pragma once

#include <optional>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/batch_files.h"
#include "chain_adapter/files/mapped_file.h"
#include "verifier/replay/description.h"

namespace tally::verifier {

struct BatchData {
  std::optional<chain::MappedFile> records{};
  std::optional<chain::RowFiles> rows{};  // absent where one is missing
  chain::TableFiles tables{};             // states too; those that are there
};

/// I/O failures other than a missing, odd or unreadable file are std::system_error.
[[nodiscard]] BatchData find_data(const Description& batch, const chain::BatchPaths& paths);

}  // namespace tally::verifier
