#include "sequencer/training/synthetic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace tally::sequencer::training {
namespace {

bool equal(const Samples& a, const Samples& b) { return a.labels == b.labels && a.features == b.features; }

TEST(Synthetic, is_the_same_for_a_seed_and_another_for_another) {
  const auto first = make_synthetic({.clients = 4, .seed = 5});
  const auto again = make_synthetic({.clients = 4, .seed = 5});
  const auto other = make_synthetic({.clients = 4, .seed = 6});
  for (std::size_t k = 0; k < first.size(); ++k) {
    EXPECT_TRUE(equal(first[k].train, again[k].train) && equal(first[k].test, again[k].test));
    EXPECT_FALSE(equal(first[k].train, other[k].train));
  }
}

TEST(Synthetic, gives_a_client_the_same_data_however_many_there_are) {
  const auto few = make_synthetic({.clients = 2});
  const auto many = make_synthetic({.clients = 6});
  EXPECT_TRUE(equal(few[1].train, many[1].train));
  EXPECT_FALSE(equal(many[0].train, many[1].train));
}

TEST(Synthetic, has_sizes_within_the_bounds_that_spread_widely_and_holds_out_the_test_share) {
  const auto clients = make_synthetic({.clients = 60, .max_samples = 900});
  std::size_t smallest = 1000;
  std::size_t largest = 0;
  for (const ClientData& client : clients) {
    const std::size_t samples = client.train.labels.size() + client.test.labels.size();
    smallest = std::min(smallest, samples);
    largest = std::max(largest, samples);
    EXPECT_EQ(client.test.labels.size(), samples / 5);
    EXPECT_EQ(client.train.features.rows(), static_cast<Eigen::Index>(client.train.labels.size()));
    for (const int label : client.train.labels) ASSERT_TRUE(label >= 0 && label < kClasses);
  }
  EXPECT_GE(smallest, 50U);
  EXPECT_LT(smallest, 70U);
  EXPECT_EQ(largest, 900U);
}

TEST(Synthetic, features_spread_as_the_power_law_of_the_definition) {
  const auto clients = make_synthetic({.clients = 40});
  const auto& client =
      *std::ranges::max_element(clients, {}, [](const ClientData& c) { return c.train.labels.size(); });
  const Eigen::ArrayXXd x = client.train.features.cast<double>().array();
  const auto variance = [&](int j) { return (x.col(j) - x.col(j).mean()).square().mean(); };
  for (const int j : {0, 1, 9, 59}) {
    const double expected = std::pow(j + 1, -1.2);
    EXPECT_NEAR(variance(j) / expected, 1.0, 0.15) << j;
  }
}

TEST(Synthetic, beta_moves_the_clients_data_apart) {
  const auto spread = [](double beta) {
    const auto clients = make_synthetic({.beta = beta, .clients = 60, .max_samples = 100});
    Eigen::ArrayXd means(60);
    for (std::size_t k = 0; k < clients.size(); ++k) {
      means[static_cast<Eigen::Index>(k)] = clients[k].train.features.cast<double>().mean();
    }
    return (means - means.mean()).square().mean();
  };
  EXPECT_LT(spread(0.0), 0.05);
  EXPECT_NEAR(spread(4.0), 4.0, 2.0);
}

}  // namespace
}  // namespace tally::sequencer::training
