// Accuracy and drift of models on a committed validation set, against inference in plain loops.
#include "tests/deterministic_math/programs/rule_cases.h"

namespace tally::test {
namespace {

struct Task {
  std::size_t examples = 1;
  std::size_t features = 1;
  std::size_t hidden = 0;  // 0: no hidden layer
  std::size_t classes = 2;
  Values model;
  Values inputs;  // examples x features
  Values labels;
  i128 best = 0;

  [[nodiscard]] i128 weight(std::size_t index) const { return index < model.size() ? model[index] : 0; }

  // A layer: `width` outputs of the inputs, its weights and then its biases from `offset` on.
  [[nodiscard]] std::vector<BigInt> layer(const std::vector<BigInt>& in, std::size_t width, std::size_t offset) const {
    std::vector<BigInt> out;
    for (std::size_t o = 0; o < width; ++o) {
      BigInt sum = to_big(weight(offset + width * in.size() + o)) << kFracBits;
      for (std::size_t i = 0; i < in.size(); ++i) sum += to_big(weight(offset + o * in.size() + i)) * in[i];
      out.push_back(sum);
    }
    return out;
  }

  [[nodiscard]] std::vector<BigInt> scores(std::size_t v) const {
    std::vector<BigInt> in;
    for (std::size_t f = 0; f < features; ++f) in.push_back(to_big(inputs[v * features + f]));
    std::size_t offset = 0;
    if (hidden > 0) {
      std::vector<BigInt> units = layer(in, hidden, 0);
      for (std::size_t h = 0; h < hidden; ++h) {
        // The bias is added after the rounding: before it, an odd one would move ties.
        const BigInt bias = to_big(weight(hidden * features + h));
        const i128 rounded = nearest_even(units[h] - (bias << kFracBits), BigInt(1) << kFracBits);
        units[h] = to_big(std::clamp<i128>(rounded + from_big(bias), 0, kI32Hi));
      }
      offset = hidden * features + hidden;
      in = units;
    }
    return layer(in, classes, offset);
  }

  [[nodiscard]] World world() const {
    World result;
    result.dims = {{"K", 1},        {"W", model.size()}, {"V", examples},
                   {"F", features}, {"C", classes},      {"H", std::max<std::size_t>(hidden, 1)}};
    result.rows = {{"model", {model}}};
    result.states = {{"features", inputs}, {"label", labels}, {"best", {best}}};
    return result;
  }

  static constexpr unsigned kFracBits = 8;
};

Task random_task(std::mt19937_64& random, bool with_hidden_layer) {
  Task task;
  task.examples = 1 + random() % 20;
  task.features = 1 + random() % 6;
  task.hidden = with_hidden_layer ? 1 + random() % 5 : 0;
  task.classes = 2 + random() % 4;
  const std::size_t units = with_hidden_layer ? task.hidden : task.features;
  task.model.resize((with_hidden_layer ? task.hidden * task.features + task.hidden : 0) + task.classes * units +
                    task.classes);
  if (random() % 4 == 0) task.model.resize(std::max<std::size_t>(1, task.model.size() / 2));  // a model cut short
  const std::uint64_t kind = random() % 3;
  const auto value = [&]() -> i128 {
    if (kind == 0) return static_cast<i128>(random() % 3) - 1;  // ties
    if (kind == 1) return static_cast<i128>(random() % 2001) - 1000;
    return random() % 2 == 0 ? kI32Lo : kI32Hi;
  };
  std::ranges::generate(task.model, value);
  task.inputs.resize(task.examples * task.features);
  std::ranges::generate(task.inputs, value);
  task.labels.resize(task.examples);
  std::ranges::generate(task.labels, [&] { return static_cast<i128>(random() % task.classes); });
  task.best = static_cast<i128>(random() % 10001);
  return task;
}

void expect_accuracy(const std::string& name, bool with_hidden_layer) {
  const auto program = compile_library_program(name, {{"frac_bits", Task::kFracBits}, {"tolerance", 500}});
  std::mt19937_64 random(22);
  for (int i = 0; i < 200; ++i) {
    const Task task = random_task(random, with_hidden_layer);
    Values scores;
    Values guesses;
    i128 hits = 0;
    for (std::size_t v = 0; v < task.examples; ++v) {
      const std::vector<BigInt> of_classes = task.scores(v);
      for (const BigInt& score : of_classes) scores.push_back(from_big(score));
      guesses.push_back(std::ranges::max_element(of_classes) - of_classes.begin());
      hits += guesses.back() == task.labels[v] ? 1 : 0;
    }
    const i128 accuracy = 10000 * hits / static_cast<i128>(task.examples);
    const Outcome outcome = run_world(program, task.world());
    ASSERT_FALSE(outcome.failed.has_value());
    EXPECT_EQ(outcome.tables.at("score"), scores);
    EXPECT_EQ(outcome.tables.at("result.guess"), guesses);
    EXPECT_EQ(outcome.tables.at("result.accuracy"), Values{accuracy});
    EXPECT_EQ(outcome.tables.at("drifted"), Values{accuracy < task.best - 500 ? 1 : 0});
    EXPECT_EQ(outcome.tables.at("next_best"), Values{std::max(accuracy, task.best)});
    EXPECT_EQ(run_world(program, task.world(), 3).tables, outcome.tables);
  }
}

// Two examples, of which one is right: 5,000 basis points.
void expect_drift(const std::string& name, std::size_t hidden, const Values& model) {
  const auto program = compile_library_program(name, {{"frac_bits", 0}, {"tolerance", 500}});
  Task task;
  task.examples = 2;
  task.hidden = hidden;
  task.model = model;
  task.inputs = {1, 1};
  task.labels = {0, 1};
  for (const auto& [best, drifted] : {std::pair<i128, i128>{5500, 0}, {5501, 1}, {0, 0}, {10000, 1}}) {
    task.best = best;
    const auto tables = run_world(program, task.world()).tables;
    EXPECT_EQ(tables.at("drifted"), Values{drifted});
    EXPECT_EQ(tables.at("next_best"), Values{std::max<i128>(best, 5000)});
  }
}

TEST(LinearAccuracy, drifts_below_the_best_less_the_tolerance_and_not_at_it) {
  expect_drift("linear_accuracy", 0, {0, 1, 0, 0});
}

TEST(PerceptronAccuracy, drifts_below_the_best_less_the_tolerance_and_not_at_it) {
  expect_drift("perceptron_accuracy", 1, {1, 0, 0, 1, 0, 0});
}

TEST(LinearAccuracy, equals_inference_in_plain_loops) { expect_accuracy("linear_accuracy", false); }

TEST(PerceptronAccuracy, equals_inference_in_plain_loops) { expect_accuracy("perceptron_accuracy", true); }

TEST(PerceptronAccuracy, computes_exclusive_or_with_two_hidden_units) {
  // hidden: x + y and x + y - 1; score of class 1: x + y - 2 (x + y - 1) - 1/2, of class 0: 0.
  Task task;
  task.examples = 4;
  task.features = 2;
  task.hidden = 2;
  task.model = {256, 256, 256, 256, 0, -256, 0, 0, 256, -512, 0, -128};
  task.inputs = {0, 0, 0, 256, 256, 0, 256, 256};
  task.labels = {0, 1, 1, 0};
  const auto program = compile_library_program("perceptron_accuracy", {{"frac_bits", 8}, {"tolerance", 0}});
  EXPECT_EQ(run_world(program, task.world()).tables.at("result.accuracy"), Values{10000});
}

}  // namespace
}  // namespace tally::test
