#include <variant>

#include "chain_adapter/chain/event_json.h"
#include "chain_adapter/chain/json_members.h"

namespace tally::chain {

namespace {

void write_rule(const Members& put, const proof::OpenProposers&) { put("proposer_rule", "open"); }
void write_rule(const Members& put, const proof::ProposerRotation& rule) {
  put("proposer_rule", "rotation");
  put("slot_s", rule.slot_s);
  put("grace_s", rule.grace_s);
  put("proposers", rule.proposers);
}

void write_mode(const Members& put, const proof::KeeperQuorum& mode) {
  put("availability", "quorum");
  put("threshold", mode.threshold);
  put("keepers", mode.keepers);
}
void write_mode(const Members& put, const proof::LeafRequests& mode) {
  put("availability", "requests");
  put("max_requests", mode.max_requests);
  put("request_bond", mode.request_bond);
}

}  // namespace

void write_json(JsonWriter& json, const proof::BatchHeader& header) {
  json.begin_object();
  const Members put(json);
  put("task", header.task);
  put("number", header.number);
  put("parent", header.parent);
  put("record_count", header.record_count);
  put("records_root", header.records_root);
  put("prev_state_root", header.prev_state_root);
  put("next_state_root", header.next_state_root);
  put("tables_root", header.tables_root);
  put("poster", header.poster);
  json.end_object();
}

void write_json(JsonWriter& json, const proof::TaskPreimage& task) {
  json.begin_object();
  const Members put(json);
  put("chain_id", task.chain_id);
  put("contract", task.contract);
  put("creator", task.creator);
  put("salt", math::Bytes(task.salt));
  put("program_hash", task.program_hash);
  put("dims", task.dims);
  put("params", task.params);
  put("frac_bits", task.frac_bits);
  put.object("settings", task.settings);
  put("genesis_root", task.genesis_root);
  json.end_object();
}

void write_json(JsonWriter& json, const proof::TaskSettings& settings) {
  json.begin_object();
  const Members put(json);
  put("leaf_bytes", settings.leaf_bytes);
  put("arity", settings.arity);
  put("challenge_period_s", settings.challenge_period_s);
  put("request_period_s", settings.request_period_s);
  put("window_s", settings.window_s);
  put("game_clock_s", settings.game_clock_s);
  put("move_time_s", settings.move_time_s);
  put("censorship_budget_s", settings.censorship_budget_s);
  put("sequencer_bond", settings.sequencer_bond);
  put("challenger_bond", settings.challenger_bond);
  put("burn_bps", settings.burn_bps);
  put("payout_unit", settings.payout_unit);
  put("min_records", settings.min_records);
  put("min_stake", settings.min_stake);
  put("exit_delay_s", settings.exit_delay_s);
  std::visit([&](const auto& rule) { write_rule(put, rule); }, settings.proposer_rule);
  std::visit([&](const auto& mode) { write_mode(put, mode); }, settings.availability);
  put("max_work", settings.max_work);
  put("max_payout_per_batch", settings.max_payout_per_batch);
  json.end_object();
}

}  // namespace tally::chain
