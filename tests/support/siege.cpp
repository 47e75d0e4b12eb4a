#include "tests/support/siege.h"

#include <utility>
#include <variant>

#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/step/one_step.h"

namespace tally::test {

Siege::Siege(TrialWorld& world, const Trial& batch, std::uint64_t seed)
    : x_world(world),
      x_posted(world.posted(batch)),
      x_data(x_posted, chain::BatchPaths(batch.poster), {}, {}),
      x_random(seed) {}

std::uint64_t Siege::below(std::uint64_t count) {
  return std::uniform_int_distribution<std::uint64_t>(0, count - 1)(x_random);
}

std::vector<proof::Game> Siege::games_of(const proof::Address& challenger) const {
  std::vector<proof::Game> games;
  for (const auto& [id, game] : x_games) {
    if (game.challenger == challenger) games.push_back(game);
  }
  return games;
}

proof::OrRefused<proof::Effects> Siege::send(const proof::PrivateKey& sender, const proof::Wei& value,
                                             const proof::Transaction& transaction) {
  auto effects = x_world.chain().send(sender.address(), value, transaction);
  ++x_count.transactions;
  if (!effects) {
    ++x_count.refusals[effects.error().reason];
    return effects;
  }
  follow();
  return effects;
}

std::optional<Siege::Entry> Siege::any_entry() {
  std::vector<Entry> entries;
  for (std::size_t item = 0; item < program().items.size(); ++item) {
    const std::uint64_t count = math::element_count(program().items[item].extents, committed().values);
    if (!program().items[item].body || count == 0) continue;
    entries.push_back({.item = static_cast<std::uint16_t>(item), .entry = below(count)});
  }
  if (entries.empty()) return std::nullopt;
  return entries[below(entries.size())];
}

proof::Salt Siege::new_salt() {
  proof::Salt salt{};
  ++x_salts;
  for (std::size_t i = 0; i < 8; ++i) salt[i] = static_cast<std::uint8_t>(x_salts >> (8 * i));
  return salt;
}

void Siege::open(const proof::PrivateKey& challenger) {
  const auto entry = any_entry();
  if (!entry) return;
  static_cast<void>(
      send(challenger, x_world.settings().challenger_bond,
           proof::OpenGame{.header = header(),
                           .item = entry->item,
                           .entry = entry->entry,
                           .salt = new_salt(),
                           .openings = proof::make_result_openings(committed(), entry->item, entry->entry, x_data)}));
}

void Siege::open_descent(const proof::PrivateKey& challenger) {
  const auto entry = any_entry();
  if (!entry) return;
  std::vector<math::ObjectId> tables;
  const math::LoopId loop = program().items[entry->item].loop;
  for (const math::Item& item : program().items) {
    const bool is_together = loop == math::kOutside ? &item == &program().items[entry->item] : item.loop == loop;
    if (is_together && item.kind == math::ItemKind::kTable) {
      tables.insert(tables.end(), item.results.begin(), item.results.end());
    }
  }
  while (tables.size() > 1 && below(3) == 0) {
    tables.erase(tables.begin() + static_cast<std::ptrdiff_t>(below(tables.size())));
  }
  if (tables.empty()) return;
  std::vector<math::Digest> roots;
  for (const math::ObjectId table : tables) roots.push_back(x_data.posted_root(table));
  static_cast<void>(
      send(challenger, x_world.settings().challenger_bond,
           proof::OpenDescent{.header = header(),
                              .item = entry->item,
                              .tables = tables,
                              .salt = new_salt(),
                              .roots = proof::make_roots(committed(), tables, roots, x_data.table_commitments())}));
}

void Siege::defend() {
  static_cast<void>(x_world.defend());
  follow();
}

void Siege::follow() {
  for (const chain::LoggedEvent& logged : x_world.chain().events(x_cursor, 1'000'000)) {
    x_cursor = logged.position + 1;
    note(logged.event);
  }
}

void Siege::note(const proof::Event& event) {
  if (const auto* const opened = std::get_if<proof::GameOpened>(&event)) {
    if (opened->game.batch != x_posted.posted.batch) return;
    ++x_count.opened;
    x_games[opened->game.id] = opened->game;
    x_history.push_back({.move = std::nullopt, .by = opened->game.challenger, .game = opened->game});
  } else if (const auto* const moved = std::get_if<proof::GameMoved>(&event)) {
    const auto known = x_games.find(moved->game.id);
    if (known == x_games.end()) return;
    // The move answers the state before it.
    x_history.push_back({.move = moved->move, .by = moved->by, .game = std::exchange(known->second, moved->game)});
  } else if (const auto* const ended = std::get_if<proof::GameEnded>(&event)) {
    if (x_games.erase(ended->game) > 0) ++x_count.outcomes[ended->outcome];
  }
}

}  // namespace tally::test
