"""Arguments near 0, and so large that a careless formula overflows or cancels. Each range is a case of its own, as results
are compared relative to the largest."""
from recorder import Cases, given

TINY = [1e-9, -3e-8, 2e-12]
FAR = [-38.0, -33.5, -21.25]
BEYOND = [-800.0, -745.5, -710.0]

# name -> which ranges: t = tiny, l = far to the left, r = far to the right, L and R = beyond, where e^x under- or overflows
RANGES = {
    "expm1": "tl", "log1p": "tr", "tanh": "tlrLR", "sigmoid": "tlrLR", "log_sigmoid": "tlrLR", "softplus": "tlrLR",
    "silu": "tlr", "erf": "tlr", "erfc": "tlR", "gelu": "t", "gelu_tanh": "t", "elu": "lL", "selu": "lL", "celu": "lL",
    "mish": "tr", "asinh": "tr", "sinh": "t", "atan": "trR", "softsign": "trR", "tanhshrink": "r", "square": "tR",
    "reciprocal": "R", "sqrt": "R", "rsqrt": "R", "log": "R", "log2": "R", "log10": "R", "lgamma": "r", "digamma": "r",
    "sin": "tr", "cos": "tr", "acosh": "r",
}
ALPHA = {"elu": {"alpha": 1}, "celu": {"alpha": 1}}


def values(which):
    return {"t": TINY, "l": FAR, "r": [-x for x in FAR], "L": BEYOND, "R": [-x for x in BEYOND]}[which]


def leaf(which):
    return given("f64", (3,), values(which))


def cases():
    c = Cases("extremes")
    for name, ranges in RANGES.items():
        for which in ranges:
            c.op(name, leaf(which), note={"t": "near 0", "l": "left", "r": "right", "L": "far left",
                                          "R": "far right"}[which], **ALPHA.get(name, {}))
    rows = given("f64", (2, 3), [800, -800, 799, 1000.5, 1001, 999])
    for name in ["softmax", "log_softmax"]:
        c.op(name, rows, axis=1, note="large")
    c.op("logsumexp", rows, axes=[1], note="large")
    c.op("logcumsumexp", rows, axis=1, note="large")
    c.op("logaddexp", given("f64", (3,), [800, -700, 3]), given("f64", (3,), [799, -701, 40]), note="large")
    c.op("cross_entropy", rows, given("i64", (2,), [2, 0]), note="large")
    c.op("bce_with_logits", given("f64", (4,), [-800, -40, 40, 800]), given("f64", (4,), [0.25, 1, 0, 0.5]), note="large")
    for axes in [{}, {"axes": [1]}]:
        c.op("var", given("f64", (2, 3), [1e8, 1e8 + 1, 1e8 + 2, -3e7, -3e7 + 2, -3e7 - 5]), correction=1,
             note="around a large mean", **axes)
    c.op("layer_norm", given("f64", (2, 3), [1e4, 1e4 + 1, 1e4 + 2, -3e3, -3e3 + 2, -3e3 - 5]), normalized=[3],
         note="around a large mean")
    c.op("norm", given("f64", (2, 2), [1e-6, 2e-6, -3e-6, 4e-6]), axes=[1], note="small")
    c.op("hypot", given("f64", (2,), [1e-6, 3e5]), given("f64", (2,), [-2e-6, 4e5]), note="small and large")
    return c
