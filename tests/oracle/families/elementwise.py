"""Functions of elements, arithmetic, comparisons and masks."""
import torch
import torch.nn.functional as F

from recorder import TORCH_DTYPES, Cases, away, given, mask, op, positive, real, spelled_out

# name -> PyTorch's function, and a leaf where it is smooth
SMOOTH = {
    "neg": (torch.neg, real), "exp": (torch.exp, real), "expm1": (torch.expm1, real), "log": (torch.log, positive),
    "log1p": (torch.log1p, positive), "sqrt": (torch.sqrt, positive), "rsqrt": (torch.rsqrt, positive),
    "square": (torch.square, real), "reciprocal": (torch.reciprocal, positive), "sin": (torch.sin, real),
    "cos": (torch.cos, real), "tanh": (torch.tanh, real), "erf": (torch.erf, real), "erfc": (torch.erfc, real),
    "sigmoid": (torch.sigmoid, real), "log_sigmoid": (F.logsigmoid, real), "silu": (F.silu, real),
    "log2": (torch.log2, positive), "log10": (torch.log10, positive), "atan": (torch.atan, real),
    "sinh": (torch.sinh, real), "cosh": (torch.cosh, real), "asinh": (torch.asinh, real),
    "mish": (F.mish, real),
    "tanhshrink": (F.tanhshrink, real), "stop_gradient": (torch.detach, real),
}
# Where a narrower range is needed.
RANGED = {
    "tan": (torch.tan, -1.2, 1.2), "asin": (torch.asin, -0.9, 0.9), "acos": (torch.acos, -0.9, 0.9),
    "atanh": (torch.atanh, -0.9, 0.9), "acosh": (torch.acosh, 1.2, 3),
}
# With kinks, which the leaves avoid.
KINKED = {
    "abs": (torch.abs, [0]), "sign": (torch.sign, [0]), "relu": (F.relu, [0]), "relu6": (F.relu6, [0, 6]),
    "selu": (F.selu, [0]), "softsign": (F.softsign, [0]), "floor": (torch.floor, range(-8, 9)), "ceil": (torch.ceil, range(-8, 9)),
    "round": (torch.round, [k + 0.5 for k in range(-9, 9)]),
}
ATTRIBUTED = {
    "leaky_relu": (lambda x, slope: F.leaky_relu(x, slope), [0], [{"slope": 0.01}, {"slope": 0.3}]),
    "elu": (lambda x, alpha: F.elu(x, alpha), [0], [{"alpha": 1}, {"alpha": 0.7}]),
    "celu": (lambda x, alpha: F.celu(x, alpha), [0], [{"alpha": 1}, {"alpha": 1.5}]),  # PyTorch rounds to f32
    # PyTorch takes x itself above 20, which is 2e-9 off, unless told where.
    "softplus": (lambda x: F.softplus(x, threshold=300), [], [{}]),
    "gelu": (lambda x: F.gelu(x), [], [{}]),
    "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), [], [{}]),
    "clip": (lambda x, low, high: torch.clip(x, low, high), [-1, -0.5, 0.5, 1.5],
             [{"low": -1, "high": 0.5}, {"low": -0.5, "high": 1.5}]),
    "hardtanh": (lambda x, low, high: F.hardtanh(x, low, high), [-1, 1, 0.5, -0.25],
                 [{"low": -1, "high": 1}, {"low": -0.25, "high": 0.5}]),
    "softshrink": (lambda x, bound: F.softshrink(x, bound), [-0.5, 0.5, 0.8, -0.8],
                   [{"bound": 0.5}, {"bound": 0.8}]),
    "hardshrink": (lambda x, bound: F.hardshrink(x, bound), [-0.5, 0.5, 0.8, -0.8],
                   [{"bound": 0.5}, {"bound": 0.8}]),
    "scale": (lambda x, factor: x * factor, [], [{"factor": 2.5}, {"factor": -0.125}]),
}
BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "maximum": torch.maximum,
    "minimum": torch.minimum,
}
BINARY_ONLY_TENSORS = {"atan2": torch.atan2, "hypot": torch.hypot, "logaddexp": torch.logaddexp}
COMPARISONS = {"greater": torch.gt, "greater_equal": torch.ge, "less": torch.lt, "less_equal": torch.le,
               "equal": torch.eq, "not_equal": torch.ne}
LOGIC = {"logical_and": torch.logical_and, "logical_or": torch.logical_or, "logical_xor": torch.logical_xor}

NO_SECOND = "its backward function has no derivative"

for name, row in {**SMOOTH, **RANGED, **KINKED, **ATTRIBUTED}.items():
    op(name)(row[0])


def number(x):
    return torch.tensor(x, dtype=torch.float64)


def with_numbers(function):
    """Numbers on either side come as the attributes a and b."""
    def call(*x, a=None, b=None):
        if a is not None:
            return function(number(a), x[0])
        return function(x[0], x[1] if b is None else number(b))
    return call


for name, function in {**BINARY, **COMPARISONS, "rsub": torch.rsub, "rdiv": lambda a, b: b / a}.items():
    op(name)(with_numbers(function))
for name, function in {**BINARY_ONLY_TENSORS, **LOGIC, "logical_not": torch.logical_not}.items():
    op(name)(function)
spelled_out("hardsigmoid", NO_SECOND, F.hardsigmoid)(lambda x: F.relu6(x + 3) / 6)
spelled_out("hardswish", NO_SECOND, F.hardswish)(lambda x: x * F.relu6(x + 3) / 6)
op("multiply_add")(lambda a, b, c: torch.addcmul(c, a, b))
op("pow")(lambda x, exponent: torch.pow(x, exponent))
op("pow_tensor")(lambda a, b: torch.pow(a, b))
op("pow_of_number")(lambda x, base: torch.pow(base, x))


