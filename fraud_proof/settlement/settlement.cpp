#include "fraud_proof/settlement/settlement.h"

#include <type_traits>
#include <utility>
#include <variant>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/settlement/handlers.h"
#include "fraud_proof/settlement/money.h"

namespace tally::proof {

namespace {

template <class Kind>
OrRefused<void> dispatch(const Call& call, const Kind& transaction) {
  if constexpr (!kTakesMoney<Kind>) {
    if (auto checked = check_value(call, {}); !checked) return checked;
  }
  return run(call, transaction);
}

}  // namespace

Settlement::Settlement() : x_programs(std::make_unique<ProgramCache>()) {}
Settlement::~Settlement() = default;
Settlement::Settlement(Settlement&&) noexcept = default;
Settlement& Settlement::operator=(Settlement&&) noexcept = default;

OrRefused<Effects> Settlement::apply(const StateReader& state, const BlockContext& block, const Message& message) {
  Changes changes(state);
  const Call call{
      .changes = changes, .programs = *x_programs, .block = block, .sender = message.sender, .value = message.value};
  auto done = std::visit([&](const auto& transaction) { return dispatch(call, transaction); }, message.transaction);
  if (!done) return std::unexpected(std::move(done.error()));
  TALLY_ASSERT(changes.conserves(message.value));
  return changes.take();
}

OrRefused<CommittedBatch> Settlement::committed_batch(const StateReader& state, const BatchHeader& header) {
  if (auto node = find_node(state, header.task, batch_id(header)); !node)
    return std::unexpected(std::move(node.error()));
  return proof::committed_batch(state, *x_programs, header);
}

}  // namespace tally::proof
