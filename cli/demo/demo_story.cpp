#include "cli/demo/demo_story.h"

#include <algorithm>
#include <set>
#include <span>
#include <variant>

#include "chain_adapter/chain/follow_events.h"
#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/data/batch_tables.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

std::vector<chain::LoggedEvent> events_from(chain::ChainAdapter& chain, std::uint64_t from) {
  std::vector<chain::LoggedEvent> all;
  chain::follow_events(
      chain, from, [&](std::span<const chain::LoggedEvent> page) { all.insert(all.end(), page.begin(), page.end()); });
  return all;
}

std::string money(const proof::Wei& amount) { return chain::to_text_with_unit(amount); }

/// Tells the events of one batch, one after another.
class Teller {
 public:
  Teller(DemoWorld& world, const proof::BatchId& batch) : x_world(world), x_batch(batch) {}

  void tell(const chain::LoggedEvent& logged) {
    const std::size_t before = told();
    std::visit([&](const auto& event) { tell(event); }, logged.event);
    if (told() > before && x_transactions.insert(logged.transaction).second) {
      x_lines.back().bytes += x_world.chain().fate(logged.transaction).bytes;
    }
  }
  [[nodiscard]] std::vector<TranscriptLine> take() { return std::move(x_lines); }

 private:
  template <class Other>
  void tell(const Other& /*event*/) {}

  void tell(const proof::Posted& event) {
    if (event.batch == x_batch) say(event.header.poster, "posts the batch");
  }
  void tell(const proof::GameOpened& event) {
    if (event.game.batch != x_batch) return;
    say(event.game.challenger, "disputes " + entry_text(event.game) + " = " +
                                   (event.game.results.empty() ? "?" : math::to_string(event.game.results.front())) +
                                   ", a fold of " + std::to_string(event.game.high - 1) + " steps and a finish" +
                                   ", with a bond of " + money(event.game.bond));
    x_game = event.game;
  }
  void tell(const proof::GameMoved& event) {
    if (event.game.batch != x_batch) return;
    say(event.by, text_of(event.move, event.game));
    x_game = event.game;
  }
  void tell(const proof::GameEnded& event) {
    if (event.batch != x_batch) return;
    if (event.move) {
      say(x_game.challenger, "shows that step " + step_text(*event.move) +
                                 " does not lead where the poster says: the chain runs it, and agrees");
    }
  }
  void tell(const proof::Committed& event) {
    if (event.by == x_world.watchtower().address()) say(event.by, "commits to a proof, which nobody can copy");
  }
  void tell(const proof::LeafRequested& event) {
    if (event.batch == x_batch) say(event.by, "demands " + leaf_text(event.leaf) + ", which nobody shows", "demands");
  }
  void tell(const proof::RequestWithheld& event) {
    if (event.batch == x_batch)
      say(event.by, "claims that " + leaf_text(event.leaf) + " was not given in time", "claims");
  }
  void tell(const proof::BatchInvalid& event) {
    if (event.batch != x_batch) return;
    say(event.winner, "wins: " + std::string(to_string(event.cause)) + "; " + money(event.reward) +
                          " of the bond for it, " + money(event.burned) + " burned");
  }

  [[nodiscard]] std::size_t told() const { return x_lines.empty() ? 0 : x_lines.size() + x_lines.back().more; }
  [[nodiscard]] const math::Program& program() const { return x_world.task().program.program; }

  [[nodiscard]] std::string entry_text(const proof::Game& game) const {
    const math::Item& item = program().items[game.item];
    const math::BatchValues values = proof::batch_values(x_world.task().dims(x_world.trainers()), 1, {});
    return chain::entry_text(x_world.task().program.names.items[game.item],
                             chain::entry_position(item, values, game.entry));
  }