class Digamma(torch.autograd.Function):
    """PyTorch's, but for the derivative, in which it has nine digits."""
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.digamma(x)

    @staticmethod
    def backward(context, g):
        return g * polygamma(context.saved_tensors[0], 1)


class LogGamma(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.lgamma(x)

    @staticmethod
    def backward(context, g):
        return g * Digamma.apply(context.saved_tensors[0])


NINE_DIGITS = "its trigamma has nine digits; zeta(2, x) is the same"
spelled_out("lgamma", NINE_DIGITS, torch.lgamma)(LogGamma.apply)
spelled_out("digamma", NINE_DIGITS, torch.digamma)(Digamma.apply)


@spelled_out("polygamma", NINE_DIGITS)
def polygamma(x, n):
    if n == 0:
        return Digamma.apply(x)
    if n == 1:
        return torch.special.zeta(torch.tensor(2.0, dtype=x.dtype), x)
    return torch.polygamma(n, x)


op("cast")(lambda x, dtype: x.to(TORCH_DTYPES[dtype]))
op("masked_fill")(lambda x, m, value: torch.masked_fill(x, m, value))


@op("where")
def where(m, *x, a=None, b=None):
    rest = list(x)
    left = rest.pop(0) if a is None else number(a)
    return torch.where(m, left, rest.pop(0) if b is None else number(b))


def cases():
    c = Cases("elementwise")
    for name, (_, leaf) in SMOOTH.items():
        c.op(name, leaf(2, 3))
        c.op(name, leaf())
    for name, (_, low, high) in RANGED.items():
        c.op(name, real(2, 3, low=low, high=high))
        c.op(name, real(low=low, high=high))
    for name, (_, kinks) in KINKED.items():
        c.op(name, away(kinks, 2, 4, low=-7, high=7))
        c.op(name, away(kinks))
    for name in ["lgamma", "digamma"]:
        c.op(name, positive(2, 3))
        c.op(name, positive())
        c.op(name, away(range(-4, 1), 4, low=-4, high=0), note="negative")
    for name in ["hardsigmoid", "hardswish"]:
        c.op(name, away([-3, 3], 2, 4, low=-5, high=5))
        c.op(name, away([-3, 3]))
    for name, (_, kinks, settings) in ATTRIBUTED.items():
        for attributes in settings:
            c.op(name, away(kinks, 2, 5), **attributes)
        c.op(name, away(kinks, 3, low=-9, high=9), **settings[0], note="large")
    arithmetic(c)
    masks(c)
    return c


def arithmetic(c):
    for name in [*BINARY, *BINARY_ONLY_TENSORS, "rsub"]:
        for a, b in [((2, 3), (2, 3)), ((2, 1), (3,)), ((), (2, 2)), ((3, 1, 2), (1, 2, 1))]:
            c.op(name, real(*a), positive(*b))
    for name in [*BINARY, "rsub", "rdiv"]:
        c.op(name, positive(2, 2), b=1.25)
    for name in BINARY:
        c.op(name, positive(2, 2), a=0.875)
    c.op("rdiv", positive(2, 3), real(3))
    c.op("mul", real(2, 3), mask(3))
    for exponent in [3, 2, 1, 0, -1, 0.5, -2.5]:
        c.op("pow", positive(2, 3), exponent=exponent)
    for exponent in [3, 2, -2]:
        c.op("pow", away([0], 4), exponent=exponent, note="of both signs")
    c.op("pow_tensor", positive(2, 3), real(2, 3))
    c.op("pow_tensor", positive(2, 1), real(3))
    c.op("pow_of_number", real(2, 3), base=2)
    c.op("pow_of_number", real(3), base=0.7)
    c.op("multiply_add", real(2, 3), real(2, 3), real(2, 3))
    c.op("multiply_add", real(), real(), real())


def masks(c):
    for name in COMPARISONS:
        left = given("f64", (5,), [-1, 0, 1, 2, 2.5])
        c.op(name, left, given("f64", (5,), [-1, 0.5, 0, 2, 3]))
        c.op(name, left, b=1)
        c.op(name, left, a=2)
        c.op(name, given("i64", (2, 1), [1, 3]), given("i64", (3,), [1, 2, 3]))
    for name in LOGIC:
        c.op(name, mask(6, kept=0.5), mask(6, kept=0.5))
        c.op(name, mask(2, 1), mask(4))
    c.op("logical_not", mask(7))
    c.op("logical_not", mask(2, 3))
    c.op("where", mask(2, 3), real(2, 3), real(2, 3))
    c.op("where", mask(3), real(2, 3), real(2, 1))
    c.op("where", mask(2, 3), real(3), b=0.5)
    c.op("where", mask(2, 3), real(3), a=-1.5)
    for n in [0, 1, 2, 4]:
        c.op("polygamma", positive(3), n=n)
    for dtype in ["f32", "f64", "i64", "mask"]:
        c.op("cast", given("f64", (5,), [-1.75, 0, 0.1, 2.5, 1e6]), dtype=dtype)
    c.op("cast", given("i64", (4,), [-3, 0, 7, 1 << 40]), dtype="f64")
    c.add("cast to f32 and back", lambda r: r.cast(r.cast(r.real(2, 3), dtype="f32"), dtype="f64"))
    c.op("masked_fill", real(2, 3), mask(2, 3), value=-7)
    c.op("masked_fill", real(2, 3), mask(3), value=0.25)
