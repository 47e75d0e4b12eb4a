// Two small classifiers over flat parameter vectors: softmax regression, and a perceptron with one hidden layer of
// rectified linear units.
//
// The flat vector is the tensors one after another, each row-major, in ascending byte order of their names. That is the
// order in which Tallystick flattens a .safetensors file, so flat vectors and files agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequencer/training/synthetic.h"

namespace tally::sequencer::training {

enum class ModelKind : std::uint8_t { kSoftmax, kPerceptron };

struct ModelShape {
  ModelKind kind = ModelKind::kSoftmax;
  int hidden = 64;  // units of the perceptron's hidden layer
};

struct TensorShape {
  std::string name;
  std::vector<std::uint64_t> dims;
  std::size_t offset = 0;  // of its first element in the flat vector
  std::size_t size = 0;
};

[[nodiscard]] std::vector<TensorShape> tensors(const ModelShape& shape);
[[nodiscard]] std::size_t parameter_count(const ModelShape& shape);

/// Zeros for softmax regression; for the perceptron, weights as of He, Zhang, Ren and Sun (ICCV 2015) and zero biases.
[[nodiscard]] std::vector<float> initial_parameters(const ModelShape& shape, std::uint64_t seed);

/// The mean cross-entropy over the rows of `features`, and its gradient by the parameters. For float and double.
template <typename Scalar>
[[nodiscard]] double loss_and_gradient(const ModelShape& shape, std::span<const Scalar> parameters,
                                       const Matrix<Scalar>& features, std::span<const int> labels,
                                       std::span<Scalar> gradient);

/// How many samples the model classifies rightly.
[[nodiscard]] std::size_t count_right(const ModelShape& shape, std::span<const float> parameters,
                                      const Samples& samples);

}  // namespace tally::sequencer::training
