#include "fraud_proof/settlement/event.h"

#include <array>
#include <string>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/transaction_fields.h"

namespace tally::proof {

namespace {

constexpr std::array<std::string_view, std::variant_size_v<Event>> kNames = {
    "TaskCreated",    "Funded",     "Registered",      "KeyBound",  "KeyUnbound",    "ExitRequested",
    "StakeWithdrawn", "SeedSealed", "Posted",          "Finalized", "BatchInvalid",  "BondReleased",
    "GameOpened",     "GameMoved",  "GameEnded",       "Committed", "LeafRequested", "RequestAnswered",
    "PaidOut",        "Withdrawn",  "RequestWithheld", "Skipped"};

}  // namespace

template <class Fields>
void fields(Fields& f, Like<TaskCreated> auto& x) {
  f("task", x.task);
  f("preimage", x.preimage);
  f.list("genesis_commitments", x.genesis_commitments, math::kMaxStates);
}
template <class Fields>
void fields(Fields& f, Like<Funded> auto& x) {
  f("task", x.task);
  f("by", x.by);
  f("amount", x.amount);
}
template <class Fields>
void fields(Fields& f, Like<Registered> auto& x) {
  f("task", x.task);
  f("member", x.member);
  f("wallet", x.wallet);
  f("stake", x.stake);
}
template <class Fields>
void fields(Fields& f, Like<KeyBound> auto& x) {
  f("task", x.task);
  f("member", x.member);
  f("key", x.key);
}
template <class Fields>
void fields(Fields& f, Like<KeyUnbound> auto& x) {
  f("task", x.task);
  f("member", x.member);
  f("key", x.key);
  f("at_s", x.at_s);
}
template <class Fields>
void fields(Fields& f, Like<ExitRequested> auto& x) {
  f("task", x.task);
  f("member", x.member);
  f("exit_at_s", x.exit_at_s);
}
template <class Fields>
void fields(Fields& f, Like<StakeWithdrawn> auto& x) {
  f("task", x.task);
  f("member", x.member);
  f("amount", x.amount);
}
template <class Fields>
void fields(Fields& f, Like<SeedSealed> auto& x) {
  f("task", x.task);
  f("parent", x.parent);
  f("seed", x.seed);
}
template <class Fields>
void fields(Fields& f, Like<Posted> auto& x) {
  f("batch", x.batch);
  f("header", x.header);
  f.list("state_commitments", x.state_commitments, math::kMaxStates);
  f.list("table_roots", x.table_roots, kMaxTables);
  f("seed", x.seed);
}
template <class Fields>
void fields(Fields& f, Like<Finalized> auto& x) {
  f("task", x.task);
  f("batch", x.batch);
}
template <class Fields>
void fields(Fields& f, Like<BatchInvalid> auto& x) {
  f("task", x.task);
  f("batch", x.batch);
  f.choice("cause", x.cause, LossCause::kEntry, LossCause::kWithheld);
  f("winner", x.winner);
  f("reward", x.reward);
  f("burned", x.burned);
}
template <class Fields>
void fields(Fields& f, Like<BondReleased> auto& x) {
  f("batch", x.batch);
  f("poster", x.poster);
  f("amount", x.amount);
}
template <class Fields>
void fields(Fields& f, Like<GameOpened> auto& x) {
  f("game", x.game);
}
template <class Fields>
void fields(Fields& f, Like<GameMoved> auto& x) {
  f("move", x.move);
  f("by", x.by);
  f("game", x.game);
}
template <class Fields>
void fields(Fields& f, Like<GameEnded> auto& x) {
  f("game", x.game);
  f("batch", x.batch);
  f.choice("outcome", x.outcome, GameOutcome::kPosterDisproved, GameOutcome::kRefunded);
  f("move", x.move);
}
template <class Fields>
void fields(Fields& f, Like<Committed> auto& x) {
  f("by", x.by);
  f("commitment", x.commitment);
}
template <class Fields>
void fields(Fields& f, Like<LeafRequested> auto& x) {
  f("batch", x.batch);
  f("leaf", x.leaf);
  f("by", x.by);
}
template <class Fields>
void fields(Fields& f, Like<RequestAnswered> auto& x) {
  f("batch", x.batch);
  f("leaf", x.leaf);
  f("by", x.by);
  f.bytes("openings", x.openings);
}
template <class Fields>
void fields(Fields& f, Like<PaidOut> auto& x) {
  f("task", x.task);
  f("object", x.object);
  f("member", x.member);
  f("wallet", x.wallet);
  f("amount", x.amount);
}
template <class Fields>
void fields(Fields& f, Like<Withdrawn> auto& x) {
  f("by", x.by);
  f("amount", x.amount);
}
template <class Fields>
void fields(Fields& f, Like<RequestWithheld> auto& x) {
  f("batch", x.batch);
  f("leaf", x.leaf);
  f("by", x.by);
}
template <class Fields>
void fields(Fields& f, Like<Skipped> auto& x) {
  f("task", x.task);
  f("parent", x.parent);
  f("first_live", x.first_live);
}

std::string_view name_of(const Event& event) { return kNames[event.index()]; }

std::vector<std::uint8_t> encode(const Event& event) {
  FieldWriter writer;
  writer("kind", event);
  return writer.take();
}

OrRefused<Event> decode_event(math::Bytes bytes) {
  FieldReader reader(bytes);
  Event event;
  reader("kind", event);
  if (const auto fault = reader.fault()) {
    const bool known = !bytes.empty() && bytes.front() == event.index() + 1;
    return refuse(Reason::kMalformed, known ? std::string(name_of(event)) + ": " + *fault : *fault);
  }
  return event;
}

std::string_view to_string(LossCause cause) {
  switch (cause) {
    case LossCause::kEntry:
      return "entry";
    case LossCause::kTimeout:
      return "timeout";
    case LossCause::kRecordOrder:
      return "record_order";
    case LossCause::kRecordSigner:
      return "record_signer";
    case LossCause::kRecordSignature:
      return "record_signature";
    case LossCause::kAdviceRange:
      return "advice_range";
    case LossCause::kWithheld:
      return "withheld";
  }
  TALLY_ASSERT(false);
}

std::string_view to_string(GameOutcome outcome) {
  switch (outcome) {
    case GameOutcome::kPosterDisproved:
      return "poster_disproved";
    case GameOutcome::kPosterTimeout:
      return "poster_timeout";
    case GameOutcome::kChallengerTimeout:
      return "challenger_timeout";
    case GameOutcome::kRefunded:
      return "refunded";
  }
  TALLY_ASSERT(false);
}

}  // namespace tally::proof
