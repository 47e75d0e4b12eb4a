#include "fraud_proof/settlement/posting.h"

#include <algorithm>
#include <string>
#include <variant>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/merkle/tree.h"

namespace tally::proof {

namespace {

OrRefused<void> check_record_count(const TaskPreimage& task, const math::Program& program, const Post& post) {
  const math::Dim& records = program.dims.front();
  const std::uint64_t least = std::max(records.lo, task.settings.min_records);
  if (post.record_count < least || post.record_count > records.hi) {
    return refuse(Reason::kRecordCount, std::to_string(post.record_count) + " records, outside " +
                                            std::to_string(least) + ".." + std::to_string(records.hi));
  }
  // Nothing can be opened in an empty tree, so a false root of one could not be challenged.
  if (post.record_count == 0 && post.records_root != empty_tree_root())
    return refuse(Reason::kRecordCount, "no records, but a root that is not the empty tree's");
  return {};
}

OrRefused<std::vector<Digest>> table_commitments(const TaskPreimage& task, const math::Program& program,
                                                 const math::BatchValues& values, std::span<const Digest> roots) {
  const std::vector<math::ObjectId> tables = table_objects(program);
  if (roots.size() != tables.size()) {
    return refuse(Reason::kTableRoots,
                  std::to_string(roots.size()) + " roots for " + std::to_string(tables.size()) + " tables");
  }
  std::vector<Digest> commitments;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const TableShape shape = table_shape(program.objects[tables[i]], values);
    if (shape.elements() == 0 && roots[i] != empty_tree_root()) {
      return refuse(Reason::kTableRoots,
                    "table " + std::to_string(i) + " is empty, but its root is not the empty tree's");
    }
    commitments.push_back(table_commitment(shape, task.settings.leaf_bytes, roots[i]));
  }
  return commitments;
}

/// Leaves of one record's rows.
std::uint64_t row_leaves(const math::Program& program, const math::BatchValues& values, std::uint32_t leaf_bytes) {
  std::uint64_t leaves = 0;
  for (const math::ObjectId row : objects_of(program, math::ObjectKind::kRow))
    leaves += row_shape(program.objects[row], values).leaves(leaf_bytes);
  return leaves;
}

OrRefused<void> check_quorum(const KeeperQuorum& quorum, const BatchId& batch,
                             std::span<const KeeperSignature> signatures) {
  const Digest message = keeper_message(batch);
  std::optional<std::uint16_t> last;
  for (const KeeperSignature& given : signatures) {
    if (given.position >= quorum.keepers.size() || (last && given.position <= *last))
      return refuse(Reason::kKeeperOrder, "keeper " + std::to_string(given.position) + " is out of place");
    last = given.position;
    const auto signer = recover_signer(given.signature, message.bytes);
    if (!signer || *signer != quorum.keepers[given.position])
      return refuse(Reason::kKeeperSignature, "keeper " + std::to_string(given.position) + " did not sign this batch");
  }
  return {};
}

}  // namespace

OrRefused<BatchHeader> make_header(const TaskPreimage& task, const math::Program& program, const ParentLink& parent,
                                   const Post& post, const Address& poster) {
  if (auto checked = check_record_count(task, program, post); !checked)
    return std::unexpected(std::move(checked.error()));

  const std::size_t states = objects_of(program, math::ObjectKind::kState).size();
  if (post.state_commitments.size() != states || state_root(post.state_commitments) != parent.state)
    return refuse(Reason::kParentState, "not the commitments of the " + std::to_string(states) +
                                            " states behind the parent's state root " + to_hex(parent.state));

  const math::BatchValues values = batch_values(batch_dims(task, post.record_count), parent.number + 1, {});
  const auto tables = table_commitments(task, program, values, post.table_roots);
  if (!tables) return std::unexpected(tables.error());

  return BatchHeader{.task = post.task,
                     .number = values.batch,
                     .parent = parent.id,
                     .record_count = post.record_count,
                     .records_root = post.records_root,
                     .prev_state_root = parent.state,
                     .next_state_root = state_root(next_state(program, post.state_commitments, *tables)),
                     .tables_root = tables_root(*tables),
                     .poster = poster};
}

OrRefused<void> check_proposer(const ProposerRule& rule, const Address& sender, std::uint64_t now_s) {
  const auto* rotation = std::get_if<ProposerRotation>(&rule);
  if (rotation == nullptr) return {};
  const auto found = std::ranges::find(rotation->proposers, sender);
  if (found == rotation->proposers.end())
    return refuse(Reason::kNotAProposer, "the sender is not among the task's proposers");

  const std::uint64_t turn = now_s / rotation->slot_s % rotation->proposers.size();
  const bool grace_is_over = now_s % rotation->slot_s >= rotation->grace_s;
  if (grace_is_over || rotation->proposers[turn] == sender) return {};
  return refuse(Reason::kNotYourTurn, "it is proposer " + std::to_string(turn) + "'s turn");
}

OrRefused<void> check_keepers(const Availability& availability, const BatchId& batch,
                              std::span<const KeeperSignature> signatures) {
  const auto* quorum = std::get_if<KeeperQuorum>(&availability);
  const std::size_t due = quorum == nullptr ? 0 : quorum->threshold;
  if (signatures.size() != due) {
    return refuse(Reason::kKeeperCount,
                  std::to_string(signatures.size()) + " signatures of keepers instead of " + std::to_string(due));
  }
  if (quorum == nullptr) return {};
  return check_quorum(*quorum, batch, signatures);
}

OrRefused<void> check_leaf_count(const TaskPreimage& task, const math::Program& program, std::uint64_t record_count) {
  const auto* const requests = std::get_if<LeafRequests>(&task.settings.availability);
  if (requests == nullptr) return {};
  const math::BatchValues values{.dims = batch_dims(task, record_count)};
  const std::uint64_t leaves = input_leaves(program, values, task.settings.leaf_bytes);
  if (leaves <= requests->max_requests) return {};
  return refuse(Reason::kTooManyLeaves, "the inputs have " + std::to_string(leaves) + " leaves, more than the " +
                                            std::to_string(requests->max_requests) + " that may be requested");
}

// Fits 64 bits: at most 2^28 records of 16 rows of 2^26 leaves, and 128 tables of 2^38 leaves.
std::uint64_t input_leaves(const math::Program& program, const math::BatchValues& values, std::uint32_t leaf_bytes) {
  const std::uint64_t records = values.dims.front();
  std::uint64_t leaves = records + records * row_leaves(program, values, leaf_bytes);
  for (const math::Object& object : program.objects) {
    if (object.kind == math::ObjectKind::kState || object.kind == math::ObjectKind::kAdvice)
      leaves += table_shape(object, values).leaves(leaf_bytes);
  }
  return leaves;
}

bool is_input_leaf(const CommittedBatch& batch, const OpeningKey& key) {
  if (key.object >= batch.program.objects.size()) return false;
  switch (batch.program.objects[key.object].kind) {
    case math::ObjectKind::kMember:
    case math::ObjectKind::kRow:
    case math::ObjectKind::kState:
    case math::ObjectKind::kAdvice:
      return has_leaf(batch, key);
    case math::ObjectKind::kNonce:
    case math::ObjectKind::kField:
    case math::ObjectKind::kComputed:
      return false;
  }
  TALLY_ASSERT(false);
}

std::optional<std::uint64_t> seal_block(std::uint64_t parent_block, std::uint64_t current_block) {
  const std::uint64_t first = parent_block + 1;
  if (current_block <= first) return std::nullopt;
  return first + kBlockHashes * ((current_block - 1 - first) / kBlockHashes);
}

}  // namespace tally::proof
