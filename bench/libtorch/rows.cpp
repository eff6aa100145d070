#include "libtorch/rows.hpp"

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "chain.hpp"
#include "networks.hpp"
#include "tiny_chain.hpp"

namespace backdrop::bench {

namespace {

using torch::Tensor;
using Work = std::function<void()>;

Tensor tracked(const Tensor& x) { return x.clone().set_requires_grad(true); }

Work dropout_forward(double p, std::int64_t n) {
  return [=, x = torch::ones({n})] {
    const torch::NoGradGuard guard;
    torch::dropout(x, p, true);
  };
}

Work dropout_backward(double p, std::int64_t n) {
  const Tensor x = tracked(torch::ones({n})), y = torch::dropout(x, p, true);
  return [x, y, g = torch::ones({n})] { torch::autograd::grad({y}, {x}, {g}, /*retain_graph=*/true); };
}

Work dropout_forward_backward(double p, std::int64_t n) {
  return [=, x = tracked(torch::ones({n})), g = torch::ones({n})] {
    const Tensor y = torch::dropout(x, p, true);
    torch::autograd::grad({y}, {x}, {g});
  };
}

class Mlp {
 public:
  explicit Mlp(const Network& network)
      : inputs_(torch::rand({network.batch, network.widths.front()})),
        classes_(torch::randint(network.widths.back(), {network.batch}, torch::kLong)) {
    for (std::size_t k = 1; k < network.widths.size(); ++k) {
      layers_.emplace_back(torch::nn::Linear(network.widths[k - 1], network.widths[k]));
      for (const Tensor& parameter : layers_.back()->parameters()) parameters_.push_back(parameter);
    }
    optimizer_ = std::make_unique<torch::optim::SGD>(parameters_, Network::kLearningRate);
  }

  void step() {
    Tensor x = inputs_;
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      x = layers_[k]->forward(x);
      if (k + 1 < layers_.size()) x = torch::dropout(torch::relu(x), Network::kP, true);
    }
    for (Tensor& parameter : parameters_) parameter.mutable_grad() = Tensor();  // less work than zeros
    torch::cross_entropy_loss(x, classes_).backward();
    optimizer_->step();
  }

 private:
  Tensor inputs_, classes_;
  std::vector<torch::nn::Linear> layers_;
  std::vector<Tensor> parameters_;
  std::unique_ptr<torch::optim::SGD> optimizer_;
};

Tensor tiny_chain(const Tensor& x) {
  Tensor y = x;
  for (int k = 0; k < TinyChain::kOps; ++k) {
    switch (TinyChain::op(k)) {
      case TinyChain::Op::add:
        y = y + x;
        break;
      case TinyChain::Op::mul:
        y = y * x;
        break;
      case TinyChain::Op::square:
        y = torch::square(y);
    }
  }
  return y;
}

Work tiny_forward() {
  return [x = torch::full({1}, 0.5)] {
    const torch::NoGradGuard guard;
    tiny_chain(x);
  };
}

Work tiny_backward() {
  const Tensor x = tracked(torch::full({1}, 0.5)), y = tiny_chain(x);
  return [x, y] { torch::autograd::grad({y}, {x}, {}, /*retain_graph=*/true); };
}

Work tiny_forward_backward() {
  return [x = tracked(torch::full({1}, 0.5))] { torch::autograd::grad({tiny_chain(x)}, {x}); };
}

// Forwards and backwards, from the cotangent g of y.
template <class Forward>
Work forward_backward(std::vector<Tensor> xs, const Tensor& g, Forward forward) {
  for (Tensor& x : xs) x.set_requires_grad(true);
  return [=] { torch::autograd::grad({forward(xs)}, xs, {g}); };
}

Work chain_forward(std::int64_t n) {
  return [x = torch::rand({n}) * 6 - 3] {
    const torch::NoGradGuard guard;
    chain(x);
  };
}

Work softmax_cross_entropy() {
  const Tensor classes = torch::randint(1000, {128}, torch::kLong);
  return forward_backward({torch::randn({128, 1000})}, torch::ones({}), [=](const std::vector<Tensor>& x) {
    return torch::cross_entropy_loss(x[0], classes);
  });
}

Work layer_norm() {
  const Tensor x = torch::randn({4096, 1024}), weight = torch::randn({1024}), bias = torch::randn({1024});
  return forward_backward({x, weight, bias}, torch::randn({4096, 1024}), [](const std::vector<Tensor>& v) {
    return torch::layer_norm(v[0], {1024}, v[1], v[2]);
  });
}

Work attention() {
  const auto draw = [] { return torch::randn({8, 512, 64}); };
  return forward_backward({draw(), draw(), draw()}, draw(), [](const std::vector<Tensor>& v) {
    const Tensor scores = torch::matmul(v[0] / 8, v[1].transpose(-2, -1));  // 8 = sqrt(64)
    return torch::matmul(torch::dropout(torch::softmax(scores, -1), 0.1, true), v[2]);
  });
}

Work convolution() {
  const Tensor x = torch::randn({8, 64, 56, 56}), weight = torch::randn({64, 64, 3, 3});
  return forward_backward({x, weight, torch::randn({64})}, torch::randn({8, 64, 56, 56}),
                          [](const std::vector<Tensor>& v) {
                            return torch::conv2d(v[0], v[1], v[2], /*stride=*/1, /*padding=*/1);
                          });
}

void add_dropout(TorchRows& rows) {
  constexpr std::int64_t kMillion = 1'000'000;
  const auto add = [&](const std::string& what, Work (*make)(double, std::int64_t), const std::string& p,
                       std::int64_t n) {
    rows[what + "/p=" + p + "/n=" + std::to_string(n)] = [=] { return make(std::stod(p), n); };
  };
  for (const char* p : {"0.5", "0.25", "0.1"}) add("dropout_forward", dropout_forward, p, kMillion);
  add("dropout_forward", dropout_forward, "0.1", 10 * kMillion);
  add("dropout_backward", dropout_backward, "0.1", kMillion);
  add("dropout_forward_backward", dropout_forward_backward, "0.1", kMillion);
}

void add_mlp_steps(TorchRows& rows) {
  for (const Network& network : networks()) {
    rows[network.row()] = [=] { return [mlp = std::make_shared<Mlp>(network)] { mlp->step(); }; };
  }
}

}  // namespace

TorchRows torch_rows() {
  TorchRows rows;
  add_dropout(rows);
  add_mlp_steps(rows);
  rows["tiny_op/replay_forward"] = tiny_forward;
  rows["tiny_op/replay_backward"] = tiny_backward;
  rows["tiny_op/record_compile_run"] = tiny_forward_backward;
  rows[chain_row(1'000'000)] = [] { return chain_forward(1'000'000); };
  rows["softmax_cross_entropy/128x1000"] = softmax_cross_entropy;
  rows["layer_norm/4096x1024"] = layer_norm;
  rows["attention/8 heads, 512 tokens, 64, dropout 0.1"] = attention;
  rows["conv2d/64 channels, 56x56, 3x3, batch 8"] = convolution;
  return rows;
}

}  // namespace backdrop::bench
