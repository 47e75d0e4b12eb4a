#include "chain_adapter/chain/overtaken.h"

#include <variant>

#include "fraud_proof/commitments/ids.h"
#include "fraud_proof/game/game.h"

namespace tally::chain {

namespace {

using proof::BatchHeader;
using proof::OpeningKey;

class Overtaken {
 public:
  Overtaken(const proof::StateReader& state, const proof::Address& sender) : x_state(state), x_sender(sender) {}

  bool operator()(const proof::OpenGame& open) const { return exists(open.header, open.item, open.entry, open.salt); }
  bool operator()(const proof::OpenDescent& open) const {
    return exists(open.header, open.item, proof::kNoEntry, open.salt);
  }
  bool operator()(const proof::MakeMove& move) const { return has_moved_on(move.game); }
  bool operator()(const proof::ClaimTimeout& claim) const { return has_moved_on(claim.game); }
  bool operator()(const proof::RefundGame& refund) const { return has_moved_on(refund.game); }
  bool operator()(const proof::RequestLeaf& request) const {
    return proof::read_request(x_state, proof::batch_id(request.header), request.leaf).has_value();
  }
  bool operator()(const proof::AnswerRequest& answer) const { return is_settled(answer.header, answer.leaf); }
  bool operator()(const proof::ClaimWithheld& claim) const { return is_settled(claim.header, claim.leaf); }
  template <class Other>
  bool operator()(const Other& /*other*/) const {
    return false;
  }

 private:
  [[nodiscard]] bool exists(const BatchHeader& header, std::uint16_t item, std::uint64_t entry,
                            const proof::Salt& salt) const {
    const proof::GameId id = proof::game_id(
        {.batch = proof::batch_id(header), .challenger = x_sender, .body = item, .index = entry, .salt = {salt}});
    return proof::read_game(x_state, id).has_value();
  }
  [[nodiscard]] bool has_moved_on(const proof::Game& game) const {
    const auto record = proof::read_game(x_state, game.id);
    return record && (record->state == proof::GameState::kEnded || record->hash != proof::game_hash(game));
  }
  [[nodiscard]] bool is_settled(const BatchHeader& header, const OpeningKey& leaf) const {
    const auto record = proof::read_request(x_state, proof::batch_id(header), leaf);
    return record && record->state != proof::RequestState::kOpen;
  }

  const proof::StateReader& x_state;
  const proof::Address& x_sender;
};

}  // namespace

bool is_overtaken(const proof::StateReader& state, const proof::Address& sender,
                  const proof::Transaction& transaction) {
  return std::visit(Overtaken(state, sender), transaction);
}

}  // namespace tally::chain
