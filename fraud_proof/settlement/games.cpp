// Games on chain: a record keeps the hash of each one's state, its bond and its batch; the state itself travels with
// each transaction. A game that is open counts in its batch's node, so that no list of games is ever walked.
#include <string>
#include <utility>
#include <variant>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/money.h"
#include "fraud_proof/settlement/tree.h"

namespace tally::proof {

namespace {

GameStart start_of(const Call& call, const FoundBatch& batch, const GameId& id) {
  return {.id = id,
          .batch = batch.id,
          .poster = batch.node.poster,
          .delegate = batch.node.delegate,
          .challenger = call.sender,
          .bond = call.value,
          .clock_s = batch.settings.game_clock_s,
          .now_s = call.block.time_s};
}

/// What both kinds of opening ask for, before they look at the openings.
OrRefused<FoundBatch> find_challenged(const Call& call, const BatchHeader& header) {
  auto batch = find_batch(call.changes, header);
  if (!batch) return batch;
  if (auto open = check_challengeable(call, *batch, batch->settings.challenge_period_s); !open) {
    return std::unexpected(std::move(open.error()));
  }
  if (auto bonded = check_value(call, batch->settings.challenger_bond); !bonded)
    return std::unexpected(std::move(bonded.error()));
  return batch;
}

OrRefused<GameId> new_game_id(const Call& call, const GameKey& key) {
  const GameId id = game_id(key);
  if (read_game(call.changes, id)) return refuse(Reason::kGameExists, "game " + to_hex(id) + " exists");
  return id;
}

void put_new_game(const Call& call, FoundBatch& batch, const Game& game) {
  ++batch.node.open_games;
  put_node(call.changes, batch);
  call.changes.put(
      game_key(game.id),
      GameRecord{.hash = game_hash(game), .batch = batch.id, .state = GameState::kOpen, .bond = game.bond});
  call.changes.emit(GameOpened{.game = game});
}

struct OpenGameOnChain {
  FoundBatch batch{};
  GameRecord record{};
};

/// The game that the chain keeps the hash of: kNoSuchGame, kGameEnded, kStaleMove. Once the hash agrees, all that the
/// state says is true.
OrRefused<OpenGameOnChain> find_open_game(const Call& call, const Game& game) {
  auto record = read_game(call.changes, game.id);
  if (!record) return refuse(Reason::kNoSuchGame, "no game " + to_hex(game.id));
  if (record->state == GameState::kEnded) return refuse(Reason::kGameEnded, "game " + to_hex(game.id) + " has ended");
  if (game_hash(game) != record->hash)
    return refuse(Reason::kStaleMove, "game " + to_hex(game.id) + " is in another state than the one answered");
  auto node = read_node(call.changes, game.task, game.batch);
  auto task = read_task(call.changes, game.task);
  if (!node || !task || node->open_games == 0 || node->state == NodeState::kFinal)
    throw BrokenState("an open game that its batch does not count");
  return OpenGameOnChain{
      .batch = {.id = game.batch, .node = *std::move(node), .settings = std::move(task->preimage.settings)},
      .record = *record};
}

OrRefused<void> check_not_lost(const FoundBatch& batch) {
  if (batch.node.state != NodeState::kLost) return {};
  return refuse(Reason::kBatchLost, "the batch was shown to be invalid by another; the game's bond can be taken back");
}

/// Counts the game out and writes its record. The caller writes the node, and pays out the bond that this gives back.
Wei end_game(const Call& call, const Game& game, OpenGameOnChain& found) {
  const Wei bond = found.record.bond;
  found.record.state = GameState::kEnded;
  found.record.bond = {};
  call.changes.put(game_key(game.id), found.record);
  --found.batch.node.open_games;
  return bond;
}

void emit_end(const Call& call, const Game& game, GameOutcome outcome, std::optional<Move> move = std::nullopt) {
  call.changes.emit(GameEnded{.game = game.id, .batch = game.batch, .outcome = outcome, .move = std::move(move)});
}

OrRefused<void> end_for_challenger(const Call& call, const Game& game, OpenGameOnChain& found, LossCause cause) {
  const Wei bond = end_game(call, game, found);
  if (auto returned = call.changes.credit(game.challenger, bond); !returned) return returned;
  return lose_batch(call, found.batch, cause, game.challenger);
}

OrRefused<void> end_for_poster(const Call& call, const Game& game, OpenGameOnChain& found) {
  const Split split = split_bond(end_game(call, game, found), found.batch.settings.burn_bps);
  put_node(call.changes, found.batch);
  if (auto burned = call.changes.burn(split.burned); !burned) return burned;
  return call.changes.credit(game.poster, split.reward);
}

}  // namespace

OrRefused<void> run(const Call& call, const OpenGame& open) {
  auto batch = find_challenged(call, open.header);
  if (!batch) return std::unexpected(std::move(batch.error()));
  const auto id = new_game_id(
      call,
      {.batch = batch->id, .challenger = call.sender, .body = open.item, .index = open.entry, .salt = {open.salt}});
  if (!id) return std::unexpected(id.error());
  const CommittedBatch committed = committed_batch(call.changes, call.programs, open.header);
  const auto game = open_game(committed, start_of(call, *batch, *id), open.item, open.entry, open.openings);
  if (!game) return std::unexpected(game.error());
  put_new_game(call, *batch, *game);
  return {};
}

OrRefused<void> run(const Call& call, const OpenDescent& open) {
  auto batch = find_challenged(call, open.header);
  if (!batch) return std::unexpected(std::move(batch.error()));
  const auto id = new_game_id(
      call, {.batch = batch->id, .challenger = call.sender, .body = open.item, .index = kNoEntry, .salt = {open.salt}});
  if (!id) return std::unexpected(id.error());
  const CommittedBatch committed = committed_batch(call.changes, call.programs, open.header);
  const auto game = open_descent(committed, start_of(call, *batch, *id), open.item, open.tables, open.roots);
  if (!game) return std::unexpected(game.error());
  put_new_game(call, *batch, *game);
  return {};
}

OrRefused<void> run(const Call& call, const MakeMove& make) {
  auto found = find_open_game(call, make.game);
  if (!found) return std::unexpected(std::move(found.error()));
  if (batch_id(make.header) != found->batch.id)
    return refuse(Reason::kHeaderMismatch, "the header is not that of the game's batch");
  if (auto alive = check_not_lost(found->batch); !alive) return alive;
  const CommittedBatch committed = committed_batch(call.changes, call.programs, make.header);
  const MoveContext context{
      .batch = committed, .arity = found->batch.settings.arity, .sender = call.sender, .now_s = call.block.time_s};
  const auto result = apply_move(context, make.game, make.move);
  if (!result) return std::unexpected(result.error());

  if (const auto* moved = std::get_if<Game>(&*result)) {
    found->record.hash = game_hash(*moved);
    call.changes.put(game_key(make.game.id), found->record);
    call.changes.emit(GameMoved{.move = make.move, .by = call.sender, .game = *moved});
    return {};
  }
  emit_end(call, make.game, GameOutcome::kPosterDisproved, make.move);
  return end_for_challenger(call, make.game, *found, LossCause::kEntry);
}

OrRefused<void> run(const Call& call, const ClaimTimeout& claim) {
  auto found = find_open_game(call, claim.game);
  if (!found) return std::unexpected(std::move(found.error()));
  if (auto alive = check_not_lost(found->batch); !alive) return alive;
  const auto loser = claim_timeout(claim.game, call.block.time_s);
  if (!loser) return std::unexpected(loser.error());
  switch (*loser) {
    case Side::kPoster:
      emit_end(call, claim.game, GameOutcome::kPosterTimeout);
      return end_for_challenger(call, claim.game, *found, LossCause::kTimeout);
    case Side::kChallenger:
      emit_end(call, claim.game, GameOutcome::kChallengerTimeout);
      return end_for_poster(call, claim.game, *found);
  }
  TALLY_ASSERT(false);
}

OrRefused<void> run(const Call& call, const RefundGame& refund) {
  auto found = find_open_game(call, refund.game);
  if (!found) return std::unexpected(std::move(found.error()));
  if (found->batch.node.state != NodeState::kLost)
    return refuse(Reason::kBatchNotLost, "the batch was not shown to be invalid: the game goes on");
  const Wei bond = end_game(call, refund.game, *found);
  put_node(call.changes, found->batch);
  emit_end(call, refund.game, GameOutcome::kRefunded);
  return call.changes.credit(refund.game.challenger, bond);
}

}  // namespace tally::proof
