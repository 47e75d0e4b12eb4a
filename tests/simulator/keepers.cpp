#include "tests/simulator/keepers.h"

#include "fraud_proof/settlement/posting.h"

namespace tally::simulator {

namespace {

constexpr std::uint64_t kMostSlotsToAnswer = 40;

}  // namespace

Keepers::Keepers(World& world) : x_world(world), x_characters(kKeepers, Character::kHonest) {
  if (world.task().kind() != TaskKind::kSociety) return;
  Random& random = world.random();
  const std::size_t other = random.below(kKeepers);
  if (random.percent(60)) x_characters[other] = random.percent(50) ? Character::kAbsent : Character::kLying;
}

std::vector<std::filesystem::path> Keepers::stores() const {
  std::vector<std::filesystem::path> stores;
  for (std::size_t keeper = 0; keeper < kKeepers; ++keeper) {
    if (x_characters[keeper] == Character::kHonest) stores.push_back(x_world.task().kept(keeper));
  }
  return stores;
}

std::vector<proof::KeeperSignature> Keepers::ask(const PooledBatch& batch) {
  std::vector<proof::KeeperSignature> answers;
  Random& random = x_world.random();
  for (std::size_t keeper = 0; keeper < kKeepers; ++keeper) {
    const auto [answer, is_new] = x_answers_s.try_emplace({batch.id, keeper});
    if (is_new) answer->second = x_world.now_s() + random.below(kMostSlotsToAnswer) * x_world.weather().slot_s;
    if (x_characters[keeper] == Character::kAbsent || x_world.now_s() < answer->second) continue;
    proof::KeeperSignature signature{.position = static_cast<std::uint16_t>(keeper), .signature = {}};
    if (x_characters[keeper] == Character::kHonest) {
      const auto& kept = x_world.task().keep(batch, keeper);
      if (!kept) continue;
      signature.signature = *kept;
    } else if (random.percent(50)) {
      signature.signature.bytes.back() = 27;
    } else {
      // Over something else.
      signature.signature = proof::sign(keeper_key(keeper), batch.id.digest.bytes);
    }
    answers.push_back(signature);
  }
  return answers;
}

std::vector<proof::KeeperSignature> Keepers::ask_for_a_lie(const PooledBatch& batch) {
  std::vector<proof::KeeperSignature> answers;
  for (std::size_t keeper = 0; keeper < kKeepers; ++keeper) {
    proof::KeeperSignature signature{.position = static_cast<std::uint16_t>(keeper), .signature = {}};
    if (x_characters[keeper] == Character::kHonest) {
      const auto& kept = x_world.task().keep(batch, keeper);
      if (!kept) continue;
      signature.signature = *kept;
    } else if (x_characters[keeper] == Character::kLying) {
      signature.signature = proof::sign(keeper_key(keeper), proof::keeper_message(batch.id).bytes);
    } else {
      continue;
    }
    answers.push_back(signature);
  }
  return answers;
}

std::vector<proof::KeeperSignature> Keepers::good_ones(const PooledBatch& batch,
                                                       const std::vector<proof::KeeperSignature>& all) const {
  const proof::Availability& availability = x_world.settings().availability;
  for (std::size_t first = 0; first < all.size(); ++first) {
    for (std::size_t second = first + 1; second < all.size(); ++second) {
      const std::vector<proof::KeeperSignature> two = {all[first], all[second]};
      if (proof::check_keepers(availability, batch.id, two)) return two;
    }
  }
  return {};
}

}  // namespace tally::simulator
