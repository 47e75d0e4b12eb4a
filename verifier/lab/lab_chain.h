// The chain that the laboratory measures on: the settlement machine over records in memory, with accounts that need no
// keys. A node may stand beside it, which does the same with the contracts and says what that costs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fraud_proof/settlement/settlement.h"

namespace tally::verifier {

/// A chain that does what the machine does.
class LabNode {
 public:
  virtual ~LabNode() = default;
  /// The one that the next transaction will be in.
  [[nodiscard]] virtual proof::BlockContext next_block() = 0;
  /// Blocks from now on are that much later.
  virtual void advance(std::uint64_t seconds) = 0;
  /// Sends what the machine took, in that block; `before` is the state before it. Gives the gas that it used.
  virtual std::uint64_t send(const proof::StateReader& before, const proof::BlockContext& block,
                             const proof::Message& message, const proof::Effects& effects) = 0;
  /// What happens behind the mark is taken back, as often as one likes.
  virtual void mark() = 0;
  virtual void go_back() = 0;
};

/// Blocks without a chain, where nothing costs gas.
class NoNode final : public LabNode {
 public:
  [[nodiscard]] proof::BlockContext next_block() override;
  void advance(std::uint64_t seconds) override { x_now.time_s += seconds; }
  std::uint64_t send(const proof::StateReader& before, const proof::BlockContext& block, const proof::Message& message,
                     const proof::Effects& effects) override;
  void mark() override { x_marked = x_now; }
  void go_back() override { x_now = x_marked; }

 private:
  struct Moment {
    std::uint64_t number = 0;
    std::uint64_t time_s = 1;
  };
  Moment x_now;
  Moment x_marked;
};

struct Sent {
  proof::Effects effects{};
  std::uint64_t gas = 0;
};

class LabChain {
 public:
  /// `node` outlives this, and begins with it.
  explicit LabChain(LabNode& node) : x_node(node) {}

  /// Throws std::runtime_error where the settlement refuses it.
  Sent send(const proof::Address& sender, const proof::Wei& value, const proof::Transaction& transaction);
  Sent send(const proof::Address& sender, const proof::Transaction& transaction) {
    return send(sender, proof::Wei{}, transaction);
  }
  void advance(std::uint64_t seconds) { x_node.advance(seconds); }

  [[nodiscard]] const proof::StateReader& state() const { return x_state; }
  [[nodiscard]] proof::Settlement& settlement() { return x_settlement; }
  [[nodiscard]] proof::BlockContext next_block() { return x_node.next_block(); }
  /// Another one each time: tasks that are equal but for it are different ones.
  [[nodiscard]] proof::Salt next_salt();

  /// As LabNode's. What is measured from the same mark does not depend on what was measured before: salts, times and
  /// hashes are the same ones.
  void mark();
  void go_back();

 private:
  class Records final : public proof::StateReader {
   public:
    [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const override;
    void write(const proof::Effects& effects);

   private:
    std::map<std::string, std::vector<std::uint8_t>> x_records;
  };

  LabNode& x_node;
  proof::Settlement x_settlement;
  Records x_state;
  std::uint32_t x_salts = 0;
  Records x_marked_state;
  std::uint32_t x_marked_salts = 0;
};

/// Somebody on the laboratory's chain. None of the bytes is 0.
[[nodiscard]] constexpr proof::Address lab_account(std::uint8_t number) {
  proof::Address address;
  address.bytes.fill(static_cast<std::uint8_t>(0xc0 + number));
  return address;
}
inline constexpr proof::Address kLabCreator = lab_account(1);
inline constexpr proof::Address kLabPoster = lab_account(2);
inline constexpr proof::Address kLabChallenger = lab_account(3);

/// Of a task whose batches may have any number of leaves, and take any work.
[[nodiscard]] proof::TaskSettings lab_settings(std::uint32_t leaf_bytes, std::uint16_t arity);

}  // namespace tally::verifier
