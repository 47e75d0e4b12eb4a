// The fields of each transaction, in their order on the wire.
#pragma once

#include "fraud_proof/settlement/fields.h"
#include "fraud_proof/settlement/transaction.h"

namespace tally::proof {

/// The most tables that a program can have.
inline constexpr std::size_t kMaxTables = math::kMaxItems * math::kMaxResults;

template <class Fields>
void fields(Fields& f, Like<OpeningKey> auto& x) {
  f("object", x.object);
  f("record", x.record);
  f("leaf", x.leaf);
}
template <class Fields>
void fields(Fields& f, Like<CreateTask> auto& x) {
  f("salt", x.salt);
  f.bytes("bytecode", x.bytecode);
  f.list("dims", x.dims, kMaxTaskDims);
  f.list("params", x.params, kMaxTaskParams);
  f("frac_bits", x.frac_bits);
  f("settings", x.settings);
  f.list("genesis_roots", x.genesis_roots, math::kMaxStates);
}
template <class Fields>
void fields(Fields& f, Like<Fund> auto& x) {
  f("task", x.task);
}
template <class Fields>
void fields(Fields& f, Like<Register> auto& x) {
  f("task", x.task);
}
template <class Fields>
void fields(Fields& f, Like<BindKey> auto& x) {
  f("task", x.task);
  f("member", x.member);
  f("key", x.key);
  f("signature", x.signature);
}
template <class Fields>
void fields(Fields& f, Like<UnbindKey> auto& x) {
  f("task", x.task);
  f("member", x.member);
  f("key", x.key);
}
template <class Fields>
void fields(Fields& f, Like<RequestExit> auto& x) {
  f("task", x.task);
  f("member", x.member);
}
template <class Fields>
void fields(Fields& f, Like<WithdrawStake> auto& x) {
  f("task", x.task);
  f("member", x.member);
}
template <class Fields>
void fields(Fields& f, Like<SealSeed> auto& x) {
  f("task", x.task);
  f("parent", x.parent);
}
template <class Fields>
void fields(Fields& f, Like<KeeperSignature> auto& x) {
  f("position", x.position);
  f("signature", x.signature);
}
template <class Fields>
void fields(Fields& f, Like<Post> auto& x) {
  f("task", x.task);
  f("parent", x.parent);
  f.list("state_commitments", x.state_commitments, math::kMaxStates);
  f("record_count", x.record_count);
  f("records_root", x.records_root);
  f.list("table_roots", x.table_roots, kMaxTables);
  f("delegate", x.delegate);
  f.list("keepers", x.keepers, kMaxKeepers);
}
template <class Fields>
void fields(Fields& f, Like<SkipInvalid> auto& x) {
  f("task", x.task);
  f("parent", x.parent);
}
template <class Fields>
void fields(Fields& f, Like<Finalize> auto& x) {
  f("header", x.header);
}
template <class Fields>
void fields(Fields& f, Like<ReleaseBond> auto& x) {
  f("header", x.header);
}
template <class Fields>
void fields(Fields& f, Like<OpenGame> auto& x) {
  f("header", x.header);
  f("item", x.item);
  f("entry", x.entry);
  f("salt", x.salt);
  f.bytes("openings", x.openings);
}
template <class Fields>
void fields(Fields& f, Like<OpenDescent> auto& x) {
  f("header", x.header);
  f("item", x.item);
  f.list("tables", x.tables, kMaxTables);
  f("salt", x.salt);
  f.bytes("roots", x.roots);
}
template <class Fields>
void fields(Fields& f, Like<MakeMove> auto& x) {
  f("header", x.header);
  f("game", x.game);
  f("move", x.move);
}
template <class Fields>
void fields(Fields& f, Like<ClaimTimeout> auto& x) {
  f("game", x.game);
}
template <class Fields>
void fields(Fields& f, Like<RefundGame> auto& x) {
  f("game", x.game);
}
template <class Fields>
void fields(Fields& f, Like<Commit> auto& x) {
  f("commitment", x.commitment);
}
template <class Fields>
void fields(Fields& f, Like<RecordOrderProof> auto& x) {
  f("index", x.index);
  f.bytes("openings", x.openings);
}
template <class Fields>
void fields(Fields& f, Like<RecordSignerProof> auto& x) {
  f("index", x.index);
  f.bytes("openings", x.openings);
}
template <class Fields>
void fields(Fields& f, Like<RecordSignatureProof> auto& x) {
  f("index", x.index);
  f.bytes("openings", x.openings);
}
template <class Fields>
void fields(Fields& f, Like<AdviceRangeProof> auto& x) {
  f("object", x.object);
  f("element", x.element);
  f.bytes("openings", x.openings);
}
template <class Fields>
void fields(Fields& f, Like<ShowProof> auto& x) {
  f("header", x.header);
  f("proof", x.proof);
  f("salt", x.salt);
}
template <class Fields>
void fields(Fields& f, Like<RequestLeaf> auto& x) {
  f("header", x.header);
  f("leaf", x.leaf);
}
template <class Fields>
void fields(Fields& f, Like<AnswerRequest> auto& x) {
  f("header", x.header);
  f("leaf", x.leaf);
  f.bytes("openings", x.openings);
}
template <class Fields>
void fields(Fields& f, Like<ClaimWithheld> auto& x) {
  f("header", x.header);
  f("leaf", x.leaf);
}
template <class Fields>
void fields(Fields& f, Like<ClaimPayout> auto& x) {
  f("header", x.header);
  f.list("state_commitments", x.state_commitments, math::kMaxStates);
  f("object", x.object);
  f("member", x.member);
  f.bytes("openings", x.openings);
}
template <class Fields>
void fields(Fields& /*f*/, Like<Withdraw> auto& /*x*/) {}

}  // namespace tally::proof
