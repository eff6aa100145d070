#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <cstring>
#include <vector>

using namespace backdrop;

namespace {

Tensor numbers(const Shape& shape, double offset) {
  std::vector<float> out(shape.numel());
  for (std::size_t k = 0; k < out.size(); ++k) {
    out[k] = static_cast<float>(std::sin(static_cast<double>(k) * 0.7 + offset));
  }
  return Tensor::from(out, shape);
}

Tensor copy_of(const Tensor& t) {
  Tensor out = Tensor::uninitialized(t.shape(), t.dtype());
  std::memcpy(out.mutable_bytes(), t.bytes(), byte_size(t.dtype(), t.numel()));
  return out;
}

// A network of two layers with dropout, and its labels.
struct Network {
  Tape tape;
  Variable w1{"w1", numbers({60, 50}, 1)}, b1{"b1", numbers({50}, 2)};
  Variable w2{"w2", numbers({50, 10}, 3)}, b2{"b2", numbers({10}, 4)};
  std::vector<Variable> all{w1, b1, w2, b2};
  std::vector<Var> parameters;
  Var loss;
  Tensor x, labels;

  explicit Network(std::int64_t batch) : x(numbers({batch, 60}, 5)) {
    const Var in = tape.input("x", {batch, 60}), to = tape.input("labels", {batch}, DType::i64);
    for (const Variable& v : all) parameters.push_back(tape.variable(v));
    const Var hidden = dropout(relu(matmul(in, parameters[0]) + parameters[1]), 0.5, Key{3, 0});
    loss = cross_entropy(matmul(hidden, parameters[2]) + parameters[3], to);
    labels = Tensor::arange(batch);
    for (std::int64_t& label : labels.mutable_data<std::int64_t>()) label %= 10;
  }

  Program step(const SgdOptions& options = {}, bool optimize = true) {
    const Var rate = tape.constant(Tensor::scalar(0.125));
    const auto updates = sgd(parameters, grad(loss, parameters), rate, options);
    return compile(tape, {.outputs = {loss}, .updates = updates, .optimize = optimize});
  }
  std::vector<Tensor> values() const {
    std::vector<Tensor> out;
    for (const Variable& v : all) out.push_back(copy_of(v.value()));
    return out;
  }
};

double distance(const Tensor& a, const Tensor& b) {
  double most = 0;
  for (std::size_t k = 0; k < a.numel(); ++k) most = std::max(most, std::abs(a.at(k) - b.at(k)));
  return most;
}

}  // namespace

TEST_CASE("a step of gradient descent is added to the weights where they lie") {
  Network net(32);
  const Program step = net.step();
  CHECK(step.explain().find("add_product f32 [60, 50]") != std::string::npos);
  CHECK(step.explain().find("4 updates, 4 of them where the Variable lies") != std::string::npos);
  const void* const before = net.w1.value().bytes();
  for (std::uint32_t k = 0; k < 3; ++k) step.run({{"x", net.x}, {"labels", net.labels}}, {.step = k});
  CHECK(net.w1.value().bytes() == before);
}

TEST_CASE("folded steps are the recorded ones, but for rounding") {
  for (const std::int64_t batch : {1, 2, 40}) {
    Network folded(batch), plain(batch);
    const Program fast = folded.step(), slow = plain.step({}, false);
    for (std::uint32_t k = 0; k < 5; ++k) {
      fast.run({{"x", folded.x}, {"labels", folded.labels}}, {.step = k});
      slow.run({{"x", plain.x}, {"labels", plain.labels}}, {.step = k});
    }
    const auto a = folded.values(), b = plain.values();
    for (std::size_t k = 0; k < a.size(); ++k) CHECK(distance(a[k], b[k]) < 1e-5);
    CHECK(distance(a[0], numbers({60, 50}, 1)) > 1e-3);
  }
}

TEST_CASE("a gradient that is asked for beside its step is there") {
  Network net(4), other(4);
  const auto gradients = [](Network& of) { return grad(of.loss, of.parameters); };
  const std::vector<Var> asked = gradients(net);
  const Var rate = net.tape.constant(Tensor::scalar(0.125));
  const Program step = compile(net.tape, {.outputs = asked, .updates = sgd(net.parameters, asked, rate)});
  const Outputs found = step.run({{"x", net.x}, {"labels", net.labels}}, {.step = 0});
  const std::vector<Tensor> expected =
      value(gradients(other), {.feeds = {{"x", other.x}, {"labels", other.labels}}, .step = 0});
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK(found[k].same_bits(expected[k]));
}