  [[nodiscard]] std::string text_of(const proof::Move& move, const proof::Game& after) const {
    if (std::holds_alternative<proof::Respond>(move)) {
      std::string steps;
      const std::uint16_t arity = x_world.task().preimage().settings.arity;
      for (const std::uint64_t at : proof::boundary_positions(x_game.low, x_game.high, arity)) {
        steps += (steps.empty() ? "" : ", ") + std::to_string(at);
      }
      return "claims the accumulators after step " + steps;
    }
    if (std::holds_alternative<proof::Narrow>(move)) {
      return "agrees with step " + std::to_string(after.low) + ", disputes step " + std::to_string(after.high);
    }
    if (std::holds_alternative<proof::Reveal>(move)) return "reveals a part of the tables";
    if (std::holds_alternative<proof::Descend>(move)) return "goes down to what differs";
    if (std::holds_alternative<proof::Choose>(move)) return "chooses " + entry_text(after);
    return "proves";
  }

  /// The transition that a proof was about.
  [[nodiscard]] std::string step_text(const proof::Move& move) const {
    std::uint64_t low = x_game.low;
    if (const auto* narrow = std::get_if<proof::NarrowAndProve>(&move)) {
      const std::uint16_t arity = x_world.task().preimage().settings.arity;
      const auto boundaries = proof::boundary_positions(x_game.low, x_game.high, arity);
      if (narrow->segment > 0) low = boundaries.at(narrow->segment - 1U);
    }
    return std::to_string(low + 1);
  }

  [[nodiscard]] std::string leaf_text(const proof::OpeningKey& key) const {
    const auto& names = x_world.task().program.names.objects;
    const math::ObjectKind kind = program().objects.at(key.object).kind;
    if (kind == math::ObjectKind::kMember) return "record " + std::to_string(key.record);
    return "leaf " + std::to_string(key.leaf) + " of " + names.at(key.object) +
           (kind == math::ObjectKind::kRow ? " of record " + std::to_string(key.record) : "");
  }

  /// What is done many times in a row with the same verb is told once.
  void say(const proof::Address& who, std::string what, std::string_view verb = {}) {
    if (!verb.empty() && verb == x_verb) {
      ++x_lines.back().more;
      return;
    }
    x_verb = verb;
    x_lines.push_back({.who = x_world.name_of(who), .what = std::move(what)});
  }

  DemoWorld& x_world;
  proof::BatchId x_batch;
  proof::Game x_game;
  std::vector<TranscriptLine> x_lines;
  std::string x_verb;
  std::set<chain::TransactionId> x_transactions;
};

}  // namespace

ChainCost cost_since(chain::ChainAdapter& chain, std::uint64_t from) {
  ChainCost cost;
  std::set<chain::TransactionId> seen;
  for (const chain::LoggedEvent& event : events_from(chain, from)) {
    if (!seen.insert(event.transaction).second) continue;
    ++cost.transactions;
    cost.bytes += chain.fate(event.transaction).bytes;
  }
  return cost;
}

std::uint64_t end_of_events(chain::ChainAdapter& chain) {
  const auto events = events_from(chain, 0);
  return events.empty() ? 0 : events.back().position + 1;
}

std::vector<TranscriptLine> transcript(DemoWorld& world, const proof::BatchId& batch, std::uint64_t from) {
  Teller teller(world, batch);
  for (const chain::LoggedEvent& event : events_from(world.chain(), from)) teller.tell(event);
  return teller.take();
}

std::string to_text(const std::vector<TranscriptLine>& lines) {
  std::string text;
  for (const TranscriptLine& line : lines) {
    std::string who = line.who;
    who.resize(std::max<std::size_t>(who.size(), 11), ' ');
    text += "  " + who + line.what + (line.more > 0 ? ", and " + std::to_string(line.more) + " more" : "") +
            (line.bytes > 0 ? "  (" + std::to_string(line.bytes) + " bytes)" : "") + "\n";
  }
  return text;
}

json::array to_json(const std::vector<TranscriptLine>& lines) {
  json::array list;
  for (const TranscriptLine& line : lines) {
    list.push_back(json::object{{"who", line.who}, {"what", line.what}, {"more", line.more}, {"bytes", line.bytes}});
  }
  return list;
}

}  // namespace tally::cli
