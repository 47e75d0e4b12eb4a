// The local checks of records and advice: a few openings show that a batch is invalid, without a game.
//
//   record order      two adjacent records are not strictly ascending
//   record signer     a record's address is not the member that the record names, at the time of the post
//   record signature  a record's signature does not recover its address for this task, batch and state
//   advice range      an element of advice lies outside its declared range
//
// Each check succeeds where the batch is shown invalid; else the reason says what is wrong with the proof, or that the
// batch is right there. The rules themselves are those of records/record.h and signer_is_member(), which posters and
// watchtowers apply off chain. Total for any bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "fraud_proof/records/record.h"
#include "fraud_proof/step/opening.h"

namespace tally::proof {

/// kRecordsInOrder, kNoSuchEntry unless the batch has records `index` and `index + 1`, or the openings' reason.
/// `openings` holds both, in order.
[[nodiscard]] OrRefused<void> check_record_order(const CommittedBatch& batch, std::uint64_t index,
                                                 math::Bytes openings);

/// What a record of this batch signs. `domain` is the domain separator of chain and contract.
[[nodiscard]] RecordContext record_context(const KeccakDigest& domain, const BatchHeader& header);

/// kSignatureIsGood, kNoSuchEntry, or the opening's reason. A signature that is not canonical is a bad one.
[[nodiscard]] OrRefused<void> check_record_signature(const CommittedBatch& batch, const KeccakDigest& domain,
                                                     std::uint64_t index, math::Bytes openings);

/// To whom an address belongs, and from when until when it may sign: from its binding, until it is unbound or the
/// member exits, whichever is first.
struct SignerTerm {
  std::uint64_t member = 0;
  std::uint64_t from_s = 0;
  std::uint64_t until_s = 0;
};

/// Whether the record's address is that of the member it names, at the time of the post.
[[nodiscard]] bool signer_is_member(const Record& record, const std::optional<SignerTerm>& term,
                                    std::uint64_t posted_s);

/// Absent: the address belongs to nobody.
using SignerLookup = std::function<std::optional<SignerTerm>(const Address& address)>;

/// kSignerIsMember, kNoSuchEntry, or the opening's reason.
[[nodiscard]] OrRefused<void> check_record_signer(const CommittedBatch& batch, std::uint64_t index,
                                                  math::Bytes openings, const SignerLookup& lookup,
                                                  std::uint64_t posted_s);

/// kAdviceInRange, kNoSuchEntry (also where the object is no advice), or the opening's reason.
[[nodiscard]] OrRefused<void> check_advice_range(const CommittedBatch& batch, math::ObjectId object,
                                                 std::uint64_t element, math::Bytes openings);

/// The honest party's side: openings of `count` records from `first` on, and of an element.
[[nodiscard]] std::vector<std::uint8_t> make_record_openings(const CommittedBatch& batch, std::uint64_t first,
                                                             std::uint64_t count, LeafSource& source);
[[nodiscard]] std::vector<std::uint8_t> make_element_opening(const CommittedBatch& batch, math::ObjectId object,
                                                             std::uint64_t element, LeafSource& source);

}  // namespace tally::proof
