// Arguments in the form NAME=VALUE.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tally::cli {

/// NAME=VALUE pairs, each name once; a Failure names the flag.
[[nodiscard]] std::map<std::string, std::string> split_pairs(const std::vector<std::string>& pairs,
                                                             const std::string& flag);

/// The value of --dim NAME=VALUE, 0 to 2^28.
[[nodiscard]] std::uint64_t parse_dim(const std::string& name, const std::string& value);

}  // namespace tally::cli
