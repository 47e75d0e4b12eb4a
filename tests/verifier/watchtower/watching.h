// What tests of the watchtower share: cheats, and what a run told.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "chain_adapter/sqlite/database.h"
#include "tests/support/comes_true.h"
#include "tests/support/dispute_world.h"
#include "tests/support/test_batch.h"
#include "verifier/watchtower/watchtower.h"

namespace tally::test {

/// What ends a run as a crash would: nothing catches it.
struct Crash {};

/// A first batch whose table is forged at one index.
inline Cheat forge(const DisputeWorld& world, const std::string& table, std::uint64_t index, math::i128 change = 1) {
  return [&world, table, index, change](const std::filesystem::path& directory) {
    forge_table(directory, world.program(), table, index, change);
  };
}

inline Cheat flip(const std::string& file, std::size_t place, std::uint8_t mask = 1) {
  return [=](const std::filesystem::path& directory) {
    const std::vector<std::uint8_t> bytes = read_bytes(directory / file);
    write_byte(directory / file, place, static_cast<std::uint8_t>(bytes.at(place) ^ mask));
  };
}

inline std::size_t count(const std::vector<verifier::WatchEvent>& events, verifier::WatchEvent::Kind kind,
                         std::string_view what = {}) {
  return static_cast<std::size_t>(std::ranges::count_if(events, [&](const verifier::WatchEvent& event) {
    return event.kind == kind && (what.empty() || event.what == what);
  }));
}

/// Of a memory that is up to date.
inline chain::Database open_memory(const std::filesystem::path& memory) {
  static const std::array<std::string_view, 4> kMigrations;
  static const chain::DatabaseSchema kSchema{
      .kind = "memory", .how_to_make = "", .application_id = 0x54574d31, .migrations = kMigrations};
  return {memory, kSchema};
}

inline void execute(const std::filesystem::path& memory, const std::string& statement) {
  open_memory(memory).execute(statement);
}

}  // namespace tally::test
