#include "tests/support/lying_poster.h"

#include <utility>
#include <variant>

#include "tests/support/posted_batch.h"

namespace tally::test {

using namespace tally::proof;

namespace {

Move honest_answer(Siege& siege, const Game& game, const Claim& claim = claim_the_truth) {
  return poster_answer(siege.data(), game, siege.world().settings().arity, claim);
}

void send(Siege& siege, const Game& game, Move move) {
  static_cast<void>(siege.move(siege.world().poster(), game, std::move(move)));
}

class Mute final : public LyingPoster {
 public:
  [[nodiscard]] std::string_view name() const override { return "mute"; }
};

/// Answers whatever is asked from what it committed to.
class Stubborn final : public LyingPoster {
 public:
  [[nodiscard]] std::string_view name() const override { return "stubborn"; }
  void act(Siege& siege) override { siege.defend(); }
};

/// Claims at random, and reveals what nothing stands behind.
class Babbler final : public LyingPoster {
 public:
  [[nodiscard]] std::string_view name() const override { return "babbler"; }

 protected:
  void answer(Siege& siege, const Game& game) override {
    Move move = honest_answer(siege, game);
    if (auto* const respond = std::get_if<Respond>(&move)) {
      for (std::uint8_t& byte : respond->claims) byte = static_cast<std::uint8_t>(siege.below(256));
    } else {
      Reveal false_reveal = std::get<Reveal>(move);
      for (Reveal::Answer& one : false_reveal.answers) {
        for (math::Digest& node : one.nodes) node.bytes[siege.below(32)] ^= 1;
        for (std::uint8_t& byte : one.leaf) byte = static_cast<std::uint8_t>(siege.below(256));
      }
      send(siege, game, false_reveal);
    }
    send(siege, game, move);
  }
};

/// Begins to lie at another place of the fold each time, and in each game.
class StorySwitcher final : public LyingPoster {
 public:
  [[nodiscard]] std::string_view name() const override { return "story switcher"; }

 protected:
  void answer(Siege& siege, const Game& game) override {
    const std::uint64_t from = game.low + siege.below(game.high - game.low + 1);
    send(siege, game, honest_answer(siege, game, [from](std::uint64_t state, math::Accumulators right) {
           if (state >= from) right[0] ^= 1;
           return right;
         }));
  }
};

/// Answers some games and not others.
class Picky final : public LyingPoster {
 public:
  [[nodiscard]] std::string_view name() const override { return "picky"; }

 protected:
  void answer(Siege& siege, const Game& game) override {
    if (game.id.digest.bytes[0] % 2 == 0) send(siege, game, honest_answer(siege, game));
  }
};

/// Answers in the last second of its clock.
class LastSecond final : public LyingPoster {
 public:
  [[nodiscard]] std::string_view name() const override { return "last second"; }

 protected:
  void answer(Siege& siege, const Game& game) override {
    MemoryChain& chain = siege.world().chain();
    const std::uint64_t end_s = game.moved_at_s + game.poster_clock_s;
    if (chain.head().time_s < end_s) chain.advance(end_s - chain.head().time_s);
    send(siege, game, honest_answer(siege, game));
  }
};

/// Answers a second later than that.
class TooLate final : public LyingPoster {
 public:
  [[nodiscard]] std::string_view name() const override { return "too late"; }

 protected:
  void answer(Siege& siege, const Game& game) override {
    MemoryChain& chain = siege.world().chain();
    const std::uint64_t late_s = game.moved_at_s + game.poster_clock_s + 1;
    if (chain.head().time_s < late_s) chain.advance(late_s - chain.head().time_s);
    send(siege, game, honest_answer(siege, game));
  }
};

/// Has a friend open one game after the other about what is true, and loses none of those.
class ShamGames final : public LyingPoster {
 public:
  explicit ShamGames(PrivateKey sybil) : x_sybil(std::move(sybil)) {}
  [[nodiscard]] std::string_view name() const override { return "sham games"; }
  void act(Siege& siege) override {
    if (++x_turns < 5) siege.open(x_sybil);
    if (x_turns < 3) siege.open_descent(x_sybil);
    LyingPoster::act(siege);
  }

 protected:
  void answer(Siege& siege, const Game& game) override {
    if (game.challenger != x_sybil.address() || siege.below(2) == 0) send(siege, game, honest_answer(siege, game));
  }

 private:
  PrivateKey x_sybil;
  int x_turns = 0;
};

/// Has a friend win its bond before the honest watchtower does.
class SelfSlasher final : public LyingPoster {
 public:
  explicit SelfSlasher(PrivateKey sybil) : x_sybil(std::move(sybil)) {}
  [[nodiscard]] std::string_view name() const override { return "self slasher"; }
  [[nodiscard]] bool slashes_itself() const override { return true; }
  void act(Siege& siege) override {
    for (int turn = 0; turn < 20; ++turn) {
      static_cast<void>(siege.world().watch_as(x_sybil, siege.world().posters_data()));
      siege.defend();
    }
  }

 private:
  PrivateKey x_sybil;
};

}  // namespace

void LyingPoster::act(Siege& siege) {
  siege.follow();
  for (const auto& [id, game] : std::map(siege.games())) {
    if (to_move(game.phase) == Side::kPoster) answer(siege, game);
  }
}

std::vector<std::unique_ptr<LyingPoster>> lying_posters(TrialWorld& world, std::uint64_t first_person) {
  std::vector<std::unique_ptr<LyingPoster>> all;
  all.push_back(std::make_unique<Mute>());
  all.push_back(std::make_unique<Stubborn>());
  all.push_back(std::make_unique<Babbler>());
  all.push_back(std::make_unique<StorySwitcher>());
  all.push_back(std::make_unique<Picky>());
  all.push_back(std::make_unique<LastSecond>());
  all.push_back(std::make_unique<TooLate>());
  all.push_back(std::make_unique<ShamGames>(world.person(first_person)));
  all.push_back(std::make_unique<SelfSlasher>(world.person(first_person + 1)));
  return all;
}

}  // namespace tally::test
