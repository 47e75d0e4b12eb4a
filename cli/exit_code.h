// The exit codes of `tally`, and the one exception that carries them to main.
#pragma once

#include <stdexcept>
#include <string>

namespace tally::cli {

enum class ExitCode : int {
  kFine = 0,
  kFoundInvalid = 1,  // what was checked is wrong (a batch, a receipt, a program), or the chain refused it
  kBadInput = 2,      // usage, or a file that cannot be used; the message names it
  kOutsideWorld = 3,  // disk, permissions, memory, interruption
};

/// Ends a command with a message for the user.
class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& message) : std::runtime_error(message), x_code(code) {}
  [[nodiscard]] ExitCode code() const { return x_code; }

 private:
  ExitCode x_code;
};

[[noreturn]] inline void bad_input(const std::string& message) { throw Failure(ExitCode::kBadInput, message); }

}  // namespace tally::cli
