#include "fraud_proof/step/one_step.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "deterministic_math/numbers/assert.h"

namespace tally::proof {

namespace {

using math::i128;
using math::Item;
using math::ObjectId;

// Values come from a witness; the first refusal ends the section.
class ReplayAccess {
 public:
  explicit ReplayAccess(OpeningReader& reader) : x_reader(reader) {}

  [[nodiscard]] std::optional<i128> load(ObjectId object, std::uint64_t element) {
    auto value = x_reader.element(object, element);
    if (value) return *value;
    x_refusal = std::move(value.error());
    return std::nullopt;
  }
  [[nodiscard]] ChainRefusal refusal() const {
    TALLY_ASSERT(x_refusal.has_value());
    return *x_refusal;
  }

 private:
  OpeningReader& x_reader;
  std::optional<ChainRefusal> x_refusal;
};

// Values come from the batch's data, and are opened as they are read.
class WitnessAccess {
 public:
  explicit WitnessAccess(OpeningWriter& writer) : x_writer(writer) {}
  [[nodiscard]] i128 load(ObjectId object, std::uint64_t element) { return x_writer.element(object, element); }

 private:
  OpeningWriter& x_writer;
};

OrRefused<void> check_entry(const CommittedBatch& batch, std::uint16_t item, std::uint64_t entry) {
  if (item >= batch.program.items.size()) {
    return refuse(Reason::kNoSuchEntry, "the program has no item " + std::to_string(item));
  }
  const Item& named = batch.program.items[item];
  if (!named.body) return refuse(Reason::kNoBody, "item " + std::to_string(item) + " is advice without a check");
  if (entry >= math::element_count(named.extents, batch.values)) {
    return refuse(Reason::kNoSuchEntry, "item " + std::to_string(item) + " has no entry " + std::to_string(entry));
  }
  return {};
}

// The one definition of a transition, for making a witness and for checking one.
template <class Access>
math::SectionOutcome run(const CommittedBatch& batch, const Transition& transition, const math::Accumulators& before,
                         Access& access, TransitionEnd& end) {
  const math::Body& body = *batch.program.items[transition.item].body;
  const bool is_step = transition.number < math::fold_length(batch.program, batch.values, transition.item);
  const math::SectionContext context{.program = batch.program,
                                     .values = batch.values,
                                     .item = transition.item,
                                     .entry = transition.entry,
                                     .fold = transition.number,
                                     .kind = is_step ? math::SectionKind::kStep : math::SectionKind::kFinish,
                                     .constants = batch.program.constants};
  const std::size_t count = body.init.size();
  std::ranges::copy_n(before.begin(), static_cast<std::ptrdiff_t>(count), end.accumulators.begin());
  const std::span<i128> accumulators = std::span(end.accumulators).first(count);
  end.kind = is_step ? TransitionEnd::Kind::kAccumulators : TransitionEnd::Kind::kResults;
  if (is_step) return math::run_section(context, body.step, access, accumulators, {});
  const math::SectionOutcome outcome = math::run_section(context, body.finish, access, accumulators, end.results);
  end.accumulators = {};
  return outcome;
}

std::span<const ObjectId> result_tables(const Item& item) {
  return item.kind == math::ItemKind::kTable ? std::span<const ObjectId>(item.results) : std::span<const ObjectId>{};
}

}  // namespace

OrRefused<std::uint64_t> transitions(const CommittedBatch& batch, std::uint16_t item, std::uint64_t entry) {
  if (auto checked = check_entry(batch, item, entry); !checked) return std::unexpected(std::move(checked.error()));
  return math::fold_length(batch.program, batch.values, item) + 1;
}

OrRefused<TransitionEnd> run_transition(const CommittedBatch& batch, const Transition& transition,
                                        const math::Accumulators& before, math::Bytes witness) {
  const auto count = transitions(batch, transition.item, transition.entry);
  if (!count) return std::unexpected(count.error());
  if (transition.number >= *count) {
    return refuse(Reason::kNoSuchEntry, "the entry has no transition " + std::to_string(transition.number));
  }
  OpeningReader reader(batch, witness);
  ReplayAccess access(reader);
  TransitionEnd end;
  const math::SectionOutcome outcome = run(batch, transition, before, access, end);
  if (outcome == math::SectionOutcome::kRefused) return std::unexpected(access.refusal());
  if (auto finished = reader.finish(); !finished) return std::unexpected(std::move(finished.error()));
  if (outcome == math::SectionOutcome::kFail) return TransitionEnd{};
  return end;
}

OrRefused<math::ResultValues> open_results(const CommittedBatch& batch, std::uint16_t item, std::uint64_t entry,
                                           math::Bytes openings) {
  if (auto checked = check_entry(batch, item, entry); !checked) return std::unexpected(std::move(checked.error()));
  OpeningReader reader(batch, openings);
  math::ResultValues results{};
  std::size_t column = 0;
  for (const ObjectId table : result_tables(batch.program.items[item])) {
    const auto value = reader.element(table, entry);
    if (!value) return std::unexpected(value.error());
    results.at(column++) = *value;
  }
  if (auto finished = reader.finish(); !finished) return std::unexpected(std::move(finished.error()));
  return results;
}

std::vector<std::uint8_t> make_witness(const CommittedBatch& batch, const Transition& transition,
                                       const math::Accumulators& before, LeafSource& source) {
  const auto count = transitions(batch, transition.item, transition.entry);
  TALLY_ASSERT(count.has_value());
  TALLY_ASSERT(transition.number < *count);
  OpeningWriter writer(batch, source);
  WitnessAccess access(writer);
  TransitionEnd end;
  static_cast<void>(run(batch, transition, before, access, end));
  return writer.take();
}

std::vector<std::uint8_t> make_result_openings(const CommittedBatch& batch, std::uint16_t item, std::uint64_t entry,
                                               LeafSource& source) {
  TALLY_ASSERT(check_entry(batch, item, entry).has_value());
  OpeningWriter writer(batch, source);
  for (const ObjectId table : result_tables(batch.program.items[item])) {
    static_cast<void>(writer.element(table, entry));
  }
  return writer.take();
}

}  // namespace tally::proof
