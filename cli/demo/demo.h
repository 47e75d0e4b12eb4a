// The whole of Tallystick in one run: trainers, a sequencer and a corrupt rival, a watchtower and a chain, each with
// its own keys and folders, as they would be on hosts of their own.
#pragma once

#include <boost/json.hpp>

#include "cli/console.h"
#include "cli/demo/demo_world.h"

namespace tally::cli {

/// Fewer rounds leave no room for the three frauds.
inline constexpr int kMinDemoRounds = 4;

/// Tells the story as it goes (unless the console prints JSON), and gives it as JSON. Throws std::runtime_error where
/// it does not end as it must: every fraud caught, every honest batch final, the money conserved.
[[nodiscard]] boost::json::object run_demo(const DemoSettings& settings, const Console& console);

}  // namespace tally::cli
