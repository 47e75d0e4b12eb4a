#include "fraud_proof/settlement/handlers.h"

namespace tally::proof {

OrRefused<void> run(const Call& call, const Withdraw& /*withdrawal*/) {
  const Wei amount = read_credit(call.changes, call.sender);
  if (amount == Wei{}) return refuse(Reason::kNothingToWithdraw, to_text(call.sender) + " has no credit");
  call.changes.put(credit_key(call.sender), Wei{});
  call.changes.pay(call.sender, amount);
  call.changes.emit(Withdrawn{.by = call.sender, .amount = amount});
  return {};
}

}  // namespace tally::proof
