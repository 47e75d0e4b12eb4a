// Passwords of keystores: from a file for scripts, else asked for on the terminal without echo.
#pragma once

#include <string>

namespace tally::cli {

enum class Ask { kOnce, kTwice };  // twice where a new keystore is made, so that a slip shows

/// The first line of `file`, or what the user types where `file` is empty. A Failure names what is missing.
[[nodiscard]] std::string read_password(const std::string& file, Ask ask);

}  // namespace tally::cli
