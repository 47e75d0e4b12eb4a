// The records of a chain, but for some that a test wants otherwise, or away.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fraud_proof/settlement/record_codec.h"
#include "fraud_proof/settlement/state.h"

namespace tally::test {

class AlteredState final : public proof::StateReader {
 public:
  explicit AlteredState(const proof::StateReader& chain) : x_chain(chain) {}

  template <class Record>
  void put(math::Bytes key, const Record& record) {
    put_bytes(key, proof::encode_record(record));
  }
  void put_bytes(math::Bytes key, std::vector<std::uint8_t> record) { x_records[text(key)] = std::move(record); }
  void put_node(const proof::BatchId& batch, const proof::NodeRecord& node) {
    put(proof::node_key(node.task, batch), node);
  }
  void remove(math::Bytes key) { x_records[text(key)] = std::nullopt; }

  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override {
    const auto found = x_records.find(text(key));
    return found == x_records.end() ? x_chain.read(key) : found->second;
  }

 private:
  [[nodiscard]] static std::string text(math::Bytes key) { return {key.begin(), key.end()}; }

  const proof::StateReader& x_chain;
  std::map<std::string, std::optional<std::vector<std::uint8_t>>> x_records;
};

}  // namespace tally::test
