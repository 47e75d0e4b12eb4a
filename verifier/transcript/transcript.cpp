#include "verifier/transcript/transcript.h"

#include <algorithm>
#include <cereal/archives/json.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <span>
#include <utility>
#include <variant>

#include "chain_adapter/chain/batch_index.h"
#include "chain_adapter/chain/event_json.h"
#include "chain_adapter/chain/follow_events.h"
#include "chain_adapter/chain/wei_text.h"
#include "chain_adapter/data/batch_store.h"
#include "chain_adapter/data/batch_tables.h"
#include "fraud_proof/settlement/state.h"
#include "verifier/replay/posted_batch.h"

namespace tally::verifier {

template <class Archive>
void serialize(Archive& archive, TranscriptStep& step) {
  archive(cereal::make_nvp("block", step.block), cereal::make_nvp("time_s", step.time_s),
          cereal::make_nvp("transaction", step.transaction), cereal::make_nvp("who", step.who),
          cereal::make_nvp("action", step.action), cereal::make_nvp("text", step.text),
          cereal::make_nvp("bytes", step.bytes));
}

template <class Archive>
void serialize(Archive& archive, Transcript& transcript) {
  archive(cereal::make_nvp("game", transcript.game), cereal::make_nvp("task", transcript.task),
          cereal::make_nvp("batch", transcript.batch), cereal::make_nvp("poster", transcript.poster),
          cereal::make_nvp("challenger", transcript.challenger), cereal::make_nvp("bond", transcript.bond),
          cereal::make_nvp("entry", transcript.entry), cereal::make_nvp("state", transcript.state),
          cereal::make_nvp("decided", transcript.decided), cereal::make_nvp("steps", transcript.steps),
          cereal::make_nvp("transactions", transcript.transactions),
          cereal::make_nvp("poster_bytes", transcript.poster_bytes),
          cereal::make_nvp("challenger_bytes", transcript.challenger_bytes),
          cereal::make_nvp("reward", transcript.reward), cereal::make_nvp("burned", transcript.burned));
}

namespace {

// More claims than this are counted, not listed.
constexpr std::size_t kListedClaims = 8;

/// Everything that happened to one game, and what its batch is.
class Teller {
 public:
  Teller(chain::ChainAdapter& chain, const proof::Game& game, Description description, std::uint16_t arity)
      : x_chain(chain), x_batch(std::move(description)), x_arity(arity), x_game(game) {
    x_told.game = to_hex(game.id);
    x_told.task = to_hex(x_batch.header().task);
    x_told.batch = to_hex(game.batch);
    x_told.poster = proof::to_text(game.poster);
    x_told.challenger = proof::to_text(game.challenger);
    x_told.bond = chain::to_text(game.bond);
  }

  void opened(const chain::LoggedEvent& logged) {
    std::string text;
    if (x_game.descents.empty()) {
      text = "disputes " + entry() + claimed_results() + ", a fold of " + std::to_string(x_game.high - 1) + " steps";
    } else {
      text = "disputes withheld tables, from their roots:";
      for (const proof::Descent& descent : x_game.descents) text += " " + object(descent.object);
    }
    add(logged, "challenger", "open", text + "; bond " + chain::to_text_with_unit(x_game.bond));
  }

  void moved(const chain::LoggedEvent& logged, const proof::GameMoved& event) {
    const proof::Game before = std::exchange(x_game, event.game);
    const bool by_challenger = event.by == x_game.challenger;
    add(logged, by_challenger ? "challenger" : "poster", std::string(chain::name_of(event.move)),
        describe(before, event.move));
  }

  void ended(const chain::LoggedEvent& logged, const proof::GameEnded& event,
             const proof::BatchInvalid* const invalid) {
    std::string text;
    switch (event.outcome) {
      case proof::GameOutcome::kPosterDisproved:
        x_told.state = "the poster was disproved";
        text = event.move ? decide(*event.move) : std::string{};
        break;
      case proof::GameOutcome::kPosterTimeout:
        x_told.state = "the poster's clock ran out";
        break;
      case proof::GameOutcome::kChallengerTimeout:
        x_told.state = "the challenger's clock ran out";
        break;
      case proof::GameOutcome::kRefunded:
        x_told.state = "the batch fell by another's hand; the challenger has its bond back";
        break;
    }
    if (text.empty()) text = x_told.state;
    if (invalid != nullptr) {
      x_told.reward = chain::to_text(invalid->reward);
      x_told.burned = chain::to_text(invalid->burned);
      text += "; the batch is invalid, its poster's bond is gone: " + chain::to_text_with_unit(invalid->reward) +
              " to the challenger, " + chain::to_text_with_unit(invalid->burned) + " burned";
    }
    const bool by_move = event.move.has_value();
    add(logged, by_move ? "challenger" : "anyone", by_move ? std::string(chain::name_of(*event.move)) : "end", text);
  }

