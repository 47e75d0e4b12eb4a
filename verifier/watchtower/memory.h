// What a watchtower remembers between its runs, in an SQLite file.
//
// Verdicts say where to look first. Most moves are recomputed from the batch before they are sent (pitfall 26); a
// descent rests on what was computed for the verdict, which would take another replay. So each verdict carries a code
// that is made with the watchtower's key, and a post counts only as the chain tells it: whoever else can write to the
// file can make a watchtower forget, be late or be silent, but not move against a valid batch.
//
// A lost file costs one replay of each open batch, and the salts of proofs that were committed to and not yet shown.
// So salts and proofs are written before anything that needs them is sent, and so is what is to be paid for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chain_adapter/chain/chain.h"
#include "chain_adapter/chain/event_cursor.h"
#include "chain_adapter/sqlite/database.h"
#include "fraud_proof/settlement/transaction.h"
#include "fraud_proof/signing/secp256k1.h"
#include "verifier/replay/judge.h"

namespace tally::verifier {

/// A proof that was, or is about to be, committed to.
struct RememberedProof {
  proof::Digest commitment{};
  proof::ShowProof show{};
};

/// A leaf that the watchtower demanded, or the bond of such a demand that came back whole.
struct OwnDemand {
  std::uint64_t position = 0;  // of the event
  proof::BatchId batch{};
  bool is_returned = false;
};

/// A batch's post, and the position of that event.
struct RememberedPost {
  std::uint64_t position = 0;
  proof::Posted posted{};
};

/// 32 bytes that nobody can guess.
[[nodiscard]] proof::Salt random_salt();

class Memory {
 public:
  /// Makes the file where there is none. One that belongs to another chain or another key is refused with
  /// std::runtime_error. Only tests draw salts from elsewhere, to be able to do the same again.
  Memory(const std::filesystem::path& file, const chain::ChainIdentity& chain, const proof::PrivateKey& key,
         std::function<proof::Salt()> draw_salt = random_salt);

  [[nodiscard]] const std::filesystem::path& file() const { return x_database.path(); }
  /// The address of the key.
  [[nodiscard]] const proof::Address& owner() const { return x_owner; }
  /// Where what is computed for a batch is kept, beside the file.
  [[nodiscard]] std::filesystem::path scratch(const proof::BatchId& batch) const;
  /// Removes what is there of batches that are over.
  void sweep_scratch();

  [[nodiscard]] chain::EventCursor cursor();
  /// Stores events that were read, and where to go on, in one commit.
  void keep(std::span<const chain::LoggedEvent> events);
  /// Forgets all that was read and judged. Salts, proofs and alarms stay: they may belong to what is yet to be read.
  void begin_anew();

  /// Of all batches that were posted, in order.
  [[nodiscard]] std::vector<proof::BatchId> batches();
  [[nodiscard]] std::optional<RememberedPost> post(const proof::BatchId& batch);
  /// Events of own games over a batch, of all requests and of all answers, at positions from `from` on, in order.
  [[nodiscard]] std::vector<chain::LoggedEvent> history(const proof::BatchId& batch, std::uint64_t from = 0);
  /// Over all batches, those that are over included, at positions from `from` on, in order.
  [[nodiscard]] std::vector<OwnDemand> own_demands(std::uint64_t from);
  /// That a leaf is about to be demanded, or was, by the chain's records. Stays until an event tells of it, or the
  /// batch is closed.
  void expect_demand(const proof::BatchId& batch, const proof::OpeningKey& leaf);
  void forget_expected_demand(const proof::BatchId& batch, const proof::OpeningKey& leaf);
  /// The batch of each, but for that of one leaf.
  [[nodiscard]] std::vector<proof::BatchId> expected_demands_but(const proof::BatchId& batch,
                                                                 const proof::OpeningKey& leaf);
  /// Batches that nothing more can happen to are passed over from then on.
  void close(const proof::BatchId& batch);

  /// Absent too where what is stored is damaged, or not by this key.
  [[nodiscard]] std::optional<Verdict> verdict(const proof::BatchId& batch);
  void keep(const proof::BatchId& batch, const Verdict& verdict, const std::filesystem::path& data);
  /// Where the data were that the verdict is about.
  [[nodiscard]] std::filesystem::path data(const proof::BatchId& batch);
  void forget_verdict(const proof::BatchId& batch);

  /// The salt of the batch's n-th game: drawn and stored when it is first asked for.
  [[nodiscard]] proof::Salt salt(const proof::BatchId& batch, std::uint64_t game);
  /// Another one each time.
  [[nodiscard]] proof::Salt fresh_salt() const { return x_draw_salt(); }
  [[nodiscard]] std::optional<RememberedProof> proof(const proof::BatchId& batch);
  void keep(const proof::BatchId& batch, const RememberedProof& proof);
  void forget_proof(const proof::BatchId& batch);

  /// Stores an alarm, once: what is raised again in every run is not stored again.
  void raise(const proof::BatchId& batch, const std::string& alarm, std::uint64_t time_s);
  struct Alarm {
    proof::BatchId batch{};
    std::string message;
    std::uint64_t time_s = 0;
  };
  [[nodiscard]] std::vector<Alarm> alarms();

 private:
  [[nodiscard]] std::filesystem::path scratch_folder() const;
  void keep_event(const chain::LoggedEvent& logged);
  [[nodiscard]] bool is_own_game(const proof::GameId& game);
  [[nodiscard]] math::Digest code_of(const proof::BatchId& batch, math::Bytes verdict) const;

  chain::Database x_database;
  proof::Address x_owner;
  math::Digest x_secret;
  std::function<proof::Salt()> x_draw_salt;
};

}  // namespace tally::verifier
