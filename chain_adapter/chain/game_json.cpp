#include <span>
#include <variant>

#include "chain_adapter/chain/event_json.h"
#include "chain_adapter/chain/json_members.h"
#include "deterministic_math/numbers/assert.h"

namespace tally::chain {

namespace {

std::string_view name(const proof::Reveal&) { return "reveal"; }
std::string_view name(const proof::Descend&) { return "descend"; }
std::string_view name(const proof::Choose&) { return "choose"; }
std::string_view name(const proof::Respond&) { return "respond"; }
std::string_view name(const proof::Narrow&) { return "narrow"; }
std::string_view name(const proof::Prove&) { return "prove"; }
std::string_view name(const proof::NarrowAndProve&) { return "narrow_and_prove"; }

void write(JsonWriter& json, const proof::Reveal::Answer& answer) {
  json.begin_object();
  const Members put(json);
  put("nodes", answer.nodes);
  put("leaf", answer.leaf);
  json.end_object();
}

void write(JsonWriter& json, const proof::Descent& descent) {
  json.begin_object();
  const Members put(json);
  put("object", descent.object);
  put("first_leaf", descent.first_leaf);
  put("leaves", descent.leaves);
  put("node", descent.node);
  put("children", descent.children);
  put("located", descent.located);
  json.end_object();
}

void write_move(JsonWriter& json, const Members& put, const proof::Reveal& move) {
  put.list("answers", std::span(move.answers), [&](const auto& answer) { write(json, answer); });
}
void write_move(JsonWriter& json, const Members& put, const proof::Descend& move) {
  put.list("children", std::span(move.children), [&](std::uint8_t child) { json.integer(child); });
}
void write_move(JsonWriter&, const Members& put, const proof::Choose& move) {
  put("item", move.item);
  put("entry", move.entry);
  put("openings", move.openings);
}
void write_move(JsonWriter&, const Members& put, const proof::Respond& move) { put("claims", move.claims); }
void write_move(JsonWriter&, const Members& put, const proof::Narrow& move) { put("segment", move.segment); }
void write_move(JsonWriter&, const Members& put, const proof::Prove& move) { put("witness", move.witness); }
void write_move(JsonWriter&, const Members& put, const proof::NarrowAndProve& move) {
  put("segment", move.segment);
  put("witness", move.witness);
}

}  // namespace

std::string_view name_of(proof::Phase phase) {
  switch (phase) {
    case proof::Phase::kReveal:
      return "reveal";
    case proof::Phase::kDescend:
      return "descend";
    case proof::Phase::kChoose:
      return "choose";
    case proof::Phase::kRespond:
      return "respond";
    case proof::Phase::kNarrow:
      return "narrow";
    case proof::Phase::kProve:
      return "prove";
  }
  TALLY_ASSERT(false);
}

std::string_view name_of(const proof::Move& move) {
  return std::visit([](const auto& kind) { return name(kind); }, move);
}

void write_json(JsonWriter& json, const proof::Move& move) {
  json.begin_object();
  const Members put(json);
  put("move", name_of(move));
  std::visit([&](const auto& kind) { write_move(json, put, kind); }, move);
  json.end_object();
}

void write_json(JsonWriter& json, const proof::Game& game) {
  json.begin_object();
  const Members put(json);
  put("id", game.id);
  put("task", game.task);
  put("batch", game.batch);
  put("poster", game.poster);
  put.unless_zero("delegate", game.delegate);
  put("challenger", game.challenger);
  put("bond", game.bond);
  put("phase", name_of(game.phase));
  put("poster_clock_s", game.poster_clock_s);
  put("challenger_clock_s", game.challenger_clock_s);
  put("moved_at_s", game.moved_at_s);
  put("item", game.item);
  game.entry == proof::kNoEntry ? put.null("entry") : put("entry", game.entry);
  put.list("descents", std::span(game.descents), [&](const auto& descent) { write(json, descent); });
  put("low", game.low);
  put("high", game.high);
  put("at_low", game.at_low);
  put("at_high", game.at_high);
  put("results", game.results);
  put("claims", game.claims);
  json.end_object();
}

}  // namespace tally::chain
