// The honest parties of a simulation: the product's daemons, each with what wakes it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <vector>

#include "tests/simulator/keepers.h"
#include "tests/simulator/party.h"

namespace tally::simulator {

/// A watchtower whose memory outlives its crashes, but for some.
[[nodiscard]] std::unique_ptr<Party> make_watchtower(World& world, std::size_t number,
                                                     std::vector<std::filesystem::path> data);
[[nodiscard]] const proof::PrivateKey& watchtower_key(std::size_t number);

/// Answers for the honest poster, with the delegate's key.
[[nodiscard]] std::unique_ptr<Party> make_defender(World& world);

/// Does what is due, for everybody; `late_slots` later than it should.
[[nodiscard]] std::unique_ptr<Party> make_finaliser(World& world, std::uint64_t late_slots);

/// Posts the honest batches in their order, once the seed is sealed, it is its turn and keepers have signed. The
/// product posts on command and has no daemon for it yet: the loop is a double, and the plan was made beforehand.
[[nodiscard]] std::unique_ptr<Party> make_poster(World& world, Keepers& keepers,
                                                 std::vector<const PooledBatch*> batches);

}  // namespace tally::simulator
