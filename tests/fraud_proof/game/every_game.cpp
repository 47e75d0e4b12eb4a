#include "tests/fraud_proof/game/every_game.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "fraud_proof/step/one_step.h"

namespace tally::test {

using namespace tally::proof;
using math::Accumulators;
using math::i128;

namespace {

/// Of each kind of move one, to be sent when another is due.
const std::vector<std::pair<Phase, Move>> kOneOfEach = {{Phase::kReveal, Reveal{}},        {Phase::kDescend, Descend{}},
                                                        {Phase::kChoose, Choose{}},        {Phase::kRespond, Respond{}},
                                                        {Phase::kNarrow, Narrow{}},        {Phase::kProve, Prove{}},
                                                        {Phase::kNarrow, NarrowAndProve{}}};

/// Of each witness every so many bytes are forged, beginning at another in each state.
constexpr std::size_t kFlipStep = 5;

Side other(Side side) { return side == Side::kPoster ? Side::kChallenger : Side::kPoster; }

std::uint64_t clock_of(const Game& game, Side side) {
  return side == Side::kPoster ? game.poster_clock_s : game.challenger_clock_s;
}

const Address& player(Side side) { return side == Side::kPoster ? kPosterAddress : kChallengerAddress; }

/// The rule as it is told: low + floor((high - low)·i/n), for i from 0 to n = min(arity, high - low).
bool is_boundary(const Game& game, std::uint64_t arity, std::uint64_t position) {
  const std::uint64_t segments = std::min(arity, game.high - game.low);
  for (std::uint64_t i = 0; i <= segments; ++i) {
    if (position == game.low + (game.high - game.low) * i / segments) return true;
  }
  return false;
}

/// The state behind a segment.
struct Segment {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  Accumulators at_low{};
};

std::vector<Segment> segments_of(const MoveContext& context, const Game& game) {
  const auto positions = boundary_positions(game.low, game.high, context.arity);
  const auto claims =
      decode_claims(*context.batch.program.items[game.item].body, positions.size(), game.claims).value();
  std::vector<Segment> segments{{.low = game.low, .at_low = game.at_low}};
  for (std::size_t i = 0; i < positions.size(); ++i) {
    segments.back().high = positions[i];
    segments.push_back({.low = positions[i], .at_low = claims[i]});
  }
  segments.back().high = game.high;
  return segments;
}

}  // namespace

GameCount& GameCount::operator+=(const GameCount& other) {
  states += other.states;
  won += other.won;
  clock += other.clock;
  for (const auto& [reason, count] : other.refusals) refusals[reason] += count;
  return *this;
}

EveryGame::EveryGame(const Arena& arena, Liars liars) : x_arena(arena), x_liars(liars) {}

GameCount EveryGame::play(const Game& start) {
  visit(start);
  return std::exchange(x_count, {});
}

void EveryGame::visit(const Game& game) {
  const Digest hash = game_hash(game);
  ASSERT_FALSE(std::ranges::count(x_path, hash) > 0) << "a state came again";
  if (!x_visited.insert(hash).second) return;
  ++x_count.states;
  EXPECT_EQ(decode_game(encode(game)), game);
  const std::vector<Move> moves = moves_of(game);
  check_refusals(game, moves);
  EXPECT_EQ(game_hash(game), hash) << "a refusal changed the state";
  x_path.push_back(hash);
  bool moved = false;
  for (const Move& move : moves) {
    const auto result = apply_move(context_of(game), game, move);
    if (!result) {
      EXPECT_EQ(result.error().reason, Reason::kNotDisproved) << result.error().message;
      EXPECT_TRUE(lies(Side::kChallenger)) << "an honest challenger proved nothing";
      ++x_count.refusals[result.error().reason];
    } else if (const auto* after = std::get_if<Game>(&*result)) {
      moved = true;
      check_successor(game, *after);
      visit(*after);
    } else {
      moved = true;
      disproved(game);
    }
  }
  if (lies(to_move(game.phase)) || !moved) end_by_clock(game);
  x_path.pop_back();
}

void EveryGame::disproved(const Game& game) {
  ++x_count.won;
  EXPECT_EQ(to_move(game.phase), Side::kChallenger);
  EXPECT_NE(x_liars, Liars::kChallenger) << "a true entry was disproved";
}

// A side that has no move, or makes none, loses by its clock; only a liar ever does.
void EveryGame::end_by_clock(const Game& game) {
  ++x_count.clock;
  const Side side = to_move(game.phase);
  EXPECT_TRUE(lies(side)) << "an honest side has no move";
  EXPECT_EQ(claim_timeout(game, game.moved_at_s + clock_of(game, side) + 1).value(), side);
}

void EveryGame::check_successor(const Game& before, const Game& after) {
  const Side mover = to_move(before.phase);
  EXPECT_EQ(after.moved_at_s, context_of(before).now_s);
  EXPECT_EQ(clock_of(after, mover), clock_of(before, mover) - 1);
  EXPECT_EQ(clock_of(after, other(mover)), clock_of(before, other(mover)));
  EXPECT_EQ(after.bond, before.bond);
  if (before.phase == Phase::kNarrow) {
    EXPECT_TRUE(is_boundary(before, x_arena.arity, after.low) && is_boundary(before, x_arena.arity, after.high));
    EXPECT_GE(after.low, before.low);
    EXPECT_LE(after.high, before.high);
    EXPECT_LT(after.high - after.low, before.high - before.low);
    EXPECT_EQ(after.phase == Phase::kProve, after.high - after.low == 1);
  }
}

// The running clock, to the second.
void EveryGame::check_clock(const Game& game, const Move& valid) {
  const Side side = to_move(game.phase);
  const std::uint64_t last_s = game.moved_at_s + clock_of(game, side);
  MoveContext context = context_of(game);
  context.now_s = last_s + 1;
  refused(context, game, valid, Reason::kClockExpired);
  context.now_s = last_s;
  const auto in_time = apply_move(context, game, valid);
  if (!in_time) {
    EXPECT_EQ(in_time.error().reason, Reason::kNotDisproved);
  } else if (const auto* after = std::get_if<Game>(&*in_time)) {
    EXPECT_EQ(clock_of(*after, side), 0U);
    EXPECT_EQ(clock_of(*after, other(side)), clock_of(game, other(side)));
  }
  const auto early = claim_timeout(game, last_s);
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().reason, Reason::kClockRunning);
  EXPECT_EQ(claim_timeout(game, last_s + 1).value(), side);
}

