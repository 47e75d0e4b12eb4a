// The items of a batch one after the other: entries compared with the tables that are there, the others computed and
// compared by their root.
//
// Items outside loops are groups of their own, and so is each loop as a whole: a withheld table of a loop has a root to
// compare only after the last round. The replay ends with the first group in which anything is wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "chain_adapter/data/work.h"
#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/executor/executor.h"
#include "verifier/replay/compare_sink.h"
#include "verifier/replay/judge.h"

namespace tally::verifier {

class ReplayItems {
 public:
  struct Parts {
    const Description& batch;
    std::span<const math::Digest> table_roots;  // posted, in program order
    math::Inputs inputs;
    std::map<math::ObjectId, std::span<const std::byte>> available;
    std::filesystem::path scratch;
    std::uint64_t scratch_limit_bytes;
  };

  ReplayItems(Parts parts, math::TaskPool& pool, const chain::Work& work, const EntryEvaluator& scalar)
      : x_parts(std::move(parts)), x_pool(pool), x_work(work), x_scalar(scalar) {}

  /// Writes what was found into the verdict: kValid, kEntry, kDescent, or kCheck of advice.
  void run(Verdict& verdict);

 private:
  /// Items [first, end), one item or one loop.
  struct Group {
    std::size_t first = 0;
    std::size_t end = 0;
    std::uint64_t rounds = 1;
  };

  [[nodiscard]] std::vector<Group> groups() const;
  [[nodiscard]] const math::Program& program() const { return x_parts.batch.program(); }
  [[nodiscard]] std::vector<math::ObjectId> withheld(const Group& group) const;
  /// False where something is wrong in it.
  [[nodiscard]] bool check_group(const Group& group, Verdict& verdict);
  /// The first wrong entry of the group by the tables that are there. `stop_early`: nothing behind it is computed.
  void scan(const Group& group, bool stop_early);
  void evaluate(const chain::EntryRange& range);
  void evaluate_by_scalar(const chain::EntryRange& range, math::EntrySink& sink);
  [[nodiscard]] math::Evaluation evaluation() const;
  void make_scratch(std::span<const math::ObjectId> tables);
  void make_table(math::ObjectId id);
  [[nodiscard]] std::vector<math::ObjectId> differing(std::span<const math::ObjectId> tables);
  /// Compares some of the entries that the executor made with the interpreter's.
  void sample(std::span<const math::ObjectId> tables);
  void disagree(std::size_t item, std::uint64_t entry);
  void describe(const chain::EntryRange& range, std::uint64_t entry, const WrongEntry& wrong);

  Parts x_parts;
  math::TaskPool& x_pool;
  const chain::Work& x_work;
  const EntryEvaluator& x_scalar;
  const std::function<void()> x_check = [this] { x_work.check(); };
  std::map<math::ObjectId, chain::MappedFile> x_computed;
  std::uint64_t x_computed_bytes = 0;
  std::map<math::ObjectId, math::Digest> x_commitments;  // of the computed ones
  std::set<std::size_t> x_by_scalar;                     // items that executor and interpreter disagree about
  std::vector<std::string> x_alarms;
  std::optional<EntryTarget> x_wrong;  // of the group
  std::string x_message;
};

}  // namespace tally::verifier
