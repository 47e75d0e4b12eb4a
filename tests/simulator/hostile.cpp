#include "tests/simulator/hostile.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "chain_adapter/keys/development_keys.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/settlement/posting.h"
#include "fraud_proof/step/one_step.h"
#include "sequencer/defender/answer.h"

namespace tally::simulator {

namespace {

/// More games at once than could be answered one after the other.
constexpr std::uint64_t kFlood = 2'000;
constexpr proof::Wei kRich{proof::Wei{1'000'000'000'000'000'000}.value * 1'000};
constexpr unsigned kMostTries = 4;       // moves of one side in one game that the chain may refuse
constexpr std::size_t kRemembered = 12;  // transactions to be sent again
constexpr std::array kStyles = {Style::kByTheBook, Style::kByTheBook, Style::kSilent, Style::kRandom,
                                Style::kRandom,    Style::kGarbage,   Style::kLate};

Style any_style(Random& random) { return kStyles[random.below(kStyles.size())]; }

}  // namespace

const proof::PrivateKey& Hostile::challenger(std::size_t number) {
  static const std::array<proof::PrivateKey, 3> keys = {
      chain::development_key(3'000'000), chain::development_key(3'000'001), chain::development_key(3'000'002)};
  return keys.at(number);
}

Hostile::Hostile(World& world, Keepers& keepers, std::size_t challengers)
    : x_world(world), x_keepers(keepers), x_challengers(challengers) {
  static const std::array<proof::Address, 3> addresses = {challenger(0).address(), challenger(1).address(),
                                                          challenger(2).address()};
  x_addresses.assign(addresses.begin(), addresses.begin() + static_cast<std::ptrdiff_t>(challengers));
  Random& random = world.random();
  x_defence = any_style(random);
  for (std::size_t i = 0; i < challengers; ++i) x_attacks.push_back(any_style(random));
  x_answers = random.percent(50) ? 100 : random.below(101);
  x_copies = random.percent(30) ? random.below(60) : 0;
}

void Hostile::begin() {
  for (const proof::Address& address : x_addresses) x_world.chain().give(address, kRich);
  x_world.chain().give(liar_address(), kRich);
  x_world.after_blocks([this] { look(); });
  x_world.listen([this](const Chain::Executed& executed) { hurry(executed); });
  x_world.watch_mempool([this](const PendingTransaction& pending) { copy(pending); });
  plan_posts();
  x_flood = x_world.random().below(300) == 0;
  plan_attacks();
}

void Hostile::plan_posts() {
  Random& random = x_world.random();
  std::vector<const PooledBatch*> own;
  for (const PooledBatch& batch : x_world.task().batches()) {
    if (!batch.is_honest) own.push_back(&batch);
  }
  const std::uint64_t posts = random.between(0, 2);
  for (std::uint64_t i = 0; i < posts; ++i) {
    // Before the honest ones, beside them, or late.
    const std::uint64_t delay_s = random.percent(50) ? 0 : random.below(x_world.settings().challenge_period_s);
    const PooledBatch* const batch = random.any_of(own);
    x_world.at(x_world.now_s() + delay_s, [this, batch] { post(*batch); });
  }
  if (x_world.task().kind() == TaskKind::kSociety && random.percent(60)) plan_late_post();
}

/// About when somebody who signed a record has left, or a key was unbound.
void Hostile::plan_late_post() {
  Random& random = x_world.random();
  std::vector<const PooledBatch*> true_ones;
  for (const PooledBatch& batch : x_world.task().batches()) {
    if (batch.parent && !batch.is_honest && batch.truth == Truth::kTrue) true_ones.push_back(&batch);
  }
  const PooledBatch* const batch = random.any_of(true_ones);
  const std::uint64_t late_s = x_world.settings().exit_delay_s + random.below(8'000);
  x_world.at(x_world.now_s() + late_s, [this, batch] { post(*batch); });
}

void Hostile::post(const PooledBatch& batch) {
  if (batch.parent) {
    const PooledBatch& parent = x_world.task().batches()[*batch.parent];
    const StateAt state = x_world.tip();
    if (!proof::read_node(state, x_world.task().task(), parent.id)) {
      if (!parent.is_honest) post(parent);
      // Not for ever: its poster may never post it.
      const std::uint64_t age_s = x_world.now_s() - x_world.chain().genesis().start_s;
      if (age_s > x_world.settings().challenge_period_s) return;
      x_world.at(x_world.now_s() + 20 * x_world.weather().slot_s, [this, &batch] { post(batch); });
      return;
    }
  }
  // Now, whoever's turn it is; and when it is the liar's.
  send_post(batch);
  const proof::ProposerRule& rule = x_world.settings().proposer_rule;
  std::uint64_t turn_s = x_world.now_s();
  while (!proof::check_proposer(rule, liar_address(), turn_s)) turn_s += x_world.weather().slot_s;
  if (turn_s > x_world.now_s()) x_world.at(turn_s, [this, &batch] { send_post(batch); });
}

void Hostile::send_post(const PooledBatch& batch) {
  proof::Post post = batch.post;
  if (x_world.task().kind() == TaskKind::kSociety) post.keepers = quorum(batch);
  if (x_world.task().kind() == TaskKind::kSeeded) {
    send(liar_address(), {}, proof::SealSeed{.task = post.task, .parent = proof::kGenesisParent});
  }
  send(liar_address(), x_world.settings().sequencer_bond, std::move(post));
}

/// Good where keepers can be cheated or are liars; else, and now and then, one that looks like it.
std::vector<proof::KeeperSignature> Hostile::quorum(const PooledBatch& batch) {
  Random& random = x_world.random();
  std::vector<proof::KeeperSignature> all = x_keepers.ask_for_a_lie(batch);
  std::vector<proof::KeeperSignature> good = x_keepers.good_ones(batch, all);
  if (!good.empty() && random.percent(80)) return good;
  proof::KeeperSignature forged{.position = static_cast<std::uint16_t>(random.below(kKeepers + 1)), .signature = {}};
  forged.signature = proof::sign(liar(), proof::keeper_message(batch.id).bytes);
  switch (random.below(3)) {
    case 0:
      if (!all.empty()) all.push_back(all.back());
      break;
    case 1:
      all.push_back(forged);
      break;
    default:
      all = {forged};
      break;
  }
  return all;
}

void Hostile::plan_attacks() {
  Random& random = x_world.random();
  const std::uint64_t flood_s = x_flood ? random.below(x_world.settings().challenge_period_s / 2) : 0;
  for (std::size_t i = 0; i < x_challengers; ++i) {
    const std::uint64_t attacks = x_flood ? kFlood : random.between(1, 5);
    for (std::uint64_t attack = 0; attack < attacks; ++attack) {
      // Some in the last moment.
      const std::uint64_t period_s = x_world.settings().challenge_period_s;
      const std::uint64_t delay_s = x_flood              ? flood_s + random.below(20 * x_world.weather().slot_s)
                                    : random.percent(20) ? period_s - 1 + random.below(2 * x_world.weather().slot_s)
                                                         : random.below(period_s);
      x_world.at(x_world.now_s() + delay_s, [this, i] {
        const PooledBatch* const batch = any_posted();
        if (batch != nullptr) this->attack(i, *batch);
      });
    }
  }
  x_world.at(x_world.now_s() + random.below(x_world.settings().challenge_period_s), [this] { be_a_nuisance(); });
}

const PooledBatch* Hostile::any_posted() {
  std::vector<const PooledBatch*> posted;
  const StateAt state = x_world.tip();
  for (const PooledBatch& batch : x_world.task().batches()) {
    if (proof::read_node(state, x_world.task().task(), batch.id)) posted.push_back(&batch);
  }
  return posted.empty() ? nullptr : x_world.random().any_of(posted);
}

void Hostile::send(const proof::Address& sender, const proof::Wei& value, proof::Transaction transaction,
                   std::uint64_t delay_s) {
  x_world.submit({.id = {},
                  .sender = sender,
                  .value = value,
                  .transaction = std::make_shared<const proof::Transaction>(std::move(transaction)),
                  .ready_s = x_world.now_s() + delay_s,
                  .goes_first = true});
}

/// Rows behind exchanged records are not what the records commit to: no leaf of them can be opened.
void Hostile::if_data_allow(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    x_world.trace([&] { return std::string("the liars' data: ") + error.what(); });
  }
}

std::vector<std::uint8_t> Hostile::garbage() {
  std::vector<std::uint8_t> bytes(x_world.random().below(400));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(x_world.random().next());
  return bytes;
}

sequencer::StoredBatch& Hostile::stored(const proof::Game& game) {
  return x_world.task().stored(*x_world.task().find(game.batch));
}

// ---------------------------------------------------------------------------------------------------------------------
// Attacks

void Hostile::attack(std::size_t challenger, const PooledBatch& batch) {
  Random& random = x_world.random();
  const std::uint64_t kind = random.below(10);
  if_data_allow([&] {
    if (kind < 6) {
      open_game(challenger, batch);
    } else if (kind < 8) {
      open_descent(challenger, batch);
    } else {
      request_leaf(challenger, batch);
    }
  });
}

void Hostile::open_game(std::size_t challenger, const PooledBatch& batch) {
  Random& random = x_world.random();
  const math::Program& program = x_world.task().program();
  sequencer::StoredBatch& stored = x_world.task().stored(batch);
  const auto item = static_cast<std::uint16_t>(random.below(program.items.size()));
  if (!program.items[item].body) return;
  const std::uint64_t entry = random.below(math::element_count(program.items[item].extents, stored.batch().values));
  proof::OpenGame open{.header = batch.posted.header, .item = item, .entry = entry, .salt = {}, .openings = {}};
  open.salt[0] = static_cast<std::uint8_t>(random.below(x_flood ? 256 : 2));
  open.openings =
      random.percent(10) ? garbage() : proof::make_result_openings(stored.batch(), item, entry, stored.data().leaves);
  send(x_addresses[challenger], x_world.settings().challenger_bond, std::move(open));
}

void Hostile::open_descent(std::size_t challenger, const PooledBatch& batch) {
  Random& random = x_world.random();
  const math::Program& program = x_world.task().program();
  sequencer::StoredBatch& stored = x_world.task().stored(batch);
  const auto item = static_cast<std::uint16_t>(random.below(program.items.size()));
  const std::vector<math::ObjectId>& tables = program.items[item].results;
  if (tables.empty()) return;
  std::vector<proof::Digest> roots;
  const std::vector<math::ObjectId> all = proof::table_objects(program);
  for (const math::ObjectId table : tables) {
    const auto place = static_cast<std::size_t>(std::ranges::find(all, table) - all.begin());
    roots.push_back(batch.posted.table_roots.at(place));
  }
  proof::OpenDescent open{.header = batch.posted.header, .item = item, .tables = tables, .salt = {}, .roots = {}};
  open.salt[0] = static_cast<std::uint8_t>(random.below(x_flood ? 256 : 2));
  open.roots = proof::make_roots(stored.batch(), tables, roots, stored.data().leaves.table_commitments());
  send(x_addresses[challenger], x_world.settings().challenger_bond, std::move(open));
}

void Hostile::request_leaf(std::size_t challenger, const PooledBatch& batch) {
  Random& random = x_world.random();
  const math::Program& program = x_world.task().program();
  const auto object = static_cast<math::ObjectId>(random.below(program.objects.size()));
  const bool is_row = program.objects[object].kind == math::ObjectKind::kRow;
  const proof::OpeningKey leaf{
      .object = object, .record = static_cast<std::uint32_t>(is_row ? random.below(3) : 0), .leaf = random.below(2)};
  const auto* const rule = std::get_if<proof::LeafRequests>(&x_world.settings().availability);
  send(x_addresses[challenger], rule == nullptr ? proof::Wei{} : rule->request_bond,
       proof::RequestLeaf{.header = batch.posted.header, .leaf = leaf});
}

/// Any batch is to be final as soon as its period is over, or a moment before, whatever stands in its way.
void Hostile::hurry(const Chain::Executed& executed) {
  if (executed.effects == nullptr) return;
  for (const proof::Event& event : executed.effects->events) {
    const auto* const posted = std::get_if<proof::Posted>(&event);
    if (posted == nullptr || x_world.random().percent(50)) continue;
    const std::uint64_t slot_s = x_world.weather().slot_s;
    const std::uint64_t over_s = executed.time_s + x_world.settings().challenge_period_s;
    x_world.at(over_s - slot_s + x_world.random().below(3 * slot_s),
               [this, header = posted->header] { send(x_addresses.front(), {}, proof::Finalize{.header = header}); });
  }
}

/// What belongs to nobody, too early, too late, or again.
void Hostile::be_a_nuisance() {
  Random& random = x_world.random();
  const proof::Address sender = random.any_of(x_addresses);
  if (const PooledBatch* const batch = any_posted()) {
    const proof::BatchHeader& header = batch->posted.header;
    switch (random.below(5)) {
      case 4:
        send(sender, {}, proof::SealSeed{.task = header.task, .parent = proof::batch_id(header)});
        break;
      case 0:
        send(sender, {}, proof::Finalize{.header = header});
        break;
      case 1:
        send(sender, {}, proof::ReleaseBond{.header = header});
        break;
      case 2:
        send(sender, {}, proof::SkipInvalid{.task = header.task, .parent = header.parent});
        break;
      default:
        send(sender, {}, proof::Withdraw{});
        break;
    }
  }
  for (const PendingTransaction& old : x_old) {
    if (random.percent(20)) send(sender, old.value, *old.transaction);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Games

void Hostile::look() {
  const std::vector<chain::LoggedEvent>& log = x_world.chain().log();
  // After a reorganisation all is read anew.
  if (x_read > log.size() || (x_read > 0 && log[x_read - 1].transaction != x_last_read)) {
    x_disputes = {};
    x_read = 0;
  }
  for (; x_read < log.size(); ++x_read) {
    x_disputes.apply(log[x_read]);
    x_last_read = log[x_read].transaction;
  }
  for (const auto& [id, game] : x_disputes.games()) consider(game);
  answer_requests();
}

void Hostile::consider(const proof::Game& game) {
  Random& random = x_world.random();
  const bool posters_turn = proof::to_move(game.phase) == proof::Side::kPoster;
  const auto challenger = std::ranges::find(x_addresses, game.challenger);
  const bool is_ours = posters_turn ? game.poster == liar_address() : challenger != x_addresses.end();
  if (x_world.task().find(game.batch) == nullptr || !x_considered.insert({game.id, game.moved_at_s}).second) return;
  const std::uint64_t clock_s = posters_turn ? game.poster_clock_s : game.challenger_clock_s;
  const std::uint64_t slot_s = x_world.weather().slot_s;
  if (!is_ours) {
    // A timeout, claimed too early by a moment, in time, or never.
    if (random.percent(30)) {
      x_world.at(game.moved_at_s + clock_s + random.below(3 * slot_s), [this, game] {
        send(x_addresses.empty() ? liar_address() : x_addresses.front(), {}, proof::ClaimTimeout{.game = game});
      });
    }
    return;
  }
  const Style style = posters_turn ? x_defence : x_attacks[static_cast<std::size_t>(challenger - x_addresses.begin())];
  if (style == Style::kSilent) return;
  const std::uint64_t at_s = style == Style::kLate ? game.moved_at_s + clock_s - slot_s + random.below(2 * slot_s)
                                                   : x_world.now_s() + random.below(4 * slot_s);
  x_world.at(at_s, [this, game, style] { move(game, style); });
}

void Hostile::move(const proof::Game& game, Style style) {
  const bool posters_turn = proof::to_move(game.phase) == proof::Side::kPoster;
  const proof::BatchHeader& header = x_world.task().find(game.batch)->posted.header;
  const proof::Address sender = posters_turn ? game.poster : game.challenger;
  if_data_allow([&] {
    send(sender, {},
         proof::MakeMove{.header = header,
                         .game = game,
                         .move = posters_turn ? poster_move(game, style) : challenger_move(game, style)});
  });
  // What is refused may be tried again, another way.
  if (++x_tries[game.id] > kMostTries) return;
  x_world.at(x_world.now_s() + 3 * x_world.weather().slot_s, [this, game, style] {
    const auto now = x_disputes.games().find(game.id);
    if (now != x_disputes.games().end() && now->second == game) move(game, style);
  });
}

proof::Move Hostile::poster_move(const proof::Game& game, Style style) {
  sequencer::StoredBatch& batch = stored(game);
  const sequencer::PosterData data = batch.data();
  proof::Move move = sequencer::answer(data, game, x_world.settings().arity).value().move;
  Random& random = x_world.random();
  const bool is_false = style == Style::kRandom || style == Style::kGarbage;
  if (auto* respond = std::get_if<proof::Respond>(&move); respond != nullptr && is_false) {
    // Another story each time.
    if (style == Style::kGarbage && random.percent(30)) respond->claims = garbage();
    for (std::uint8_t& byte : respond->claims) {
      if (random.percent(20)) byte = static_cast<std::uint8_t>(random.next());
    }
  }
  if (auto* reveal = std::get_if<proof::Reveal>(&move); reveal != nullptr && style == Style::kGarbage) {
    if (random.percent(30)) reveal->answers.clear();
    for (proof::Reveal::Answer& answer : reveal->answers) {
      if (!answer.leaf.empty() && random.percent(30)) answer.leaf.pop_back();
    }
  }
  return move;
}

proof::Move Hostile::challenger_move(const proof::Game& game, Style style) {
  Random& random = x_world.random();
  if (style == Style::kGarbage && random.percent(50)) {
    if (random.percent(50)) return proof::Prove{.witness = garbage()};
    return proof::NarrowAndProve{.segment = static_cast<std::uint8_t>(random.below(70)), .witness = garbage()};
  }
  switch (game.phase) {
    case proof::Phase::kDescend: {
      proof::Descend move;
      for (const proof::Descent& descent : game.descents) {
        if (!descent.located) {
          move.children.push_back(static_cast<std::uint8_t>(random.below(descent.children.size() + 1)));
        }
      }
      return move;
    }
    case proof::Phase::kChoose:
      return choice(game);
    case proof::Phase::kNarrow:
    case proof::Phase::kProve:
      return bisecting_move(game, style);
    case proof::Phase::kReveal:
    case proof::Phase::kRespond:
      break;
  }
  return proof::Narrow{};
}

proof::Move Hostile::choice(const proof::Game& game) {
  sequencer::StoredBatch& batch = stored(game);
  const std::uint64_t entries =
      math::element_count(x_world.task().program().items[game.item].extents, batch.batch().values);
  const std::uint64_t entry = x_world.random().below(entries);
  return proof::Choose{.item = game.item,
                       .entry = entry,
                       .openings = proof::make_result_openings(batch.batch(), game.item, entry, batch.data().leaves)};
}

/// Agrees with any claim, and disputes the next one.
proof::Move Hostile::bisecting_move(const proof::Game& game, Style style) {
  Random& random = x_world.random();
  sequencer::StoredBatch& batch = stored(game);
  const auto witness = [&](std::uint64_t number, const math::Accumulators& before) {
    if (style == Style::kRandom && random.percent(20)) return garbage();
    return proof::make_witness(batch.batch(), {.item = game.item, .entry = game.entry, .number = number}, before,
                               batch.data().leaves);
  };
  if (game.phase == proof::Phase::kProve) return proof::Prove{.witness = witness(game.low, game.at_low)};
  const auto positions = proof::boundary_positions(game.low, game.high, x_world.settings().arity);
  const math::Body& body = x_world.task().program().items.at(game.item).body.value();
  const auto claims = proof::decode_claims(body, positions.size(), game.claims).value();
  const std::size_t segment = random.below(positions.size() + 1);
  const std::uint64_t low = segment == 0 ? game.low : positions[segment - 1];
  const std::uint64_t high = segment == positions.size() ? game.high : positions[segment];
  const auto number = static_cast<std::uint8_t>(segment);
  if (high - low > 1 && !random.percent(5)) return proof::Narrow{.segment = number};
  if (random.percent(20)) return proof::Narrow{.segment = number};
  return proof::NarrowAndProve{.segment = number,
                               .witness = witness(low, segment == 0 ? game.at_low : claims[segment - 1])};
}

void Hostile::answer_requests() {
  for (const auto& [request, requested_s] : x_disputes.requests()) {
    const PooledBatch* const batch = x_world.task().find(request.first);
    if (batch == nullptr || batch->is_honest || !x_answered.insert(request).second) continue;
    if (!x_world.random().percent(x_answers)) continue;
    if_data_allow([&] {
      send(liar_address(), {},
           proof::AnswerRequest{.header = batch->posted.header,
                                .leaf = request.second,
                                .openings = sequencer::answer(x_world.task().stored(*batch).data(), request.second)},
           x_world.random().below(x_world.settings().window_s));
    });
  }
}

/// The same from another sender, and before it.
void Hostile::copy(const PendingTransaction& pending) {
  Random& random = x_world.random();
  x_old.push_back(pending);
  if (x_old.size() > kRemembered) x_old.pop_front();
  if (x_addresses.empty() || !random.percent(x_copies)) return;
  send(random.any_of(x_addresses), pending.value, *pending.transaction);
}

}  // namespace tally::simulator
