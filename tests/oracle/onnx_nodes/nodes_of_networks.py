"""Softmax, normalization, losses, recurrent networks."""

from graph import Skip
from nodes import onnx


@onnx("Softmax", "LogSoftmax")
def softmax(g):
    return [(g.softmax if g.op == "Softmax" else g.log_softmax)(g.x(0), axis=g.a.get("axis", -1))]


@onnx("BatchNormalization")
def batch_norm(g):
    eps = g.a.get("epsilon", 1e-5)
    if not g.a.get("training_mode"):
        return [g.batch_norm_given(g.x(0), g.x(3), g.x(4), g.x(1), g.x(2), eps=eps)]
    momentum = g.a.get("momentum", 0.9)
    axes = [k for k in range(len(g.shape(0))) if k != 1]

    def running(old, now):
        return g.add(g.scale(old, factor=momentum), g.scale(now, factor=1 - momentum))
    y = g.batch_norm(g.x(0), g.x(1), g.x(2), eps=eps)
    return [y, running(g.x(3), g.mean(g.x(0), axes=axes)), running(g.x(4), g.var(g.x(0), axes=axes, correction=0))]


@onnx("InstanceNormalization")
def instance_norm(g):
    return [g.instance_norm(g.x(0), g.x(1), g.x(2), eps=g.a.get("epsilon", 1e-5))]


@onnx("LayerNormalization")
def layer_norm(g):
    shape, eps = g.shape(0), g.a.get("epsilon", 1e-5)
    axis = g.a.get("axis", -1) % len(shape)
    axes = list(range(axis, len(shape)))
    y = g.layer_norm(g.x(0), g.x(1), g.x(2), normalized=shape[axis:], eps=eps)
    variance = g.var(g.x(0), axes=axes, correction=0, keepdims=True)
    return [y, g.mean(g.x(0), axes=axes, keepdims=True), g.rsqrt(g.add(variance, b=eps))]


@onnx("MeanVarianceNormalization")
def mean_variance(g):
    axes = g.a.get("axes", [0, 2, 3])
    centered = g.sub(g.x(0), g.mean(g.x(0), axes=axes, keepdims=True))
    deviation = g.sqrt(g.var(g.x(0), axes=axes, correction=0, keepdims=True))
    return [g.div(centered, g.add(deviation, b=1e-9))]


@onnx("LRN")
def local_response(g):
    """Channels become the last axis but one, where a window of the size is averaged: zeros count."""
    n, c, h, w = g.shape(0)
    size = g.a["size"]
    before = (size - 1) // 2
    squares = g.reshape(g.square(g.x(0)), shape=[n, 1, c, h * w])
    padded = g.pad(squares, before=[0, 0, before, 0], after=[0, 0, size - 1 - before, 0])
    means = g.reshape(g.avg_pool2d(padded, kernel=[size, 1], stride=[1, 1]), shape=[n, c, h, w])
    base = g.add(g.scale(means, factor=g.a.get("alpha", 1e-4)), b=g.a.get("bias", 1.0))
    return [g.mul(g.x(0), g.pow(base, exponent=-g.a.get("beta", 0.75)))]


