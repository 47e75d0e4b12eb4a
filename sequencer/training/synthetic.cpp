#include "sequencer/training/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sequencer/training/random.h"

namespace tally::sequencer::training {

namespace {

constexpr int kMinSamples = 50;

Samples draw_samples(int count, const Matrix<double>& weights, const Eigen::VectorXd& bias, const Eigen::VectorXd& mean,
                     Random& random) {
  Samples samples{Matrix<float>(count, kFeatures), std::vector<int>(static_cast<std::size_t>(count))};
  Eigen::VectorXd x(kFeatures);
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < kFeatures; ++j) x[j] = random.normal(mean[j], std::pow(j + 1, -0.6));
    // softmax keeps the order, so the largest logit decides.
    Eigen::Index label = 0;
    (weights * x + bias).maxCoeff(&label);
    samples.features.row(i) = x.cast<float>().transpose();
    samples.labels[static_cast<std::size_t>(i)] = static_cast<int>(label);
  }
  return samples;
}

ClientData make_client(const SyntheticOptions& options, int client) {
  Random random(options.seed, static_cast<std::uint64_t>(client));
  const double model_mean = random.normal(0.0, std::sqrt(options.alpha));
  const double data_mean = random.normal(0.0, std::sqrt(options.beta));
  const double extra = std::min(std::floor(random.lognormal(4.0, 2.0)), static_cast<double>(options.max_samples));
  const int samples = std::min(kMinSamples + static_cast<int>(extra), options.max_samples);

  const auto normal_around = [&random](double mean) { return [&random, mean] { return random.normal(mean, 1.0); }; };
  const Eigen::VectorXd mean = Eigen::VectorXd::NullaryExpr(kFeatures, normal_around(data_mean));
  const Matrix<double> weights = Matrix<double>::NullaryExpr(kClasses, kFeatures, normal_around(model_mean));
  const Eigen::VectorXd bias = Eigen::VectorXd::NullaryExpr(kClasses, normal_around(model_mean));

  const int test = std::clamp(static_cast<int>(samples * options.test_share), 1, samples - 1);
  ClientData data;
  data.train = draw_samples(samples - test, weights, bias, mean, random);
  data.test = draw_samples(test, weights, bias, mean, random);
  return data;
}

}  // namespace

std::vector<ClientData> make_synthetic(const SyntheticOptions& options) {
  std::vector<ClientData> clients;
  clients.reserve(static_cast<std::size_t>(options.clients));
  for (int client = 0; client < options.clients; ++client) clients.push_back(make_client(options, client));
  return clients;
}

}  // namespace tally::sequencer::training
