// What a poster can make of keepers' signatures.
#include <array>
#include <utility>

#include "chain_adapter/keys/development_keys.h"
#include "tests/support/forger.h"
#include "tests/support/posted_batch.h"

namespace tally::test {

namespace {

using proof::Reason;

Forgery forged_certificate(std::string name, Reason reason, std::function<void(Certificate&)> change) {
  return {.name = std::move(name), .certificate = std::move(change), .refusals = {reason}};
}

}  // namespace

void take_second_form(proof::Signature& signature) {
  constexpr std::array<std::uint8_t, 32> kOrder = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                   0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                                                   0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
  int borrow = 0;
  for (std::size_t i = kOrder.size(); i-- > 0;) {
    const int difference = int{kOrder[i]} - int{signature.bytes[32 + i]} - borrow;
    borrow = difference < 0 ? 1 : 0;
    signature.bytes[32 + i] = static_cast<std::uint8_t>(difference + 256 * borrow);
  }
  signature.bytes[64] = signature.bytes[64] == 27 ? 28 : 27;
}

proof::BatchId Forger::valid_id() const { return posted_batch(x_valid.directory(), x_world.program()).posted.batch; }

std::optional<Forgery> Forger::keeper_signature() {
  if (!x_world.has_keepers()) return std::nullopt;
  const std::uint64_t which = below(kSigningKeepers.size());
  const std::uint64_t place = x_random();
  const std::uint64_t bits = x_random();
  const proof::BatchId id = valid_id();
  const auto forged = [which](std::string name, std::function<void(proof::KeeperSignature&)> change) {
    return forged_certificate("a keeper's signature: " + std::move(name), Reason::kKeeperSignature,
                              [which, change = std::move(change)](Certificate& all) { change(all[which]); });
  };
  switch (below(6)) {
    case 0:
      return forged("another byte", [=](proof::KeeperSignature& one) {
        one.signature.bytes[place % one.signature.bytes.size()] ^= static_cast<std::uint8_t>(1 + bits % 255);
      });
    case 1:
      return forged("the second form", [](proof::KeeperSignature& one) { take_second_form(one.signature); });
    case 2:
      return forged("a stranger's", [=](proof::KeeperSignature& one) {
        one.signature = proof::sign(chain::development_key(kStrangersKey), proof::keeper_message(id).bytes);
      });
    case 3:
      return forged("of the batch's id alone", [=, &world = x_world](proof::KeeperSignature& one) {
        one.signature = proof::sign(world.keeper(one.position), id.digest.bytes);
      });
    case 4:
      return forged("as that of the keeper who did not sign", [](proof::KeeperSignature& one) { one.position = 1; });
    default:
      return forged_certificate("two keepers' signatures exchanged", Reason::kKeeperSignature,
                                [](Certificate& all) { std::swap(all.front().signature, all.back().signature); });
  }
}

std::optional<Forgery> Forger::keeper_order() {
  if (!x_world.has_keepers()) return std::nullopt;
  const bool first = below(2) == 0;
  switch (below(3)) {
    case 0:
      return forged_certificate("keepers in another order", Reason::kKeeperOrder,
                                [](Certificate& all) { std::swap(all.front(), all.back()); });
    case 1:
      return forged_certificate("a keeper twice", Reason::kKeeperOrder, [=](Certificate& all) {
        if (first) {
          all.back() = all.front();
        } else {
          all.front() = all.back();
        }
      });
    default:
      return forged_certificate("a keeper beyond the list", Reason::kKeeperOrder, [=](Certificate& all) {
        all.back().position = first ? kKeepers : std::uint16_t{0xffff};
      });
  }
}

std::optional<Forgery> Forger::keeper_count() {
  const proof::BatchId id = valid_id();
  if (!x_world.has_keepers()) {
    return forged_certificate("a keeper where there is none", Reason::kKeeperCount,
                              [](Certificate& all) { all.emplace_back(); });
  }
  switch (below(3)) {
    case 0:
      return forged_certificate("no keepers", Reason::kKeeperCount, [](Certificate& all) { all.clear(); });
    case 1:
      return forged_certificate("a keeper less", Reason::kKeeperCount, [](Certificate& all) { all.pop_back(); });
    default:
      return forged_certificate("a keeper more", Reason::kKeeperCount, [=, &world = x_world](Certificate& all) {
        all.insert(all.begin() + 1,
                   {.position = 1, .signature = proof::sign(world.keeper(1), proof::keeper_message(id).bytes)});
      });
  }
}

std::optional<Forgery> Forger::keeper_replayed() {
  if (!x_world.has_keepers()) return std::nullopt;
  auto forgery = below(2) == 0 ? element() : colluder();
  if (!forgery) return std::nullopt;
  forgery->name += ", with the valid batch's keepers";
  forgery->certificate = [all = x_world.signed_blindly(valid_id())](Certificate& given) { given = all; };
  forgery->refusals = {Reason::kKeeperSignature};
  forgery->may_be_true = false;
  return forgery;
}

}  // namespace tally::test
