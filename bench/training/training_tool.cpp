// tally_training_tool: real federated training as input for Tallystick.
//
//     updates   trains up to one round and writes that round's update of every client, and the model before it
//     compare   trains twice from one start, averaging once in float and once exactly, and reports both accuracies
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "sequencer/trainer/model_writer.h"
#include "sequencer/training/federated.h"
#include "sequencer/training/model.h"
#include "sequencer/training/program_rule.h"
#include "sequencer/training/synthetic.h"

namespace tally::sequencer::training {
namespace {

namespace fs = std::filesystem;

enum class Content : std::uint8_t { kDeltas, kWeights };

struct Settings {
  SyntheticOptions data;
  ModelShape shape;
  LocalOptions local;
  int round = 1;
  int rounds = 50;
  int frac_bits = 24;
  chain::ModelFormat format = chain::ModelFormat::kNpy;
  Content content = Content::kDeltas;
  fs::path out;
};

// A .npy file holds the flat vector, a .safetensors file the model's tensors; both flatten to the same vector.
void write_parameters(const Settings& settings, const fs::path& stem, const std::vector<float>& parameters) {
  if (settings.format == chain::ModelFormat::kNpy) {
    sequencer::write_npy(stem.string() + ".npy", {.name = "", .shape = {parameters.size()}, .values = parameters});
    return;
  }
  std::vector<sequencer::FloatTensor> out;
  for (const TensorShape& tensor : tensors(settings.shape)) {
    out.push_back({tensor.name, tensor.dims, std::span(parameters).subspan(tensor.offset, tensor.size)});
  }
  sequencer::write_safetensors(stem.string() + ".safetensors", out);
}

void write_updates(const Settings& settings) {
  const std::vector<ClientData> clients = make_synthetic(settings.data);
  std::vector<float> model = initial_parameters(settings.shape, settings.data.seed);
  std::vector<ClientUpdate> updates;
  for (int round = 1; round <= settings.round; ++round) {
    if (round > 1) model = float_fedavg(model, updates);
    updates = train_round(settings.shape, model, clients, settings.local, settings.data.seed, round);
  }

  const fs::path folder = settings.out / "updates";
  fs::create_directories(folder);
  write_parameters(settings, settings.out / "model", model);
  std::ofstream csv(settings.out / "examples.csv");
  csv << "name,examples\n";
  for (std::size_t k = 0; k < updates.size(); ++k) {
    const std::string number = std::to_string(k);
    const std::string name = "client-" + std::string(4 - std::min<std::size_t>(4, number.size()), '0') + number;
    if (settings.content == Content::kWeights) {
      for (std::size_t i = 0; i < model.size(); ++i) updates[k].delta[i] += model[i];
    }
    write_parameters(settings, folder / name, updates[k].delta);
    csv << name << ',' << updates[k].examples << '\n';
  }
  csv.close();
  if (!csv) throw std::runtime_error("cannot write " + (settings.out / "examples.csv").string());
  std::printf("%zu updates of %zu parameters from round %d in %s\n", updates.size(), model.size(), settings.round,
              folder.c_str());
}

struct Run {
  std::vector<float> model;
  Server server;
};

void compare(const Settings& settings) {
  const std::vector<ClientData> clients = make_synthetic(settings.data);
  const std::vector<float> start = initial_parameters(settings.shape, settings.data.seed);
  Run in_float{start, float_fedavg};
  Run exact{start, exact_server(start, settings.frac_bits, program_rule("fedavg"))};
  std::printf("%6s  %14s  %14s  %22s\n", "round", "float FedAvg", "exact FedAvg", "largest difference");
  for (int round = 1; round <= settings.rounds; ++round) {
    for (Run* const run : {&in_float, &exact}) {
      const auto updates = train_round(settings.shape, run->model, clients, settings.local, settings.data.seed, round);
      run->model = run->server(run->model, updates);
    }
    if (round % std::max(1, settings.rounds / 10) != 0 && round != settings.rounds) continue;
    double difference = 0;
    for (std::size_t i = 0; i < start.size(); ++i) {
      difference = std::max(difference, std::abs(static_cast<double>(in_float.model[i]) - exact.model[i]));
    }
    std::printf("%6d  %13.2f%%  %13.2f%%  %22.3g\n", round,
                100.0 * test_accuracy(settings.shape, in_float.model, clients),
                100.0 * test_accuracy(settings.shape, exact.model, clients), difference);
  }
}

void add_training_options(CLI::App& app, Settings& settings) {
  const std::map<std::string, ModelKind> kinds{{"softmax", ModelKind::kSoftmax}, {"mlp", ModelKind::kPerceptron}};
  app.add_option("--clients", settings.data.clients, "clients")->check(CLI::Range(1, 65536))->capture_default_str();
  app.add_option("--model", settings.shape.kind, "the classifier")
      ->transform(CLI::CheckedTransformer(kinds))
      ->option_text("softmax|mlp");
  app.add_option("--hidden", settings.shape.hidden, "hidden units of the mlp; it has 71 h + 10 parameters")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--alpha", settings.data.alpha, "how much the clients' models differ")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--beta", settings.data.beta, "how much the clients' data differ")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--max-samples", settings.data.max_samples, "most samples of a client")
      ->check(CLI::Range(50, 32767))
      ->capture_default_str();
  app.add_option("--epochs", settings.local.epochs, "passes over a client's samples in a round")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--batch-size", settings.local.batch_size, "samples of a step")
      ->check(CLI::Range(1, 32767))
      ->capture_default_str();
  app.add_option("--learning-rate", settings.local.learning_rate, "learning rate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", settings.data.seed, "seed of the data, the model and the training")->capture_default_str();
}

int run(int argc, char** argv) {
  Settings settings;
  CLI::App app("Federated training on Synthetic(alpha, beta), as input for Tallystick");
  app.require_subcommand(1);

  CLI::App* const updates = app.add_subcommand("updates", "Write one round's updates of all clients");
  add_training_options(*updates, settings);
  const std::map<std::string, chain::ModelFormat> formats{{"npy", chain::ModelFormat::kNpy},
                                                          {"safetensors", chain::ModelFormat::kSafetensors}};
  const std::map<std::string, Content> contents{{"deltas", Content::kDeltas}, {"weights", Content::kWeights}};
  updates->add_option("--round", settings.round, "which round, from 1")->check(CLI::Range(1, 100000));
  updates->add_option("--format", settings.format, "of the files")
      ->transform(CLI::CheckedTransformer(formats))
      ->option_text("npy|safetensors");
  updates->add_option("--content", settings.content, "what an update holds")
      ->transform(CLI::CheckedTransformer(contents))
      ->option_text("deltas|weights");
  updates->add_option("--out", settings.out, "folder for updates/, examples.csv and the model before the round")
      ->required();

  CLI::App* const comparison = app.add_subcommand("compare", "Train with float and with exact averaging");
  add_training_options(*comparison, settings);
  comparison->add_option("--rounds", settings.rounds, "rounds")->check(CLI::Range(1, 100000))->capture_default_str();
  comparison->add_option("--frac-bits", settings.frac_bits, "fraction bits of the exact model")
      ->check(CLI::Range(0, 30))
      ->capture_default_str();

  CLI11_PARSE(app, argc, argv);
  if (updates->parsed()) {
    write_updates(settings);
  } else {
    compare(settings);
  }
  return 0;
}

}  // namespace
}  // namespace tally::sequencer::training

int main(int argc, char** argv) {
  try {
    return tally::sequencer::training::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tally_training_tool: %s\n", error.what());
    return 3;
  }
}
