#include "tests/simulator/world.h"

#include <array>
#include <utility>

namespace tally::simulator {

namespace {

// The simulation begins with so many empty slots, so that there is a past.
constexpr std::uint64_t kFirstSlot = 10;

std::string brief(const proof::BatchHeader& header) { return to_hex(proof::batch_id(header)).substr(0, 10); }

std::string of_leaf(const proof::BatchHeader& header, const proof::OpeningKey& leaf) {
  return " " + brief(header) + " object " + std::to_string(leaf.object) + " record " + std::to_string(leaf.record) +
         " leaf " + std::to_string(leaf.leaf);
}

/// What a transaction is about, for a trace.
std::string subject_of(const proof::Transaction& transaction) {
  if (const auto* request = std::get_if<proof::RequestLeaf>(&transaction))
    return of_leaf(request->header, request->leaf);
  if (const auto* answer = std::get_if<proof::AnswerRequest>(&transaction))
    return of_leaf(answer->header, answer->leaf);
  if (const auto* claim = std::get_if<proof::ClaimWithheld>(&transaction)) return of_leaf(claim->header, claim->leaf);
  if (const auto* open = std::get_if<proof::OpenGame>(&transaction)) return " " + brief(open->header);
  if (const auto* open = std::get_if<proof::OpenDescent>(&transaction)) return " " + brief(open->header);
  if (const auto* move = std::get_if<proof::MakeMove>(&transaction)) return " " + to_hex(move->game.id).substr(0, 10);
  if (const auto* claim = std::get_if<proof::ClaimTimeout>(&transaction))
    return " " + to_hex(claim->game.id).substr(0, 10);
  if (const auto* refund = std::get_if<proof::RefundGame>(&transaction))
    return " " + to_hex(refund->game.id).substr(0, 10);
  if (const auto* final = std::get_if<proof::Finalize>(&transaction)) return " " + brief(final->header);
  return "";
}

}  // namespace

Weather draw_weather(Random& random) {
  constexpr std::array<std::uint64_t, 4> kSlots = {1, 5, 12, 12};
  Weather weather{.slot_s = kSlots[random.below(kSlots.size())]};
  // Each kind of trouble by itself in some seeds, several together in others.
  const auto chance = [&](std::uint64_t most) { return random.percent(50) ? random.below(most + 1) : 0; };
  weather.lost = chance(20);
  weather.late = chance(20);
  weather.doubled = chance(30);
  weather.out_of_reach = chance(4);
  weather.lagging = chance(60);
  weather.reorganised = chance(12);
  weather.crashed = chance(3);
  return weather;
}

void Figures::add(const Figures& other) {
  batches += other.batches;
  final_batches += other.final_batches;
  lost_batches += other.lost_batches;
  disputes += other.disputes;
  transactions += other.transactions;
  refusals += other.refusals;
  reorganisations += other.reorganisations;
  crashes += other.crashes;
  for (std::size_t kind = 0; kind < accepted.size(); ++kind) accepted[kind] += other.accepted[kind];
  for (std::size_t cause = 0; cause < losses.size(); ++cause) losses[cause] += other.losses[cause];
}

World::World(BatchPool& pool, std::uint64_t seed, std::vector<std::string>* trace)
    : x_pool(pool),
      x_random(seed),
      x_task(pool.draw_task(x_random)),
      x_weather(draw_weather(x_random)),
      x_chain(pool.genesis(), pool.settlement(), x_random, x_weather.slot_s),
      x_trace(trace),
      x_now_s(x_chain.time_of(kFirstSlot)) {}

void World::at(std::uint64_t time_s, std::function<void()> action) {
  x_actions.push({.time_s = std::max(time_s, x_now_s), .sequence = x_sequence++, .run = std::move(action)});
}

chain::TransactionId World::submit(PendingTransaction transaction) {
  transaction.id = x_chain.new_id();
  const chain::TransactionId id = transaction.id;
  if (!transaction.goes_first) {
    for (const auto& watcher : x_watchers) watcher(transaction);
  }
  x_chain.submit(std::move(transaction));
  schedule_block();
  return id;
}

void World::schedule_block() {
  if (x_is_block_due || x_chain.mempool_is_empty()) return;
  x_is_block_due = true;
  at(x_chain.time_of(slot() + 1), [this] { mine(); });
}

void World::visit(const Chain::Executed& executed) {
  ++x_figures.transactions;
  if (executed.refusal != nullptr) {
    ++x_figures.refusals;
  } else {
    ++x_figures.accepted.at(executed.transaction.transaction->index());
  }
  trace([&] {
    std::string text = to_text(executed.transaction.sender).substr(0, 8) + " " +
                       std::string(proof::name_of(*executed.transaction.transaction)) +
                       subject_of(*executed.transaction.transaction);
    if (executed.refusal != nullptr) {
      text += " refused, " + std::string(to_string(executed.refusal->reason)) + ": " + executed.refusal->message;
    }
    return text;
  });
  for (const Listener& listener : x_listeners) listener(executed);
}

void World::mine() {
  x_is_block_due = false;
  const auto visit_each = [this](const Chain::Executed& executed) { visit(executed); };
  if (x_random.percent(x_weather.reorganised)) {
    const std::uint64_t depth = x_random.between(1, kConfirmations - 1);
    trace([&] { return "the last " + std::to_string(depth) + " blocks are made anew"; });
    ++x_figures.reorganisations;
    const Chain::TakenBack taken = x_chain.reorganise(slot() - 1, depth, visit_each);
    if (taken.blocks > 0) x_reorganised_s.push_back(x_now_s);
    if (taken.vanished > 0) {
      for (const auto& action : x_after_losses) action();
    }
  }
  x_chain.mine(slot(), visit_each);
  for (const auto& action : x_after_blocks) action();
  schedule_block();
}

void World::run() {
  while (!x_actions.empty()) {
    Action next = x_actions.top();
    x_actions.pop();
    x_now_s = next.time_s;
    next.run();
  }
}

}  // namespace tally::simulator
