// Everything that anyone may ask of the settlement, as fixed-width arguments. Who asks (`sender`) and the money that
// comes with it (`value`) are the chain's to say, not the transaction's. docs/spec.md gives the bytes, who may send
// what, and when.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/commitments/header.h"
#include "fraud_proof/commitments/task.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/refusals/reason.h"
#include "fraud_proof/signing/eip712.h"
#include "fraud_proof/signing/secp256k1.h"
#include "fraud_proof/step/opening.h"

namespace tally::proof {

using Salt = std::array<std::uint8_t, 32>;

/// Bytes of a transaction, a chain's limit: the largest is a program or a witness of 64 KiB and its head.
inline constexpr std::size_t kMaxTransactionBytes = 128 * 1024;

// Tasks and members.

/// The chain puts its id, its contract, the sender as creator, the hash of the bytecode and the genesis root, built
/// from `genesis_roots` (one tree root for each state) into the task's preimage.
struct CreateTask {
  Salt salt{};
  std::vector<std::uint8_t> bytecode{};
  std::vector<std::uint64_t> dims{};
  std::vector<math::i128> params{};
  std::uint8_t frac_bits = math::kDefaultFracBits;
  TaskSettings settings{};
  std::vector<Digest> genesis_roots{};
};
/// Adds `value` to the task's pool.
struct Fund {
  TaskId task{};
};
/// `value` is the stake. The sender becomes the next member, and its wallet.
struct Register {
  TaskId task{};
};
/// `signature` is the key's own, over key_binding_hash().
struct BindKey {
  TaskId task{};
  std::uint64_t member = 0;
  Address key{};
  Signature signature{};
};
struct UnbindKey {
  TaskId task{};
  std::uint64_t member = 0;
  Address key{};
};
struct RequestExit {
  TaskId task{};
  std::uint64_t member = 0;
};
struct WithdrawStake {
  TaskId task{};
  std::uint64_t member = 0;
};

// Posts.

/// Keeps the seed of the batches that extend `parent`.
struct SealSeed {
  TaskId task{};
  BatchId parent{};
};

struct KeeperSignature {
  std::uint16_t position = 0;  // in the task's list of keepers
  Signature signature{};
};

/// `value` is the sequencer's bond. The chain builds the header: task, number and prev_state_root from the parent
/// (whose header is shown, but for a first batch), next_state_root and tables_root from the tree roots, the sender as
/// poster.
struct Post {
  TaskId task{};
  /// Absent for a task's first batch.
  std::optional<BatchHeader> parent{};
  /// Commitments of the parent's next states (at first: of the genesis), in program order.
  std::vector<Digest> state_commitments{};
  std::uint64_t record_count = 0;
  Digest records_root{};
  /// Of the advice and computed tables, in program order.
  std::vector<Digest> table_roots{};
  Address delegate{};
  std::vector<KeeperSignature> keepers{};
};
/// Passes over at most kMaxSkipped invalid children of `parent`.
struct SkipInvalid {
  TaskId task{};
  BatchId parent{};
};
struct Finalize {
  BatchHeader header{};
};
/// Gives the bond of an orphaned or superseded batch back, once its period is over and no game is open.
struct ReleaseBond {
  BatchHeader header{};
};

// Games. `value` of the two that open one is the challenger's bond.

struct OpenGame {
  BatchHeader header{};
  std::uint16_t item = 0;
  std::uint64_t entry = 0;
  Salt salt{};
  std::vector<std::uint8_t> openings{};
};
struct OpenDescent {
  BatchHeader header{};
  std::uint16_t item = 0;
  std::vector<math::ObjectId> tables{};
  Salt salt{};
  std::vector<std::uint8_t> roots{};
};
/// `game` is the state that the move answers.
struct MakeMove {
  BatchHeader header{};
  Game game{};
  Move move{};
};
struct ClaimTimeout {
  Game game{};
};
/// Gives a challenger its bond back where the batch fell by another's hand.
struct RefundGame {
  Game game{};
};

// Other local checks: committed first, shown at least one block later.

struct Commit {
  /// proof_commitment() of what will be shown.
  Digest commitment{};
};

/// Openings of records `index` and `index + 1`.
struct RecordOrderProof {
  std::uint64_t index = 0;
  std::vector<std::uint8_t> openings{};
};
/// Opening of the record.
struct RecordSignerProof {
  std::uint64_t index = 0;
  std::vector<std::uint8_t> openings{};
};
struct RecordSignatureProof {
  std::uint64_t index = 0;
  std::vector<std::uint8_t> openings{};
};
/// Opening of the element's leaf.
struct AdviceRangeProof {
  math::ObjectId object = 0;
  std::uint64_t element = 0;
  std::vector<std::uint8_t> openings{};
};

using LocalProof = std::variant<RecordOrderProof, RecordSignerProof, RecordSignatureProof, AdviceRangeProof>;

struct ShowProof {
  BatchHeader header{};
  LocalProof proof{};
  Salt salt{};
};

// Withheld inputs.

/// `value` is the request's bond.
struct RequestLeaf {
  BatchHeader header{};
  OpeningKey leaf{};
};
/// The leaf's opening (a row's: after its record's).
struct AnswerRequest {
  BatchHeader header{};
  OpeningKey leaf{};
  std::vector<std::uint8_t> openings{};
};
struct ClaimWithheld {
  BatchHeader header{};
  OpeningKey leaf{};
};

// Money out.

/// Pays what entry `member` of a payable state is worth beyond what was paid. `header` is that of the latest final
/// batch, `state_commitments` those of its next states, `openings` one opening of the element's leaf without an upper
/// path.
struct ClaimPayout {
  BatchHeader header{};
  std::vector<Digest> state_commitments{};
  math::ObjectId object = 0;
  std::uint64_t member = 0;
  std::vector<std::uint8_t> openings{};
};
/// Everything that the sender has to its credit.
struct Withdraw {};

/// In the order of their wire values, which begin at 1.
using Transaction =
    std::variant<CreateTask, Fund, Register, BindKey, UnbindKey, RequestExit, WithdrawStake, SealSeed, Post,
                 SkipInvalid, Finalize, ReleaseBond, OpenGame, OpenDescent, MakeMove, ClaimTimeout, RefundGame, Commit,
                 ShowProof, RequestLeaf, AnswerRequest, ClaimWithheld, ClaimPayout, Withdraw>;

/// "create_task", "fund", …: as users and logs name it.
[[nodiscard]] std::string_view name_of(const Transaction& transaction);

[[nodiscard]] std::vector<std::uint8_t> encode(const Transaction& transaction);
/// Accepts exactly what encode() gives; otherwise kMalformed, and the message says where.
[[nodiscard]] OrRefused<Transaction> decode_transaction(math::Bytes bytes);

/// The EIP-712 hash of BindKey(bytes32 task,uint64 member,address wallet), which the device key signs.
[[nodiscard]] KeccakDigest key_binding_hash(const KeccakDigest& domain, const TaskId& task, std::uint64_t member,
                                            const Address& wallet);

/// SHA-256(0x09 ‖ sender ‖ batch id ‖ encoded proof ‖ salt).
[[nodiscard]] Digest proof_commitment(const Address& sender, const BatchId& batch, const LocalProof& proof,
                                      const Salt& salt);

}  // namespace tally::proof
