"""ONNX's ops in ours: a function per op from a Graph to the values of the node's outputs, None for what is not compared."""
from graph import Skip, dtype_of

OPS = {}
FAMILIES_WITHOUT = {
    "the library has no sequences, optionals, strings or branches": [
        "SequenceInsert", "SequenceMap", "OptionalGetElement", "OptionalHasElement", "StringNormalizer",
        "TfIdfVectorizer", "If", "Loop", "Scan"],
    "the library has no quantized arithmetic": [
        "QLinearConv", "QLinearMatMul", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger",
        "MatMulInteger", "BitShift"],
    "optimizers are programs with updates here, not ops": ["Adagrad", "Adam", "Momentum"],
    "random numbers come from keys here": ["Bernoulli"],
    "not in the library": [
        "DFT", "STFT", "Det", "GridSample", "MaxUnpool", "MelWeightMatrix", "RoiAlign"],
    "the shape of the result depends on values": ["Compress", "NonMaxSuppression", "NonZero", "Unique"],
    "a shape is no tensor here": ["Shape", "Size"],
}
WITHOUT = {op: why for why, ops in FAMILIES_WITHOUT.items() for op in ops}


def onnx(*names):
    def remember(function):
        for name in names:
            OPS[name] = function
        return function
    return remember


SAME = {"Abs": "abs", "Acos": "acos", "Acosh": "acosh", "Add": "add", "And": "logical_and", "Asin": "asin",
        "Asinh": "asinh", "Atan": "atan", "Atanh": "atanh", "Ceil": "ceil", "Cos": "cos", "Cosh": "cosh", "Div": "div",
        "Equal": "equal", "Erf": "erf", "Exp": "exp", "Floor": "floor", "Greater": "greater",
        "GreaterOrEqual": "greater_equal", "HardSwish": "hardswish", "Less": "less", "LessOrEqual": "less_equal",
        "Log": "log", "MatMul": "matmul", "Mul": "mul", "Neg": "neg", "Not": "logical_not", "Or": "logical_or",
        "Reciprocal": "reciprocal", "Relu": "relu", "Round": "round", "Sigmoid": "sigmoid", "Sign": "sign", "Sin": "sin",
        "Sinh": "sinh", "Softplus": "softplus", "Softsign": "softsign", "Sqrt": "sqrt", "Sub": "sub", "Tan": "tan",
        "Tanh": "tanh", "Xor": "logical_xor"}
for name, ours in SAME.items():
    OPS[name] = lambda g, ours=ours: [getattr(g, ours)(*g.all())]
OPS["Celu"] = lambda g: [g.celu(g.x(0), alpha=g.a.get("alpha", 1.0))]
OPS["Elu"] = lambda g: [g.elu(g.x(0), alpha=g.a.get("alpha", 1.0))]
OPS["LeakyRelu"] = lambda g: [g.leaky_relu(g.x(0), slope=g.a.get("alpha", 0.01))]
OPS["Concat"] = lambda g: [g.concat(*g.all(), axis=g.a["axis"])]
OPS["Einsum"] = lambda g: [g.einsum(*g.all(), equation=g.a["equation"])]
OPS["Expand"] = lambda g: [g.broadcast_to(g.x(0), shape=list(g.expected[0].shape))]
OPS["IsNaN"] = lambda g: [g.not_equal(g.x(0), g.x(0))]
OPS["Identity"] = lambda g: [g.reshape(g.x(0), shape=g.shape(0))]
OPS["Where"] = lambda g: [g.where(*g.all())]
OPS["Reshape"] = lambda g: [g.reshape(g.x(0), shape=list(g.expected[0].shape))]
OPS["Transpose"] = lambda g: [g.transpose(g.x(0), axes=g.a.get("perm", []))]
OPS["Tile"] = lambda g: [g.tile(g.x(0), repeats=g.list(1))]


def axes_given(g):
    """An input, or an attribute before version 13."""
    return g.list(1) if g.has(1) else g.a.get("axes", [])


@onnx("Unsqueeze")
def unsqueeze(g):
    y = g.x(0)
    rank = len(g.expected[0].shape)
    for axis in sorted(a % rank for a in axes_given(g)):
        y = g.unsqueeze(y, axis=axis)
    return [y]


@onnx("Squeeze")
def squeeze(g):
    return [g.squeeze(g.x(0), axes=axes_given(g))]


