// One round of the demonstration: trainers train and sign, a sequencer builds; and the three ways in which a corrupt
// one builds something else.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "cli/demo/demo_world.h"
#include "sequencer/batch/batch_builder.h"
#include "sequencer/training/federated.h"

namespace tally::cli {

enum class Fraud : std::uint8_t {
  kForgedWeight,  // one weight of the new model, by one unit in the last place
  kOldUpdate,     // a trainer's update of the round before, in place of its new one
  kWithheld,      // right, but its data is shown to nobody
};

struct BuiltFraud {
  Fraud kind = Fraud::kForgedWeight;
  proof::BatchId batch;
  std::filesystem::path directory;
  std::uint64_t entry = 0;  // kForgedWeight
  std::size_t trainer = 0;  // kOldUpdate
};

class DemoTraining {
 public:
  DemoTraining(DemoWorld& world, const DemoSettings& settings);

  [[nodiscard]] static sequencer::training::ModelShape shape();

  /// Trains on the model behind `parent`, and signs. Those who are malicious turn their updates around.
  void contribute(int round, const proof::BatchId& parent);
  /// The honest sequencer's batch of the round.
  [[nodiscard]] sequencer::BuiltBatch build(int round, const proof::BatchId& parent);
  [[nodiscard]] BuiltFraud build_fraud(Fraud kind, int round, const proof::BatchId& parent);

  /// Share of all trainers' test samples that the model behind a batch classifies rightly.
  [[nodiscard]] double accuracy(const proof::BatchId& batch);

 private:
  struct Source {
    int round = 0;  // whose files are taken
    std::size_t trainer = 0;
  };

  [[nodiscard]] std::vector<float> model_behind(const proof::BatchId& parent) const;
  [[nodiscard]] std::filesystem::path update_file(const Source& source) const;
  [[nodiscard]] sequencer::BatchInputs inputs(const std::vector<Source>& sources, const proof::BatchId& parent,
                                              const proof::Address& poster);
  [[nodiscard]] std::vector<Source> sources(int round) const;

  DemoWorld& x_world;
  DemoSettings x_settings;
  std::vector<sequencer::training::ClientData> x_clients;
};

}  // namespace tally::cli