void EveryGame::check_refusals(const Game& game, const std::vector<Move>& moves) {
  ASSERT_FALSE(moves.empty());
  const Move& valid = moves.front();
  check_clock(game, valid);
  for (const auto& [phase, move] : kOneOfEach) {
    if (phase != game.phase) refused(game, move, Reason::kWrongPhase);
  }
  MoveContext context = context_of(game);
  const Side side = to_move(game.phase);
  for (const Address& sender : {player(other(side)), Address{}, Address{{9}}}) {
    context.sender = sender;
    refused(context, game, valid, Reason::kNotYourMove);
  }
  context.sender = kDelegateAddress;
  if (side == Side::kChallenger) refused(context, game, valid, Reason::kNotYourMove);
  check_forgeries(game, valid);
}

// Moves of the right kind, with something wrong.
void EveryGame::check_forgeries(const Game& game, const Move& valid) {
  switch (game.phase) {
    case Phase::kReveal: {
      const Reveal& right = std::get<Reveal>(valid);
      Reveal wrong = right;
      wrong.answers.emplace_back();
      refused(game, wrong, Reason::kRevealCount);
      for (std::size_t i = 0; i < right.answers.size(); ++i) {
        const bool leaf = right.answers[i].nodes.empty();
        wrong = right;
        leaf ? wrong.answers[i].leaf.push_back(0) : wrong.answers[i].nodes.pop_back();
        refused(game, wrong, leaf ? Reason::kRevealSize : Reason::kRevealCount);
        wrong = right;
        (leaf ? wrong.answers[i].leaf.back() : wrong.answers[i].nodes.back().bytes[31]) ^= 1;
        refused(game, wrong, Reason::kRevealMismatch);
      }
      return;
    }
    case Phase::kDescend: {
      Descend wrong = std::get<Descend>(valid);
      wrong.children.push_back(0);
      refused(game, wrong, Reason::kNoSuchChild);
      wrong = std::get<Descend>(valid);
      wrong.children.back() = kMaxChildren;
      refused(game, wrong, Reason::kNoSuchChild);
      return;
    }
    case Phase::kChoose: {
      Choose wrong = std::get<Choose>(valid);
      wrong.entry = kNoEntry;
      refused(game, wrong, Reason::kNoSuchEntry);
      wrong = std::get<Choose>(valid);
      wrong.openings.push_back(0);
      refused(game, wrong);
      return;
    }
    case Phase::kRespond: {
      Respond wrong = std::get<Respond>(valid);
      wrong.claims.push_back(0);
      refused(game, wrong, Reason::kClaimSize);
      return;
    }
    case Phase::kNarrow: {
      const std::vector<Segment> segments = segments_of(context_of(game), game);
      for (const std::size_t beyond : {segments.size(), segments.size() + 1, std::size_t{255}}) {
        refused(game, Narrow{static_cast<std::uint8_t>(beyond)}, Reason::kNoSuchSegment);
        refused(game, NarrowAndProve{static_cast<std::uint8_t>(beyond), {}}, Reason::kNoSuchSegment);
      }
      for (std::size_t i = 0; i < segments.size(); ++i) {
        if (segments[i].high - segments[i].low > 1)
          refused(game, NarrowAndProve{static_cast<std::uint8_t>(i), {}}, Reason::kSegmentTooLong);
      }
      return;
    }
    case Phase::kProve: {
      const std::vector<std::uint8_t> right = std::get<Prove>(valid).witness;
      Prove wrong{.witness = right};
      wrong.witness.push_back(0);
      refused(game, wrong);
      for (std::size_t i = x_count.states % kFlipStep; i < right.size(); i += kFlipStep) {
        wrong.witness = right;
        wrong.witness[i] ^= 0x10;
        refused(game, wrong);
      }
      wrong.witness.assign(right.begin(), right.begin() + static_cast<std::ptrdiff_t>(right.size() / 2));
      if (!right.empty()) refused(game, wrong);
      return;
    }
  }
}

