// Post and SealSeed: how the tree of batches grows.
#include <string>
#include <utility>

#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/broken_state.h"
#include "fraud_proof/settlement/posting.h"
#include "fraud_proof/settlement/tree.h"

namespace tally::proof {

namespace {

OrRefused<ParentLink> find_parent(const Changes& changes, const TaskRecord& task, const Post& post) {
  if (!post.parent) return ParentLink{.state = task.preimage.genesis_root};
  const ParentLink link{
      .id = batch_id(*post.parent), .number = post.parent->number, .state = post.parent->next_state_root};
  if (auto node = find_node(changes, post.task, link.id); !node) return std::unexpected(std::move(node.error()));
  return link;
}

/// Zero where the program reads none.
OrRefused<Digest> find_seed(const Changes& changes, const math::Program& program, const TaskId& task,
                            const BatchId& parent) {
  if (!reads_seed(program)) return Digest{};
  const auto seed = read_seed(changes, task, parent);
  if (!seed) return refuse(Reason::kSeedNotSealed, "the seed of the parent's children is not sealed yet");
  return *seed;
}

void add_node(const Call& call, const BatchHeader& header, const Post& post) {
  const BatchId id = batch_id(header);
  auto parent = read_node(call.changes, header.task, header.parent);
  TALLY_ASSERT(parent.has_value());  // check_extendable
  call.changes.put(node_key(header.task, id), NodeRecord{.task = header.task,
                                                         .parent = header.parent,
                                                         .number = header.number,
                                                         .poster = header.poster,
                                                         .delegate = post.delegate,
                                                         .posted_s = call.block.time_s,
                                                         .posted_block = call.block.number,
                                                         .position = parent->children,
                                                         .bond = call.value});
  call.changes.put(child_key(header.task, header.parent, parent->children), id);
  ++parent->children;
  call.changes.put(node_key(header.task, header.parent), *parent);
}

}  // namespace

OrRefused<void> run(const Call& call, const SealSeed& seal) {
  if (auto task = find_task(call.changes, seal.task); !task) return std::unexpected(std::move(task.error()));
  const auto parent = find_node(call.changes, seal.task, seal.parent);
  if (!parent) return std::unexpected(parent.error());
  if (read_seed(call.changes, seal.task, seal.parent))
    return refuse(Reason::kSeedSealed, "the seed of this batch's children is sealed");
  const auto sealing = seal_block(parent->posted_block, call.block.number);
  if (!sealing) {
    return refuse(Reason::kSeedTooEarly,
                  "block " + std::to_string(parent->posted_block + 1) + " seals it, and is not there yet");
  }
  const auto hash = call.block.block_hash(*sealing);
  if (!hash) throw BrokenState("block " + std::to_string(*sealing) + ", which seals a seed, has no hash");
  const Digest seed = batch_seed(*hash, seal.parent);
  call.changes.put(seed_key(seal.task, seal.parent), seed);
  call.changes.emit(SeedSealed{.task = seal.task, .parent = seal.parent, .seed = seed});
  return {};
}

OrRefused<void> run(const Call& call, const Post& post) {
  const auto task = find_task(call.changes, post.task);
  if (!task) return std::unexpected(task.error());
  const TaskSettings& settings = task->preimage.settings;
  const auto parent = find_parent(call.changes, *task, post);
  if (!parent) return std::unexpected(parent.error());
  if (auto extendable = check_extendable(call.changes, post.task, parent->id); !extendable) return extendable;
  if (auto proposer = check_proposer(settings.proposer_rule, call.sender, call.block.time_s); !proposer)
    return proposer;
  if (auto bonded = check_value(call, settings.sequencer_bond); !bonded) return bonded;

  const math::Program& program = call.programs.of_task(call.changes, *task);
  const auto header = make_header(task->preimage, program, *parent, post, call.sender);
  if (!header) return std::unexpected(header.error());
  const BatchId id = batch_id(*header);
  if (read_node(call.changes, post.task, id)) return refuse(Reason::kBatchExists, "batch " + to_hex(id) + " is posted");
  const auto seed = find_seed(call.changes, program, post.task, parent->id);
  if (!seed) return std::unexpected(seed.error());
  if (auto kept = check_keepers(settings.availability, id, post.keepers); !kept) return kept;
  if (auto few = check_leaf_count(task->preimage, program, post.record_count); !few) return few;

  add_node(call, *header, post);
  call.changes.emit(Posted{.batch = id,
                           .header = *header,
                           .state_commitments = post.state_commitments,
                           .table_roots = post.table_roots,
                           .seed = *seed});
  return {};
}

}  // namespace tally::proof
