// One participant's signed contribution to a batch. All records of a batch have one width, fixed by the program's
// numbers of rows and fields, and each is one leaf of the records tree:
//
//   address[20] ‖ member u64be ‖ nonce u64be ‖ row commitment[32] × rows ‖ field i64be × fields ‖ signature[65]
//
// The signature is over EIP-712 typed data that names task, batch number and base state, so a record is good for one
// round on one model and no other. `member` is the signer's registration index; the chain checks it against the
// address, so it is not signed.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <vector>

#include "deterministic_math/numbers/digest.h"
#include "fraud_proof/commitments/ids.h"
#include "fraud_proof/encoding/refusal.h"
#include "fraud_proof/signing/address.h"
#include "fraud_proof/signing/keccak.h"
#include "fraud_proof/signing/secp256k1.h"

namespace tally::proof {

inline constexpr std::size_t kMaxRecordRows = 16;
inline constexpr std::size_t kMaxRecordFields = 32;

struct RecordShape {
  std::size_t rows = 0;
  std::size_t fields = 0;
  auto operator<=>(const RecordShape&) const = default;

  /// Width of one record; the counts are within the limits above.
  [[nodiscard]] std::size_t record_bytes() const;
};

struct Record {
  Address address{};
  std::uint64_t member = 0;
  std::uint64_t nonce = 0;
  /// Commitments of the rows, as tables of rank 1 in program order.
  std::vector<Digest> rows{};
  std::vector<std::int64_t> fields{};
  Signature signature{};
  auto operator<=>(const Record&) const = default;

  [[nodiscard]] RecordShape shape() const { return {.rows = rows.size(), .fields = fields.size()}; }
};

enum class RecordReason : std::uint8_t {
  kSize,         // the bytes are not of the width, or not of K times the width
  kOrder,        // not strictly above the record before it by (address, nonce)
  kMemberOrder,  // not strictly above the record before it by member, where a member has one record
  kSignature,    // the signature is not canonical, or recovers nothing
  kSigner,       // the signature recovers another address
};

[[nodiscard]] std::vector<std::uint8_t> encode(const Record& record);
/// Any bytes of the right width are a record; whether it is a good one is for check_signature and check_order.
[[nodiscard]] std::expected<Record, Refusal<RecordReason>> decode_record(math::Bytes bytes, const RecordShape& shape);

/// What every record of a batch signs beside its own contents.
struct RecordContext {
  /// domain_separator() of tallystick_domain().
  KeccakDigest domain{};
  TaskId task{};
  std::uint64_t batch = kFirstBatch;
  /// The batch's prev_state_root.
  StateRoot state{};
};

/// The EIP-712 hash of Record(bytes32 task,uint64 batch,bytes32 state,uint64 nonce,bytes32[] rows,int64[] fields).
[[nodiscard]] KeccakDigest signing_hash(const Record& record, const RecordContext& context);

/// Puts the key's address and its signature into the record.
void sign_record(Record& record, const RecordContext& context, const PrivateKey& key);

[[nodiscard]] std::expected<void, Refusal<RecordReason>> check_signature(const Record& record,
                                                                         const RecordContext& context);

/// How the records of a batch ascend, strictly; a program that says `one record per member` asks for the second.
enum class RecordOrder : std::uint8_t { kByAddressAndNonce, kByMember };

[[nodiscard]] bool comes_before(const Record& before, const Record& after, RecordOrder order);
[[nodiscard]] std::expected<void, Refusal<RecordReason>> check_order(const Record& before, const Record& after,
                                                                     RecordOrder order);

}  // namespace tally::proof
