#include "cli/admission.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "cli/exit_code.h"
#include "sequencer/trainer/contribution.h"

namespace tally::cli {

namespace {

constexpr std::size_t kShownRefusals = 20;

std::vector<sequencer::RefusedRecord> examine(const sequencer::Admission& admission,
                                              const std::vector<proof::Record>& records,
                                              sequencer::Signatures signatures) {
  auto refused = sequencer::refused_records(admission, records, signatures);
  if (!refused) bad_input(refused.error());
  return *std::move(refused);
}

std::string line_of(const std::string& file, const sequencer::RefusedRecord& refused) {
  return file + ": refused: " + refused.name + ": " + refused.message;
}

std::string file_of(const sequencer::RecordInput& input) { return sequencer::record_file_of(input.source).string(); }

}  // namespace

void require_admitted(const sequencer::Admission& admission, const proof::Record& record, const std::string& file) {
  const std::vector<sequencer::RefusedRecord> refused = examine(admission, {record}, sequencer::Signatures::kCheck);
  if (!refused.empty()) bad_input(line_of(file, refused.front()));
}

std::uint64_t admit_records(const sequencer::Admission& admission, Refused refused, Console& console,
                            sequencer::BatchInputs& inputs) {
  std::uint64_t left_out = 0;
  sequencer::Signatures signatures = sequencer::Signatures::kCheck;
  while (true) {
    std::vector<proof::Record> records;
    for (const sequencer::RecordInput& input : inputs.records) records.push_back(input.signed_record.value());
    const std::vector<sequencer::RefusedRecord> found = examine(admission, records, signatures);
    if (found.empty()) return left_out;
    std::set<std::size_t> positions;
    std::string listing;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const std::string line = line_of(file_of(inputs.records[found[i].record]), found[i]);
      positions.insert(found[i].record);
      if (refused == Refused::kLeaveOut) console.warn(line);
      if (i < kShownRefusals) listing += line + "\n";
    }
    if (refused == Refused::kFail) {
      if (found.size() > kShownRefusals) listing += "and " + std::to_string(found.size() - kShownRefusals) + " more\n";
      bad_input(listing + "take these away, or give --leave-out-refused");
    }
    // Whoever is left may stand beside another record now, but with a signature that was good.
    signatures = sequencer::Signatures::kChecked;
    std::vector<sequencer::RecordInput> admitted;
    for (std::size_t i = 0; i < inputs.records.size(); ++i) {
      if (!positions.contains(i)) admitted.push_back(std::move(inputs.records[i]));
    }
    inputs.records = std::move(admitted);
    inputs.dims.front() = inputs.records.size();
    left_out += positions.size();
  }
}

}  // namespace tally::cli