@onnx("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
def likelihood(g):
    options = {"reduction": g.a.get("reduction", "mean")}
    if "ignore_index" in g.a:
        options["ignore_index"] = g.a["ignore_index"]
    weight = [g.x(2)] if g.has(2) else []
    if g.op == "NegativeLogLikelihoodLoss":
        return [g.nll(g.x(0), g.x(1), *weight, **options)]
    y = g.cross_entropy(g.x(0), g.x(1), *weight, **options)
    return [y, g.log_softmax(g.x(0), axis=1)][:len(g.expected)] if len(g.expected) > 1 else [y]


class Layer:
    """One direction of a recurrent network: weights of a gate as [hidden, in], sequences as lists of [batch, in]."""

    def __init__(self, g, gates):
        self.g, self.gates = g, gates
        if g.a.get("direction", "forward") != "forward" or "activations" in g.a or "clip" in g.a:
            raise Skip("other activations or directions")
        self.batch_first = g.a.get("layout", 0)
        shape = g.shape(0)
        self.steps, self.batch = (shape[1], shape[0]) if self.batch_first else (shape[0], shape[1])
        if g.has(4) and any(n != self.steps for n in g.list(4)):
            raise Skip("sequences of different lengths")
        self.hidden = g.shape(2)[-1]

    def sequence(self):
        return [self.g.select(self.g.x(0), axis=1 if self.batch_first else 0, index=t) for t in range(self.steps)]

    def parts(self, k):
        """Input k of shape [1, gates * hidden, ...] by gates."""
        g = self.g
        rows = g.select(g.x(k), axis=0, index=0)
        n = g.shape(k)[1] // self.hidden
        return [g.split(rows, sizes=[self.hidden] * n, axis=0, output=i) for i in range(n)]

    def state(self, k):
        g = self.g
        if not g.has(k):
            return g.leaf("f32", [self.batch, self.hidden], [0.0] * (self.batch * self.hidden))
        return g.select(g.x(k), axis=1 if self.batch_first else 0, index=0)

    def biases(self):
        """Of the input and of the state, per gate; None where there are none."""
        if not self.g.has(3):
            return [None] * self.gates, [None] * self.gates
        parts = self.parts(3)
        return parts[:self.gates], parts[self.gates:]

    def outputs(self, hs):
        g, batch_first = self.g, self.batch_first
        if batch_first:  # [batch, steps, 1, hidden], [batch, 1, hidden]
            return [g.unsqueeze(g.stack(*hs, axis=1), axis=2), g.unsqueeze(hs[-1], axis=1)]
        return [g.unsqueeze(g.stack(*hs, axis=0), axis=1), g.unsqueeze(hs[-1], axis=0)]

    def product(self, x, weight, bias):
        y = self.g.matmul(x, weight, transpose_b=True)
        return y if bias is None else self.g.add(y, bias)


@onnx("RNN")
def rnn(g):
    layer = Layer(g, 1)
    w, r, (wb, rb), h = layer.parts(1), layer.parts(2), layer.biases(), layer.state(5)
    hs = []
    for x in layer.sequence():
        h = g.tanh(g.add(layer.product(x, w[0], wb[0]), layer.product(h, r[0], rb[0])))
        hs.append(h)
    return layer.outputs(hs)


@onnx("LSTM")
def lstm(g):
    """Gates in ONNX's order: input, output, forget, cell; peepholes for the first three."""
    layer = Layer(g, 4)
    w, r, (wb, rb), h, c = layer.parts(1), layer.parts(2), layer.biases(), layer.state(5), layer.state(6)
    peep = layer.parts(7) if g.has(7) else [None] * 3
    hs = []
    for x in layer.sequence():
        z = [g.add(layer.product(x, w[k], wb[k]), layer.product(h, r[k], rb[k])) for k in range(4)]

        def gate(k, c):
            return g.sigmoid(z[k] if peep[k] is None else g.add(z[k], g.mul(c, peep[k])))
        new = g.add(g.mul(gate(2, c), c), g.mul(gate(0, c), g.tanh(z[3])))
        h = g.mul(gate(1, new), g.tanh(new))
        c = new
        hs.append(h)
    last = g.unsqueeze(c, axis=1 if layer.batch_first else 0)
    return layer.outputs(hs) + [last]


@onnx("GRU")
def gru(g):
    """Gates in ONNX's order: update, reset, hidden; the reset comes before the product unless linear_before_reset."""
    layer = Layer(g, 3)
    w, r, (wb, rb), h = layer.parts(1), layer.parts(2), layer.biases(), layer.state(5)
    hs = []
    for x in layer.sequence():
        update, reset = [g.sigmoid(g.add(layer.product(x, w[k], wb[k]), layer.product(h, r[k], rb[k])))
                         for k in (0, 1)]
        if g.a.get("linear_before_reset"):
            inner = g.mul(reset, layer.product(h, r[2], rb[2]))
        else:
            inner = layer.product(g.mul(reset, h), r[2], rb[2])
        new = g.tanh(g.add(layer.product(x, w[2], wb[2]), inner))
        h = g.add(g.mul(g.sub(update, a=1.0), new), g.mul(update, h))
        hs.append(h)
    return layer.outputs(hs)