void EveryGame::refused(const Game& game, const Move& move) {
  const auto result = apply_move(context_of(game), game, move);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().reason, Reason::kNotDisproved) << "a forged witness was run";
  EXPECT_FALSE(to_string(result.error().reason).empty());
  ++x_count.refusals[result.error().reason];
}

void EveryGame::refused(const Game& game, const Move& move, Reason reason) {
  refused(context_of(game), game, move, reason);
}

void EveryGame::refused(const MoveContext& context, const Game& game, const Move& move, Reason reason) {
  const auto result = apply_move(context, game, move);
  ASSERT_FALSE(result.has_value()) << to_string(reason);
  EXPECT_EQ(result.error().reason, reason) << result.error().message;
  ++x_count.refusals[reason];
}

bool EveryGame::lies(Side side) const {
  return x_liars == Liars::kBoth || (x_liars == Liars::kPoster) == (side == Side::kPoster);
}

// Each move takes one second.
MoveContext EveryGame::context_of(const Game& game) const {
  return {.batch = x_arena.posted.batch(),
          .arity = x_arena.arity,
          .sender = player(to_move(game.phase)),
          .now_s = game.moved_at_s + 1};
}

std::vector<Move> EveryGame::moves_of(const Game& game) {
  if (!lies(to_move(game.phase))) return honest_moves(game);
  switch (game.phase) {
    case Phase::kReveal:
      return {reveal_with(game, x_arena.posted)};  // there is no other with the same root
    case Phase::kDescend:
      return descents(game);
    case Phase::kChoose:
      return choices();
    case Phase::kRespond:
      return responses(game);
    case Phase::kNarrow:
      return narrowings(game);
    case Phase::kProve:
      return {Prove{.witness = witness(game)}};
  }
  return {};
}

