// Where values stand within leaves: what the reader and the writer of openings share.
#pragma once

#include <cstdint>
#include <string>

#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/merkle/inclusion.h"
#include "fraud_proof/step/committed_batch.h"
#include "fraud_proof/step/opening.h"

namespace tally::proof {

/// "leaf 5 of object 8", with its record where it has one.
[[nodiscard]] std::string describe(const CommittedBatch& batch, const OpeningKey& key);

/// Of the leaf in its own tree.
[[nodiscard]] LeafPosition leaf_position(const OpeningKey& key, const LeafLayout& layout);

/// A state's place among the states, or a table's among the advice and computed tables.
[[nodiscard]] LeafPosition commitment_position(const CommittedBatch& batch, math::ObjectId table);

/// The digest of a commitment as a leaf of tables_root or of a state root.
[[nodiscard]] Digest commitment_leaf(const Digest& commitment);

/// The commitment to a row that a record holds.
[[nodiscard]] math::Bytes row_commitment(const CommittedBatch& batch, math::Bytes record, math::ObjectId row);

/// The raw value of an element in the leaf that leaf_of() names.
[[nodiscard]] math::i128 value_in_leaf(const CommittedBatch& batch, math::ObjectId object, std::uint64_t element,
                                       math::Bytes leaf);

}  // namespace tally::proof
