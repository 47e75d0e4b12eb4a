// Any bytes are judged as a game and as a move; what is accepted is written back as it came, and can be played without
// a crash. Then the bytes steer both sides of a game over a real batch, honest moves or changed ones: whatever is
// accepted encodes, decodes, and never gives time back.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/game_players.h"
#include "tests/support/small_program.h"

namespace {

using namespace tally;

constexpr int kMostMoves = 64;

struct World {
  World() { world.set(test::kNextModel, 0, world.value(test::kNextModel, 0) ^ 1); }

  test::GameWorld world{test::small_program(), 5, 8};
  test::CommittedMemory& committed = world.commit();
};

void judge(World& world, math::Bytes bytes) {
  if (const auto game = proof::decode_game(bytes)) {
    const auto encoded = proof::encode(*game);
    TALLY_ASSERT(math::sha256(encoded) == math::sha256(bytes));
    static_cast<void>(proof::claim_timeout(*game, game->moved_at_s + 1));
    const std::vector<proof::Move> moves{proof::Reveal{}, proof::Descend{{0}}, proof::Choose{},        proof::Respond{},
                                         proof::Narrow{}, proof::Prove{},      proof::NarrowAndProve{}};
    for (const proof::Move& move : moves) {
      for (const proof::Address& sender : {game->poster, game->challenger}) {
        static_cast<void>(proof::apply_move(
            {.batch = world.committed.batch(), .arity = 3, .sender = sender, .now_s = game->moved_at_s}, *game, move));
      }
    }
  }
  math::ByteReader reader(bytes);
  if (const auto move = proof::decode_move(reader)) {
    math::ByteWriter writer;
    proof::encode(*move, writer);
    const std::size_t size = bytes.size() - reader.remaining();
    TALLY_ASSERT(math::sha256(writer.view()) == math::sha256(bytes.first(size)));
  }
}

proof::Game opened(World& world, std::uint8_t choice) {
  const proof::CommittedBatch& batch = world.committed.batch();
  const proof::GameStart start = test::start_of(world.committed);
  if (choice % 2 == 0) {
    const std::uint16_t item = choice % 4 == 0 ? 0 : 2;
    const auto openings = proof::make_result_openings(batch, item, 0, world.committed);
    return proof::open_game(batch, start, item, 0, openings).value();
  }
  const math::ObjectId table = choice % 4 == 1 ? test::kNextModel : test::kWalk;
  const auto roots = proof::make_roots(batch, std::vector{table}, std::vector{world.committed.tree_root(table)},
                                       world.committed.table_commitments());
  return proof::open_descent(batch, start, choice % 4 == 1 ? 2 : 3, std::vector{table}, roots).value();
}

proof::Move next_move(World& world, const proof::MoveContext& context, const proof::Game& game,
                      math::ByteReader& bytes) {
  const auto truth = test::states_of(world.world.states(game.item, game.entry == proof::kNoEntry ? 0 : game.entry));
  switch (game.phase) {
    case proof::Phase::kReveal:
      return test::reveal_with(game, world.committed);
    case proof::Phase::kDescend:
      return test::descend_with(game, world.committed);
    case proof::Phase::kChoose: {
      const std::uint64_t entry = bytes.u8() % 2;
      return proof::Choose{game.item, entry,
                           proof::make_result_openings(context.batch, game.item, entry, world.committed)};
    }
    case proof::Phase::kRespond:
      return test::respond_with(context, game, truth);
    case proof::Phase::kNarrow:
      if (bytes.u8() % 2 == 0) return proof::Narrow{.segment = bytes.u8()};
      return test::challenge_with(context, game, truth, world.committed);
    case proof::Phase::kProve:
      return test::challenge_with(context, game, truth, world.committed);
  }
  return proof::Narrow{};
}

void play(World& world, math::ByteReader bytes) {
  proof::Game game = opened(world, bytes.u8());
  for (int moves = 0; moves < kMostMoves && bytes.remaining() > 0; ++moves) {
    const bool poster = proof::to_move(game.phase) == proof::Side::kPoster;
    const proof::MoveContext context{.batch = world.committed.batch(),
                                     .arity = 3,
                                     .sender = poster ? test::kPosterAddress : test::kChallengerAddress,
                                     .now_s = game.moved_at_s + bytes.u8()};
    math::ByteWriter writer;
    proof::encode(next_move(world, context, game, bytes), writer);
    std::vector<std::uint8_t> encoded = writer.take();
    const std::size_t at = bytes.u16be();
    const std::uint8_t change = bytes.u8();
    encoded[at % encoded.size()] ^= change % 4 == 0 ? change : 0;
    math::ByteReader reader(encoded);
    const auto move = proof::decode_move(reader);
    if (!move) continue;
    const auto result = proof::apply_move(context, game, *move);
    if (!result) continue;
    if (std::holds_alternative<proof::PosterLost>(*result)) return;
    const auto& next = std::get<proof::Game>(*result);
    TALLY_ASSERT(proof::decode_game(proof::encode(next)).value() == next);
    TALLY_ASSERT(next.poster_clock_s + next.challenger_clock_s <= game.poster_clock_s + game.challenger_clock_s);
    game = next;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size == 0) return 0;
  const math::Bytes bytes(data, size);
  judge(world, bytes.subspan(1));
  if (bytes[0] % 2 == 1) play(world, math::ByteReader(bytes.subspan(1)));
  return 0;
}