  [[nodiscard]] Transcript take() {
    if (x_told.state.empty()) {
      const bool poster = proof::to_move(x_game.phase) == proof::Side::kPoster;
      x_told.state = std::string(poster ? "waits for the poster to " : "waits for the challenger to ") +
                     std::string(chain::name_of(x_game.phase));
    }
    if (x_game.entry != proof::kNoEntry) x_told.entry = entry();
    return std::move(x_told);
  }

 private:
  [[nodiscard]] const math::Item& item() const { return x_batch.program().items.at(x_game.item); }
  [[nodiscard]] std::string object(math::ObjectId id) const { return x_batch.compiled.names.objects.at(id); }
  [[nodiscard]] std::string entry() const {
    return chain::entry_text(x_batch.compiled.names.items.at(x_game.item),
                             chain::entry_position(item(), x_batch.values, x_game.entry));
  }

  [[nodiscard]] std::string claimed_results() const {
    if (item().kind != math::ItemKind::kTable) return "";
    std::string text = " = ";
    for (std::size_t i = 0; i < item().results.size(); ++i) {
      text += (i == 0 ? "" : ", ") + math::to_string(x_game.results.at(i));
    }
    return text;
  }

  [[nodiscard]] std::string state_text(const math::Accumulators& state) const {
    const std::vector<std::string>& names = x_batch.compiled.names.accumulators.at(x_game.item);
    std::string text = "(";
    for (std::size_t i = 0; i < names.size(); ++i) {
      text += (i == 0 ? "" : ", ") + names[i] + " = " + math::to_string(state.at(i));
    }
    return text + ")";
  }

  [[nodiscard]] std::vector<math::Accumulators> claims(const proof::Game& game) const {
    const auto count = proof::boundary_positions(game.low, game.high, x_arity).size();
    const auto decoded = proof::decode_claims(item().body.value(), count, game.claims);
    return decoded ? *decoded : std::vector<math::Accumulators>{};
  }

  [[nodiscard]] std::string describe(const proof::Game& before, const proof::Move& move) const {
    if (const auto* reveal = std::get_if<proof::Reveal>(&move)) {
      std::size_t nodes = 0;
      std::size_t bytes = 0;
      for (const proof::Reveal::Answer& answer : reveal->answers) {
        nodes += answer.nodes.size();
        bytes += answer.leaf.size();
      }
      return "reveals " + std::to_string(nodes) + " nodes and " + std::to_string(bytes) + " bytes of leaves";
    }
    if (std::holds_alternative<proof::Descend>(move)) {
      std::string text = "goes down to";
      for (const proof::Descent& descent : x_game.descents) {
        text += " leaves " + std::to_string(descent.first_leaf) + ".." +
                std::to_string(descent.first_leaf + descent.leaves - 1) + " of " + object(descent.object);
      }
      return text;
    }
    if (std::holds_alternative<proof::Choose>(move)) {
      return "disputes " + entry() + claimed_results() + ", a fold of " + std::to_string(x_game.high - 1) + " steps";
    }
    if (std::holds_alternative<proof::Respond>(move)) return describe_claims();
    if (std::holds_alternative<proof::Narrow>(move)) {
      return "agrees with state " + std::to_string(x_game.low) + " " + state_text(x_game.at_low) + ", not with state " +
             std::to_string(x_game.high) +
             (x_game.high <= fold_length() ? " " + state_text(x_game.at_high) : claimed_results());
    }
    return "moves from state " + std::to_string(before.low);
  }

  [[nodiscard]] std::uint64_t fold_length() const {
    return math::fold_length(x_batch.program(), x_batch.values, x_game.item);
  }

  [[nodiscard]] std::string describe_claims() const {
    const std::vector<std::uint64_t> positions = proof::boundary_positions(x_game.low, x_game.high, x_arity);
    const std::vector<math::Accumulators> claimed = claims(x_game);
    std::string text = "claims " + std::to_string(positions.size()) + " states between " + std::to_string(x_game.low) +
                       " and " + std::to_string(x_game.high) + ":";
    for (std::size_t i = 0; i < std::min(kListedClaims, claimed.size()); ++i) {
      text += " " + std::to_string(positions[i]) + " " + state_text(claimed[i]);
    }
    return claimed.size() > kListedClaims ? text + " …" : text;
  }

  /// The last move: which transition the chain ran, and from what.
  [[nodiscard]] std::string decide(const proof::Move& move) {
    std::uint64_t low = x_game.low;
    std::uint64_t high = x_game.high;
    math::Accumulators from = x_game.at_low;
    if (const auto* last = std::get_if<proof::NarrowAndProve>(&move)) {
      const std::vector<std::uint64_t> positions = proof::boundary_positions(x_game.low, x_game.high, x_arity);
      const std::vector<math::Accumulators> claimed = claims(x_game);
      if (last->segment > 0 && last->segment <= claimed.size()) {
        low = positions[last->segment - 1U];
        from = claimed[last->segment - 1U];
      }
      if (last->segment < positions.size()) {
        high = positions[last->segment];
        x_game.at_high = claimed.at(last->segment);
      }
    }
    const std::uint64_t length = fold_length();
    x_told.decided = low < length ? "step " + std::to_string(low) + " of " + entry() : "the finish of " + entry();
    return "the chain runs " + x_told.decided + " from " + state_text(from) + ", which does not lead to " +
           (high <= length ? state_text(x_game.at_high) : "the committed result" + claimed_results());
  }

