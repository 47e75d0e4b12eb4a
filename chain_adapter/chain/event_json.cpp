#include "chain_adapter/chain/event_json.h"

#include <variant>

#include "chain_adapter/chain/json_members.h"

namespace tally::chain {

namespace {

// One function for each event: what stands behind its name.

void write(const Members& put, const proof::TaskCreated& event) {
  put("task", event.task);
  put.object("preimage", event.preimage);
  put("genesis_commitments", event.genesis_commitments);
}
void write(const Members& put, const proof::Funded& event) {
  put("task", event.task);
  put("by", event.by);
  put("amount", event.amount);
}
void write(const Members& put, const proof::Registered& event) {
  put("task", event.task);
  put("member", event.member);
  put("wallet", event.wallet);
  put("stake", event.stake);
}
void write(const Members& put, const proof::KeyBound& event) {
  put("task", event.task);
  put("member", event.member);
  put("key", event.key);
}
void write(const Members& put, const proof::KeyUnbound& event) {
  put("task", event.task);
  put("member", event.member);
  put("key", event.key);
  put("at_s", event.at_s);
}
void write(const Members& put, const proof::ExitRequested& event) {
  put("task", event.task);
  put("member", event.member);
  put("exit_at_s", event.exit_at_s);
}
void write(const Members& put, const proof::StakeWithdrawn& event) {
  put("task", event.task);
  put("member", event.member);
  put("amount", event.amount);
}
void write(const Members& put, const proof::SeedSealed& event) {
  put("task", event.task);
  put("parent", event.parent);
  put("seed", event.seed);
}
void write(const Members& put, const proof::Posted& event) {
  put("batch", event.batch);
  put.object("header", event.header);
  put("state_commitments", event.state_commitments);
  put("table_roots", event.table_roots);
  put("seed", event.seed);
}
void write(const Members& put, const proof::Finalized& event) {
  put("task", event.task);
  put("batch", event.batch);
}
void write(const Members& put, const proof::BatchInvalid& event) {
  put("task", event.task);
  put("batch", event.batch);
  put("cause", to_string(event.cause));
  put("winner", event.winner);
  put("reward", event.reward);
  put("burned", event.burned);
}
void write(const Members& put, const proof::BondReleased& event) {
  put("batch", event.batch);
  put("poster", event.poster);
  put("amount", event.amount);
}
void write(const Members& put, const proof::GameOpened& event) { put.object("game", event.game); }
void write(const Members& put, const proof::GameMoved& event) {
  put.object("move", event.move);
  put("by", event.by);
  put.object("game", event.game);
}
void write(const Members& put, const proof::GameEnded& event) {
  put("game", event.game);
  put("batch", event.batch);
  put("outcome", to_string(event.outcome));
  event.move ? put.object("move", *event.move) : put.null("move");
}
void write(const Members& put, const proof::Committed& event) {
  put("by", event.by);
  put("commitment", event.commitment);
}
void write(const Members& put, const proof::OpeningKey& leaf) {
  put("object", leaf.object);
  put("record", leaf.record);
  put("leaf", leaf.leaf);
}
void write(const Members& put, const proof::LeafRequested& event) {
  put("batch", event.batch);
  write(put, event.leaf);
  put("by", event.by);
}
void write(const Members& put, const proof::RequestAnswered& event) {
  put("batch", event.batch);
  write(put, event.leaf);
  put("by", event.by);
  put("openings", event.openings);
}
void write(const Members& put, const proof::RequestWithheld& event) {
  put("batch", event.batch);
  write(put, event.leaf);
  put("by", event.by);
}
void write(const Members& put, const proof::PaidOut& event) {
  put("task", event.task);
  put("object", event.object);
  put("member", event.member);
  put("wallet", event.wallet);
  put("amount", event.amount);
}
void write(const Members& put, const proof::Withdrawn& event) {
  put("by", event.by);
  put("amount", event.amount);
}
void write(const Members& put, const proof::Skipped& event) {
  put("task", event.task);
  put("parent", event.parent);
  put("first_live", event.first_live);
}

void write_event(JsonWriter& json, const proof::Event& event) {
  const Members put(json);
  put("event", proof::name_of(event));
  std::visit([&](const auto& kind) { write(put, kind); }, event);
}

}  // namespace

void write_json(JsonWriter& json, const LoggedEvent& event) {
  json.begin_object();
  const Members put(json);
  put("position", event.position);
  put("block", event.block);
  put("time_s", event.time_s);
  put("transaction", event.transaction);
  write_event(json, event.event);
  json.end_object();
}

void write_json(JsonWriter& json, const proof::Event& event) {
  json.begin_object();
  write_event(json, event);
  json.end_object();
}

}  // namespace tally::chain
