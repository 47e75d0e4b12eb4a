// Federated averaging (McMahan, Moore, Ramage, Hampson and Aguera y Arcas, AISTATS 2017): in every round each client
// trains on its own data from the shared model, and the server adds the mean of the clients' changes, weighted by their
// numbers of examples.
//
// The server's step is a parameter, so that floating-point averaging and the exact one run on the very same training.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sequencer/training/model.h"
#include "sequencer/training/synthetic.h"

namespace tally::sequencer::training {

struct LocalOptions {
  double learning_rate = 0.01;
  int batch_size = 10;
  int epochs = 2;
};

struct ClientUpdate {
  std::vector<float> delta;   // the trained model minus the one it started from
  std::int64_t examples = 0;  // training samples
};

/// Minibatch SGD over the client's training samples. `seed` decides their order.
[[nodiscard]] ClientUpdate train_locally(const ModelShape& shape, std::span<const float> model, const Samples& train,
                                         const LocalOptions& options, std::uint64_t seed);

/// One round's updates of all clients. The same seed and round give the same orders of samples.
[[nodiscard]] std::vector<ClientUpdate> train_round(const ModelShape& shape, std::span<const float> model,
                                                    std::span<const ClientData> clients, const LocalOptions& options,
                                                    std::uint64_t seed, int round);

/// Right answers over all clients' test samples, as a share of them.
[[nodiscard]] double test_accuracy(const ModelShape& shape, std::span<const float> model,
                                   std::span<const ClientData> clients);

/// The server's step: the next model that clients start from. Called once a round, in order.
using Server = std::function<std::vector<float>(std::span<const float> model, std::span<const ClientUpdate> updates)>;

/// model + sum(examples * delta) / sum(examples) in float, clients in order: what a usual server computes.
[[nodiscard]] std::vector<float> float_fedavg(std::span<const float> model, std::span<const ClientUpdate> updates);

struct FixedRound {
  std::span<const std::int32_t> model;
  std::span<const std::vector<std::int32_t>> deltas;
  std::span<const std::int64_t> examples;
};

/// The rule that an exact server runs: the next model in fixed point.
using FixedRule = std::function<std::vector<std::int32_t>(const FixedRound& round)>;

/// clamp(model + div_round(sum(examples * delta), sum(examples)), i32), ties to even: the formula of fedavg.tally.
[[nodiscard]] std::vector<std::int32_t> fixed_fedavg(const FixedRound& round);

/// A server that keeps its model in fixed point, starting from `model`: it quantises each delta, applies `rule`, and
/// hands out the nearest floats. Throws std::range_error where a number does not fit.
[[nodiscard]] Server exact_server(std::span<const float> model, int frac_bits, FixedRule rule);

}  // namespace tally::sequencer::training