std::vector<Move> EveryGame::honest_moves(const Game& game) {
  const MoveContext context = context_of(game);
  const Place place{game.item, game.entry};
  switch (game.phase) {
    case Phase::kReveal:
      return {reveal_with(game, x_arena.posted)};
    case Phase::kDescend:
      return {descend_with(game, x_arena.own)};
    case Phase::kChoose:
      return {choose(x_arena.target)};
    case Phase::kRespond:
      return {respond_with(context, game, x_arena.truth(place))};
    case Phase::kNarrow:
    case Phase::kProve:
      return {challenge_with(context, game, x_arena.truth(place), x_arena.posted)};
  }
  return {};
}

// At each boundary: the truth, or one of the accumulators is one more, or another number altogether; in all
// combinations.
std::vector<Move> EveryGame::responses(const Game& game) const {
  const StateAt truth = x_arena.truth({game.item, game.entry});
  const auto positions = boundary_positions(game.low, game.high, x_arena.arity);
  const std::size_t stories = 1 + 2 * x_arena.posted.batch().program.items[game.item].body->accumulators.size();
  std::size_t combinations = 1;
  for (std::size_t i = 0; i < positions.size(); ++i) combinations *= stories;
  std::vector<Move> moves;
  for (std::size_t combination = 0; combination < combinations; ++combination) {
    const StateAt claim = [&](std::uint64_t number) {
      Accumulators state = truth(number);
      std::size_t digits = combination;
      for (std::size_t i = 0; positions[i] != number; ++i) digits /= stories;
      const std::size_t story = digits % stories;
      if (story == 0) return state;
      i128& lie = state[(story - 1) / 2];
      lie = story % 2 == 1 ? lie + 1 : i128{77};
      return state;
    };
    moves.push_back(respond_with(context_of(game), game, claim));
  }
  return moves;
}

// Every child of every table, in all combinations.
std::vector<Move> EveryGame::descents(const Game& game) const {
  std::vector<Descend> moves{{}};
  for (const Descent& descent : game.descents) {
    if (descent.located) continue;
    std::vector<Descend> longer;
    for (const Descend& move : moves) {
      for (std::size_t child = 0; child < descent.children.size(); ++child) {
        longer.push_back(move);
        longer.back().children.push_back(static_cast<std::uint8_t>(child));
      }
    }
    moves = std::move(longer);
  }
  return {moves.begin(), moves.end()};
}

std::vector<Move> EveryGame::choices() const {
  std::vector<Move> moves;
  for (const Place& place : x_arena.choices) moves.push_back(choose(place));
  return moves;
}

std::vector<Move> EveryGame::narrowings(const Game& game) const {
  const MoveContext context = context_of(game);
  const std::vector<Segment> segments = segments_of(context, game);
  std::vector<Move> moves;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto number = static_cast<std::uint8_t>(i);
    moves.emplace_back(Narrow{number});
    if (segments[i].high - segments[i].low > 1) continue;
    Game single = game;
    single.low = segments[i].low;
    single.at_low = segments[i].at_low;
    moves.emplace_back(NarrowAndProve{number, witness(single)});
  }
  return moves;
}

Move EveryGame::choose(const Place& place) const {
  return Choose{place.item, place.entry,
                make_result_openings(x_arena.posted.batch(), place.item, place.entry, x_arena.posted)};
}

std::vector<std::uint8_t> EveryGame::witness(const Game& game) const {
  return make_witness(x_arena.posted.batch(), {.item = game.item, .entry = game.entry, .number = game.low}, game.at_low,
                      x_arena.posted);
}

}  // namespace tally::test
