#include "sequencer/training/federated.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "deterministic_math/numbers/arithmetic.h"
#include "deterministic_math/numbers/quantiser.h"
#include "sequencer/training/random.h"

namespace tally::sequencer::training {

namespace {

std::vector<std::int32_t> to_fixed(std::span<const float> values, int frac_bits) {
  std::vector<std::int32_t> fixed(values.size());
  const auto result = math::quantise(math::FloatType::kF32, std::as_bytes(values), fixed, {.frac_bits = frac_bits});
  if (!result) throw std::range_error(result.error().message());
  return fixed;
}

std::vector<float> to_float(std::span<const std::int32_t> fixed, int frac_bits) {
  std::vector<float> values(fixed.size());
  const auto result =
      math::dequantise(math::FloatType::kF32, fixed, std::as_writable_bytes(std::span(values)), frac_bits);
  if (!result) throw std::range_error(result.error().message());
  return values;
}

}  // namespace

ClientUpdate train_locally(const ModelShape& shape, std::span<const float> model, const Samples& train,
                           const LocalOptions& options, std::uint64_t seed) {
  std::vector<float> parameters(model.begin(), model.end());
  std::vector<float> gradient(model.size());
  std::vector<int> order(train.labels.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(seed);
  Matrix<float> features;
  std::vector<int> labels;
  const auto rate = static_cast<float>(options.learning_rate);
  const auto batch = static_cast<std::size_t>(options.batch_size);
  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    random.shuffle(order);
    for (std::size_t first = 0; first < order.size(); first += batch) {
      const std::size_t count = std::min(batch, order.size() - first);
      features.resize(static_cast<Eigen::Index>(count), kFeatures);
      labels.resize(count);
      for (std::size_t i = 0; i < count; ++i) {
        features.row(static_cast<Eigen::Index>(i)) = train.features.row(order[first + i]);
        labels[i] = train.labels[static_cast<std::size_t>(order[first + i])];
      }
      std::ignore = loss_and_gradient<float>(shape, parameters, features, labels, gradient);
      for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] -= rate * gradient[i];
    }
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] -= model[i];
  return {std::move(parameters), static_cast<std::int64_t>(train.labels.size())};
}

std::vector<ClientUpdate> train_round(const ModelShape& shape, std::span<const float> model,
                                      std::span<const ClientData> clients, const LocalOptions& options,
                                      std::uint64_t seed, int round) {
  std::vector<ClientUpdate> updates;
  updates.reserve(clients.size());
  Random seeds(seed, static_cast<std::uint64_t>(round));
  for (const ClientData& client : clients) {
    const std::uint64_t client_seed = seeds.below(std::numeric_limits<std::uint64_t>::max());
    updates.push_back(train_locally(shape, model, client.train, options, client_seed));
  }
  return updates;
}

double test_accuracy(const ModelShape& shape, std::span<const float> model, std::span<const ClientData> clients) {
  std::size_t right = 0;
  std::size_t all = 0;
  for (const ClientData& client : clients) {
    right += count_right(shape, model, client.test);
    all += client.test.labels.size();
  }
  return static_cast<double>(right) / static_cast<double>(all);
}

std::vector<float> float_fedavg(std::span<const float> model, std::span<const ClientUpdate> updates) {
  std::int64_t total = 0;
  for (const ClientUpdate& update : updates) total += update.examples;
  std::vector<float> next(model.begin(), model.end());
  for (const ClientUpdate& update : updates) {
    const auto share = static_cast<float>(static_cast<double>(update.examples) / static_cast<double>(total));
    for (std::size_t i = 0; i < next.size(); ++i) next[i] += share * update.delta[i];
  }
  return next;
}

std::vector<std::int32_t> fixed_fedavg(const FixedRound& round) {
  const math::i128 total = std::reduce(round.examples.begin(), round.examples.end());
  std::vector<std::int32_t> next(round.model.size());
  for (std::size_t d = 0; d < next.size(); ++d) {
    math::i128 sum = 0;
    for (std::size_t k = 0; k < round.deltas.size(); ++k) {
      sum += static_cast<math::i128>(round.examples[k]) * round.deltas[k][d];
    }
    next[d] = static_cast<std::int32_t>(std::clamp<math::i128>(round.model[d] + math::div_round(sum, total),
                                                               std::numeric_limits<std::int32_t>::min(),
                                                               std::numeric_limits<std::int32_t>::max()));
  }
  return next;
}

Server exact_server(std::span<const float> model, int frac_bits, FixedRule rule) {
  return [state = to_fixed(model, frac_bits), frac_bits, rule = std::move(rule)](
             std::span<const float>, std::span<const ClientUpdate> updates) mutable {
    std::vector<std::vector<std::int32_t>> deltas;
    std::vector<std::int64_t> examples;
    for (const ClientUpdate& update : updates) {
      deltas.push_back(to_fixed(update.delta, frac_bits));
      examples.push_back(update.examples);
    }
    state = rule({state, deltas, examples});
    return to_float(state, frac_bits);
  };
}

}  // namespace tally::sequencer::training
