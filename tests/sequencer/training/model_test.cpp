#include "sequencer/training/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sequencer/training/random.h"

namespace tally::sequencer::training {
namespace {

const std::vector<ModelShape> kShapes{{.kind = ModelKind::kSoftmax}, {.kind = ModelKind::kPerceptron, .hidden = 7}};

TEST(Model, tensors_tile_the_flat_vector_in_byte_order_of_their_names) {
  for (const ModelShape& shape : kShapes) {
    std::size_t offset = 0;
    std::string last;
    for (const TensorShape& tensor : tensors(shape)) {
      EXPECT_LT(last, tensor.name);
      EXPECT_EQ(tensor.offset, offset);
      std::size_t size = 1;
      for (const std::uint64_t dim : tensor.dims) size *= dim;
      EXPECT_EQ(tensor.size, size);
      offset += size;
      last = tensor.name;
    }
    EXPECT_EQ(offset, parameter_count(shape));
  }
  EXPECT_EQ(parameter_count(kShapes[0]), 610U);
  EXPECT_EQ(parameter_count(kShapes[1]), 71U * 7 + 10);
}

TEST(Model, gradients_agree_with_finite_differences) {
  const auto clients = make_synthetic({.clients = 1, .max_samples = 50});
  const Matrix<double> features = clients[0].train.features.cast<double>();
  const std::vector<int>& labels = clients[0].train.labels;
  for (const ModelShape& shape : kShapes) {
    Random random(3);
    std::vector<double> parameters(parameter_count(shape));
    for (double& parameter : parameters) parameter = random.normal(0.0, 0.3);
    std::vector<double> gradient(parameters.size());
    std::vector<double> ignored(parameters.size());
    const double loss = loss_and_gradient<double>(shape, parameters, features, labels, gradient);
    EXPECT_GT(loss, 0.0);
    constexpr double kStep = 1e-6;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const double kept = parameters[i];
      parameters[i] = kept + kStep;
      const double above = loss_and_gradient<double>(shape, parameters, features, labels, ignored);
      parameters[i] = kept - kStep;
      const double below = loss_and_gradient<double>(shape, parameters, features, labels, ignored);
      parameters[i] = kept;
      ASSERT_NEAR(gradient[i], (above - below) / (2 * kStep), 1e-6) << "parameter " << i;
    }
  }
}

TEST(Model, zero_parameters_lose_log_of_the_number_of_classes) {
  const auto clients = make_synthetic({.clients = 1, .max_samples = 50});
  const auto parameters = initial_parameters({}, 1);
  std::vector<float> gradient(parameters.size());
  const double loss =
      loss_and_gradient<float>({}, parameters, clients[0].train.features, clients[0].train.labels, gradient);
  EXPECT_NEAR(loss, std::log(10.0), 1e-5);
}

TEST(Model, huge_logits_give_finite_losses_and_gradients) {
  const auto clients = make_synthetic({.clients = 1, .max_samples = 50});
  for (const ModelShape& shape : kShapes) {
    std::vector<float> parameters(parameter_count(shape));
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] = i % 2 == 0 ? 1e4F : -1e4F;
    std::vector<float> gradient(parameters.size());
    const double loss =
        loss_and_gradient<float>(shape, parameters, clients[0].train.features, clients[0].train.labels, gradient);
    EXPECT_TRUE(std::isfinite(loss));
    EXPECT_TRUE(std::ranges::all_of(gradient, [](float x) { return std::isfinite(x); }));
  }
}

TEST(Model, counts_right_answers) {
  Samples samples{Matrix<float>::Zero(3, kFeatures), {2, 2, 5}};
  std::vector<float> parameters(parameter_count({}));
  parameters[2] = 1.0F;  // the bias of class 2
  EXPECT_EQ(count_right({}, parameters, samples), 2U);
}

}  // namespace
}  // namespace tally::sequencer::training
