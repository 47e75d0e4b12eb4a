#include "tests/support/hostile_challenger.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/posting.h"
#include "fraud_proof/step/one_step.h"
#include "tests/support/posted_batch.h"

namespace tally::test {

using namespace tally::proof;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes witness(Siege& siege, const Game& game, std::uint64_t low) {
  // What is agreed on at `low` is the poster's claim, and that is the truth.
  const math::Item& item = siege.program().items[game.item];
  math::Accumulators state = math::initial_accumulators(item);
  math::run_steps(siege.data().evaluation(game.item), game.item, game.entry, 0, low, state);
  return make_witness(siege.committed(), {.item = game.item, .entry = game.entry, .number = low}, state, siege.data());
}

Bytes results(Siege& siege, std::uint16_t item, std::uint64_t entry) {
  return make_result_openings(siege.committed(), item, entry, siege.data());
}

/// A few bytes changed, cut off or added; never the same.
Bytes damaged(Siege& siege, Bytes bytes) {
  const std::uint64_t how = siege.below(3);
  if (how == 0 && !bytes.empty()) {
    bytes[siege.below(bytes.size())] ^= static_cast<std::uint8_t>(1 + siege.below(255));
  } else if (how == 1 && !bytes.empty()) {
    bytes.resize(siege.below(bytes.size()));
  } else {
    bytes.resize(bytes.size() + 1 + siege.below(64), static_cast<std::uint8_t>(siege.below(256)));
  }
  return bytes;
}

Bytes noise(Siege& siege) {
  Bytes bytes(siege.below(100));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(siege.below(256));
  return bytes;
}

/// Some entry of the item, or loop, that a descent began with.
Choose choice(Siege& siege, const Game& game) {
  const math::LoopId loop = siege.program().items[game.item].loop;
  for (int tries = 0; tries < 50; ++tries) {
    const auto entry = siege.any_entry().value();
    if (entry.item == game.item || (loop != math::kOutside && siege.program().items[entry.item].loop == loop)) {
      return {.item = entry.item, .entry = entry.entry, .openings = results(siege, entry.item, entry.entry)};
    }
  }
  return {.item = game.item, .entry = 0, .openings = results(siege, game.item, 0)};
}

OpeningKey any_input_leaf(Siege& siege) {
  for (int tries = 0; tries < 100; ++tries) {
    const OpeningKey key{.object = static_cast<math::ObjectId>(siege.below(siege.program().objects.size())),
                         .record = static_cast<std::uint32_t>(siege.below(siege.header().record_count + 1)),
                         .leaf = siege.below(4)};
    if (has_leaf(siege.committed(), key) && is_input_leaf(siege.committed(), key)) return key;
  }
  return {};
}

// Movers.

class RandomMover final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "random mover"; }

 protected:
  void move(Siege& siege, const Game& game) override {
    for (int tries = 0; tries < 4; ++tries) send(siege, game, any(siege));
    HostileChallenger::move(siege, game);
  }

 private:
  static Move any(Siege& siege) {
    const auto segment = static_cast<std::uint8_t>(siege.below(70));
    switch (siege.below(7)) {
      case 0:
        return Reveal{.answers = {{.nodes = {}, .leaf = noise(siege)}}};
      case 1:
        return Descend{.children = noise(siege)};
      case 2:
        return Choose{
            .item = static_cast<std::uint16_t>(siege.below(70)), .entry = siege.below(100), .openings = noise(siege)};
      case 3:
        return Respond{.claims = noise(siege)};
      case 4:
        return Narrow{.segment = segment};
      case 5:
        return Prove{.witness = noise(siege)};
      default:
        return NarrowAndProve{.segment = segment, .witness = noise(siege)};
    }
  }
};

/// Bisects honestly a claim that is true, into the last segment.
class LastSegment final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "last segment"; }

 protected:
  void move(Siege& siege, const Game& game) override { send(siege, game, plausible(siege, game, Pick::kLast)); }
};

class FirstSegment final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "first segment"; }

 protected:
  void move(Siege& siege, const Game& game) override { send(siege, game, plausible(siege, game, Pick::kFirst)); }
};

/// Disputes another part of the fold each time, and changes its mind where a move is refused.
class StorySwitcher final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "story switcher"; }

 protected:
  void move(Siege& siege, const Game& game) override {
    for (int tries = 0; tries < 3; ++tries) send(siege, game, plausible(siege, game, Pick::kAny));
  }
};

