// What the chain asks of a post, and the header that it makes of it. Pure functions: a poster asks them beforehand.
//
// The chain builds every part of the header that it can, so a whole family of false batches cannot be posted: the
// number, the parent and prev_state_root are the parent's to say, shapes are the program's, and next_state_root follows
// from the tables. What is left to the poster is K, the records' root and one tree root for each table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "fraud_proof/settlement/state.h"
#include "fraud_proof/settlement/transaction.h"

namespace tally::proof {

/// What a first batch, or any other, extends.
struct ParentLink {
  BatchId id = kGenesisParent;
  std::uint64_t number = 0;
  StateRoot state{};  // after it
};

/// Refuses kRecordCount, kParentState, kTableRoots. Work is bounded by the program's size.
[[nodiscard]] OrRefused<BatchHeader> make_header(const TaskPreimage& task, const math::Program& program,
                                                 const ParentLink& parent, const Post& post, const Address& poster);

/// Whether it is the sender's turn: kNotAProposer, kNotYourTurn.
[[nodiscard]] OrRefused<void> check_proposer(const ProposerRule& rule, const Address& sender, std::uint64_t now_s);

/// Exactly the threshold of signatures over keeper_message(), in the order of the list; none where the task has no
/// keepers. kKeeperCount, kKeeperOrder, kKeeperSignature.
[[nodiscard]] OrRefused<void> check_keepers(const Availability& availability, const BatchId& batch,
                                            std::span<const KeeperSignature> signatures);

/// Where leaves are requested: kTooManyLeaves for a batch of so many records.
[[nodiscard]] OrRefused<void> check_leaf_count(const TaskPreimage& task, const math::Program& program,
                                               std::uint64_t record_count);

/// Leaves of the inputs: records, rows, states and advice. Everything else can be computed from them.
[[nodiscard]] std::uint64_t input_leaves(const math::Program& program, const math::BatchValues& values,
                                         std::uint32_t leaf_bytes);
/// Whether the key names an input's leaf. Each leaf has one key: a record's is that of kMemberObject.
[[nodiscard]] bool is_input_leaf(const CommittedBatch& batch, const OpeningKey& key);

/// Hashes of blocks further back than this are gone.
inline constexpr std::uint64_t kBlockHashes = 256;

/// The block whose hash seals the seed of a parent's children: the one after the parent's post; once its hash is gone,
/// the last one a multiple of kBlockHashes further on. Absent while it does not exist yet. Its hash is always at hand.
[[nodiscard]] std::optional<std::uint64_t> seal_block(std::uint64_t parent_block, std::uint64_t current_block);

}  // namespace tally::proof
