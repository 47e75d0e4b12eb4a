#include "chain_adapter/evm/shown_batches.h"

#include <algorithm>
#include <variant>

#include "chain_adapter/evm/call_data.h"
#include "fraud_proof/commitments/ids.h"

namespace tally::chain {

using namespace tally::proof;

namespace {

using Batches = std::vector<BatchId>;

/// Ancestors of a pending batch up to the first that is not pending.
void add_ancestors(const StateReader& state, const BatchHeader& header, Batches& batches) {
  auto node = read_node(state, header.task, batch_id(header));
  while (node && node->state == NodeState::kPending) {
    const BatchId parent = node->parent;
    node = read_node(state, header.task, parent);
    if (node && node->state == NodeState::kPending) batches.push_back(parent);
  }
}

/// Children of a node that are passed, and the first that is not, before that at `end`.
void add_children(const StateReader& state, const TaskId& task, const BatchId& batch, std::uint64_t end,
                  Batches& batches) {
  const auto node = read_node(state, task, batch);
  if (!node) return;
  end = std::min({end, node->children, node->first_live + kMaxSkipped});
  for (std::uint64_t position = node->first_live; position < end; ++position) {
    const auto child = read_child(state, task, batch, position);
    if (!child) return;
    batches.push_back(*child);
    const auto sibling = read_node(state, task, *child);
    if (!sibling || sibling->state != NodeState::kLost) return;
  }
}

struct Shown {
  const StateReader& state;
  Batches& batches;

  void operator()(const SealSeed& seal) const {
    if (seal.parent != kGenesisParent) batches.push_back(seal.parent);
  }
  void operator()(const Post& post) const {
    if (post.parent) add_ancestors(state, *post.parent, batches);
  }
  void operator()(const SkipInvalid& skip) const {
    if (skip.parent != kGenesisParent) batches.push_back(skip.parent);
    add_children(state, skip.task, skip.parent, ~std::uint64_t{0}, batches);
  }
  void operator()(const Finalize& finalize) const {
    const BatchHeader& header = finalize.header;
    add_ancestors(state, header, batches);
    if (const auto node = read_node(state, header.task, batch_id(header)))
      add_children(state, header.task, header.parent, node->position, batches);
  }
  void operator()(const ReleaseBond& release) const { add_ancestors(state, release.header, batches); }
  void operator()(const OpenGame& open) const { add_ancestors(state, open.header, batches); }
  void operator()(const OpenDescent& open) const { add_ancestors(state, open.header, batches); }
  void operator()(const ShowProof& show) const { add_ancestors(state, show.header, batches); }
  void operator()(const RequestLeaf& request) const { add_ancestors(state, request.header, batches); }
  // The others rest on no other batch than that which they name.
  void operator()(const auto&) const {}
};

}  // namespace

std::vector<BatchId> batches_to_show(const StateReader& state, const Transaction& transaction) {
  Batches batches;
  std::visit(Shown{.state = state, .batches = batches}, transaction);
  return batches;
}

std::vector<std::uint8_t> call_data_at(const StateReader& state, const Transaction& transaction, math::Bytes encoded,
                                       const FindHeader& find) {
  std::vector<BatchHeader> shown;
  for (const BatchId& batch : batches_to_show(state, transaction)) {
    if (const auto header = find(batch)) shown.push_back(*header);
  }
  std::optional<Digest> seed;
  if (const auto* const post = std::get_if<Post>(&transaction))
    seed = read_seed(state, post->task, post->parent ? batch_id(*post->parent) : kGenesisParent);
  return call_data(encoded, shown, seed);
}

}  // namespace tally::chain
