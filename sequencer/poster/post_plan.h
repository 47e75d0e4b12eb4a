// From a batch directory to the transaction that posts it, and every reason not to.
//
// A poster's bond hangs on what it posts, so it posts nothing that it has not looked at: the directory's data are
// hashed again, and the header that the chain will build from the post must be the directory's; parent, proposer's
// turn, keepers and leaves are judged by the chain's own functions; records must be in order, signed, and their signers
// members at the time of the post and for some time after it. What costs as much as building the batch is left out:
// whether rows are what records commit to, which the builder checks, and whether entries equal their folds, which
// `tally verify` does.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "chain_adapter/chain/batch_index.h"
#include "chain_adapter/chain/chain.h"
#include "deterministic_math/executor/task_pool.h"
#include "fraud_proof/settlement/transaction.h"

namespace tally::sequencer {

enum class PostReason : std::uint8_t {
  kDirectory,  // a file is missing, of another size, or not what it should be
  kNoSuchTask,
  kNotThePoster,  // the header names another poster
  kNoSuchParent,
  kHeader,  // the data do not hash to the header
  kRecord,  // out of order, or not signed for this batch
  kSigner,  // not a member, or about to stop being one
  kSeed,    // not sealed, or the batch was built with another
  kChain,   // the chain would refuse it; `chain` says why
};

struct PostRefusal {
  PostReason reason{};
  std::string message;
  std::optional<proof::Reason> chain;  // kChain
};

enum class RecordChecks : std::uint8_t {
  kAll,
  kNone,  // a post that may cost its poster the bond
};

struct PostOptions {
  proof::Address delegate{};
  std::vector<proof::KeeperSignature> keepers{};
  RecordChecks records = RecordChecks::kAll;
  /// The post may be included this much later than now. Absent: by the task's censorship budget, and by 600 s at least.
  std::optional<std::uint64_t> inclusion_s{};
  math::TaskPool* pool = nullptr;
};

struct PostPlan {
  proof::BatchId batch;
  proof::BatchHeader header;
  proof::Post post;
  proof::Wei bond;
  math::Digest seed;  // that it was computed with; zero where the program reads none
};

/// Why a batch that was built with `seed` is a false one: the sealed one is another. Nothing where it is that one.
[[nodiscard]] std::optional<std::string> seed_fault(const proof::StateReader& chain, const proof::BatchHeader& header,
                                                    const math::Digest& seed);

[[nodiscard]] std::expected<PostPlan, PostRefusal> plan_post(const proof::StateReader& chain, const chain::Head& head,
                                                             const chain::BatchIndex& index,
                                                             const std::filesystem::path& directory,
                                                             const proof::Address& poster, const PostOptions& options);

}  // namespace tally::sequencer
