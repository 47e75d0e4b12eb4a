#include "sequencer/training/federated.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "sequencer/training/program_rule.h"

namespace tally::sequencer::training {
namespace {

struct Learner {
  ModelShape shape;
  std::vector<ClientData> clients = make_synthetic({.alpha = 0.5, .beta = 0.5, .clients = 10, .max_samples = 300});

  [[nodiscard]] double accuracy_after(int rounds, std::vector<float> model, const Server& server) const {
    for (int round = 1; round <= rounds; ++round) {
      model = server(model, train_round(shape, model, clients, {}, 1, round));
    }
    return test_accuracy(shape, model, clients);
  }
};

TEST(Federated, local_training_repeats_for_a_seed_and_differs_for_another) {
  const Learner learner;
  const auto model = initial_parameters(learner.shape, 1);
  const auto train = [&](std::uint64_t seed) {
    return train_locally(learner.shape, model, learner.clients[0].train, {}, seed);
  };
  EXPECT_EQ(train(1).delta, train(1).delta);
  EXPECT_NE(train(1).delta, train(2).delta);
  EXPECT_EQ(train(1).examples, static_cast<std::int64_t>(learner.clients[0].train.labels.size()));
}

TEST(Federated, one_full_batch_step_is_minus_the_rate_times_the_gradient) {
  const Learner learner;
  const Samples& train = learner.clients[0].train;
  const auto model = initial_parameters(learner.shape, 1);
  std::vector<float> gradient(model.size());
  std::ignore = loss_and_gradient<float>(learner.shape, model, train.features, train.labels, gradient);
  const auto update =
      train_locally(learner.shape, model, train, {.learning_rate = 0.5, .batch_size = 1000, .epochs = 1}, 1);
  for (std::size_t i = 0; i < model.size(); ++i) ASSERT_NEAR(update.delta[i], -0.5F * gradient[i], 1e-5F);
}

TEST(Federated, both_models_learn_far_beyond_chance) {
  for (const ModelKind kind : {ModelKind::kSoftmax, ModelKind::kPerceptron}) {
    const Learner learner{.shape = {.kind = kind, .hidden = 16}};
    const auto start = initial_parameters(learner.shape, 1);
    EXPECT_LT(test_accuracy(learner.shape, start, learner.clients), 0.35);
    EXPECT_GT(learner.accuracy_after(20, start, float_fedavg), 0.6);
  }
}

TEST(Federated, exact_averaging_trains_as_well_as_float_averaging) {
  const Learner learner;
  const auto start = initial_parameters(learner.shape, 1);
  const double in_float = learner.accuracy_after(15, start, float_fedavg);
  const double exact = learner.accuracy_after(15, start, exact_server(start, 24, fixed_fedavg));
  EXPECT_NEAR(exact, in_float, 0.01);
  const double coarse = learner.accuracy_after(15, start, exact_server(start, 4, fixed_fedavg));
  EXPECT_LT(coarse, in_float - 0.01);  // so the comparison can tell
}

TEST(Federated, float_averaging_weighs_by_examples) {
  const std::vector<float> model{1.0F, -1.0F};
  const std::vector<ClientUpdate> updates{{{4.0F, 0.0F}, 3}, {{0.0F, 8.0F}, 1}};
  EXPECT_EQ(float_fedavg(model, updates), (std::vector{4.0F, 1.0F}));
}

TEST(Federated, fixed_averaging_rounds_ties_to_even_and_clamps) {
  constexpr auto kMax = std::numeric_limits<std::int32_t>::max();
  const std::vector<std::int32_t> model{0, 0, 0, kMax, -kMax};
  const std::vector<std::vector<std::int32_t>> deltas{{1, 3, -1, 10, -10}, {0, 0, 0, 10, -10}};
  const std::vector<std::int64_t> examples{5, 5};
  EXPECT_EQ(fixed_fedavg({model, deltas, examples}), (std::vector<std::int32_t>{0, 2, 0, kMax, -kMax - 1}));
}

TEST(ProgramRule, runs_fedavg_as_its_formula_says) {
  const std::vector<std::int32_t> model{1, -7, 1 << 30, 0};
  const std::vector<std::vector<std::int32_t>> deltas{{3, -4, 1 << 30, 1}, {-5, 9, 1 << 30, 0}, {2, 2, 1 << 30, 0}};
  const std::vector<std::int64_t> examples{10, 3, 32767};
  const FixedRound round{model, deltas, examples};
  EXPECT_EQ(program_rule("fedavg")(round), fixed_fedavg(round));
}

TEST(ProgramRule, refuses_what_it_cannot_run) {
  EXPECT_THROW((void)program_rule("median"), std::invalid_argument);
  EXPECT_THROW((void)program_rule("no_such_rule"), std::invalid_argument);
}

TEST(Federated, fixed_averaging_does_not_depend_on_the_clients_order) {
  const Learner learner;
  auto start = initial_parameters(learner.shape, 1);
  auto updates = train_round(learner.shape, start, learner.clients, {}, 1, 1);
  const auto forwards = exact_server(start, 24, fixed_fedavg)(start, updates);
  std::ranges::reverse(updates);
  EXPECT_EQ(exact_server(start, 24, fixed_fedavg)(start, updates), forwards);
}

TEST(Federated, an_exact_server_keeps_its_model_in_fixed_point_between_rounds) {
  const std::vector<float> start{0.0F};
  // 64 + 2^-24 is no float: the state must keep what the handed-out model cannot show.
  Server server = exact_server(start, 24, fixed_fedavg);
  std::vector<float> model = server(start, std::vector<ClientUpdate>{{{64.0F}, 1}});
  model = server(model, std::vector<ClientUpdate>{{{0x1p-24F}, 1}});
  EXPECT_EQ(model[0], 64.0F);
  model = server(model, std::vector<ClientUpdate>{{{-64.0F}, 1}});
  EXPECT_EQ(model[0], 0x1p-24F);
}

TEST(Federated, an_exact_server_refuses_what_is_no_number_or_does_not_fit) {
  const std::vector<float> start{0.0F};
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), 200.0F}) {
    Server server = exact_server(start, 24, fixed_fedavg);
    EXPECT_THROW(server(start, std::vector<ClientUpdate>{{{bad}, 1}}), std::range_error);
  }
}

}  // namespace
}  // namespace tally::sequencer::training