TEST_CASE("momentum and Adam are written in place, too, with the bits of node after node") {
  const auto updates = [](Network& net, bool momentum) {
    const std::vector<Var> gradients = grad(net.loss, net.parameters);
    const Var rate = net.tape.constant(Tensor::scalar(0.125));
    return momentum ? sgd(net.parameters, gradients, rate, {.momentum = 0.75, .weight_decay = 0.01})
                    : adam(net.parameters, gradients, rate);
  };
  for (const bool momentum : {true, false}) {
    Network a(8), b(8);
    const Program fast = compile(a.tape, {.updates = updates(a, momentum)});
    const Program slow = compile(b.tape, {.updates = updates(b, momentum), .optimize = false});
    for (std::uint32_t k = 0; k < 4; ++k) {
      fast.run({{"x", a.x}, {"labels", a.labels}}, {.step = k});
      slow.run({{"x", b.x}, {"labels", b.labels}}, {.step = k});
    }
    const auto x = a.values(), y = b.values();
    for (std::size_t k = 0; k < x.size(); ++k) CHECK(x[k].same_bits(y[k]));
    const std::string text = fast.explain();
    CHECK(text.find(momentum ? "8 updates, 8 of them" : "13 updates, 13 of them") != std::string::npos);
  }
}

TEST_CASE("a value that somebody holds is not written over") {
  Network net(4);
  const Program step = net.step();
  const std::vector<Tensor> before = net.values();
  const Tensor held = net.w1.value();
  step.run({{"x", net.x}, {"labels", net.labels}}, {.step = 0});
  CHECK(held.same_bits(before[0]));
  CHECK_FALSE(net.w1.value().same_bits(held));
  const Tensor after = copy_of(net.w1.value());
  Network other(4);
  other.step().run({{"x", other.x}, {"labels", other.labels}}, {.step = 0});
  CHECK(other.w1.value().same_bits(after));  // the same bits, in place and not
}

TEST_CASE("a run that throws leaves every Variable as it was") {
  Network net(4);
  const Program step = net.step();
  step.run({{"x", net.x}, {"labels", net.labels}}, {.step = 0});
  const std::vector<Tensor> before = net.values();
  Tensor wrong = net.labels;
  wrong.mutable_data<std::int64_t>()[3] = 10;
  CHECK_THROWS_AS(step.run({{"x", net.x}, {"labels", wrong}}, {.step = 1}), ValueError);
  Tensor infinite = copy_of(net.x);
  infinite.mutable_data<float>()[0] = INFINITY;
  CHECK_THROWS_AS(
      step.run({{"x", infinite}, {"labels", net.labels}}, {.step = 1, .anomalies = Anomalies::nan_or_inf}),
      NonFiniteError);
  for (std::size_t k = 0; k < before.size(); ++k) CHECK(net.all[k].value().same_bits(before[k]));
}

TEST_CASE("what reads the old value later keeps the update out of its place") {
  Tape tape;
  Variable w("w", numbers({64, 64}, 0));
  const Var v = tape.variable(w), x = tape.input("x", {64, 64});
  const Var rate = tape.constant(Tensor::scalar(0.5));
  const Var next = v - rate * matmul(x, x);
  const Var later = matmul(matmul(next, x), v);  // v after its next value is known
  const Tensor start = copy_of(w.value()), fed = numbers({64, 64}, 9);
  const Tensor expected = value(later, {.feeds = {{"x", fed}}});
  const Program program = compile(tape, {.outputs = {later}, .updates = {{w, next}}});
  CHECK(program.explain().find("1 updates, 0 of them") != std::string::npos);
  CHECK(distance(program.run({{"x", fed}})[0], expected) < 1e-3);
  w.set(start);
  const Program both = compile(tape, {.outputs = {v}, .updates = {{w, next}}});
  CHECK(both.run({{"x", fed}})[0].same_bits(start));
}

TEST_CASE("explain names the groups with their nodes, and what moves between memory and the kernels") {
  Tape tape;
  const Var x = tape.input("x", {128, 256}), b = tape.variable("b", numbers({256}, 0));
  Var y = dropout(relu(x + b), 0.1, Key{1, 0});
  tape.set_name(y, "hidden");
  const std::string text = compile(tape, {.outputs = {y}}).explain();
  INFO(text);
  CHECK(text.find("1 steps, 4 kernels; arena 0 B") != std::string::npos);
  CHECK(text.find("broadcast_to f32 [128, 256], once for 128 rows") != std::string::npos);
  CHECK(text.find("drawn_dropout f32 [128, 256] hidden, stored") != std::string::npos);
  CHECK(text.find("writes  128.0 KiB") != std::string::npos);
}

TEST_CASE("explain says how many rows share what is repeated: those that a thread is given at a time") {
  Tape tape;
  const Var x = tape.input("x", {4096, 1024}), b = tape.variable("b", numbers({1024}, 0));
  const std::string text = compile(tape, {.outputs = {relu(x + b)}}).explain();
  INFO(text);
  CHECK(text.find("broadcast_to f32 [4096, 1024], once for 64 rows") != std::string::npos);
}