  void add(const chain::LoggedEvent& logged, std::string who, std::string action, std::string text) {
    const std::uint64_t bytes = x_chain.fate(logged.transaction).bytes;
    ++x_told.transactions;
    (who == "poster" ? x_told.poster_bytes : x_told.challenger_bytes) += bytes;
    x_told.steps.push_back({.block = logged.block,
                            .time_s = logged.time_s,
                            .transaction = to_hex(logged.transaction),
                            .who = std::move(who),
                            .action = std::move(action),
                            .text = std::move(text),
                            .bytes = bytes});
  }

  chain::ChainAdapter& x_chain;
  Description x_batch;
  std::uint16_t x_arity;
  proof::Game x_game;
  Transcript x_told;
};

std::optional<Teller> begin(chain::ChainAdapter& chain, const chain::BatchIndex& index, const proof::Game& game,
                            const std::vector<std::filesystem::path>& data) {
  const chain::IndexedBatch* const posted = index.find(game.batch);
  if (posted == nullptr) return std::nullopt;
  const auto task = proof::read_task(chain.state(), posted->posted.header.task);
  if (!task) return std::nullopt;
  const auto program = proof::read_program(chain.state(), task->preimage.program_hash);
  if (!program) return std::nullopt;
  const PostedBatch batch{
      .posted = posted->posted, .task = task->preimage, .bytecode = program->bytecode, .posted_s = posted->time_s};
  std::optional<std::filesystem::path> directory;
  for (const std::filesystem::path& folder : data) {
    if (!directory) directory = chain::find_batch(folder, game.batch);
  }
  return Teller(chain, game, describe_posted(batch, chain::BatchPaths(directory.value_or(std::filesystem::path{}))),
                task->preimage.settings.arity);
}

std::vector<Transcript> tell(chain::ChainAdapter& chain, const std::function<bool(const proof::Game&)>& wanted,
                             const std::vector<std::filesystem::path>& data) {
  chain::BatchIndex index;
  index.follow(chain);
  std::vector<proof::GameId> order;
  std::map<proof::GameId, Teller> tellers;
  chain::follow_events(chain, 0, [&](std::span<const chain::LoggedEvent> page) {
    // The end of a game and the loss of its batch are events of one transaction, and may lie on two pages.
    const std::vector<chain::LoggedEvent> next = chain.events(page.back().position + 1, 1);
    for (std::size_t i = 0; i < page.size(); ++i) {
      const chain::LoggedEvent& logged = page[i];
      if (const auto* opened = std::get_if<proof::GameOpened>(&logged.event)) {
        if (!wanted(opened->game)) continue;
        auto teller = begin(chain, index, opened->game, data);
        if (!teller) continue;
        teller->opened(logged);
        order.push_back(opened->game.id);
        tellers.emplace(opened->game.id, *std::move(teller));
      } else if (const auto* moved = std::get_if<proof::GameMoved>(&logged.event)) {
        const auto teller = tellers.find(moved->game.id);
        if (teller != tellers.end()) teller->second.moved(logged, *moved);
      } else if (const auto* ended = std::get_if<proof::GameEnded>(&logged.event)) {
        const auto teller = tellers.find(ended->game);
        if (teller == tellers.end()) continue;
        const chain::LoggedEvent* const after = i + 1 < page.size() ? &page[i + 1]
                                                : next.empty()      ? nullptr
                                                                    : &next.front();
        const bool same = after != nullptr && after->transaction == logged.transaction;
        teller->second.ended(logged, *ended, same ? std::get_if<proof::BatchInvalid>(&after->event) : nullptr);
      }
    }
  });
  std::vector<Transcript> transcripts;
  transcripts.reserve(order.size());
  for (const proof::GameId& id : order) transcripts.push_back(tellers.at(id).take());
  return transcripts;
}

}  // namespace

std::vector<Transcript> tell_games(chain::ChainAdapter& chain, std::optional<proof::BatchId> batch,
                                   const std::vector<std::filesystem::path>& data) {
  return tell(chain, [&](const proof::Game& game) { return !batch || game.batch == *batch; }, data);
}

std::optional<Transcript> tell_game(chain::ChainAdapter& chain, const proof::GameId& game,
                                    const std::vector<std::filesystem::path>& data) {
  std::vector<Transcript> told = tell(chain, [&](const proof::Game& other) { return other.id == game; }, data);
  if (told.empty()) return std::nullopt;
  return std::move(told.front());
}

void export_json(const Transcript& transcript, std::ostream& out) {
  {
    cereal::JSONOutputArchive archive(out);
    archive(cereal::make_nvp("transcript", transcript));
  }
  out << "\n";
}

}  // namespace tally::verifier