@onnx("Flatten")
def flatten(g):
    axis, rank = g.a.get("axis", 1) % (len(g.shape(0)) or 1), len(g.shape(0))
    if g.a.get("axis", 1) == rank or axis == 0:
        return [g.reshape(g.x(0), shape=list(g.expected[0].shape))]
    y = g.flatten(g.x(0), first=axis, last=-1)
    return [g.flatten(y, first=0, last=axis - 1)]


@onnx("Pow")
def power(g):
    if g.given[0].kind != g.given[1].kind:
        return [g.pow_tensor(g.x(0), g.cast(g.x(1), dtype=dtype_of(g.given[0])))]
    return [g.pow_tensor(*g.all())]


@onnx("Mod")
def mod(g):
    """fmod: what division that rounds towards 0 leaves."""
    if not g.a.get("fmod") or dtype_of(g.expected[0]) == "i64":
        raise Skip("integers, of which the library does no arithmetic")
    a, b = g.all()
    q = g.div(a, b)
    return [g.sub(a, g.mul(b, g.mul(g.sign(q), g.floor(g.abs(q)))))]


@onnx("Max", "Min", "Sum", "Mean")
def variadic(g):
    op = {"Max": "maximum", "Min": "minimum"}.get(g.op, "add")
    y = g.x(0)
    for k in range(1, len(g.given)):
        y = getattr(g, op)(y, g.x(k))
    if len(g.given) == 1:
        y = g.reshape(y, shape=g.shape(0))
    return [g.scale(y, factor=1 / len(g.given)) if g.op == "Mean" else y]


@onnx("Clip")
def clip(g):
    low, high = (g.list(k)[0] if g.has(k) else None for k in (1, 2))
    if low is not None and high is not None:
        return [g.clip(g.x(0), low=low, high=high)]
    y = g.x(0)
    if low is not None:
        y = g.maximum(y, b=low)
    if high is not None:
        y = g.minimum(y, b=high)
    return [y if low is not None or high is not None else g.reshape(y, shape=g.shape(0))]


@onnx("HardSigmoid")
def hardsigmoid(g):
    y = g.add(g.scale(g.x(0), factor=g.a.get("alpha", 0.2)), b=g.a.get("beta", 0.5))
    return [g.clip(y, low=0, high=1)]


@onnx("Selu")
def selu(g):
    alpha, gamma = g.a.get("alpha", 1.6732632423543772), g.a.get("gamma", 1.0507009873554805)
    return [g.selu(g.x(0))] if not g.a else [g.scale(g.elu(g.x(0), alpha=alpha), factor=gamma)]


@onnx("Shrink")
def shrink(g):
    bound, bias = g.a.get("lambd", 0.5), g.a.get("bias", 0.0)
    if bias not in (0, bound):
        raise Skip("a bias that is not the bound")
    return [(g.softshrink if bias else g.hardshrink)(g.x(0), bound=bound)]


@onnx("ThresholdedRelu")
def thresholded_relu(g):
    return [g.where(g.greater(g.x(0), b=g.a.get("alpha", 1.0)), g.x(0), b=0.0)]


@onnx("PRelu")
def prelu(g):
    return [g.add(g.relu(g.x(0)), g.mul(g.x(1), g.minimum(g.x(0), b=0.0)))]


@onnx("IsInf")
def is_inf(g):
    both = [bool(g.a.get(f"detect_{sign}", 1)) for sign in ("positive", "negative")]
    most = 3.4028234663852886e38
    if both == [True, True]:
        return [g.greater(g.abs(g.x(0)), b=most)]
    return [g.greater(g.x(0), b=most) if both[0] else g.less(g.x(0), b=-most)]


@onnx("Cast", "CastLike")
def cast(g):
    target = {1: "f32", 11: "f64"}.get(g.expected[0].kind)
    if target is None:
        raise Skip("to a dtype that the library does not have")
    return [g.cast(g.x(0), dtype=target)]


@onnx("Dropout")
def dropout(g):
    """With the mask of the second output; where the node has none, what is not 0 was kept."""
    training = bool(g.list(2)[0]) if g.has(2) else False
    ratio = g.list(1)[0] if g.has(1) else g.a.get("ratio", 0.5)
    shape, y = g.shape(0), g.expected[0].values
    kept = list(g.expected[1].values) if len(g.expected) > 1 else [int(v != 0) for v in y]
    return [g.dropout(g.x(0), g.leaf("mask", shape, kept), p=ratio if training else 0.0), None]
