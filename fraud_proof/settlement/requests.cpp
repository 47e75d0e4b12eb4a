// Requests of input leaves. Each leaf is demanded at most once: its answer is in an event for everyone to read. A
// request that stays open for longer than the window costs the poster its bond.
#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/money.h"
#include "fraud_proof/settlement/posting.h"
#include "fraud_proof/settlement/tree.h"

namespace tally::proof {

namespace {

// Of an answer: the transaction with its storage and credits; and for each byte its calldata (the floor of EIP-7623),
// its share of the event, and its share of the hashes.
constexpr std::uint64_t kGasAnswer = 150'000;
constexpr std::uint64_t kGasAnswerByte = 70;

/// 1.1 times what the gas costs, but at most what there is.
Wei answer_fee(std::size_t opening_bytes, const Wei& base_fee, const Wei& most) {
  const math::u128 tenths = math::u128{answer_gas(opening_bytes)} * 11;
  if (base_fee.value > ~math::u128{0} / tenths) return most;
  return std::min(Wei{base_fee.value * tenths / 10}, most);
}

std::string describe(const OpeningKey& leaf) {
  return "leaf " + std::to_string(leaf.leaf) + " of object " + std::to_string(leaf.object) + ", record " +
         std::to_string(leaf.record);
}

/// kNoSuchBatch, kNoSuchRequest, kRequestAnswered, kRequestSettled.
struct OpenRequest {
  FoundBatch batch{};
  RequestRecord record{};
};
OrRefused<OpenRequest> find_open_request(const Call& call, const BatchHeader& header, const OpeningKey& leaf) {
  auto batch = find_batch(call.changes, header);
  if (!batch) return std::unexpected(std::move(batch.error()));
  const auto record = read_request(call.changes, batch->id, leaf);
  if (!record) return refuse(Reason::kNoSuchRequest, describe(leaf) + " was not asked for");
  switch (record->state) {
    case RequestState::kOpen:
      if (batch->node.open_requests == 0 || batch->node.state == NodeState::kFinal)
        throw BrokenState("an open request that its batch does not count");
      return OpenRequest{.batch = *std::move(batch), .record = *record};
    case RequestState::kAnswered:
      return refuse(Reason::kRequestAnswered, describe(leaf) + " was given");
    case RequestState::kWithheld:
      return refuse(Reason::kRequestSettled, "the batch fell, and the request's bond was given back");
  }
  TALLY_ASSERT(false);
}

/// Answers are in time up to the window's last second.
bool window_is_over(const Call& call, const OpenRequest& request) {
  return seconds_since(call, request.record.requested_s) > request.batch.settings.window_s;
}

/// Counts the request out and writes its record. The caller writes the node, and pays out the bond that this gives
/// back.
Wei end_request(const Call& call, const OpeningKey& leaf, OpenRequest& request, RequestState end) {
  const Wei bond = request.record.bond;
  request.record.bond = {};
  request.record.state = end;
  call.changes.put(request_key(request.batch.id, leaf), request.record);
  --request.batch.node.open_requests;
  return bond;
}

OrRefused<void> check_openings(const Call& call, const AnswerRequest& answer) {
  const CommittedBatch committed = committed_batch(call.changes, call.programs, answer.header);
  OpeningReader reader(committed, answer.openings);
  if (auto opened = reader.open(answer.leaf); !opened) return std::unexpected(std::move(opened.error()));
  return reader.finish();
}

}  // namespace

std::uint64_t answer_gas(std::size_t opening_bytes) { return kGasAnswer + kGasAnswerByte * opening_bytes; }

OrRefused<void> run(const Call& call, const RequestLeaf& request) {
  auto batch = find_batch(call.changes, request.header);
  if (!batch) return std::unexpected(std::move(batch.error()));
  const auto* rule = std::get_if<LeafRequests>(&batch->settings.availability);
  if (rule == nullptr) return refuse(Reason::kRequestsNotAllowed, "the task has keepers instead of requests");
  if (auto open = check_challengeable(call, *batch, batch->settings.request_period_s); !open) return open;
  if (auto bonded = check_value(call, rule->request_bond); !bonded) return bonded;
  const CommittedBatch committed = committed_batch(call.changes, call.programs, request.header);
  if (!is_input_leaf(committed, request.leaf))
    return refuse(Reason::kNoSuchEntry, describe(request.leaf) + " is no leaf of the batch's inputs");
  if (read_request(call.changes, batch->id, request.leaf))
    return refuse(Reason::kRequestExists, describe(request.leaf) + " was asked for before");

  call.changes.put(request_key(batch->id, request.leaf),
                   RequestRecord{.requester = call.sender, .bond = call.value, .requested_s = call.block.time_s});
  ++batch->node.open_requests;
  put_node(call.changes, *batch);
  call.changes.emit(LeafRequested{.batch = batch->id, .leaf = request.leaf, .by = call.sender});
  return {};
}

OrRefused<void> run(const Call& call, const AnswerRequest& answer) {
  auto request = find_open_request(call, answer.header, answer.leaf);
  if (!request) return std::unexpected(std::move(request.error()));
  if (request->batch.node.state == NodeState::kLost)
    return refuse(Reason::kBatchLost, "the batch was shown to be invalid before");
  if (window_is_over(call, *request)) {
    return refuse(Reason::kAnswerTooLate, "the leaf was asked for at " + std::to_string(request->record.requested_s) +
                                              ", and the window is " +
                                              std::to_string(request->batch.settings.window_s) + " s");
  }
  if (auto opened = check_openings(call, answer); !opened) return opened;

  const Wei bond = end_request(call, answer.leaf, *request, RequestState::kAnswered);
  put_node(call.changes, request->batch);
  const Split split = split_bond(bond, request->batch.settings.burn_bps);
  const Wei fee = answer_fee(answer.openings.size(), call.block.base_fee, split.reward);
  if (auto burned = call.changes.burn(split.burned); !burned) return burned;
  if (auto paid = call.changes.credit(call.sender, fee); !paid) return paid;
  if (auto returned = call.changes.credit(request->record.requester, subtract(split.reward, fee)); !returned)
    return returned;
  call.changes.emit(
      RequestAnswered{.batch = request->batch.id, .leaf = answer.leaf, .by = call.sender, .openings = answer.openings});
  return {};
}

OrRefused<void> run(const Call& call, const ClaimWithheld& claim) {
  auto request = find_open_request(call, claim.header, claim.leaf);
  if (!request) return std::unexpected(std::move(request.error()));
  const bool lost_before = request->batch.node.state == NodeState::kLost;
  if (!lost_before && !window_is_over(call, *request)) {
    return refuse(Reason::kWindowRunning, "the leaf was asked for at " + std::to_string(request->record.requested_s) +
                                              ", and the window is " +
                                              std::to_string(request->batch.settings.window_s) + " s");
  }
  const Address& requester = request->record.requester;
  const Wei bond = end_request(call, claim.leaf, *request, RequestState::kWithheld);
  if (auto returned = call.changes.credit(requester, bond); !returned) return returned;
  call.changes.emit(RequestWithheld{.batch = request->batch.id, .leaf = claim.leaf, .by = requester});
  if (!lost_before) return lose_batch(call, request->batch, LossCause::kWithheld, requester);
  put_node(call.changes, request->batch);
  return {};
}

}  // namespace tally::proof
