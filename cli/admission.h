// What `tally contribute` and `tally aggregate` say about records that are not admitted.
#pragma once

#include <cstdint>
#include <string>

#include "cli/console.h"
#include "sequencer/admission/admission.h"

namespace tally::cli {

/// A Failure that tells why, where the record, which is the file's, would not be admitted alone.
void require_admitted(const sequencer::Admission& admission, const proof::Record& record, const std::string& file);

enum class Refused : std::uint8_t { kFail, kLeaveOut };

/// Takes records that are not admitted out of the inputs of a batch, with a warning for each, and gives their number;
/// or ends with a Failure that names them. `admission.states` are the inputs'.
std::uint64_t admit_records(const sequencer::Admission& admission, Refused refused, Console& console,
                            sequencer::BatchInputs& inputs);

}  // namespace tally::cli
