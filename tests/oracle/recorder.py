"""Programs of named ops on drawn inputs, and what PyTorch says of them: value and derivatives of three orders."""
import json
import random
import zlib

import torch

OPS = {}  # name -> a function of tensors (operands in order) and attributes, by PyTorch


def op(name):
    """Says how PyTorch computes an op: @op("scale") or op("exp")(torch.exp)."""
    def remember(function):
        assert name not in OPS, name
        OPS[name] = function
        return function
    return remember


SPELLED_OUT = {}  # name -> why PyTorch's own function does not do, for the ops written with others of its functions


def spelled_out(name, why, native=None):
    """@spelled_out("rms_norm", "PyTorch 1.13 has none"). The value is held to that of `native`, where there is one."""
    def remember(formula):
        def call(*x, **attributes):
            y = formula(*x, **attributes)
            if native is not None:
                torch.testing.assert_close(y, native(*x, **attributes), rtol=1e-13, atol=1e-15)
            return y
        SPELLED_OUT[name] = why
        op(name)(call)
        return formula
    return remember


TWICE_ONLY = {}  # name -> a formula in its place, for functions whose third derivatives PyTorch gets wrong


def twice_only(name):
    """Third derivatives are those of the formula, which has to have the first two of PyTorch's own function."""
    def remember(formula):
        TWICE_ONLY[name] = formula
        return formula
    return remember


class Value:
    """An input or the result of a step, by its number."""
    def __init__(self, index):
        self.index = index


class Recorder:
    """Records a program: leaves are made with values of a few decimals, any other method is a step."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.inputs = []  # (dtype, shape, flat values, differentiated)
        self.steps = []   # [op, numbers of the operands, attributes]

    def _leaf(self, dtype, shape, values, differentiated=False):
        assert not self.steps, "leaves come first: they are numbered before the steps"
        self.inputs.append((dtype, list(shape), values, differentiated))
        return Value(len(self.inputs) - 1)

    def _draw(self, low, high):
        return round(self.random.uniform(low, high), 3)

    def real(self, *shape, low=-2, high=2, differentiated=True):
        return self._leaf("f64", shape, [self._draw(low, high) for _ in range(count(shape))], differentiated)

    def positive(self, *shape):
        return self.real(*shape, low=0.25, high=2)

    def fixed(self, *shape, low=-2, high=2):
        """Numbers in which nothing is differentiated."""
        return self.real(*shape, low=low, high=high, differentiated=False)

    def away(self, kinks, *shape, low=-2, high=2):
        """Numbers at least 0.08 away from the kinks."""
        def draw():
            while True:
                x = self._draw(low, high)
                if all(abs(x - kink) >= 0.08 for kink in kinks):
                    return x
        return self._leaf("f64", shape, [draw() for _ in range(count(shape))], True)

    def distinct(self, *shape):
        """Numbers no two of which are near: no ties."""
        n = count(shape)
        values = [round((k - n / 2) * 0.2 + self._draw(-0.05, 0.05), 3) for k in range(n)]
        self.random.shuffle(values)
        return self._leaf("f64", shape, values, True)

    def mask(self, *shape, kept=0.6):
        n = count(shape)
        while True:
            values = [int(self.random.random() < kept) for _ in range(n)]
            if n < 2 or 0 < sum(values) < n:
                return self._leaf("mask", shape, values)

    def indices(self, n, *shape):
        return self._leaf("i64", shape, [self.random.randrange(n) for _ in range(count(shape))])

    def given(self, dtype, shape, values):
        assert len(values) == count(shape)
        return self._leaf(dtype, shape, list(values), dtype == "f64")

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)

        def step(*operands, **attributes):
            if name not in OPS:
                raise KeyError(f"PyTorch's side of {name} is not written down")
            self.steps.append([name, [v.index for v in operands], attributes])
            return Value(len(self.inputs) + len(self.steps) - 1)
        return step


def count(shape):
    n = 1
    for extent in shape:
        n *= extent
    return n


class Cases:
    """The cases of a family. A case's numbers depend on its name alone."""

    def __init__(self, family):
        self.family = family
        self.all = []  # (name, recorder)

    def add(self, name, build):
        """`build` records a program and returns its result, the last step."""
        assert name not in [n for n, _ in self.all], name
        r = Recorder(zlib.crc32(f"{self.family}/{name}".encode()))
        y = build(r)
        assert y.index == len(r.inputs) + len(r.steps) - 1, f"{name}: the result must be the last step"
        self.all.append((name, r))

    def op(self, name, *leaves, note="", **attributes):
        """One op on leaves, each a function of the recorder."""
        texts = ["x".join(map(str, shape)) or "scalar" for shape in
                 [i[1] for i in self._probe(leaves).inputs]]
        text = ", ".join(texts + [f"{k}={v}" for k, v in attributes.items()] + ([note] if note else []))
        self.add(f"{name}({text})",
                 lambda r: getattr(r, name)(*[leaf(r) for leaf in leaves], **attributes))

    @staticmethod
    def _probe(leaves):
        r = Recorder(0)
        for leaf in leaves:
            leaf(r)
        return r


