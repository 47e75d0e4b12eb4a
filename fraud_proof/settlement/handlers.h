// One function for each transaction: `run` checks it and makes its changes, or refuses it. Each stands in a small file
// of its own name or group.
#pragma once

#include "fraud_proof/settlement/changes.h"
#include "fraud_proof/settlement/program_cache.h"
#include "fraud_proof/settlement/settlement.h"

namespace tally::proof {

/// What a transaction runs on.
struct Call {
  Changes& changes;
  ProgramCache& programs;
  const BlockContext& block;
  const Address& sender;
  /// 0 for all but those that take money: the dispatcher sees to it. A handler that takes money accounts for all of it
  /// (kWrongValue, …).
  const Wei& value;
};

/// Those that take money.
template <class Kind>
inline constexpr bool kTakesMoney =
    std::is_same_v<Kind, Fund> || std::is_same_v<Kind, Register> || std::is_same_v<Kind, Post> ||
    std::is_same_v<Kind, OpenGame> || std::is_same_v<Kind, OpenDescent> || std::is_same_v<Kind, RequestLeaf>;

// Lookups that refuse: kNoSuchTask, kNoSuchMember, kNoSuchBatch.
[[nodiscard]] OrRefused<TaskRecord> find_task(const StateReader& state, const TaskId& task);
/// Of a batch that was found.
[[nodiscard]] TaskRecord task_of(const StateReader& state, const TaskId& task);
/// Of a task that was found.
[[nodiscard]] TaskStatus status_of(const StateReader& state, const TaskId& task);
[[nodiscard]] OrRefused<MemberRecord> find_member(const StateReader& state, const TaskId& task, std::uint64_t member);
/// Genesis included.
[[nodiscard]] OrRefused<NodeRecord> find_node(const StateReader& state, const TaskId& task, const BatchId& batch);

/// kWrongValue unless exactly `due` came with the transaction.
[[nodiscard]] OrRefused<void> check_value(const Call& call, const Wei& due);

/// What openings of a batch that was found are checked against. The header outlives it.
[[nodiscard]] CommittedBatch committed_batch(const StateReader& state, ProgramCache& programs,
                                             const BatchHeader& header);

// Tasks and members.
[[nodiscard]] OrRefused<void> run(const Call& call, const CreateTask& task);
[[nodiscard]] OrRefused<void> run(const Call& call, const Fund& fund);
[[nodiscard]] OrRefused<void> run(const Call& call, const Register& joining);
[[nodiscard]] OrRefused<void> run(const Call& call, const BindKey& binding);
[[nodiscard]] OrRefused<void> run(const Call& call, const UnbindKey& unbinding);
[[nodiscard]] OrRefused<void> run(const Call& call, const RequestExit& leaving);
[[nodiscard]] OrRefused<void> run(const Call& call, const WithdrawStake& withdrawal);

// Posts and the tree of batches.
[[nodiscard]] OrRefused<void> run(const Call& call, const SealSeed& seal);
[[nodiscard]] OrRefused<void> run(const Call& call, const Post& post);
[[nodiscard]] OrRefused<void> run(const Call& call, const SkipInvalid& skip);
[[nodiscard]] OrRefused<void> run(const Call& call, const Finalize& finalize);
[[nodiscard]] OrRefused<void> run(const Call& call, const ReleaseBond& release);

// Games.
[[nodiscard]] OrRefused<void> run(const Call& call, const OpenGame& open);
[[nodiscard]] OrRefused<void> run(const Call& call, const OpenDescent& open);
[[nodiscard]] OrRefused<void> run(const Call& call, const MakeMove& make);
[[nodiscard]] OrRefused<void> run(const Call& call, const ClaimTimeout& claim);
[[nodiscard]] OrRefused<void> run(const Call& call, const RefundGame& refund);

// Other local checks.
[[nodiscard]] OrRefused<void> run(const Call& call, const Commit& commit);
[[nodiscard]] OrRefused<void> run(const Call& call, const ShowProof& show);

// Requests.
[[nodiscard]] OrRefused<void> run(const Call& call, const RequestLeaf& request);
[[nodiscard]] OrRefused<void> run(const Call& call, const AnswerRequest& answer);
[[nodiscard]] OrRefused<void> run(const Call& call, const ClaimWithheld& claim);

// Money out.
[[nodiscard]] OrRefused<void> run(const Call& call, const ClaimPayout& claim);
[[nodiscard]] OrRefused<void> run(const Call& call, const Withdraw& withdrawal);

}  // namespace tally::proof
