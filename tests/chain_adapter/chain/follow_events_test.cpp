#include "chain_adapter/chain/follow_events.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/settlement_world.h"

namespace tally::chain {
namespace {

/// Positions that were visited, page by page.
std::vector<std::vector<std::uint64_t>> visited(ChainAdapter& chain, std::uint64_t from) {
  std::vector<std::vector<std::uint64_t>> pages;
  follow_events(chain, from, [&](std::span<const LoggedEvent> page) {
    pages.emplace_back();
    for (const LoggedEvent& event : page) pages.back().push_back(event.position);
  });
  return pages;
}

TEST(FollowEvents, visits_every_event_once_and_in_order_over_many_pages) {
  test::SettlementWorld world;
  while (world.chain().events(2 * kEventsInPage, 1).empty()) {
    ASSERT_TRUE(world.send(world.creator(), proof::Wei{1}, proof::Fund{.task = world.task()}).has_value());
  }
  const auto pages = visited(world.chain(), 1);
  ASSERT_EQ(pages.size(), 2U);
  std::uint64_t next = 1;
  for (const auto& page : pages) {
    EXPECT_EQ(page.size(), kEventsInPage);
    for (const std::uint64_t position : page) EXPECT_EQ(position, next++);
  }
}

TEST(FollowEvents, visits_nothing_behind_the_last_event) {
  test::SettlementWorld world;
  EXPECT_TRUE(visited(world.chain(), 1'000).empty());
}

}  // namespace
}  // namespace tally::chain