class Silent final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "silent"; }

 protected:
  void move(Siege& /*siege*/, const Game& /*game*/) override {}
};

/// Moves a second after its clock ran out, and claims that the poster's did.
class LateMover final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "late mover"; }

 protected:
  void move(Siege& siege, const Game& game) override {
    if (!claim_timeout(game, siege.world().chain().head().time_s)) return;
    send(siege, game, plausible(siege, game, Pick::kLast));
    static_cast<void>(siege.send(key(), {}, RefundGame{.game = game}));
  }
};

/// Goes down into all tables at once, to any leaf and any entry.
class Descender final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "descender"; }
  void open(Siege& siege) override { siege.open_descent(key()); }

 protected:
  void move(Siege& siege, const Game& game) override {
    if (siege.below(4) == 0) send(siege, game, Descend{.children = noise(siege)});
    send(siege, game, plausible(siege, game, Pick::kAny));
  }
};

/// Proves with what is not the witness: damaged, or of another entry or transition.
class FalseWitness final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "false witness"; }

 protected:
  void move(Siege& siege, const Game& game) override {
    Move move = plausible(siege, game, Pick::kAny);
    if (auto* const both = std::get_if<NarrowAndProve>(&move)) {
      send(siege, game, NarrowAndProve{.segment = both->segment, .witness = damaged(siege, both->witness)});
      send(siege, game, NarrowAndProve{.segment = both->segment, .witness = elsewhere(siege, game)});
    } else if (auto* const prove = std::get_if<Prove>(&move)) {
      send(siege, game, Prove{.witness = damaged(siege, prove->witness)});
      send(siege, game, Prove{.witness = elsewhere(siege, game)});
    } else {
      send(siege, game, move);
    }
  }

 private:
  static Bytes elsewhere(Siege& siege, Game game) {
    const auto entry = siege.any_entry().value();
    game.item = entry.item;
    game.entry = entry.entry;
    return witness(siege, game, siege.below(transitions(siege.committed(), entry.item, entry.entry).value()));
  }
};

/// Answers states that were never the game's: longer clocks, other ends, other claims, other players.
class StateForger final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "state forger"; }

 protected:
  void move(Siege& siege, const Game& game) override {
    Game other = game;
    switch (siege.below(8)) {
      case 0:
        other.challenger_clock_s += 1;
        break;
      case 1:
        other.poster_clock_s = 0;
        break;
      case 2:
        ++other.high;
        break;
      case 3:
        other.at_high[0] += 1;
        break;
      case 4:
        other.results[0] += 1;
        break;
      case 5:
        other.phase = Phase::kProve;
        break;
      case 6:
        other.entry += 1;
        break;
      default:
        other.poster = key().address();
        break;
    }
    send(siege, other, plausible(siege, game, Pick::kAny));
    static_cast<void>(siege.send(key(), {}, ClaimTimeout{.game = other}));
    BatchHeader header = siege.header();
    header.tables_root.bytes[siege.below(32)] ^= 1;
    static_cast<void>(
        siege.send(key(), {}, MakeMove{.header = header, .game = game, .move = plausible(siege, game, Pick::kAny)}));
    send(siege, game, plausible(siege, game, Pick::kAny));
  }
};

// Schemers.

/// Sends what others sent, and what the poster is about to send, before they do.
class Copier final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "copier"; }

 protected:
  void scheme(Siege& siege) override {
    const std::vector<Siege::Step>& history = siege.history();
    const Siege::Step step = history[siege.below(history.size())];
    if (step.move) static_cast<void>(siege.move(key(), step.game, *step.move));
    for (const auto& [id, game] : std::map(siege.games())) {
      if (to_move(game.phase) != Side::kPoster) continue;
      static_cast<void>(siege.move(key(), game, poster_answer(siege.data(), game, siege.world().settings().arity)));
    }
  }
};

/// Makes every move of a game again, also once it has ended, and opens it again.
class Replayer final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "replayer"; }

 protected:
  void scheme(Siege& siege) override {
    const std::vector<Siege::Step> history = siege.history();
    for (const Siege::Step& step : history) {
      if (step.game.challenger != key().address()) continue;
      if (step.move) static_cast<void>(siege.move(key(), step.game, *step.move));
      static_cast<void>(siege.send(key(), {}, ClaimTimeout{.game = step.game}));
    }
  }
};

