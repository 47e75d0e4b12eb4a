// What the settlement machine remembers, as records under fixed-width keys: the storage of a contract.
//
// A key is a byte that names the kind of record, then the ids that name the record, big-endian. Records are encoded
// with our own fixed-width codec. Everything is read through a StateReader, so the machine does no I/O of its own: the
// embedded chain lends it a database, tests and simulations a map.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/commitments/header.h"
#include "fraud_proof/commitments/ids.h"
#include "fraud_proof/commitments/task.h"
#include "fraud_proof/signing/address.h"
#include "fraud_proof/step/opening.h"

namespace tally::proof {

class StateReader {
 public:
  virtual ~StateReader() = default;
  /// Absent: no such record. Throws only if the outside world fails.
  [[nodiscard]] virtual std::optional<std::vector<std::uint8_t>> read(math::Bytes key) const = 0;
};

/// Wire values; never renumbered. Behind each, what its key holds after the kind's byte.
enum class RecordKind : std::uint8_t {
  kProgram = 1,       // program hash
  kTask = 2,          // task id
  kTaskStatus = 3,    // task id
  kMember = 4,        // task id ‖ u64be member
  kBinding = 5,       // task id ‖ address
  kNode = 6,          // batch id; for a task's genesis, the task id
  kChild = 7,         // parent's node key ‖ u64be position among its children
  kSeed = 8,          // parent's node key
  kGame = 9,          // game id
  kRequest = 10,      // batch id ‖ u16be object ‖ u32be record ‖ u64be leaf
  kCommitment = 11,   // sender ‖ commitment
  kPaid = 12,         // task id ‖ u16be object ‖ u64be member
  kPaidInBatch = 13,  // batch id
  kCredit = 14,       // address
  kBurned = 15,       // nothing
};

inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

/// The bytecode behind a program hash.
struct ProgramRecord {
  std::vector<std::uint8_t> bytecode{};
};

struct TaskRecord {
  TaskPreimage preimage{};
  std::uint64_t created_s = 0;
  std::uint64_t created_block = 0;
};

struct TaskStatus {
  std::uint64_t members = 0;  // registered so far; the next member's index
  Wei pool{};
  /// The last batch that became final, and its state; at first genesis.
  BatchId final_batch = kGenesisParent;
  std::uint64_t final_number = 0;
  StateRoot final_state{};
};

struct MemberRecord {
  Address wallet{};
  Wei stake{};
  std::uint64_t registered_s = 0;
  std::uint64_t exit_at_s = kNever;
  std::uint8_t device_keys = 0;  // bound so far, unbound ones included
};

/// An address belongs to one member for good: a wallet from its registration, a device key from its binding.
struct BindingRecord {
  std::uint64_t member = 0;
  std::uint64_t bound_s = 0;
  std::uint64_t unbound_s = kNever;
};

enum class NodeState : std::uint8_t { kPending = 0, kLost = 1, kFinal = 2 };

/// A batch, or a task's genesis, in the tree of batches.
struct NodeRecord {
  TaskId task{};
  BatchId parent = kGenesisParent;
  std::uint64_t number = 0;  // 0: genesis
  NodeState state = NodeState::kPending;
  Address poster{};
  Address delegate{};
  std::uint64_t posted_s = 0;
  std::uint64_t posted_block = 0;
  std::uint64_t position = 0;  // among its parent's children
  Wei bond{};                  // 0 once it was released or split
  std::uint64_t open_games = 0;
  std::uint64_t open_requests = 0;
  std::uint64_t children = 0;
  /// Every child before this position is invalid.
  std::uint64_t first_live = 0;
  /// The child that became final; zero: none.
  BatchId final_child{};
};

enum class GameState : std::uint8_t { kOpen = 0, kEnded = 1 };

/// The state itself travels with each move.
struct GameRecord {
  Digest hash{};
  BatchId batch{};
  GameState state = GameState::kOpen;
  Wei bond{};  // the challenger's; 0 once the game ended
};

enum class RequestState : std::uint8_t { kOpen = 0, kAnswered = 1, kWithheld = 2 };

struct RequestRecord {
  Address requester{};
  Wei bond{};  // 0 once it was paid out
  std::uint64_t requested_s = 0;
  RequestState state = RequestState::kOpen;
};

struct CommitmentRecord {
  std::uint64_t block = 0;
};

// Keys.
[[nodiscard]] std::vector<std::uint8_t> program_key(const Digest& program_hash);
[[nodiscard]] std::vector<std::uint8_t> task_key(const TaskId& task);
[[nodiscard]] std::vector<std::uint8_t> task_status_key(const TaskId& task);
[[nodiscard]] std::vector<std::uint8_t> member_key(const TaskId& task, std::uint64_t member);
[[nodiscard]] std::vector<std::uint8_t> binding_key(const TaskId& task, const Address& address);
/// Of a batch, whose id alone names it; of a task's genesis where `batch` is kGenesisParent.
[[nodiscard]] std::vector<std::uint8_t> node_key(const TaskId& task, const BatchId& batch);
[[nodiscard]] std::vector<std::uint8_t> child_key(const TaskId& task, const BatchId& parent, std::uint64_t position);
[[nodiscard]] std::vector<std::uint8_t> seed_key(const TaskId& task, const BatchId& parent);
[[nodiscard]] std::vector<std::uint8_t> game_key(const GameId& game);
[[nodiscard]] std::vector<std::uint8_t> request_key(const BatchId& batch, const OpeningKey& leaf);
[[nodiscard]] std::vector<std::uint8_t> commitment_key(const Address& sender, const Digest& commitment);
[[nodiscard]] std::vector<std::uint8_t> paid_key(const TaskId& task, math::ObjectId object, std::uint64_t member);
[[nodiscard]] std::vector<std::uint8_t> paid_in_batch_key(const BatchId& batch);
[[nodiscard]] std::vector<std::uint8_t> credit_key(const Address& address);
[[nodiscard]] std::vector<std::uint8_t> burned_key();

// Views. Records that the machine wrote always decode; anything else is a bug or a broken database, and throws
// std::runtime_error.
[[nodiscard]] std::optional<ProgramRecord> read_program(const StateReader& state, const Digest& program_hash);
[[nodiscard]] std::optional<TaskRecord> read_task(const StateReader& state, const TaskId& task);
[[nodiscard]] std::optional<TaskStatus> read_task_status(const StateReader& state, const TaskId& task);
[[nodiscard]] std::optional<MemberRecord> read_member(const StateReader& state, const TaskId& task,
                                                      std::uint64_t member);
[[nodiscard]] std::optional<BindingRecord> read_binding(const StateReader& state, const TaskId& task,
                                                        const Address& address);
/// Absent, too, for a batch of another task.
[[nodiscard]] std::optional<NodeRecord> read_node(const StateReader& state, const TaskId& task, const BatchId& batch);
[[nodiscard]] std::optional<BatchId> read_child(const StateReader& state, const TaskId& task, const BatchId& parent,
                                                std::uint64_t position);
[[nodiscard]] std::optional<Digest> read_seed(const StateReader& state, const TaskId& task, const BatchId& parent);
[[nodiscard]] std::optional<GameRecord> read_game(const StateReader& state, const GameId& game);
[[nodiscard]] std::optional<RequestRecord> read_request(const StateReader& state, const BatchId& batch,
                                                        const OpeningKey& leaf);
[[nodiscard]] std::optional<CommitmentRecord> read_commitment(const StateReader& state, const Address& sender,
                                                              const Digest& commitment);
/// Wei paid so far; 0 without a record.
[[nodiscard]] Wei read_paid(const StateReader& state, const TaskId& task, math::ObjectId object, std::uint64_t member);
[[nodiscard]] Wei read_paid_in_batch(const StateReader& state, const BatchId& batch);
[[nodiscard]] Wei read_credit(const StateReader& state, const Address& address);
[[nodiscard]] Wei read_burned(const StateReader& state);

/// What a batch is by now. Orphaning is not stored: it is read off the at most 64 ancestors up to a final one.
enum class BatchStatus : std::uint8_t {
  kPending,     // may still be challenged, or become final
  kInvalid,     // lost a game, a check or a request
  kOrphaned,    // an ancestor is invalid
  kSuperseded,  // a sibling of it, or of an ancestor, became final
  kFinal,
};

[[nodiscard]] std::string_view to_string(BatchStatus status);
/// Absent: no such batch.
[[nodiscard]] std::optional<BatchStatus> batch_status(const StateReader& state, const TaskId& task,
                                                      const BatchId& batch);

inline constexpr std::uint64_t kMaxUnfinalised = 64;
inline constexpr std::uint64_t kMaxSkipped = 16;  // children that one call may pass
inline constexpr std::uint8_t kMaxDeviceKeys = 5;

}  // namespace tally::proof
