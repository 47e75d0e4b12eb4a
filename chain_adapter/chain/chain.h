// The one interface to settlement: transactions and their fate, views, events, time. Daemons and commands see nothing
// else, so they run alike on every chain.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chain_adapter/chain/waiting.h"
#include "fraud_proof/settlement/event.h"
#include "fraud_proof/settlement/state.h"
#include "fraud_proof/settlement/transaction.h"
#include "fraud_proof/signing/secp256k1.h"

namespace tally::chain {

struct ChainIdentity {
  std::uint64_t chain_id = 0;
  proof::Address contract{};
  bool operator==(const ChainIdentity&) const = default;
};

/// The last block, and the earliest time that a transaction submitted now can see.
struct Head {
  std::uint64_t block = 0;
  std::uint64_t time_s = 0;
};

/// SHA-256 of the signed transaction on the embedded chain, the transaction's hash on an EVM chain.
using TransactionId = proof::DigestOf<struct TransactionTag>;

struct TransactionFate {
  /// kFailed: a block took it in without effect, and at the block's end nothing speaks against it any more. The same
  /// may be sent again.
  enum class Kind : std::uint8_t { kUnknown, kPending, kApplied, kRefused, kFailed };
  Kind kind = Kind::kUnknown;
  std::uint64_t block = 0;                       // kApplied, kFailed
  std::vector<proof::Event> events{};            // kApplied
  std::optional<proof::ChainRefusal> refusal{};  // kRefused
  std::uint64_t bytes = 0;                       // as it travels
  std::uint64_t gas = 0;                         // 0 where the chain counts none
};

/// Positions are strictly ascending, and never name another event than the one they were given to. A chain that is
/// reorganised more deeply than was thought possible takes events back with their positions: event_cursor.h.
struct LoggedEvent {
  std::uint64_t position = 0;
  std::uint64_t block = 0;
  std::uint64_t time_s = 0;
  TransactionId transaction{};
  proof::Event event{};
};

/// Of what is in a block, and not told by events yet.
struct Confirmations {
  std::uint64_t has = 0;  // blocks behind its own
  std::uint64_t needs = 0;
};

/// Something to be sent, and who sends it.
struct Submission {
  const proof::PrivateKey& key;
  proof::Wei value{};
  const proof::Transaction& transaction;
};

/// Calls that reach outside throw std::system_error or std::runtime_error when that fails; the caller tries again. Of
/// one object, calls are made from one thread at a time.
class ChainAdapter {
 public:
  explicit ChainAdapter(Waiting waiting = {}) : x_waiting(std::move(waiting)) {}
  virtual ~ChainAdapter() = default;

  /// How those wait who use it.
  [[nodiscard]] const Waiting& waiting() const { return x_waiting; }

  [[nodiscard]] virtual ChainIdentity identity() = 0;
  [[nodiscard]] virtual Head head() = 0;

  /// Signs and hands over. The fate may be known at once.
  [[nodiscard]] virtual TransactionId submit(const Submission& submission) = 0;
  [[nodiscard]] virtual TransactionFate fate(const TransactionId& transaction) = 0;

  /// At most `limit` events at positions from `from` on, in order.
  [[nodiscard]] virtual std::vector<LoggedEvent> events(std::uint64_t from, std::size_t limit) = 0;

  /// The batches that were posted, and that no event tells of yet.
  [[nodiscard]] virtual std::map<proof::BatchId, Confirmations> unconfirmed() { return {}; }

  /// The records of the settlement, as of the head.
  [[nodiscard]] virtual const proof::StateReader& state() = 0;
  /// What an account owns outside the settlement.
  [[nodiscard]] virtual proof::Wei balance(const proof::Address& account) = 0;

 private:
  Waiting x_waiting;
};

/// Submits and waits for the fate, which is kApplied or kRefused: what failed is sent again. Throws Interrupted, and
/// std::runtime_error where it got lost, or fails each time.
[[nodiscard]] TransactionFate submit_and_wait(ChainAdapter& chain, const Submission& submission);

/// The file of "embedded:FILE", or of a plain path. Throws std::invalid_argument with what is accepted.
[[nodiscard]] std::filesystem::path embedded_file(std::string_view where);

/// Whether `where` is one or more URLs of nodes: http://… or https://…, with commas between.
[[nodiscard]] bool is_evm_chain(std::string_view where);

/// What is_evm_chain() says, or else embedded_file(). What a file lacks is a DatabaseError
/// (chain_adapter/sqlite/database.h). Throws std::invalid_argument where an EVM chain has no settlement.
[[nodiscard]] std::unique_ptr<ChainAdapter> open_chain(std::string_view where, const Waiting& waiting = {});

}  // namespace tally::chain
