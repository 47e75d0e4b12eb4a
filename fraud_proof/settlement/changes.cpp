#include "fraud_proof/settlement/changes.h"

#include <utility>

#include "fraud_proof/settlement/money.h"

namespace tally::proof {

Changes::Touched& Changes::touch(math::Bytes key) const {
  const auto found = x_records.find(key);
  if (found != x_records.end()) return found->second;
  std::vector<std::uint8_t> name(key.begin(), key.end());
  return x_records.emplace(std::move(name), Touched{.before = x_base.read(key)}).first->second;
}

std::optional<std::vector<std::uint8_t>> Changes::read(math::Bytes key) const {
  const Touched& touched = touch(key);
  return touched.after ? touched.after : touched.before;
}

void Changes::write(std::vector<std::uint8_t> key, std::vector<std::uint8_t> record) {
  touch(key).after = std::move(record);
}

OrRefused<void> Changes::credit(const Address& address, const Wei& amount) {
  if (amount == Wei{}) return {};
  const auto sum = add(read_credit(*this, address), amount);
  if (!sum) return std::unexpected(sum.error());
  put(credit_key(address), *sum);
  return {};
}

OrRefused<void> Changes::burn(const Wei& amount) {
  if (amount == Wei{}) return {};
  const auto sum = add(read_burned(*this), amount);
  if (!sum) return std::unexpected(sum.error());
  put(burned_key(), *sum);
  return {};
}

// The sums are modulo 2^128: two of them that differ by less than that are equal iff their residues are.
bool Changes::conserves(const Wei& value) const {
  math::u128 before = value.value;
  math::u128 after = 0;
  for (const auto& [key, touched] : x_records) {
    if (!touched.after) continue;
    if (touched.before) before += money_in(key, *touched.before).value;
    after += money_in(key, *touched.after).value;
  }
  for (const Payment& payment : x_payments) after += payment.amount.value;
  return before == after;
}

Effects Changes::take() {
  Effects effects{.writes = {}, .events = std::move(x_events), .payments = std::move(x_payments)};
  for (auto& [key, touched] : x_records) {
    if (touched.after) effects.writes.push_back({.key = key, .record = *std::move(touched.after)});
  }
  return effects;
}

}  // namespace tally::proof
