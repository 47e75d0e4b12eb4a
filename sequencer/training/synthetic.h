// Synthetic(alpha, beta), the federated data set of Li, Sahu, Zaheer, Sanjabi, Talwalkar and Smith, "Federated
// Optimization in Heterogeneous Networks" (MLSys 2020), section 5.1 and appendix C.1. N(m, v) has variance v.
//
//     client k:  u_k ~ N(0, alpha)    W_k, b_k ~ N(u_k, 1)            how much the clients' models differ
//                B_k ~ N(0, beta)     v_k ~ N(B_k, 1), 60 of them     how much their data differ
//     sample:    x ~ N(v_k, Sigma), Sigma diagonal, Sigma_jj = j^-1.2     y = argmax(softmax(W_k x + b_k))
//
// Numbers of samples follow a power law: 50 + lognormal(4, 2), cut off at a maximum. The data of client k do not depend
// on how many clients there are.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

namespace tally::sequencer::training {

template <typename Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline constexpr int kFeatures = 60;
inline constexpr int kClasses = 10;

struct SyntheticOptions {
  double alpha = 1.0;
  double beta = 1.0;
  int clients = 30;
  int max_samples = 2000;   // of one client, training and test together; at least 50
  double test_share = 0.2;  // held out of every client's samples, at least one and not all
  std::uint64_t seed = 1;
};

struct Samples {
  Matrix<float> features;  // one row a sample
  std::vector<int> labels;
};

struct ClientData {
  Samples train;
  Samples test;
};

[[nodiscard]] std::vector<ClientData> make_synthetic(const SyntheticOptions& options);

}  // namespace tally::sequencer::training