/// Claims everyone's timeouts and refunds, all the time.
class TimeoutThief final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "timeout thief"; }

 protected:
  void scheme(Siege& siege) override {
    for (const auto& [id, game] : std::map(siege.games())) {
      // Its own and its friends' are for the defender to claim.
      if (claim_timeout(game, siege.world().chain().head().time_s)) continue;
      static_cast<void>(siege.send(key(), {}, ClaimTimeout{.game = game}));
      static_cast<void>(siege.send(key(), {}, RefundGame{.game = game}));
    }
  }
};

/// Moves for the poster, and in the games of its friends, who let it.
class Colluder final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "colluder"; }

 protected:
  void scheme(Siege& siege) override {
    for (const auto& [id, game] : std::map(siege.games())) {
      if (game.challenger == key().address() || siege.below(3) != 0) continue;
      const bool posters_turn = to_move(game.phase) == Side::kPoster;
      send(siege, game, posters_turn ? Move(Respond{.claims = noise(siege)}) : plausible(siege, game, Pick::kAny));
    }
  }
};

/// Demands every kind of leaf, those that are not there too, and claims them before the window is over.
class Demander final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "demander"; }

 protected:
  void scheme(Siege& siege) override {
    const auto* const requests = std::get_if<LeafRequests>(&siege.world().settings().availability);
    const Wei bond = requests == nullptr ? Wei{} : requests->request_bond;
    const OpeningKey leaf = any_input_leaf(siege);
    OpeningKey none = leaf;
    none.leaf += 1'000'000;
    for (const OpeningKey& key_of_leaf : {leaf, none}) {
      static_cast<void>(siege.send(key(), bond, RequestLeaf{.header = siege.header(), .leaf = key_of_leaf}));
      static_cast<void>(siege.send(key(), {}, ClaimWithheld{.header = siege.header(), .leaf = key_of_leaf}));
      static_cast<void>(siege.send(
          key(), {}, AnswerRequest{.header = siege.header(), .leaf = key_of_leaf, .openings = noise(siege)}));
    }
  }
};

/// Shows that records are out of order, of strangers or unsigned, and advice out of its range, where none is.
class LocalProver final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "local prover"; }

 protected:
  void scheme(Siege& siege) override {
    LocalProof proof = any(siege);
    if (siege.below(3) == 0) std::visit([&](auto& one) { one.openings = damaged(siege, one.openings); }, proof);
    const Salt salt{static_cast<std::uint8_t>(siege.below(256)), static_cast<std::uint8_t>(siege.below(256))};
    const BatchId batch = batch_id(siege.header());
    static_cast<void>(
        siege.send(key(), {}, Commit{.commitment = proof_commitment(key().address(), batch, proof, salt)}));
    siege.world().chain().mine(1);
    static_cast<void>(siege.send(key(), {}, ShowProof{.header = siege.header(), .proof = proof, .salt = salt}));
  }

 private:
  static LocalProof any(Siege& siege) {
    const std::uint64_t records = siege.header().record_count;
    const std::uint64_t index = records == 0 ? 0 : siege.below(records);
    OpeningWriter writer(siege.committed(), siege.data());
    const auto open = [&](std::uint64_t k) {
      if (k < records) writer.open({.object = math::kMemberObject, .record = static_cast<std::uint32_t>(k), .leaf = 0});
    };
    const std::vector<math::ObjectId> advice = objects_of(siege.program(), math::ObjectKind::kAdvice);
    const std::uint64_t what = siege.below(advice.empty() ? 3 : 4);
    if (what == 3) {
      const math::ObjectId object = advice[siege.below(advice.size())];
      const std::uint64_t count =
          math::element_count(siege.program().objects[object].extents, siege.committed().values);
      const std::uint64_t element = count == 0 ? 0 : siege.below(count);
      if (count != 0) writer.open(leaf_of(siege.committed(), object, element));
      return AdviceRangeProof{.object = object, .element = element, .openings = writer.take()};
    }
    open(index);
    if (what == 0) open(index + 1);
    if (what == 0) return RecordOrderProof{.index = index, .openings = writer.take()};
    if (what == 1) return RecordSignerProof{.index = index, .openings = writer.take()};
    return RecordSignatureProof{.index = index, .openings = writer.take()};
  }
};

