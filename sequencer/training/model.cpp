#include "sequencer/training/model.h"

#include <algorithm>
#include <cmath>

#include "sequencer/training/random.h"

namespace tally::sequencer::training {

namespace {

template <typename Scalar>
using MatrixMap = Eigen::Map<Matrix<Scalar>>;
template <typename Scalar>
using ConstMatrixMap = Eigen::Map<const Matrix<Scalar>>;
template <typename Scalar>
using RowMap = Eigen::Map<Eigen::Matrix<Scalar, 1, Eigen::Dynamic>>;
template <typename Scalar>
using ConstRowMap = Eigen::Map<const Eigen::Matrix<Scalar, 1, Eigen::Dynamic>>;

// A dense layer within a flat vector: the bias, then one row of weights per output.
struct Layer {
  std::size_t offset = 0;
  int inputs = 0;
  int outputs = 0;

  [[nodiscard]] std::size_t weights_offset() const { return offset + static_cast<std::size_t>(outputs); }
  [[nodiscard]] std::size_t end() const {
    return weights_offset() + static_cast<std::size_t>(inputs) * static_cast<std::size_t>(outputs);
  }

  template <typename Scalar>
  [[nodiscard]] Matrix<Scalar> forward(std::span<const Scalar> parameters, const Matrix<Scalar>& x) const {
    const ConstRowMap<Scalar> bias(parameters.data() + offset, outputs);
    const ConstMatrixMap<Scalar> weights(parameters.data() + weights_offset(), outputs, inputs);
    Matrix<Scalar> y = x * weights.transpose();
    y.rowwise() += bias;
    return y;
  }

  /// Writes the gradient of this layer, given its input and the gradient of its output.
  template <typename Scalar>
  void backward(const Matrix<Scalar>& x, const Matrix<Scalar>& output_gradient, std::span<Scalar> gradient) const {
    RowMap<Scalar>(gradient.data() + offset, outputs) = output_gradient.colwise().sum();
    MatrixMap<Scalar>(gradient.data() + weights_offset(), outputs, inputs).noalias() = output_gradient.transpose() * x;
  }
};

struct Layers {
  Layer hidden;  // without outputs for softmax regression
  Layer output;
};

Layers layers_of(const ModelShape& shape) {
  switch (shape.kind) {
    case ModelKind::kSoftmax:
      return {{}, {0, kFeatures, kClasses}};
    case ModelKind::kPerceptron: {
      const Layer hidden{0, kFeatures, shape.hidden};
      return {hidden, {hidden.end(), shape.hidden, kClasses}};
    }
  }
  return {};
}

void append_layer(const Layer& layer, const std::string& name, std::vector<TensorShape>& out) {
  const auto inputs = static_cast<std::uint64_t>(layer.inputs);
  const auto outputs = static_cast<std::uint64_t>(layer.outputs);
  out.push_back({name + ".bias", {outputs}, layer.offset, outputs});
  out.push_back({name + ".weight", {outputs, inputs}, layer.weights_offset(), inputs * outputs});
}

// Replaces logits by the gradient of the mean cross-entropy and gives that mean.
template <typename Scalar>
double cross_entropy(Matrix<Scalar>& logits, std::span<const int> labels) {
  const auto scale = Scalar{1} / static_cast<Scalar>(logits.rows());
  double loss = 0;
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    auto row = logits.row(i);
    const int label = labels[static_cast<std::size_t>(i)];
    const Scalar own = row[label];
    const Scalar largest = row.maxCoeff();
    row = (row.array() - largest).exp();
    const Scalar sum = row.sum();
    loss += static_cast<double>(std::log(sum) + largest - own);
    row *= scale / sum;
    row[label] -= scale;
  }
  return loss / static_cast<double>(logits.rows());
}

}  // namespace

std::vector<TensorShape> tensors(const ModelShape& shape) {
  const Layers layers = layers_of(shape);
  std::vector<TensorShape> out;
  if (shape.kind == ModelKind::kPerceptron) append_layer(layers.hidden, "layer1", out);
  append_layer(layers.output, shape.kind == ModelKind::kPerceptron ? "layer2" : "layer1", out);
  return out;
}

std::size_t parameter_count(const ModelShape& shape) { return layers_of(shape).output.end(); }

std::vector<float> initial_parameters(const ModelShape& shape, std::uint64_t seed) {
  std::vector<float> parameters(parameter_count(shape));
  if (shape.kind == ModelKind::kSoftmax) return parameters;
  Random random(seed);
  const Layers layers = layers_of(shape);
  for (const Layer& layer : {layers.hidden, layers.output}) {
    const double standard_deviation = std::sqrt(2.0 / layer.inputs);
    std::generate(parameters.begin() + static_cast<std::ptrdiff_t>(layer.weights_offset()),
                  parameters.begin() + static_cast<std::ptrdiff_t>(layer.end()),
                  [&] { return static_cast<float>(random.normal(0.0, standard_deviation)); });
  }
  return parameters;
}

template <typename Scalar>
double loss_and_gradient(const ModelShape& shape, std::span<const Scalar> parameters, const Matrix<Scalar>& features,
                         std::span<const int> labels, std::span<Scalar> gradient) {
  const Layers layers = layers_of(shape);
  if (shape.kind == ModelKind::kSoftmax) {
    Matrix<Scalar> logits = layers.output.forward(parameters, features);
    const double loss = cross_entropy(logits, labels);
    layers.output.backward(features, logits, gradient);
    return loss;
  }
  const Matrix<Scalar> active = layers.hidden.forward(parameters, features).cwiseMax(Scalar{0});
  Matrix<Scalar> logits = layers.output.forward(parameters, active);
  const double loss = cross_entropy(logits, labels);
  layers.output.backward(active, logits, gradient);
  const ConstMatrixMap<Scalar> weights(parameters.data() + layers.output.weights_offset(), kClasses, shape.hidden);
  const Matrix<Scalar> through = logits * weights;
  const Matrix<Scalar> hidden_gradient = (active.array() > Scalar{0}).select(through, Scalar{0});
  layers.hidden.backward(features, hidden_gradient, gradient);
  return loss;
}

template double loss_and_gradient<float>(const ModelShape&, std::span<const float>, const Matrix<float>&,
                                         std::span<const int>, std::span<float>);
template double loss_and_gradient<double>(const ModelShape&, std::span<const double>, const Matrix<double>&,
                                          std::span<const int>, std::span<double>);

std::size_t count_right(const ModelShape& shape, std::span<const float> parameters, const Samples& samples) {
  const Layers layers = layers_of(shape);
  Matrix<float> logits = samples.features;
  if (shape.kind == ModelKind::kPerceptron) logits = layers.hidden.forward(parameters, logits).cwiseMax(0.0F).eval();
  logits = layers.output.forward(parameters, logits);
  std::size_t right = 0;
  for (Eigen::Index i = 0; i < logits.rows(); ++i) {
    Eigen::Index label = 0;
    logits.row(i).maxCoeff(&label);
    if (label == samples.labels[static_cast<std::size_t>(i)]) ++right;
  }
  return right;
}

}  // namespace tally::sequencer::training
