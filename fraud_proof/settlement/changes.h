// What one transaction has done so far: records written over a StateReader, events, payments. The views of state.h read
// through it. A refused transaction's changes are simply dropped.
//
//   auto status = read_task_status(changes, task);       // read
//   changes.put(task_status_key(task), *status);         // write
//   if (auto credited = changes.credit(winner, reward); !credited) return credited;
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "fraud_proof/settlement/record_codec.h"
#include "fraud_proof/settlement/settlement.h"

namespace tally::proof {

class Changes final : public StateReader {
 public:
  /// The base outlives this, and does not change meanwhile.
  explicit Changes(const StateReader& base) : x_base(base) {}

  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override;

  /// The record's type is that of the key's kind (record_codec.h).
  template <class Record>
  void put(std::vector<std::uint8_t> key, const Record& record) {
    write(std::move(key), encode_record(record));
  }
  void emit(Event event) { x_events.push_back(std::move(event)); }
  /// By the chain, from what the settlement holds; the record that held it is the caller's to lower.
  void pay(const Address& to, const Wei& amount) { x_payments.push_back({.to = to, .amount = amount}); }

  /// Adds to what the address may withdraw; kMoneyOverflow. Nothing is written for 0.
  [[nodiscard]] OrRefused<void> credit(const Address& address, const Wei& amount);
  [[nodiscard]] OrRefused<void> burn(const Wei& amount);

  /// Whether what the records touched hold, payments included, is what they held before and `value`.
  [[nodiscard]] bool conserves(const Wei& value) const;

  [[nodiscard]] Effects take();

 private:
  struct Touched {
    std::optional<std::vector<std::uint8_t>> before{};
    std::optional<std::vector<std::uint8_t>> after{};  // absent: not written
  };

  struct KeyOrder {
    using is_transparent = void;
    bool operator()(math::Bytes a, math::Bytes b) const { return std::ranges::lexicographical_compare(a, b); }
  };

  Touched& touch(math::Bytes key) const;
  void write(std::vector<std::uint8_t> key, std::vector<std::uint8_t> record);

  const StateReader& x_base;
  mutable std::map<std::vector<std::uint8_t>, Touched, KeyOrder> x_records;  // by key
  std::vector<Event> x_events;
  std::vector<Payment> x_payments;
};

}  // namespace tally::proof