/// Opens games about entries and items that are not there, with other bonds, and with damaged openings.
class Outsider final : public HostileChallenger {
 public:
  using HostileChallenger::HostileChallenger;
  [[nodiscard]] std::string_view name() const override { return "outsider"; }

 protected:
  void scheme(Siege& siege) override {
    const auto entry = siege.any_entry();
    if (!entry) return;
    const Wei bond = siege.world().settings().challenger_bond;
    OpenGame open{.header = siege.header(),
                  .item = entry->item,
                  .entry = entry->entry,
                  .salt = {static_cast<std::uint8_t>(siege.below(256)), 0xff},
                  .openings = results(siege, entry->item, entry->entry)};
    const math::Item& item = siege.program().items[entry->item];
    const std::uint64_t entries = math::element_count(item.extents, siege.committed().values);
    switch (siege.below(4)) {
      case 0:
        open.entry = entries + siege.below(3);
        break;
      case 1:
        open.item = static_cast<std::uint16_t>(siege.program().items.size() + siege.below(3));
        break;
      case 2:
        open.openings = damaged(siege, open.openings);
        break;
      default:
        static_cast<void>(siege.send(key(), {bond.value - 1}, open));
        static_cast<void>(siege.send(key(), {bond.value + 1}, open));
        return;
    }
    static_cast<void>(siege.send(key(), bond, open));
  }
};

template <class Challenger>
void add(std::vector<std::unique_ptr<HostileChallenger>>& all, TrialWorld& world, std::uint64_t& person) {
  all.push_back(std::make_unique<Challenger>(world.person(person++)));
}

}  // namespace

void HostileChallenger::act(Siege& siege) {
  scheme(siege);
  for (const Game& game : siege.games_of(x_key.address())) {
    if (to_move(game.phase) == Side::kChallenger) move(siege, game);
  }
}

void HostileChallenger::move(Siege& siege, const Game& game) { send(siege, game, plausible(siege, game, Pick::kAny)); }

Move HostileChallenger::plausible(Siege& siege, const Game& game, Pick segment) {
  if (game.phase == Phase::kDescend) {
    Descend move;
    for (const Descent& descent : game.descents) {
      if (!descent.located) move.children.push_back(static_cast<std::uint8_t>(siege.below(descent.children.size())));
    }
    return move;
  }
  if (game.phase == Phase::kChoose) return choice(siege, game);
  if (game.phase == Phase::kProve) return Prove{.witness = witness(siege, game, game.low)};
  const std::vector<std::uint64_t> inner = boundary_positions(game.low, game.high, siege.world().settings().arity);
  std::vector<std::uint64_t> ends = {game.low};
  ends.insert(ends.end(), inner.begin(), inner.end());
  ends.push_back(game.high);
  const std::size_t segments = ends.size() - 1;
  const std::size_t picked = segment == Pick::kFirst  ? 0
                             : segment == Pick::kLast ? segments - 1
                                                      : siege.below(segments);
  const auto wire = static_cast<std::uint8_t>(picked);
  if (ends[picked + 1] - ends[picked] > 1 || siege.below(4) == 0) return Narrow{.segment = wire};
  return NarrowAndProve{.segment = wire, .witness = witness(siege, game, ends[picked])};
}

std::vector<std::unique_ptr<HostileChallenger>> hostile_challengers(TrialWorld& world, std::uint64_t first_person) {
  std::vector<std::unique_ptr<HostileChallenger>> all;
  add<RandomMover>(all, world, first_person);
  add<LastSegment>(all, world, first_person);
  add<FirstSegment>(all, world, first_person);
  add<StorySwitcher>(all, world, first_person);
  add<Silent>(all, world, first_person);
  add<LateMover>(all, world, first_person);
  add<Descender>(all, world, first_person);
  add<FalseWitness>(all, world, first_person);
  add<StateForger>(all, world, first_person);
  add<Copier>(all, world, first_person);
  add<Replayer>(all, world, first_person);
  add<TimeoutThief>(all, world, first_person);
  add<Colluder>(all, world, first_person);
  add<Demander>(all, world, first_person);
  add<LocalProver>(all, world, first_person);
  add<Outsider>(all, world, first_person);
  return all;
}

}  // namespace tally::test
