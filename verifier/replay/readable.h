// Data files that are there and cannot be read: by their permissions, or because their medium fails.
#pragma once

#include <optional>
#include <system_error>
#include <utility>

namespace tally::verifier {

/// What `open` gives; nothing where it refuses the file, or the file is unreadable. Other failures are thrown.
template <class Open>
[[nodiscard]] auto where_readable(const Open& open) -> std::optional<typename decltype(open())::value_type> {
  try {
    auto opened = open();
    if (opened) return *std::move(opened);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::permission_denied && error.code() != std::errc::io_error) throw;
  }
  return std::nullopt;
}

}  // namespace tally::verifier
