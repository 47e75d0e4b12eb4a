// The parameters that the contribution ledger is measured with: an epoch of a day.
#pragma once

#include <map>
#include <string>

#include "deterministic_math/numbers/int128.h"

namespace tally::bench {

inline std::map<std::string, math::i128> ledger_parameters() {
  return {{"pool", 1'000'000'000}, {"alpha", 5000},      {"beta", 3000},      {"gamma", 2000},        {"genesis_s", 0},
          {"epoch_s", 86'400},     {"skew_s", 60},       {"window_s", 3600},  {"limit", 100},         {"registrar", 0},
          {"newcomer", 1 << 29},   {"half_life", 30},    {"rise", 3},         {"penalty_epochs", 10}, {"cap", 40000},
          {"additive", 0},         {"token_share", 500}, {"burn_share", 5000}};
}

}  // namespace tally::bench