# Leaves for Cases.op: real(2, 3) is a function of the recorder.
def _leaf(method):
    def arguments(*shape, **options):
        return lambda r: getattr(r, method)(*shape, **options)
    return arguments


real, positive, fixed, away, distinct, mask, indices, given = map(
    _leaf, ["real", "positive", "fixed", "away", "distinct", "mask", "indices", "given"])

TORCH_DTYPES = {"f64": torch.float64, "f32": torch.float32, "i64": torch.int64, "mask": torch.bool}
NAMES = {dtype: name for name, dtype in TORCH_DTYPES.items()}


def tensor(dtype, shape, values):
    return torch.tensor(values, dtype=TORCH_DTYPES[dtype]).reshape(shape)


def execute(r, inputs, otherwise={}):
    values = list(inputs)
    for name, operands, attributes in r.steps:
        function = otherwise.get(name, OPS[name])
        values.append(function(*[values[k] for k in operands], **attributes))
    return values[-1]


def flat(t):
    t = t.detach()
    if t._is_zerotensor():  # zeros that PyTorch never stored
        return [0.0] * t.numel()
    values = t.reshape(-1).tolist()
    if t.dtype == torch.bool:
        return [int(v) for v in values]
    assert all(v == v and abs(v) < 1e300 for v in values), "a number that JSON cannot hold"
    return values


def answer(name, r):
    """A case as it is written: the program, its inputs, and PyTorch's answers."""
    inputs = [tensor(*i[:3]).requires_grad_(i[3]) for i in r.inputs]
    y = execute(r, inputs)
    out = {"case": name,
           "inputs": [{"dtype": i[0], "shape": i[1], "values": i[2]} for i in r.inputs],
           "steps": [step if step[2] else step[:2] for step in r.steps],
           "y": {"dtype": NAMES[y.dtype], "shape": list(y.shape), "values": flat(y)}}
    of = [k for k, x in enumerate(inputs) if x.requires_grad]
    if not of or y.dtype != torch.float64:
        return out
    xs = [inputs[k] for k in of]
    rng = random.Random(zlib.crc32(("directions of " + name).encode()))

    def direction(shape):
        return [round(rng.uniform(-1, 1), 3) for _ in range(count(shape))]
    cotangent = direction(y.shape)
    directions = [direction(x.shape) for x in xs]
    g = tensor("f64", y.shape, cotangent).requires_grad_()
    ts = [tensor("f64", x.shape, t) for x, t in zip(xs, directions)]

    vjp, jvp, hvp = two_orders(y, xs, g, ts)
    out.update({"of": of, "cotangent": cotangent, "directions": directions, "vjp": [flat(v) for v in vjp],
                "jvp": flat(jvp), "hvp": [flat(h) for h in hvp]})
    if any(step[0] in TWICE_ONLY for step in r.steps):
        _, _, again = two_orders(execute(r, inputs, TWICE_ONLY), xs, g, ts)
        for h, other in zip(hvp, again):
            torch.testing.assert_close(other, h, rtol=1e-10, atol=1e-10 * float(h.abs().max() if h.numel() else 0))
        hvp = again
    found = third_derivative(name, hvp, xs, ts)
    if found is not None:
        out["third"] = [flat(v) for v in found] if any(v.any() for v in found) else 0
    return out


def two_orders(y, xs, g, ts):
    """J' g, J t, and H t of <g, y>: <J' g, t> as a function of x and g has J t as its gradient in g, H t as that in x."""
    vjp = gradient((g * y).sum(), xs)
    along = sum((v * t).sum() for v, t in zip(vjp, ts))
    jvp, *hvp = gradient(along, [g] + xs)
    return vjp, jvp, hvp


def third_derivative(name, hvp, xs, ts):
    """That of <g, y> along t and t again: the gradient of t'H t. None where PyTorch does not know it."""
    try:
        found = gradient(sum((h * t).sum() for h, t in zip(hvp, ts)), xs)
    except RuntimeError as error:
        assert "not implemented" in str(error) or "twice" in str(error), error
        print(f"{name}: no third derivative: {str(error).splitlines()[0]}")
        return None
    if not all(v.isfinite().all() for v in found):
        print(f"{name}: PyTorch's third derivative is not finite")
        return None
    return found


def gradient(y, xs):
    if not y.requires_grad:
        return [torch.zeros_like(x) for x in xs]
    found = torch.autograd.grad(y, xs, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if v is None else v for v, x in zip(found, xs)]


def write(path, cases):
    """A list of cases, one a line, numbers as the shortest decimals that read back as the same double."""
    with open(path, "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
